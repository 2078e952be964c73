"""When the log is read, and over which weeks."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from prism_assets.definitions import build_definitions
from prism_assets.partitions import weekly
from prism_assets.resources import PrismResource
from prism_assets.retries import failures_by_intent
from prism_core.calendar import Week, WeekRange
from prism_core.failures import PermanentFailure, PrismFailure, TransientFailure
from prism_core.settings import ActivitySource, Settings
from prism_sensors.asking import RANGE_END, RANGE_START
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


def test_the_weekly_export_asks_for_ended_weeks_that_were_not_materialised_since_and_for_facts_of_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2026-01-07T04:30:00+00:00")
    monkeypatch.setenv("PRISM_FIRST_WEEK", "2025-W50")
    settings = Settings(first_week=Week.parse("2025-W50"))
    definitions = build_definitions(settings)
    schedule = definitions.resolve_schedule_def("lake_export_weekly")
    assert isinstance(schedule, dg.ScheduleDefinition)
    assets = definitions.resolve_job_def("lake_export").asset_layer.executable_asset_keys
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as instance:
        for key in assets:
            for week in WeekRange.parse("2025-W50..2025-W52"):
                instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=week.key))
        with dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=datetime(2026, 1, 7, 4, 30, tzinfo=UTC),
            repository_def=definitions.get_repository_def(),
            resources={"prism": PrismResource()},
        ) as context:
            before, ended = schedule.evaluate_tick(context).run_requests or []

    assert (ended.tags[RANGE_START], ended.tags[RANGE_END]) == ("2025-12-29", "2025-12-29")
    assert set(ended.asset_selection or ()) == set(assets)
    assert (before.tags[RANGE_START], before.tags[RANGE_END]) == ("2025-12-08", "2025-12-22")
    facts = {
        "alerts", "corrections", "deliveries", "editions", "event_days", "failed_events", "plans",
        "published_plans", "quality_reviews",
    }  # fmt: skip
    assert {key.to_user_string() for key in before.asset_selection or ()} == facts


@pytest.mark.parametrize(
    ("failure", "asked"), [(TransientFailure, True), (PermanentFailure, False)], ids=["passing", "for a person"]
)
def test_the_weekly_export_does_not_ask_again_for_what_failed_for_a_person_to_mend(
    failure: type[PrismFailure], *, asked: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = _on_wednesday(monkeypatch)
    ended, before = Week.parse("2026-W01"), Week.parse("2025-W52")
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as instance:
        _fail(instance, settings, "members", WeekRange(before, ended), failure)

        found = _asked_weeks(instance, settings, "members")

    assert {before, ended} & found == ({before, ended} if asked else set())
    assert Week.parse("2025-W50") in found


def test_the_weekly_export_asks_again_for_facts_that_a_person_has_mended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = _on_wednesday(monkeypatch)
    ended, before = Week.parse("2026-W01"), Week.parse("2025-W52")
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as instance:
        _fail(instance, settings, "quality_reviews", WeekRange(before, ended), PermanentFailure)
        instance.report_runless_asset_event(dg.AssetMaterialization("quality_reviews", partition=ended.key))

        found = _asked_weeks(instance, settings, "quality_reviews")

    assert {before, ended} & found == {ended}


def _on_wednesday(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of the week after three that have ended."""
    monkeypatch.setenv("PRISM_NOW", "2026-01-07T04:30:00+00:00")
    monkeypatch.setenv("PRISM_FIRST_WEEK", "2025-W50")
    return Settings(first_week=Week.parse("2025-W50"))


def _fail(
    instance: dg.DagsterInstance, settings: Settings, name: str, weeks: WeekRange, failure: type[PrismFailure]
) -> None:
    """A run of the weekly export in which an asset fails."""

    @dg.asset(name=name, partitions_def=weekly(settings), backfill_policy=dg.BackfillPolicy.single_run())
    def broken() -> None:
        with failures_by_intent():
            raise failure("no such item")

    defs = dg.Definitions(assets=[broken], jobs=[dg.define_asset_job("lake_export", selection=[name])])
    tags = {RANGE_START: weeks.first.key, RANGE_END: weeks.last.key}
    job = defs.resolve_job_def("lake_export")
    assert not job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).success


def _asked_weeks(instance: dg.DagsterInstance, settings: Settings, name: str) -> set[Week]:
    """The weeks for which a tick of the weekly export asks for an asset."""
    definitions = build_definitions(settings)
    schedule = definitions.resolve_schedule_def("lake_export_weekly")
    assert isinstance(schedule, dg.ScheduleDefinition)
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=datetime(2026, 1, 7, 4, 30, tzinfo=UTC),
        repository_def=definitions.get_repository_def(),
        resources={"prism": PrismResource()},
    ) as context:
        requests = schedule.evaluate_tick(context).run_requests or []
    found: set[Week] = set()
    for request in requests:
        if dg.AssetKey(name) in (request.asset_selection or []):
            found |= set(WeekRange(Week.parse(request.tags[RANGE_START]), Week.parse(request.tags[RANGE_END])))
    return found


def test_the_hour_comes_from_the_settings() -> None:
    assert hourly(Settings(worker_activity_cron="35 * * * *")).cron_schedule == "35 * * * *"


def test_the_next_week_is_proposed_at_the_hour_of_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2026-11-19T06:00:00+00:00")
    definitions = build_definitions(Settings(capacity_plan_cron="0 9 * * 5"))
    schedule = definitions.resolve_schedule_def("capacity_plan_weekly")
    assert isinstance(schedule, dg.ScheduleDefinition)
    with dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 19, 6, tzinfo=UTC),
        repository_def=definitions.get_repository_def(),
    ) as context:
        (asked,) = schedule.evaluate_tick(context).run_requests or []

    assert schedule.cron_schedule == "0 9 * * 5"
    assert (asked.partition_key, asked.run_key) == ("2026-11-16", "capacity_plan@2026-11-19T06:00")
