"""Instants as they are typed behind `--at`, `--since` and `--until`."""

from datetime import UTC, datetime

import pytest

from infra.cli.history import read_instant, refuse_before_all
from prism_core.calendar import Week
from prism_core.failures import BadUsage


@pytest.mark.parametrize("text", ["2026-01-05T07:00:00Z", "2026-01-05T08:00:00+01:00", "2026-01-05T02:00-05:00"])
def test_an_instant_is_the_same_in_every_zone(text: str) -> None:
    assert read_instant(text) == datetime(2026, 1, 5, 7, tzinfo=UTC)
    assert read_instant(text).tzinfo is UTC


def test_the_first_instant_that_may_be_asked_for_is_the_beginning_of_2000() -> None:
    assert read_instant("2000-01-01T00:00:00Z") == datetime(2000, 1, 1, tzinfo=UTC)
    assert read_instant("1999-12-31T19:00:00-05:00") == datetime(2000, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2000-01-01T00:00:00+00:01", "nothing is known of before 2000-01-01"),
        ("1970-01-01T00:00:00Z", "nothing is known of before 2000-01-01; 1970-01-01T00:00:00Z is earlier"),
        ("0001-01-01T00:00:00Z", "nothing is known of before 2000-01-01"),
        ("0001-01-01T00:00:00+05:00", "outside the years 0001 to 9999"),
        ("9999-12-31T23:00:00-05:00", "outside the years 0001 to 9999"),
        ("2026-01-05T07:00:00", "has no time zone"),
        ("yesterday", "is not an instant"),
    ],
)
def test_what_is_no_instant_of_prism_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadUsage, match=says):
        read_instant(text)


def test_a_week_before_all_is_refused_too() -> None:
    with pytest.raises(BadUsage, match="nothing is known of before 2000-01-01; 0001-W01 is earlier"):
        refuse_before_all("0001-W01", Week.parse("0001-W01").start)
