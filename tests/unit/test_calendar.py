"""ISO weeks: reading, counting, ranges, and what is said about a week that does not exist."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from prism_core.calendar import Week, WeekRange, weeks_in_year
from prism_core.failures import BadUsage

W01 = Week.parse("2026-W01")
days = st.dates(date(20, 1, 1), date(9980, 12, 31))  # far enough from both ends of the calendar to step
weeks = days.map(Week.of)


class Planned(BaseModel):
    week: Week


@given(days)
def test_a_day_lies_in_its_week(day: date) -> None:
    week = Week.of(day)

    assert day in week.days
    assert week.monday.isoweekday() == 1
    assert (week.monday, week.sunday) == (week.days[0], week.days[6])


@given(weeks)
def test_a_week_is_read_back_from_its_label_and_from_its_partition_key(week: Week) -> None:
    assert Week.parse(week.label) == week
    assert Week.parse(week.key) == week
    assert Week.of(week.key) == week
    assert str(week) == week.label


@given(weeks)
def test_a_label_is_the_iso_week_of_every_one_of_its_days(week: Week) -> None:
    assert {f"{d.isocalendar().year:04d}-W{d.isocalendar().week:02d}" for d in week.days} == {week.label}


@given(weeks, st.integers(-500, 500))
def test_the_difference_of_two_weeks_is_what_was_added(week: Week, step: int) -> None:
    assert (week + step) - week == step
    assert (week + step > week) == (step > 0)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_an_instant_lies_in_the_week_it_has_in_utc(local: datetime, offset_minutes: int) -> None:
    instant = local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))

    week = Week.of(instant)

    assert instant in week
    assert week == Week.of(instant.astimezone(UTC).date())


def test_sunday_evening_in_new_york_is_the_next_week_in_utc() -> None:
    evening = datetime(2026, 1, 4, 20, tzinfo=ZoneInfo("America/New_York"))

    assert Week.of(evening).label == "2026-W02"
    assert Week.of(evening.date()).label == "2026-W01"


def test_monday_morning_in_manila_is_still_the_last_week_in_utc() -> None:
    assert Week.of(datetime(2026, 1, 5, 7, tzinfo=ZoneInfo("Asia/Manila"))).label == "2026-W01"


def test_a_week_begins_on_monday_at_midnight_and_ends_before_the_next() -> None:
    assert W01.start == datetime(2025, 12, 29, tzinfo=UTC)
    assert W01.start in W01
    assert W01.end not in W01
    assert W01.end == (W01 + 1).start


@pytest.mark.parametrize("year", [1976, 2004, 2009, 2015, 2020, 2026, 2032])
def test_a_long_year_has_a_week_53(year: int) -> None:
    assert weeks_in_year(year) == 53
    assert Week.parse(f"{year}-W53") + 1 == Week.parse(f"{year + 1}-W01")


@pytest.mark.parametrize("year", [2000, 2021, 2024, 2025, 2027])
def test_a_short_year_goes_from_week_52_to_week_1(year: int) -> None:
    assert weeks_in_year(year) == 52
    assert Week.parse(f"{year}-W52") + 1 == Week.parse(f"{year + 1}-W01")


def test_the_first_days_of_a_year_may_belong_to_the_last_week_of_the_one_before() -> None:
    assert Week.of(date(2027, 1, 3)).label == "2026-W53"
    assert Week.of(date(2025, 12, 29)).label == "2026-W01"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-W00", "'2026-W00': 2026 has weeks W01 to W53"),
        ("2025-W53", "'2025-W53': 2025 has weeks W01 to W52"),
        ("2026-W54", "2026 has weeks W01 to W53"),
        ("0000-W01", "there is no year 0000"),
        ("2026-01-06", "is a Tuesday; a week is named by its Monday or as 2026-W02"),
        ("2026-02-30", "is not a date: day"),
        ("2026-W1", "is not a week; write it as 2026-W01"),
        ("2026W01", "is not a week"),
        ("2026-w01", "is not a week"),
        (" 2026-W01", "is not a week"),
        ("20251229", "is not a week"),
        ("\N{ARABIC-INDIC DIGIT TWO}026-W01", "is not a week"),
        ("", "'' is not a week"),
    ],
)
def test_a_week_that_cannot_be_read_is_refused_with_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(BadUsage) as refused:
        Week.parse(text)

    assert words in str(refused.value)


def test_a_week_is_not_made_from_another_day_than_a_monday() -> None:
    with pytest.raises(BadUsage, match="2026-01-06 is not a Monday"):
        Week(date(2026, 1, 6))


def test_an_instant_without_a_zone_has_no_week() -> None:
    with pytest.raises(BadUsage, match="has no time zone"):
        Week.of(datetime(2026, 1, 5))  # noqa: DTZ001


def test_a_window_ends_with_its_week() -> None:
    window = Week.parse("2027-W02").window(4)

    assert [week.label for week in window] == ["2026-W52", "2026-W53", "2027-W01", "2027-W02"]
    assert list(W01.window(1)) == [W01]


@pytest.mark.parametrize("size", [0, -1])
def test_a_window_without_a_week_is_refused(size: int) -> None:
    with pytest.raises(BadUsage, match="at least one week"):
        W01.window(size)


@given(weeks, st.integers(0, 60))
def test_a_range_is_read_back_from_its_text_and_holds_each_week_once(first: Week, more: int) -> None:
    span = WeekRange(first, first + more)

    listed = list(span)

    assert WeekRange.parse(str(span)) == span
    assert len(listed) == len(span) == len(set(listed))
    assert all(week in span for week in listed)
    assert not {span.first + -1, span.last + 1} & set(listed)


def test_one_week_is_a_range_of_one() -> None:
    assert list(WeekRange.parse("2026-W01")) == [W01]
    assert str(WeekRange.parse("2025-12-29..2025-12-29")) == "2026-W01"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-W02..2026-W01", "the range 2026-W02..2026-W01 ends before it starts"),
        ("2026-W01..", "'' is not a week"),
        ("..2026-W01", "'' is not a week"),
        ("2026-W01...2026-W02", "'.2026-W02' is not a week"),
        ("2026-W01..2026-W02..2026-W03", "'2026-W02..2026-W03' is not a week"),
        ("2026-W01-2026-W02", "is not a week"),
        ("2026-W52..2026-W54", "2026 has weeks W01 to W53"),
    ],
)
def test_a_range_that_cannot_be_read_is_refused_with_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(BadUsage) as refused:
        WeekRange.parse(text)

    assert words in str(refused.value)


def test_a_model_reads_and_writes_a_week_as_text() -> None:
    planned = Planned.model_validate({"week": "2026-W01"})

    assert planned.week == W01
    assert planned.model_dump_json() == '{"week":"2026-W01"}'
    assert Planned(week=W01) == planned
    assert Planned.model_json_schema()["properties"]["week"]["pattern"] == r"^\d{4}-W\d{2}$"


@pytest.mark.parametrize("value", ["2026-W60", 202601, None, date(2025, 12, 29)])
def test_a_model_refuses_what_is_no_week(value: object) -> None:
    with pytest.raises(ValidationError, match="week"):
        Planned.model_validate({"week": value})


def test_the_last_week_of_all_is_the_last_that_has_an_end() -> None:
    assert Week.parse("9999-W51").end.year == 9999

    with pytest.raises(BadUsage, match="dates stop with the year 9999"):
        Week.parse("9999-W52")
    with pytest.raises(BadUsage, match="no week -1 from 0001-W01"):
        _ = Week.parse("0001-W01") + -1
