"""The assets, materialised. Why real: conservation holds between S3, DynamoDB and the lake, or not at all."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.definitions import build_definitions
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import BECAUSE_TAG
from prism_assets.throughput.publish import PLACES
from prism_core.calendar import Week, WeekRange
from prism_core.lake_tables import THROUGHPUT
from prism_core.models.disputes import Correction
from prism_core.models.projects import LabelingJob, Project
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus, worker_key
from prism_core.settings import ActivitySource, load_settings
from prism_core.tables import CORRECTIONS, PROJECTS, TABLES, WORKERS
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.codec import encode
from prism_resources.tables.store import TableStore
from prism_resources.worker_activity.ingest import FileIngest
from prism_resources.worker_activity.landing import Landing
from prism_resources.worker_activity.responses import ResponseIngest
from tests.integration.helpers import POOL, REAL_FILES, record, seconds, write_lines

FIRST = Week.parse("2018-W33")
WEEKS = WeekRange.parse("2018-W33..2020-W53")
BECAUSE = {BECAUSE_TAG: "the second half arrived"}
REAL_WEEKS = WeekRange.parse("2018-W33..2018-W36")


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def load(platform: Platform, *paths: Path, received: datetime | None = None) -> None:
    ingest = FileIngest(Landing(Lake(platform.settings)), WEEKS, received or datetime.now(UTC))
    for path in paths:
        counts = ingest.load(path, lambda rejected: pytest.fail(str(rejected)), lambda _: None)
        assert counts.rejected == 0


def run(instance: dg.DagsterInstance, weeks: WeekRange, *assets: str, **tags: str) -> dg.ExecuteInProcessResult:
    job = build_definitions(load_settings()).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(name) for name in assets or ("worker_activity", "throughput")],
        raise_on_error=False,
        tags={
            "dagster/asset_partition_range_start": weeks.first.key,
            "dagster/asset_partition_range_end": weeks.last.key,
            **tags,
        },
    )


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {evaluation.check_name: evaluation.passed for evaluation in result.get_asset_check_evaluations()}


def metadata(instance: dg.DagsterInstance, asset: str, week: Week) -> dict[str, Any]:
    event = instance.get_latest_data_version_record(dg.AssetKey(asset), partition_key=week.key)
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def submitted(week: Week) -> int:
    rows = Lake(load_settings()).read_partition(THROUGHPUT, week)
    assert rows is not None
    return sum(row["tasks_submitted"] for row in rows.to_pylist())


def test_the_four_real_weeks_give_the_known_figures_in_one_run_and_again(
    platform: Platform, instance: dg.DagsterInstance
) -> None:
    load(platform, *REAL_FILES)

    first = run(instance, REAL_WEEKS)
    generations = [PrismResource().throughput().control(week) for week in REAL_WEEKS]
    second = run(instance, REAL_WEEKS)

    assert first.success
    assert second.success
    assert [submitted(week) for week in REAL_WEEKS] == [1000, 2000, 976, 840]
    assert [PrismResource().throughput().control(week) for week in REAL_WEEKS] == generations
    assert checks(first) == {
        "one_source": True,
        "every_event_is_a_record": True,
        "raw_input_complete": True,
        "records_conserved": True,
        "no_negative_figures": True,
        "late_records": True,
        "lake_follows_table": True,
        "partition_whole": True,
        "unresolved_share": False,  # nobody has resolved these workers, and the check says so
    }


def test_every_partition_of_a_range_run_is_materialised_with_its_own_figures(
    platform: Platform, instance: dg.DagsterInstance
) -> None:
    load(platform, *REAL_FILES)

    run(instance, REAL_WEEKS)

    done = instance.get_materialized_partitions(dg.AssetKey("throughput"))
    assert {week.key for week in REAL_WEEKS} <= done
    facts = metadata(instance, "throughput", Week.parse("2018-W34"))
    assert (facts["week"], facts["records"], facts["dagster/row_count"]) == (
        "2018-W34",
        2000,
        len(_rows("2018-W34")),
    )
    assert facts["tasks_per_day"].startswith("![Tasks per day](data:image/svg+xml;base64,")


def test_a_row_of_the_table_that_went_missing_is_told_although_the_generations_agree(
    platform: Platform, instance: dg.DagsterInstance
) -> None:
    week = Week.parse("2018-W34")
    load(platform, *REAL_FILES)
    assert checks(run(instance, WeekRange(week, week)))["lake_follows_table"]
    dynamodb, spec = client(platform.settings, "dynamodb"), TABLES["throughput"]
    lost = next(iter(PrismResource().throughput().week(week)))
    name, item = platform.settings.table_name("throughput"), encode(spec, lost)
    key = {attribute.name: item[attribute.name] for attribute in spec.key_attributes}
    dynamodb.delete_item(TableName=name, Key=key)
    try:
        passed, facts = PLACES.agree(PrismResource(), week)
    finally:
        dynamodb.put_item(TableName=name, Item=item)

    days = _rows("2018-W34")
    rows = len({(row["project_id"], row["member_id"]) for row in days})
    assert (passed, facts["table"]) == (False, facts["lake"])
    assert facts["rows"] == {"table": rows - 1, "published": rows, "parquet": rows}
    assert facts["lines"] == {"manifest": len(days), "parquet": len(days)}
    assert PLACES.agree(PrismResource(), week)[0]


def _rows(label: str) -> list[dict[str, Any]]:
    table = Lake(load_settings()).read_partition(THROUGHPUT, Week.parse(label))
    return [] if table is None else table.to_pylist()


def test_a_worker_counts_for_the_member_of_the_day_and_an_unknown_one_for_itself(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week = Week.parse("2019-W20")
    monday, tuesday = seconds("2019-05-13T10:00:00+00:00"), seconds("2019-05-14T10:00:00+00:00")
    settings, now = platform.settings, datetime.now(UTC)
    worker = Worker(
        worker_key=worker_key(pool=POOL, sub="shared"),
        pool=POOL,
        sub="shared",
        status=WorkerStatus.RESOLVED,
        periods=(
            WorkerPeriod(member="ada", from_=week.monday, to=week.days[1]),
            WorkerPeriod(member="bob", from_=week.days[1]),
        ),
        last_seen=now,
    )
    project = Project(
        project_id="boxes",
        name="Boxes",
        category="c",
        demand_hours=10,  # type: ignore[arg-type]
        labeling_jobs=(LabelingJob(job="boxes-*", valid_from=week.monday),),
    )
    author = {"actor": "test", "reason": "test", "request_id": "test", "now": now}
    dynamodb = client(settings, "dynamodb")
    TableStore(dynamodb, settings, WORKERS, Worker).create(worker, **author)  # type: ignore[arg-type]
    TableStore(dynamodb, settings, PROJECTS, Project).create(project, **author)  # type: ignore[arg-type]
    lines = [
        record(monday, sub="shared", job="boxes-1"),
        record(tuesday, sub="shared", job="boxes-2"),
        record(tuesday + 60, sub="stranger", job="orphan"),
    ]
    load(platform, write_lines(tmp_path / "w.jsonl", [*lines]))

    result = run(instance, WeekRange(week, week))

    assert result.success
    assert [(r["project_id"], r["member_id"], str(r["day"])) for r in _rows("2019-W20")] == [
        ("boxes", "ada", "2019-05-13"),
        ("boxes", "bob", "2019-05-14"),
        ("job:orphan", f"worker:{POOL}#stranger", "2019-05-14"),
    ]
    facts = metadata(instance, "throughput", week)
    assert (facts["unresolved_by_worker"], facts["unresolved_by_job"]) == (1, 1)


def test_a_record_that_arrives_after_publication_is_counted_as_late(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2019-W25"), seconds("2019-06-18T10:00:00+00:00")
    load(platform, write_lines(tmp_path / "early.jsonl", [record(at)]))
    first = run(instance, WeekRange(week, week))
    load(platform, write_lines(tmp_path / "late.jsonl", [record(at + 5)]))

    second = run(instance, WeekRange(week, week), **BECAUSE)

    assert (checks(first)["late_records"], checks(second)["late_records"]) == (True, False)
    assert second.success, "a late record is a warning, not a failure"
    assert metadata(instance, "throughput", week)["late"] == 1
    assert submitted(week) == 2


def test_a_week_without_records_is_an_empty_partition(platform: Platform, instance: dg.DagsterInstance) -> None:
    week = Week.parse("2019-W50")

    result = run(instance, WeekRange(week, week))

    assert result.success
    assert submitted(week) == 0
    assert all(checks(result).values())


def test_conservation_fails_when_the_lake_lost_a_row(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2019-W30"), seconds("2019-07-23T10:00:00+00:00")
    load(platform, write_lines(tmp_path / "x.jsonl", [record(at), record(at + 1, sub="other")]))
    run(instance, WeekRange(week, week))
    lake = Lake(platform.settings)
    manifest = lake.manifest(THROUGHPUT.partition(week))
    assert manifest is not None
    fewer = _rows("2019-W30")[:1]
    lake.replace_partition(THROUGHPUT, week, fewer, generation=manifest.generation, now=datetime.now(UTC))

    job = build_definitions(load_settings()).resolve_implicit_global_asset_job_def()
    key = dg.AssetCheckKey(dg.AssetKey("throughput"), "records_conserved")
    only_check = job.get_subset(asset_selection=set(), asset_check_selection={key})
    result = only_check.execute_in_process(instance=instance, partition_key=week.key, raise_on_error=False)

    assert checks(result) == {"records_conserved": False}


def test_a_week_that_holds_objects_of_both_sources_is_told_apart(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2019-W34"), seconds("2019-08-20T10:00:00+00:00")
    load(platform, write_lines(tmp_path / "z.jsonl", [record(at)]))
    landing = Landing(Lake(platform.settings))
    landing.land(week, ActivitySource.LOG, landing.contents(week))

    result = run(instance, WeekRange(week, week))

    assert checks(result)["one_source"] is False


def test_an_unreadable_raw_line_is_counted_and_blocks_what_is_built_on_the_week(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2019-W32"), seconds("2019-08-06T10:00:00+00:00")
    load(platform, write_lines(tmp_path / "good.jsonl", [record(at)]))
    Landing(Lake(platform.settings)).land(week, ActivitySource.FILES, [b"torn li\n"])
    definitions = build_definitions(load_settings())
    throughput = definitions.resolve_assets_def("throughput")
    built = list[str]()

    @dg.asset(deps=["throughput"], partitions_def=throughput.partitions_def)
    def built_on_it() -> None:
        built.append("built")

    # These two alone: the job of all assets would also ask advertisers, whom nobody plays here.
    merged = dg.Definitions.merge(definitions, dg.Definitions(assets=[built_on_it]))
    both = {dg.AssetKey("throughput"), dg.AssetKey("built_on_it")}
    job = merged.resolve_implicit_global_asset_job_def().get_subset(asset_selection=both)
    result = job.execute_in_process(instance=instance, partition_key=week.key, raise_on_error=False)

    assert checks(result)["records_conserved"] is False
    assert built == []
    assert submitted(week) == 1, "what can be read is published all the same"


def test_materialising_again_repairs_a_lake_that_fell_behind_the_table(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2019-W31"), seconds("2019-07-30T10:00:00+00:00")
    load(platform, write_lines(tmp_path / "y.jsonl", [record(at), record(at + 1)]))
    run(instance, WeekRange(week, week))
    lake, partition = Lake(platform.settings), THROUGHPUT.partition(week)
    s3 = client(platform.settings, "s3")
    for key in (
        partition.parquet,
        partition.manifest,
    ):  # as a kill between table and lake leaves a first publication
        s3.delete_object(Bucket=lake.bucket, Key=key)

    result = run(instance, WeekRange(week, week))

    assert checks(result)["records_conserved"] is True
    assert submitted(week) == 2


def test_a_week_whose_raw_input_has_expired_stands_as_it_was_published(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2019-W33"), seconds("2019-08-13T10:00:00+00:00")
    load(platform, write_lines(tmp_path / "old.jsonl", [record(at), record(at + 1)]))
    run(instance, WeekRange(week, week))
    (old,) = Landing(Lake(platform.settings)).keys(week)
    load(platform, write_lines(tmp_path / "newer.jsonl", [record(at + 2)]))
    run(instance, WeekRange(week, week), **BECAUSE)
    client(platform.settings, "s3").delete_object(Bucket=platform.settings.lake_bucket, Key=old)

    result = run(instance, WeekRange(week, week))

    assert submitted(week) == 3
    assert result.success
    verdicts = checks(result)
    assert (verdicts["records_conserved"], verdicts["raw_input_complete"]) == (True, False)
    assert metadata(instance, "throughput", week)["expired_raw_objects"] == 1


def test_a_worker_who_is_resolved_later_is_corrected_when_the_week_is_materialised_again(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2019-W36"), seconds("2019-09-03T10:00:00+00:00")
    load(platform, write_lines(tmp_path / "r.jsonl", [record(at, sub="later"), record(at + 90, sub="later")]))
    run(instance, WeekRange(week, week))
    before = [row["member_id"] for row in _rows("2019-W36")]
    worker = Worker(
        worker_key=worker_key(pool=POOL, sub="later"),
        pool=POOL,
        sub="later",
        status=WorkerStatus.RESOLVED,
        periods=(WorkerPeriod(member="cleo", from_=week.monday),),
        last_seen=datetime.now(UTC),
    )
    store = TableStore(client(platform.settings, "dynamodb"), platform.settings, WORKERS, Worker)
    # The run has queued the worker as unresolved; a person resolves that very item.
    found = store.get(worker_key=worker.worker_key)
    assert found is not None
    author = {"actor": "test", "reason": "test", "request_id": "later", "now": datetime.now(UTC)}
    store.update(worker, expected_version=found.version, **author)  # type: ignore[arg-type]

    run(instance, WeekRange(week, week))

    assert before == [f"worker:{POOL}#later"]
    assert [(row["member_id"], row["tasks_submitted"]) for row in _rows("2019-W36")] == [("cleo", 2)]
    assert [item.member_id for item in PrismResource().throughput().week(week)] == ["cleo"]


def test_corrections_of_the_week_move_work_every_time_and_lose_none(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2019-W38"), seconds("2019-09-17T10:00:00+00:00")
    lines = [record(at, sub="ann"), record(at + 90, sub="ann"), record(at + 86_400, sub="ann")]
    load(platform, write_lines(tmp_path / "c.jsonl", [*lines, record(at + 5, sub="bea")]))
    run(instance, WeekRange(week, week))
    tuesday, now = week.days[1], datetime.now(UTC)
    ann = f"worker:{POOL}#ann"
    common = {"week": week, "reason": "worked under a colleague's account", "created": now, "created_by": "lead"}
    store = TableStore(client(platform.settings, "dynamodb"), platform.settings, CORRECTIONS, Correction)
    author: Any = {"actor": "lead", "reason": "test", "request_id": "correct", "now": now}
    moving = Correction.model_validate(
        {**common, "correction_id": "C-1", "from_member": ann, "to_member": "bob", "days": (tuesday,)}
    )
    idle = Correction.model_validate(
        {**common, "correction_id": "C-2", "from_member": "nobody", "to_member": "bob"}
    )
    store.create(moving, **author)
    store.create(idle, **author)

    corrected = run(instance, WeekRange(week, week))
    again = run(instance, WeekRange(week, week))

    assert [checks(result)["records_conserved"] for result in (corrected, again)] == [True, True]
    assert [(r["member_id"], str(r["day"]), r["tasks_submitted"]) for r in _rows("2019-W38")] == [
        ("bob", "2019-09-17", 2),
        (ann, "2019-09-18", 1),
        (f"worker:{POOL}#bea", "2019-09-17", 1),
    ]
    manifest = Lake(platform.settings).manifest(THROUGHPUT.partition(week))
    assert manifest is not None
    shown = {name: manifest.counts[name] for name in ("corrections", "corrections_idle", "corrected")}
    assert shown == {"corrections": 2, "corrections_idle": 1, "corrected": 2}
    assert manifest.counts["unresolved_by_worker"] == 2

    for correction in (moving, idle):  # taken back: the figures are those of the records again
        store.delete(correction, expected_version=1, **author)
    run(instance, WeekRange(week, week))

    assert sum(row["tasks_submitted"] for row in _rows("2019-W38") if row["member_id"] == ann) == 3


def test_active_seconds_come_from_worker_responses_where_they_are_known(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week, at = Week.parse("2019-W35"), seconds("2019-08-27T10:00:00+00:00")
    load(platform, write_lines(tmp_path / "z.jsonl", [record(at, sub="act"), record(at + 100, sub="act")]))
    document = tmp_path / "response.json"
    answer = {
        "acceptanceTime": "2019-08-27T09:59:30.120Z",
        "submissionTime": "2019-08-27T10:00:00.900Z",
        "timeSpentInSeconds": 21.5,
        "workerId": "private.us-east-1.0123456789abcdef",
        "workerMetadata": {"identityData": {"identityProviderType": "Cognito", "issuer": "x", "sub": "act"}},
        "answerContent": {},
    }
    document.write_text(json.dumps({"answers": [answer]}, indent=2))
    ingest = ResponseIngest.into(Lake(platform.settings), WEEKS)
    counts = ingest.load(document, lambda rejected: pytest.fail(str(rejected)), lambda _: None)
    ingest.finish()

    run(instance, WeekRange(week, week))

    assert counts.loaded == 1
    (row,) = _rows("2019-W35")
    assert (row["tasks_submitted"], row["active_tasks"], row["wall_seconds"]) == (2, 1, 60)
    assert row["active_seconds"] in {21, 22}
