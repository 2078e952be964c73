"""Weeks that meet something else: a second run, lost raw input, unknown workers.

Why real: who wins a race, what a deleted object leaves, and what a person decided meanwhile, S3 and DynamoDB say.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.definitions import build_definitions
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import ANEW_TAG
from prism_assets.throughput.publish import PublishedWeek, publish_week, read_for
from prism_core.calendar import Week, WeekRange
from prism_core.lake import WORKER_RESPONSE
from prism_core.lake_tables import THROUGHPUT
from prism_core.models.projects import LabelingJob, Project
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus
from prism_core.settings import ActivitySource, load_settings
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.generations import Generations
from prism_resources.worker_activity.ingest import FileIngest
from prism_resources.worker_activity.landing import Landing
from prism_resources.worker_activity.restart import start_over
from tests.integration.asset_runs import run_assets, write
from tests.integration.fresh import platform_of_this_file
from tests.integration.helpers import POOL, record, seconds, write_lines

WEEKS = WeekRange.parse("2018-W33..2021-W52")
NOW = datetime(2021, 12, 1, tzinfo=UTC)


platform = platform_of_this_file()


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def lake(platform: Platform) -> Lake:
    return Lake(platform.settings)


def load(lake: Lake, path: Path) -> None:
    counts = FileIngest(Landing(lake), WEEKS, datetime.now(UTC)).load(path, lambda _: None, lambda _: None)
    assert counts.rejected == 0


def run(
    instance: dg.DagsterInstance, week: Week, asset: str = "throughput", **tags: str
) -> dg.ExecuteInProcessResult:
    job = build_definitions(load_settings()).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(asset)],
        partition_key=week.key,
        raise_on_error=False,
        tags=tags,
    )


def verdicts(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def facts(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node("throughput")
    return {name: value.value for name, value in event.metadata.items()}


def submitted(lake: Lake, week: Week) -> int:
    rows = lake.read_partition(THROUGHPUT, week)
    return 0 if rows is None else sum(row["tasks_submitted"] for row in rows.to_pylist())


def test_of_two_runs_of_a_week_at_once_both_end_well_and_the_second_finds_the_content_there(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    week, at = Week.parse("2021-W10"), seconds("2021-03-09T10:00:00+00:00")
    load(lake, write_lines(tmp_path / "a.jsonl", [record(at), record(at + 1)]))
    prism, others = PrismResource(), list[object]()
    reserve = Generations[Any].reserve

    def while_the_other_publishes(self: Generations[Any], of: Week) -> int:
        if not others:
            others.append(None)
            others[0] = publish_week(prism, read_for(prism, [week]), week, NOW)
        return reserve(self, of)

    monkeypatch.setattr(Generations, "reserve", while_the_other_publishes)

    outcome = publish_week(prism, read_for(prism, [week]), week, NOW)

    (other,) = others
    assert isinstance(outcome, PublishedWeek)
    assert isinstance(other, PublishedWeek)
    assert (other.table.unchanged, outcome.table.unchanged) == (False, True)
    assert outcome.table.generation == other.table.generation
    assert submitted(lake, week) == 2
    assert len(list(prism.throughput().week(week))) == 1


def test_records_that_land_after_raw_input_was_lost_fail_the_blocking_check_until_computed_anew(
    lake: Lake, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2021-W12"), seconds("2021-03-23T10:00:00+00:00")
    load(lake, write_lines(tmp_path / "old.jsonl", [record(at), record(at + 1)]))
    run(instance, week)
    (old,) = Landing(lake).keys(week)
    lake.delete(old)
    assert verdicts(run(instance, week))["records_conserved"].passed, "nothing is missing in the figures yet"
    load(lake, write_lines(tmp_path / "new.jsonl", [record(at + n) for n in (2, 3, 4)]))

    kept = run(instance, week)
    anew = run(instance, week, **{ANEW_TAG: "the old file is gone for good"})

    verdict = verdicts(kept)["records_conserved"]
    shown = cast("dict[str, Any]", verdict.metadata["weeks"].value)[week.label]
    assert not verdict.passed
    assert shown["not_counted"] == 3
    assert f"--weeks {week} --anew" in shown["what_to_do"]
    assert anew.success
    assert all(verdicts(anew)[name].passed for name in ("records_conserved", "raw_input_complete"))
    assert facts(anew)["computed_anew_because"] == "the old file is gone for good"
    assert submitted(lake, week) == 3


def test_a_week_that_is_started_over_takes_the_other_source(
    lake: Lake, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2021-W13"), seconds("2021-03-30T10:00:00+00:00")
    load(lake, write_lines(tmp_path / "old.jsonl", [record(at), record(at + 1)]))
    run(instance, week)

    assert start_over(lake, week) == 2, "the object and the source"
    assert start_over(lake, week) == 0
    Landing(lake).claim(week, ActivitySource.LOG)

    assert submitted(lake, week) == 2, "the figures stand"


def test_worker_responses_that_cannot_be_read_are_shown_and_stop_nothing(
    lake: Lake, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2021-W14"), seconds("2021-04-06T10:00:00+00:00")
    load(lake, write_lines(tmp_path / "a.jsonl", [record(at)]))
    Landing(lake, WORKER_RESPONSE).land(week, ActivitySource.FILES, [b"torn li\n"])

    result = run(instance, week)

    assert result.success
    assert facts(result)["unusable_answers"] == 1
    assert submitted(lake, week) == 1


def queued(key: str) -> Worker | None:
    return PrismResource().workers().get(worker_key=key)


def test_workers_and_jobs_that_nobody_has_resolved_are_queued_once_with_their_span(
    lake: Lake, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week = Week.parse("2021-W15")
    tuesday, friday = (seconds(f"2021-04-{day}T10:00:00+00:00") for day in (13, 16))
    lines = [record(tuesday, sub="q-1", job="q-job"), record(friday, sub="q-1", job="q-job")]
    nameless = record(friday, job="q-job", worker_id="q-2", cognito_sub_id="", cognito_user_pool_id="")
    odd = record(friday, sub="q-1", job="no good_name")
    load(lake, write_lines(tmp_path / "a.jsonl", [*lines, nameless, odd]))

    run(instance, week)
    first = {key: queued(key) for key in (f"{POOL}#q-1", "q-2", "job:q-job")}
    again = run(instance, week)

    for key, worker in first.items():
        assert worker is not None, key
        assert (worker.status, worker.version) == (WorkerStatus.UNRESOLVED, 1)
        assert worker.last_seen == datetime(2021, 4, 16, tzinfo=UTC)
        assert queued(key) == worker
    assert first["job:q-job"].first_seen == datetime(2021, 4, 13, tzinfo=UTC)  # type: ignore[union-attr]
    assert again.success
    waiting = PrismResource().workers().query("by_status", status=WorkerStatus.UNRESOLVED)
    assert {"q-2", "job:q-job"} <= {worker.worker_key for worker in waiting}


def test_names_that_are_resolved_while_a_run_publishes_are_so_in_its_weeks_and_jobs_are_not_queued(
    lake: Lake, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick over the change looks among published rows, and these are none yet."""
    weeks = WeekRange.parse("2021-W20..2021-W21")
    lines = [record(int(week.start.timestamp()) + 36_000, sub="meanwhile", job="mapped-now") for week in weeks]
    load(lake, write_lines(tmp_path / "a.jsonl", [*lines]))
    worker = Worker(
        worker_key=f"{POOL}#meanwhile", pool=POOL, sub="meanwhile", status=WorkerStatus.RESOLVED, last_seen=NOW,
        periods=(WorkerPeriod(member="M-meanwhile", from_=weeks.first.monday),),
    )  # fmt: skip
    project = Project(
        project_id="P-meanwhile", name="Mapped now", category="boxes", demand_hours=Decimal(40),
        labeling_jobs=(LabelingJob(job="mapped-now", valid_from=weeks.first.monday),),
    )  # fmt: skip
    published, reserve = list[Week](), Generations[Any].reserve

    def as_the_last_week_is_published(self: Generations[Any], of: Week) -> int:
        published.append(of)
        if published == list(weeks):
            write("workers", [worker])
            write("projects", [project])
        return reserve(self, of)

    monkeypatch.setattr(Generations, "reserve", as_the_last_week_is_published)

    result = run_assets(instance, weeks, "throughput")

    assert result.success
    for week in weeks:
        rows = [(row.project_id, row.member_id) for row in PrismResource().throughput().week(week)]
        assert rows == [("P-meanwhile", "M-meanwhile")]
    assert published == [*weeks, *weeks]
    assert queued("job:mapped-now") is None


def test_a_later_week_widens_the_span_and_what_a_person_decided_is_never_touched(
    lake: Lake, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    first, second = Week.parse("2021-W16"), Week.parse("2021-W17")
    for week in (first, second):
        at = int(week.start.timestamp()) + 36_000
        lines = [record(at, sub="w-open", job="w-job"), record(at, sub="w-ignored", job="w-job")]
        load(lake, write_lines(tmp_path / f"{week}.jsonl", [*lines]))
    run(instance, first)
    store, key = PrismResource().workers(), f"{POOL}#w-ignored"
    found = store.get(worker_key=key)
    assert found is not None
    ignored = store.update(
        found.model_copy(update={"status": WorkerStatus.IGNORED}),
        expected_version=found.version,
        actor="lead",
        reason="a test account",
        request_id="ignore",
        now=NOW,
    )

    run(instance, second)

    widened = queued(f"{POOL}#w-open")
    assert widened is not None
    assert (widened.version, widened.first_seen, widened.last_seen) == (2, first.start, second.start)
    assert queued(key) == ignored


def test_the_queue_is_in_the_change_log_under_the_name_of_the_asset(
    platform: Platform, lake: Lake, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week = Week.parse("2021-W18")
    load(lake, write_lines(tmp_path / "a.jsonl", [record(int(week.start.timestamp()) + 60, sub="c-1")]))

    run(instance, week)

    items = client(platform.settings, "dynamodb").scan(TableName=platform.settings.table_name("changelog"))[
        "Items"
    ]
    (change,) = [item for item in items if f"{POOL}#c-1" in str(item)]
    assert change["actor"] == {"S": "throughput"}
    assert "2021-W18" in str(change["reason"])
