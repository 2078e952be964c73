"""The ads that the stand-in of Meta tells of: from a file of real figures, or drawn.

Belongs here: every ad on every day, and how many of its leads Meta has counted by a day. Does not belong here:
the wire (meta.py) and contacts (people.py).
What is drawn says so in every name. The same ad and day always come to the same figures.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

# Meta counts leads to a day for four weeks after it; four of five are there on the day itself.
COUNTED_DAYS: Final = 28
_AT_ONCE: Final = 0.8
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class AdFigures:
    """One ad on one day. `leads` are all that there will ever be; `views` None where Meta tells none."""

    day: date
    campaign_id: str
    campaign: str
    adset_id: str
    adset: str
    ad_id: str
    ad: str
    objective: str | None
    impressions: int
    clicks: int
    link_clicks: int
    spend: Decimal
    leads: int
    views: int | None
    deleted: bool = False

    def counted(self, today: date) -> int:
        """How many of its leads Meta has counted by a day of the account."""
        age = (today - self.day).days
        return self.leads if age >= COUNTED_DAYS else sum(1 for lag in self.lags() if lag <= age)

    def lags(self) -> Iterator[int]:
        """Per lead, how many days later Meta counts it."""
        drawn = random.Random(f"lag {self.ad_id} {self.day}")
        for _ in range(self.leads):
            yield 0 if drawn.random() < _AT_ONCE else drawn.randrange(1, COUNTED_DAYS)


class Ads(Protocol):
    """Where the figures come from."""

    def of(self, day: date) -> Sequence[AdFigures]:
        """Every ad that was shown on a day, by id."""
        ...


class FileAds:
    """The columns of prism_core/campaign/insights.py CSV_COLUMNS; ids stand for names."""

    def __init__(self, path: Path) -> None:
        self._days: Mapping[date, list[AdFigures]] = _read(path)

    def of(self, day: date) -> Sequence[AdFigures]:
        return self._days.get(day, [])


@dataclass(frozen=True, slots=True)
class Plan:
    """A drawn campaign. `spend` an ad and day; rates: clicks of impressions, leads and views of clicks."""

    name: str
    objective: str
    ads: int
    spend: float
    click_rate: float
    lead_rate: float
    view_rate: float


PLANS: Final = (
    Plan("Synthetic · Apply now · lookalikes", "OUTCOME_LEADS", 6, 14.0, 0.012, 0.07, 0.72),
    Plan("Synthetic · Apply now · retargeting", "OUTCOME_LEADS", 4, 8.0, 0.019, 0.11, 0.8),
    Plan("Synthetic · Languages wanted", "OUTCOME_LEADS", 6, 10.0, 0.010, 0.05, 0.66),
    Plan("Synthetic · Meet the team", "OUTCOME_TRAFFIC", 3, 6.0, 0.021, 0.0, 0.85),
    Plan("Synthetic · Who we are", "OUTCOME_AWARENESS", 2, 9.0, 0.004, 0.0, 0.0),
)
_ADS_A_SET: Final = 3
_OF_THE_WEEK: Final = (1.08, 1.1, 1.05, 1.0, 0.94, 0.86, 0.97)


class DrawnAds:
    """Synthetic campaigns on any day, all of them drawn from their ids and the day."""

    def __init__(self, plans: Sequence[Plan] = PLANS, *, seed: str = "prism") -> None:
        self._plans, self._seed = tuple(plans), seed
        self.of = lru_cache(maxsize=400)(self._of)

    def _of(self, day: date) -> Sequence[AdFigures]:
        return tuple(
            self._figures(day, number, plan, ad)
            for number, plan in enumerate(self._plans)
            for ad in range(plan.ads)
        )

    def _figures(self, day: date, number: int, plan: Plan, ad: int) -> AdFigures:
        adset = ad // _ADS_A_SET
        campaign_id = f"1202{number:011d}"
        adset_id, ad_id = f"1203{number:06d}{adset:05d}", f"1204{number:06d}{ad:05d}"
        own = random.Random(f"{self._seed} {ad_id}")
        better = own.uniform(0.8, 1.2)
        drawn = random.Random(f"{self._seed} {ad_id} {day}")
        spend = Decimal(plan.spend * better * _OF_THE_WEEK[day.weekday()] * drawn.uniform(0.85, 1.15)).quantize(
            _CENT
        )
        impressions = int(float(spend) * drawn.uniform(95, 125))
        clicks = _about(drawn, impressions * plan.click_rate * better)
        return AdFigures(
            day=day,
            campaign_id=campaign_id,
            campaign=plan.name,
            adset_id=adset_id,
            adset=f"{plan.name} · set {adset + 1}",
            ad_id=ad_id,
            ad=f"{plan.name} · ad {ad + 1}",
            objective=plan.objective,
            impressions=impressions,
            clicks=clicks,
            link_clicks=_about(drawn, clicks * 0.8),
            spend=spend,
            leads=_about(drawn, clicks * plan.lead_rate),
            views=_about(drawn, clicks * plan.view_rate),
            deleted=own.random() < 0.1,
        )


def _about(drawn: random.Random, mean: float) -> int:
    """A count around its mean, as wide as counts of independent events are."""
    return max(round(drawn.gauss(mean, mean**0.5)), 0) if mean > 0 else 0


def _read(path: Path) -> Mapping[date, list[AdFigures]]:
    found: defaultdict[date, list[AdFigures]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day, clicks = date.fromisoformat(row["date"]), int(row["clicks"])
            ids = (row["campaign_id"], row["adset_id"], row["ad_id"])
            names = (f"Campaign {ids[0]}", f"Ad set {ids[1]}", f"Ad {ids[2]}")
            found[day].append(
                AdFigures(
                    day, ids[0], names[0], ids[1], names[1], ids[2], names[2], None, int(row["impressions"]),
                    clicks, clicks, Decimal(row["spend"]), int(row["leads"]), None,
                )
            )  # fmt: skip
    return found


def between(ads: Ads, since: date, until: date) -> Iterable[AdFigures]:
    """Every ad by day, both days included."""
    for number in range((until - since).days + 1):
        yield from ads.of(since + timedelta(days=number))
