"""Which weeks an hourly tick asks for. Why real: what was read from the log, and what has landed, decides it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.definitions import build_definitions
from prism_assets.resources import PrismResource
from prism_core.calendar import Week, WeekRange
from prism_core.settings import load_settings
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.worker_activity.ingest import FileIngest
from prism_resources.worker_activity.landing import Landing
from prism_resources.worker_activity.log import LogIngest, cursor_key
from prism_sensors.ingest import recent_weeks, weeks_to_read
from tests.integration.helpers import record, write_lines

GROUP = "/test/schedule"
# A Wednesday, of a quarter that no other test uses.
NOW = datetime(2022, 3, 30, 9, 5, tzinfo=UTC)
RUNNING = Week.of(NOW)


@pytest.fixture
def lake(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    monkeypatch.setenv("PRISM_NOW", NOW.isoformat())
    monkeypatch.setenv("PRISM_WORKER_ACTIVITY_LOG_GROUP", GROUP)
    monkeypatch.setenv("PRISM_WORKER_ACTIVITY_SOURCE", "log")
    logs, lake = client(platform.settings, "logs"), Lake(platform.settings)
    logs.create_log_group(logGroupName=GROUP)
    yield lake
    logs.delete_log_group(logGroupName=GROUP)
    for week in recent_weeks(Week.parse("2018-W33")):
        lake.delete(cursor_key(week))


def read(lake: Lake, week: Week, at: datetime) -> None:
    LogIngest(load_settings(), lake, PrismResource().weeks()).read_week(week, at, lambda _: None)


def read_all_before(lake: Lake, week: Week) -> None:
    for before in recent_weeks(Week.parse("2018-W33")):
        if before < week:
            read(lake, before, NOW)


def test_a_week_whose_end_nobody_has_read_is_asked_for_however_long_it_was_out(lake: Lake) -> None:
    out_since = RUNNING + -2
    read_all_before(lake, out_since)
    read(lake, out_since, out_since.end - timedelta(hours=3))

    assert weeks_to_read(PrismResource()) == [out_since, RUNNING + -1, RUNNING]


def test_a_week_is_left_alone_once_it_was_read_past_its_end_and_the_overlap(lake: Lake) -> None:
    last = RUNNING + -1
    read_all_before(lake, last)

    read(lake, last, last.end + timedelta(minutes=59))
    within = weeks_to_read(PrismResource())
    read(lake, last, last.end + timedelta(minutes=60))

    assert within == [last, RUNNING]
    assert weeks_to_read(PrismResource()) == [RUNNING]


def test_a_week_that_ended_is_read_again_twice_for_what_comes_very_late(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_all_before(lake, RUNNING)
    week, asked = RUNNING + -1, list[tuple[int, bool]]()
    read(lake, week, week.end + timedelta(hours=1))

    for days in (2, 4, 13, 15, 20):
        at = week.end + timedelta(days=days)
        monkeypatch.setenv("PRISM_NOW", at.isoformat())
        asked.append((days, week in weeks_to_read(PrismResource())))
        if asked[-1][1]:
            read(lake, week, at)

    assert asked == [(2, False), (4, True), (13, False), (15, True), (20, False)]


def requests() -> list[tuple[str | None, str | None]]:
    definitions = build_definitions(load_settings())
    schedule = definitions.resolve_schedule_def("worker_activity_hourly")
    assert isinstance(schedule, dg.ScheduleDefinition)
    with dg.build_schedule_context(
        scheduled_execution_time=NOW,
        repository_def=definitions.get_repository_def(),
        resources={"prism": PrismResource()},
    ) as context:
        return [(one.run_key, one.partition_key) for one in schedule.evaluate_tick(context).run_requests or []]


def test_a_tick_asks_by_the_hour_for_weeks_to_read_and_leaves_what_landed_to_the_sensor(
    lake: Lake, tmp_path: Path
) -> None:
    read_all_before(lake, RUNNING)
    touched = RUNNING + -3
    path = write_lines(tmp_path / "late.jsonl", [record(int(touched.start.timestamp()) + 60)])
    FileIngest(Landing(lake), WeekRange(touched, RUNNING), NOW).load(path, lambda _: None, lambda _: None)

    assert requests() == [(f"{RUNNING.key}@2022-03-30T09:05", RUNNING.key)]


def test_a_week_whose_place_in_the_log_is_damaged_is_read_again_as_a_whole_and_the_others_are_read(
    lake: Lake,
) -> None:
    read_all_before(lake, RUNNING)
    damaged = RUNNING + -2
    lake.put(cursor_key(damaged), b'{"read_un', content_type="application/json")

    asked = weeks_to_read(PrismResource())
    read(lake, damaged, NOW)

    assert asked == [damaged, RUNNING]
    assert weeks_to_read(PrismResource()) == [RUNNING]


def test_where_files_are_the_source_a_tick_reads_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    del lake  # a week to read there is
    monkeypatch.setenv("PRISM_WORKER_ACTIVITY_SOURCE", "files")

    assert requests() == []
