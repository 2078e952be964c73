"""Weeks of ads for the tests of campaigns.

Belongs here: rows that are made up, the real ones, and hypothesis strategies of both. Does not belong here: tests.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.campaign.insights import Account, AdDay, read_csv
from prism_core.campaign.metrics import History, history

FILE = Path(__file__).parents[1] / "data" / "ads" / "ads_daily.csv"
# The source names no currency.
ACCOUNT = Account("77", "EUR")
MONDAY = date(2023, 7, 31)


def ad(
    day: date = MONDAY,
    campaign: str = "1",
    *,
    ad_id: str | None = None,
    adset: str | None = None,
    spend: str = "10.00",
    leads: int = 1,
    impressions: int = 1_000,
    clicks: int = 10,
    views: int | None = None,
    currency: str = "EUR",
    name: str | None = None,
    objective: str | None = None,
) -> AdDay:
    """One ad of a campaign on a day."""
    adset = adset or f"{campaign}0"
    ad_id = ad_id or f"{adset}0"
    names = (name or f"Campaign {campaign}", f"Set {adset}", f"Ad {ad_id}")
    return AdDay(
        day, "77", campaign, names[0], adset, names[1], ad_id, names[2], objective,
        impressions, clicks, None, Decimal(spend), currency, leads, views,
    )  # fmt: skip


def weekly(leads: Sequence[int], spend: str = "1000.00", campaign: str = "1") -> list[AdDay]:
    """A row on the Monday of each week, the first one in 2023-W31."""
    return [
        ad(MONDAY + timedelta(weeks=at), campaign, leads=count, spend=spend, impressions=100_000, clicks=1_000)
        for at, count in enumerate(leads)
    ]


def of_weeks(rows: Iterable[AdDay], count: int) -> History:
    """So many whole weeks from 2023-W31 on."""
    return history(rows, (MONDAY, MONDAY + timedelta(days=7 * count - 1)))


def real() -> History:
    with FILE.open(encoding="utf-8", newline="") as lines:
        rows = read_csv(lines, ACCOUNT).rows
    return history(rows, (min(row.day for row in rows), max(row.day for row in rows)))


def week(number: int) -> Week:
    """2023-W31 is 0."""
    return Week(MONDAY) + number


ad_days = st.builds(
    ad,
    day=st.dates(MONDAY, MONDAY + timedelta(days=41)),
    campaign=st.sampled_from(["1", "22", "333"]),
    ad_id=st.integers(1, 10**6).map(str),
    spend=st.decimals(0, 10_000, places=2).map(str),
    leads=st.integers(0, 60),
    impressions=st.integers(0, 10**6),
    clicks=st.integers(0, 5_000),
    views=st.none() | st.integers(0, 500),
    currency=st.sampled_from(["EUR"] * 9 + ["USD"]),
    objective=st.sampled_from([None, "OUTCOME_LEADS", "OUTCOME_SALES"]),
)
