"""When the log is read, and over which weeks."""

import dagster as dg
import pytest

from prism_assets.definitions import build_definitions
from prism_core.calendar import Week, WeekRange
from prism_core.settings import ActivitySource, Settings
from prism_sensors.ingest import recent_weeks

FIRST = Week.parse("2025-W01")


def hourly(settings: Settings) -> dg.ScheduleDefinition:
    schedule = build_definitions(settings).resolve_schedule_def("worker_activity_hourly")
    assert isinstance(schedule, dg.ScheduleDefinition)
    return schedule


def test_a_tick_looks_a_quarter_back_and_never_before_the_first_week(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_NOW", "2026-01-07T09:05:00+00:00")

    assert recent_weeks(FIRST) == WeekRange.parse("2025-W42..2026-W02")
    assert recent_weeks(Week.parse("2025-W52")) == WeekRange.parse("2025-W52..2026-W02")
    assert recent_weeks(Week.parse("2026-W09")) == WeekRange.parse("2026-W09")


@pytest.mark.parametrize(
    ("source", "status"),
    [
        (ActivitySource.LOG, dg.DefaultScheduleStatus.RUNNING),
        (ActivitySource.FILES, dg.DefaultScheduleStatus.STOPPED),
    ],
)
def test_the_log_is_read_by_itself_only_where_it_is_the_source(
    source: ActivitySource, status: dg.DefaultScheduleStatus
) -> None:
    assert hourly(Settings(worker_activity_source=source)).default_status is status


def test_the_hour_comes_from_the_settings() -> None:
    assert hourly(Settings(worker_activity_cron="35 * * * *")).cron_schedule == "35 * * * *"
