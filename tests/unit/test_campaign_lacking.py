"""Rows that fall short of the account's own totals stand only where that is the account's lasting difference."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from prism_core.campaign.lacking import Lacking, may_stand
from prism_core.campaign.read_weeks import AdsRead

DAY = date(2023, 7, 31)


def read(spend: str | None = "1000.00", leads: int | None = 100) -> AdsRead:
    control = None if spend is None else {DAY: Decimal(spend)}
    lead_control = None if leads is None else {DAY: leads}
    at = datetime(2023, 8, 7, 3, tzinfo=UTC)
    return AdsRead("77", "EUR", ZoneInfo("UTC"), (DAY,), control, "raw/", at, "meta", lead_control)


def lack(spend: str, leads: int) -> Lacking:
    return Lacking(Decimal(spend), leads)


@pytest.mark.parametrize(
    ("now", "before", "published"),
    [
        pytest.param(lack("0", 12), None, None, id="spend is there"),
        pytest.param(lack("90", 0), None, None, id="leads are there"),
        pytest.param(lack("15", 2), lack("15", 2), None, id="little, twice"),
        pytest.param(lack("15", 2), lack("15", 2), lack("15", 2), id="as it is published"),
        pytest.param(lack("15", 2), lack("15", 2), lack("-90", 9), id="published with more of an error"),
    ],
)
def test_what_lacks_little_twice_and_was_never_published_better_stands(
    now: Lacking, before: Lacking | None, published: Lacking | None
) -> None:
    assert may_stand(read(), now, before, published)


@pytest.mark.parametrize(
    ("now", "before", "published"),
    [
        pytest.param(lack("15", 2), None, None, id="read once"),
        pytest.param(lack("15", 2), lack("15", 1), None, id="lacked something else before"),
        pytest.param(lack("15", 2), lack("15", 2), lack("0", 0), id="published whole"),
        pytest.param(lack("15", 2), lack("15", 2), lack("15", 1), id="published with more leads"),
        pytest.param(lack("21", 2), lack("21", 2), None, id="much of the spend, twice"),
        pytest.param(lack("15", 3), lack("15", 3), None, id="many leads, twice"),
        pytest.param(lack("1000", 100), lack("1000", 100), None, id="nothing came, twice"),
    ],
)
def test_what_lacks_much_or_less_before_is_a_lost_page(
    now: Lacking, before: Lacking | None, published: Lacking | None
) -> None:
    assert not may_stand(read(), now, before, published)


def test_of_a_small_account_one_lead_is_little() -> None:
    now = lack("0.50", 1)

    assert may_stand(read("100.00", 10), now, now, None)


@pytest.mark.parametrize(
    "found",
    [pytest.param(read(leads=None), id="no leads told"), pytest.param(read(spend=None), id="no spend told")],
)
def test_where_nobody_told_both_totals_nothing_is_known_to_be_lacking(found: AdsRead) -> None:
    now = Lacking.of(found, Decimal("10.00"), 1, 3)

    assert now is None
    assert may_stand(found, now, None, None)


def test_what_rounding_explains_is_not_lacking() -> None:
    assert Lacking.of(read(), Decimal("999.99"), 98, 3) == lack("0", 2)
