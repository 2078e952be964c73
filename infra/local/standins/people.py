"""The contacts that the stand-in of HubSpot knows: one for most leads of the ads, and some that came another way.

Belongs here: drawing them, names and addresses that belong to nobody included. Does not belong here: the wire
(hubspot.py). Nobody who asks as PRISM does ever sees a name: they are here to prove it.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from infra.local.standins.ads import AdFigures, Ads

# Of the leads that Meta counts, how many are in the customer system, and of these how many carry ids.
_KNOWN, _WITH_IDS = 0.9, 0.85
_OTHERS_A_DAY: Final = 3
_OTHER_SOURCES: Final = ("ORGANIC_SEARCH", "DIRECT_TRAFFIC", "REFERRALS", "EMAIL_MARKETING")
_LIFECYCLES: Final = ("lead", "lead", "lead", "marketingqualifiedlead", "opportunity")
_STATUSES: Final = ("NEW", "NEW", "OPEN", "CONNECTED", "UNQUALIFIED")
_SPAN: Final = 100_000  # ids a day


class People:
    """The contacts of any span of time, by id."""

    def __init__(self, ads: Ads, zone: ZoneInfo) -> None:
        self._ads, self._zone = ads, zone
        self._of = lru_cache(maxsize=400)(self._draw)

    def between(self, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        """Contacts with start <= created < end: `id`, `created` and all their properties."""
        day, last = start.astimezone(self._zone).date(), end.astimezone(self._zone).date()
        while day <= last:
            yield from (one for one in self._of(day) if start <= one["created"] < end)
            day += timedelta(days=1)

    def _draw(self, day: date) -> Sequence[dict[str, Any]]:
        drawn = random.Random(f"people {day}")
        ads = [ad for ad in self._ads.of(day) for _ in range(ad.leads) if drawn.random() < _KNOWN]
        found: list[AdFigures | None] = [*ads, *([None] * _OTHERS_A_DAY if self._ads.of(day) else [])]
        drawn.shuffle(found)
        midnight = datetime.combine(day, time.min, self._zone).astimezone(UTC)
        step = 82_000 / max(len(found), 1)  # the shortest day has 23 hours
        return tuple(
            self._contact(day.toordinal() * _SPAN + number, midnight + timedelta(seconds=number * step), ad, drawn)
            for number, ad in enumerate(found)
        )

    @staticmethod
    def _contact(number: int, created: datetime, ad: AdFigures | None, drawn: random.Random) -> dict[str, Any]:
        created = created.replace(microsecond=0)
        with_ids = ad is not None and drawn.random() < _WITH_IDS
        in_properties = with_ids and drawn.random() < 0.7
        ids = (ad.campaign_id, ad.adset_id, ad.ad_id) if ad is not None and with_ids else (None, None, None)
        names = ("utm_campaign_id", "utm_adset_id", "utm_ad_id")
        email = f"synthetic-{number}@example.invalid"
        # Forms write what was typed into the address; and the ids are there, too.
        query = f"email={email}" + "".join(f"&{n}={i}" for n, i in zip(names, ids, strict=True) if i)
        properties = {
            "createdate": _iso(created),
            "lastmodifieddate": _iso(created),
            "hs_object_id": str(number),
            "email": email,
            "firstname": "Synthetic",
            "lastname": f"Person {number}",
            "phone": f"+000 {number}",
            "lifecyclestage": drawn.choice(_LIFECYCLES),
            "hs_lead_status": drawn.choice(_STATUSES),
            "hs_analytics_source": "PAID_SOCIAL" if ad is not None else drawn.choice(_OTHER_SOURCES),
            "hs_analytics_first_url": f"https://synthetic.example/apply?{query}",
            **{name: found if in_properties else None for name, found in zip(names, ids, strict=True)},
        }
        return {"id": str(number), "created": created, "properties": properties}


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
