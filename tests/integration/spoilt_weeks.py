"""Weeks that Meta and HubSpot tell wrongly.

Belongs here: putting a fault into a stand-in's world, or into the answers of a week that was read before. Does not
belong here: what must come of it (test_campaign_faults.py).
"""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from infra.local.standins.ads import AdFigures
from infra.local.standins.faults import Fault
from prism_resources.archive import HUBSPOT, META, Archive
from prism_resources.hubspot.source import WHAT as CONTACTS
from prism_resources.meta_ads.source import WHAT as INSIGHTS_OF_A_WEEK
from tests.integration.outside import FILE_ADS, Outside
from tests.integration.test_meta_insights import INSIGHTS, OF_ADS, W31

SEARCH: Final = "/contacts/search"
THURSDAY: Final = date(2023, 8, 3)

Row = dict[str, Any]
Spoiled = Callable[[list[Row]], object]


@dataclass(frozen=True, slots=True)
class Renamed:
    """The file's ads; from Thursday on every campaign has another name, and all of them are deleted by now."""

    def of(self, day: date) -> Sequence[AdFigures]:
        late = day >= THURSDAY
        return [
            replace(one, deleted=True, campaign=f"New {one.campaign_id}" if late else one.campaign)
            for one in FILE_ADS.of(day)
        ]


@dataclass(frozen=True, slots=True)
class Restated:
    """The file's ads as Meta counts them weeks later: two leads and a cent more for the first ad of Thursday."""

    def of(self, day: date) -> Sequence[AdFigures]:
        found = list(FILE_ADS.of(day))
        if day == THURSDAY:
            found[0] = replace(found[0], leads=found[0].leads + 2, spend=found[0].spend + Decimal("0.01"))
        return found


def served_rows(spoil: Spoiled) -> Callable[[Outside], None]:
    """The rows of W31 as Meta answered them, spoilt."""

    def arrange(outside: Outside) -> None:
        rows = _archived(outside, META, INSIGHTS_OF_A_WEEK, "data")
        outside.world.faults.add(Fault(INSIGHTS, body={"data": _spoilt(rows, spoil)}, skip=OF_ADS))

    return arrange


def served_contacts(spoil: Spoiled) -> Callable[[Outside], None]:
    """The contacts of W31 as HubSpot answered them, spoilt, on one page."""

    def arrange(outside: Outside) -> None:
        rows = _spoilt(_archived(outside, HUBSPOT, CONTACTS, "results"), spoil)
        outside.world.faults.add(Fault(SEARCH, body={"total": len(rows), "results": rows}))

    return arrange


def _archived(outside: Outside, source: str, what: str, of: str) -> list[Row]:
    first, *_ = Archive(outside.lake, source).readings(W31, what)
    pages = [json.loads(one.body) for one in first.exchanges() if one.step == "page" and one.status == 200]
    return [row for page in pages for row in page[of]]


def _spoilt(rows: list[Row], spoil: Spoiled) -> list[Row]:
    found = copy.deepcopy(rows)
    spoil(found)
    return found


def spoil_six(rows: list[Row]) -> None:
    rows[0]["spend"] = "many"
    rows[1]["spend"] = "-1.00"
    rows[2]["impressions"] = "1e3"
    rows[3]["ad_id"] = None
    rows[4]["date_start"] = "yesterday"
    of_lead = next(row for row in rows[5:] if "lead" in str(row.get("actions")))
    of_lead["actions"] = [one for one in of_lead["actions"] if one["action_type"] != "lead"]


def twice_as_numbers(rows: list[Row]) -> None:
    for row in rows:
        row |= {"impressions": int(row["impressions"]), "spend": float(row["spend"])}
    rows += rows


def in_dollars_from_thursday_without_clicks(rows: list[Row]) -> None:
    for row in rows:
        if row["date_start"] >= THURSDAY.isoformat():
            row["account_currency"] = "USD"
        for name in ("clicks", "inline_link_clicks", "actions"):
            row.pop(name, None)


def without_ids(rows: list[Row]) -> None:
    for row in rows:
        names = ("utm_campaign_id", "utm_adset_id", "utm_ad_id", "hs_analytics_first_url")
        row["properties"] |= dict.fromkeys(names)


def twice_and_one_without_an_id(rows: list[Row]) -> None:
    rows += [*rows, rows[0] | {"id": None}]


def both(*parts: Callable[[Outside], object]) -> Callable[[Outside], None]:
    def arrange(outside: Outside) -> None:
        for part in parts:
            part(outside)

    return arrange


def add(*faults: Fault) -> Callable[[Outside], None]:
    return lambda outside: outside.world.faults.add(*faults)


def tells(ads: Any) -> Callable[[Outside], None]:
    """Other ads; the customer system knows the same people as before."""

    def arrange(outside: Outside) -> None:
        outside.world.ads = ads

    return arrange


def put(**fields: Any) -> Callable[[Outside], None]:
    def arrange(outside: Outside) -> None:
        for name, value in fields.items():
            setattr(outside.world, name, value)

    return arrange
