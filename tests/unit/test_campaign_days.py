"""A day and a week of an ad account are those of its own clock, also where clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.campaign.account_days import bounds, day_of, week_of
from prism_core.failures import BadUsage

MADRID, LOS_ANGELES = ZoneInfo("Europe/Madrid"), ZoneInfo("America/Los_Angeles")
ZONES = ["UTC", "Europe/Madrid", "America/Los_Angeles", "America/Santiago", "Africa/Cairo", "Asia/Beirut",
         "America/Havana", "Atlantic/Azores", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"]  # fmt: skip


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        pytest.param(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), MADRID, date(2026, 3, 29), id="after midnight"),
        pytest.param(datetime(2026, 3, 29, 21, 59, tzinfo=UTC), MADRID, date(2026, 3, 29), id="short day, last"),
        pytest.param(datetime(2026, 3, 29, 22, 0, tzinfo=UTC), MADRID, date(2026, 3, 30), id="short day, over"),
        pytest.param(datetime(2026, 10, 24, 22, 0, tzinfo=UTC), MADRID, date(2026, 10, 25), id="long day, first"),
        pytest.param(datetime(2026, 10, 25, 22, 59, tzinfo=UTC), MADRID, date(2026, 10, 25), id="long day, last"),
        pytest.param(datetime(2026, 10, 25, 23, 0, tzinfo=UTC), MADRID, date(2026, 10, 26), id="long day, over"),
        pytest.param(datetime(2026, 1, 5, 7, 59, tzinfo=UTC), LOS_ANGELES, date(2026, 1, 4), id="still Sunday"),
    ],
)
def test_the_day_is_that_of_the_accounts_clock(instant: datetime, zone: ZoneInfo, day: date) -> None:
    assert (day_of(instant, zone), week_of(instant, zone)) == (day, Week.of(day))


@pytest.mark.parametrize(
    ("week", "hours"),
    [
        pytest.param("2026-W13", 167, id="clocks forward"),
        pytest.param("2026-W14", 168, id="ordinary"),
        pytest.param("2026-W43", 169, id="clocks back"),
    ],
)
def test_a_week_has_an_hour_less_or_more_where_clocks_change(week: str, hours: int) -> None:
    first, end = bounds(Week.parse(week), MADRID)

    assert end - first == timedelta(hours=hours)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_every_instant_lies_in_the_bounds_of_its_week_and_of_no_other(naive: datetime, zone: str) -> None:
    instant, place = naive.replace(tzinfo=UTC), ZoneInfo(zone)
    week = week_of(instant, place)

    first, end = bounds(week, place)

    assert first <= instant < end
    assert bounds(week + 1, place)[0] == end


def test_an_instant_without_a_zone_has_no_day() -> None:
    with pytest.raises(BadUsage, match="no time zone"):
        day_of(datetime(2026, 1, 5), MADRID)  # noqa: DTZ001
