"""What comes later than its hour wakes nobody."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.reports.hours import due_at
from prism_core.reports.waking import may_be_sent
from tests.unit.test_report_hours import days, zones


@pytest.mark.parametrize(
    ("at", "instant", "expected"),
    [
        pytest.param("07:00", "2026-03-30T05:00", True, id="as it falls due"),
        pytest.param("07:00", "2026-04-01T17:59", True, id="by day, later in the week"),
        pytest.param("07:00", "2026-04-01T18:00", False, id="in the evening"),
        pytest.param("07:00", "2026-04-02T04:59", False, id="before seven"),
        pytest.param("04:30", "2026-03-30T02:30", True, id="an early hour, as it falls due"),
        pytest.param("04:30", "2026-03-30T03:30", False, id="an early hour, too late for it"),
        pytest.param("21:00", "2026-03-30T19:30", True, id="a late hour, as it falls due"),
    ],
)
def test_what_comes_later_than_its_hour_comes_by_day(at: str, instant: str, *, expected: bool) -> None:
    now = datetime.fromisoformat(instant).replace(tzinfo=UTC)

    assert may_be_sent(now, ZoneInfo("Europe/Madrid"), time.fromisoformat(at)) is expected


@given(zone=zones, week=days.map(Week.of), minutes=st.integers(0, 59))
def test_a_report_may_be_sent_in_the_hour_in_which_it_falls_due(zone: ZoneInfo, week: Week, minutes: int) -> None:
    assert may_be_sent(due_at(week, zone) + timedelta(minutes=minutes), zone)
