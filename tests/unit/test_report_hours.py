"""A report is due at seven by the clock of whoever reads it, also on days whose clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.reports.hours import MONDAY_MORNING, due_at, instant_of, last_due
from prism_core.reports.missing import overdue

# Half-hour changes, changes at midnight, a skipped day, far east and far west.
ZONES = (
    *("UTC", "Europe/Madrid", "America/New_York", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kathmandu"),
    *(
        "America/Asuncion",
        "Africa/Cairo",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "America/St_Johns",
        "Africa/Casablanca",
    ),
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
# The years in which the rules of these zones are known, with Samoa's skipped day.
days = st.dates(date(2009, 1, 1), date(2036, 12, 31))
hours = st.times().map(lambda at: at.replace(microsecond=0))


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


@pytest.mark.parametrize(
    ("label", "zone", "expected"),
    [
        pytest.param("2026-W12", "Europe/Madrid", "2026-03-23T06:00", id="the last Monday of winter"),
        pytest.param("2026-W13", "Europe/Madrid", "2026-03-30T05:00", id="the first Monday of summer"),
        pytest.param("2026-W42", "Europe/Madrid", "2026-10-19T05:00", id="the last Monday of summer"),
        pytest.param("2026-W43", "Europe/Madrid", "2026-10-26T06:00", id="the first Monday of winter"),
        pytest.param("2026-W10", "America/New_York", "2026-03-09T11:00", id="first of summer in New York"),
        pytest.param("2026-W44", "America/New_York", "2026-11-02T12:00", id="first of winter in New York"),
        pytest.param("2026-W43", "Pacific/Kiritimati", "2026-10-25T17:00", id="while it is Sunday in UTC"),
        pytest.param("2026-W43", "Asia/Kathmandu", "2026-10-26T01:15", id="a quarter of an hour off"),
    ],
)
def test_it_is_seven_on_monday_on_both_sides_of_a_change(label: str, zone: str, expected: str) -> None:
    assert due_at(Week.parse(label), ZoneInfo(zone)) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_of_an_hour_that_is_skipped_it_is_the_change_of_the_clocks() -> None:
    madrid = ZoneInfo("Europe/Madrid")

    found = [instant_of(date(2026, 3, 29), time(2, minute), madrid) for minute in (0, 30, 59)]

    assert found == [datetime(2026, 3, 29, 1, tzinfo=UTC)] * 3


def test_an_hour_that_comes_twice_counts_when_it_comes_first() -> None:
    assert instant_of(date(2026, 10, 25), time(2, 30), ZoneInfo("Europe/Madrid")) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_a_day_that_a_country_has_left_out_begins_with_the_next_one() -> None:
    apia = ZoneInfo("Pacific/Apia")

    assert instant_of(date(2011, 12, 30), time(7), apia) == instant_of(date(2011, 12, 31), time(0), apia)


@given(days, hours, zones)
@example(date(2011, 12, 30), time(23, 59, 59), ZoneInfo("Pacific/Apia"))
@example(date(2026, 4, 5), time(1, 45), ZoneInfo("Australia/Lord_Howe"))
def test_it_is_the_first_instant_at_which_the_clocks_show_that_hour_or_a_later_one(
    day: date, at: time, zone: ZoneInfo
) -> None:
    wanted = datetime.combine(day, at)

    found = instant_of(day, at, zone)

    assert shown(found, zone) >= wanted
    assert shown(found - timedelta(seconds=1), zone) < wanted
    # Not once in the day and a half before, in which clocks may have gone back.
    assert all(shown(found - timedelta(minutes=15 * n), zone) < wanted for n in range(1, 145))


@given(days, days, hours, zones)
def test_a_later_day_is_never_due_before_an_earlier_one(one: date, other: date, at: time, zone: ZoneInfo) -> None:
    first, second = sorted((one, other))

    assert instant_of(first, at, zone) <= instant_of(second, at, zone)


@given(days.map(Week.of), zones, hours)
def test_every_week_is_due_once_and_within_an_hour_or_so_of_seven_days_after_the_one_before(
    week: Week, zone: ZoneInfo, at: time
) -> None:
    apart = due_at(week + 1, zone, at) - due_at(week, zone, at)

    assert abs(apart - timedelta(days=7)) <= timedelta(days=1)  # a day, where a country left one out


@given(days.map(Week.of), zones, st.integers(0, 7 * 24 * 3600 - 2 * 3600))
def test_the_newest_week_that_is_due_is_the_one_of_which_the_hour_has_come(
    week: Week, zone: ZoneInfo, seconds: int
) -> None:
    due = due_at(week, zone)

    assert last_due(due, zone) == week
    assert last_due(due - timedelta(seconds=1), zone) == week + -1
    now = due + timedelta(seconds=seconds)
    if now < due_at(week + 1, zone):
        assert last_due(now, zone) == week


def test_an_instant_and_an_hour_must_say_what_they_mean() -> None:
    with pytest.raises(BadUsage, match="no time zone"):
        last_due(datetime(2026, 1, 5, 7), ZoneInfo("UTC"))  # noqa: DTZ001
    for at in (time(7, tzinfo=UTC), time(7, microsecond=1)):
        with pytest.raises(BadUsage, match="07:00"):
            instant_of(date(2026, 1, 5), at, ZoneInfo("UTC"))
    assert time(7) == MONDAY_MORNING


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param("2026-11-23T08:59", ["2026-W46"], id="two hours after seven nobody waits yet"),
        pytest.param("2026-11-23T09:00", ["2026-W46", "2026-W47"], id="in New York it is four"),
        pytest.param("2026-11-23T14:00", ["2026-W47"], id="and there, too"),
    ],
)
def test_a_report_is_overdue_two_hours_after_its_hour_where_a_reader_is(now: str, expected: list[str]) -> None:
    at, zones = datetime.fromisoformat(f"{now}Z"), ["UTC", "America/New_York", "UTC"]

    found = overdue(at, zones, MONDAY_MORNING, Week.parse("2026-W01"))

    assert [week.label for week in found] == expected
    assert overdue(at, zones, MONDAY_MORNING, Week.parse("2026-W48")) == []
    assert overdue(at, [], MONDAY_MORNING, Week.parse("2026-W01")) == []
