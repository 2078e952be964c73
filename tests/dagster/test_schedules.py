"""When the log is read, and over which weeks."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from prism_assets.definitions import build_definitions
from prism_core.calendar import Week
from prism_core.settings import ActivitySource, Settings
from prism_sensors.schedules import weeks_to_read

FIRST = Week.parse("2025-W01")


def hourly(settings: Settings) -> dg.ScheduleDefinition:
    schedule = build_definitions(settings).resolve_schedule_def("worker_activity_hourly")
    assert isinstance(schedule, dg.ScheduleDefinition)
    return schedule


def test_during_the_week_only_the_running_week_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_NOW", "2026-01-07T09:05:00+00:00")

    assert weeks_to_read(FIRST) == [Week.parse("2026-W02")]


def test_until_monday_noon_the_week_that_ended_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_NOW", "2026-01-05T11:59:00+00:00")

    assert weeks_to_read(FIRST) == [Week.parse("2026-W01"), Week.parse("2026-W02")]


def test_weeks_before_the_first_one_are_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_NOW", "2024-12-30T08:00:00+00:00")

    assert weeks_to_read(FIRST) == [FIRST]


def test_a_tick_asks_for_one_run_a_week_and_asks_again_an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_NOW", "2026-01-05T09:05:00+00:00")
    definitions = build_definitions(Settings(first_week=FIRST))
    schedule, repository = (
        definitions.resolve_schedule_def("worker_activity_hourly"),
        definitions.get_repository_def(),
    )
    assert isinstance(schedule, dg.ScheduleDefinition)

    def requests(hour: int) -> list[tuple[str | None, str | None]]:
        at = datetime(2026, 1, 5, hour, 5, tzinfo=UTC)
        context = dg.build_schedule_context(scheduled_execution_time=at, repository_def=repository)
        found = schedule.evaluate_tick(context).run_requests
        return [(request.run_key, request.partition_key) for request in found or []]

    assert requests(9) == [
        ("2025-12-29@2026-01-05T09:05", "2025-12-29"),
        ("2026-01-05@2026-01-05T09:05", "2026-01-05"),
    ]
    assert not set(requests(9)) & set(requests(10))


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
