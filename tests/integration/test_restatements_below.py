"""Published figures that are built on others: which cause reaches which row.

Why real: utilisation finds the causes of throughput in the log that the gate wrote into the lake before it.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from prism_assets.rehearsal import rehearse
from prism_assets.resources import PrismResource
from prism_assets.restatements.book import book
from prism_assets.restatements.gate import BECAUSE_TAG, Comparison, Intent
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.evidence import Cause
from prism_core.failures import PermanentFailure
from prism_core.lake import LakeTable, restatements_prefix
from prism_core.lake_tables import QUALITY_SCORES, RESTATEMENTS, THROUGHPUT
from prism_core.models.disputes import Correction
from prism_core.models.taxonomy import TaxonomyVersion
from prism_core.models.work import Allocation, QualityReview
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus, worker_key
from prism_core.settings import load_settings
from prism_core.tables import TAXONOMY
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.store import TableStore
from prism_resources.worker_activity.ingest import FileIngest
from prism_resources.worker_activity.landing import Landing
from tests.integration.asset_runs import failed_checks, lake_rows, run_assets, write
from tests.integration.fresh import platform_of_this_file
from tests.integration.helpers import POOL, record, write_lines

platform = platform_of_this_file()

pytestmark = pytest.mark.usefixtures("platform")
# Weeks that no other test uses.
WORK, REVIEWS, DAMAGED, HALVES, MORE, MOVED, LOST, REHEARSED = (
    Week.parse(f"2024-W{number}") for number in (10, 14, 18, 22, 26, 30, 34, 38)
)
NOW = datetime(2024, 6, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def causes(week: Week, table: str, measure: str) -> dict[str, list[str]]:
    """The causes of a measure by subject."""
    return {
        row["subject"]: json.loads(row["causes"])
        for row in lake_rows(RESTATEMENTS, week)
        if (row["table"], row["measure"]) == (table, measure)
    }


def load(week: Week, path: Path) -> None:
    ingest = FileIngest(Landing(Lake(load_settings())), WeekRange(week, week), datetime.now(UTC))
    assert ingest.load(path, lambda _: None, lambda _: None).rejected == 0


def work(sub: str, day: int, number: int, start: int = 0) -> list[Any]:
    at = int(WORK.start.timestamp()) + day * 86_400 + 36_000
    return [record(at + 600 * (start + one), sub=sub, job="rb-job", handle=600) for one in range(number)]


def allocation(member_id: str, hours: str) -> Allocation:
    values = {"member_id": member_id, "week": WORK, "project_id": "rb-p", "hours": {WORK.days[3]: hours}}
    return Allocation.model_validate(values)


def test_utilisation_has_the_causes_that_throughput_had_for_the_same_member_and_day(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    write("workers", [
        Worker(worker_key=worker_key(pool=POOL, sub=f"rb-{name}"), pool=POOL, sub=f"rb-{name}", last_seen=NOW,
               status=WorkerStatus.RESOLVED, periods=(WorkerPeriod(member=f"rb-{name}", from_=date(2024, 1, 1)),))
        for name in ("ann", "bob", "cat")
    ])  # fmt: skip
    write("allocations", [allocation("rb-dan", "4")])
    lines = [*work("rb-ann", 0, 12), *work("rb-bob", 1, 12), *work("rb-cat", 2, 3)]
    load(WORK, write_lines(tmp_path / "on-time.jsonl", lines))
    one = WeekRange(WORK, WORK)
    assert run_assets(instance, one, "throughput", "utilisation", "restatements").success
    assert lake_rows(RESTATEMENTS, WORK) == []

    load(WORK, write_lines(tmp_path / "late.jsonl", work("rb-ann", 0, 1, start=20)))
    correction = {
        "week": WORK, "correction_id": "rb-c", "from_member": "rb-cat", "to_member": "rb-eve",
        "reason": "test", "created": NOW, "created_by": "rb-lead",
    }  # fmt: skip
    write("corrections", [Correction.model_validate(correction)])
    write("allocations", [allocation("rb-dan", "6")])
    assert run_assets(instance, one, "throughput", "utilisation", "restatements").success

    days = [day.isoformat() for day in WORK.days]
    assert causes(WORK, "throughput", "tasks_submitted") == {
        f"job:rb-job | rb-ann | {days[0]}": ["late_record"],
        f"job:rb-job | rb-cat | {days[2]}": ["correction"],
        f"job:rb-job | rb-eve | {days[2]}": ["correction"],
        "*": ["late_record"],
    }
    worked = causes(WORK, "utilisation", "worked_hours")
    assert worked.pop("*") == ["late_record", "correction", "edited_source"]
    assert worked == {
        f"rb-ann | {days[0]}": ["late_record"],
        f"rb-cat | {days[2]}": ["correction"],
        f"rb-eve | {days[2]}": ["correction"],
    }
    assert causes(WORK, "utilisation", "allocated_hours")[f"rb-dan | {days[3]}"] == ["edited_source"]


def test_what_a_person_allowed_of_throughput_is_allowed_of_what_follows_from_it(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    one, at = WeekRange(HALVES, HALVES), int(HALVES.start.timestamp()) + 36_000
    lines = [record(at + 600 * number, sub="rb-half", job="rb-job", handle=600) for number in range(8)]
    load(HALVES, write_lines(tmp_path / "first.jsonl", [*lines[:4]]))
    assert run_assets(instance, one, "throughput", "utilisation").success
    load(HALVES, write_lines(tmp_path / "second.jsonl", [*lines[4:]]))

    refused = run_assets(instance, one, "throughput", "utilisation")
    allowed = run_assets(instance, one, "throughput", tags={BECAUSE_TAG: "the second half"})
    following = run_assets(instance, one, "utilisation", "restatements")

    assert (refused.success, allowed.success, following.success) == (False, True, True)
    assert {(row["table"], row["reason"]) for row in lake_rows(RESTATEMENTS, HALVES)} == {
        ("throughput", "the second half"),
        ("utilisation", "the second half"),
    }


def test_utilisation_is_rehearsed_on_the_throughput_that_is_rehearsed_with_it(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    one, at = WeekRange(REHEARSED, REHEARSED), int(REHEARSED.start.timestamp()) + 36_000
    lines = [record(at + 600 * number, sub="rb-reh", job="rb-job", handle=600) for number in range(12)]
    load(REHEARSED, write_lines(tmp_path / "first.jsonl", [*lines[:11]]))
    assert run_assets(instance, one, "throughput", "utilisation").success
    load(REHEARSED, write_lines(tmp_path / "late.jsonl", [lines[11]]))
    prism, intent = PrismResource(), Intent()
    before = {found.key: found.tag for found in Lake(load_settings()).stored("")}

    alone = dict(rehearse(prism, ["utilisation"], [REHEARSED], clock.now(), intent))
    both = dict(rehearse(prism, ["throughput", "utilisation"], [REHEARSED], clock.now(), intent))

    after = {found.key: found.tag for found in Lake(load_settings()).stored("")}
    assert run_assets(instance, one, "throughput", "utilisation", "restatements").success
    (_, entry) = book(prism, REHEARSED, clock.now()).entries
    hours = both["utilisation"]
    assert after == before
    assert isinstance(alone["utilisation"], Comparison)
    assert alone["utilisation"].rows == ()
    assert isinstance(hours, Comparison)
    assert {cause for row in hours.rows for cause in row.causes} == {Cause.LATE_RECORD}
    assert (entry.table, entry.changed) == ("utilisation", hours.changed)
    assert {(row.subject, row.measure, row.old, row.new, row.causes) for row in entry.rows} == {
        (row.subject, row.measure, row.old, row.new, row.causes) for row in hours.rows
    }


def review(
    name: str, category: str, reviewed: int, correct: int, number: int = 1, week: Week = REVIEWS
) -> QualityReview:
    return QualityReview.model_validate(
        {
            "member_id": f"rb-{name}",
            "week": week,
            "project_id": "rb-p",
            "review_id": f"rb-{name}-{number}",
            "category": f"rb-{category}",
            "reviewed": reviewed,
            "correct": correct,
            "reviewer": "rb-lead",
            "reviewed_at": NOW,
        }
    )


@pytest.fixture
def new_category() -> Iterator[TaxonomyVersion]:
    """A version in force as long as the test runs: other tests have their own."""
    version = TaxonomyVersion.model_validate(
        {
            "taxonomy_id": "rb-t",
            "title": "t",
            "status": "published",
            "effective": datetime.now(UTC).date(),
            "entries": [{"raw": "rb-old", "category": "RB vehicles"}],
        }
    )
    yield version
    settings = load_settings()
    store = TableStore(client(settings, "dynamodb"), settings, TAXONOMY, TaxonomyVersion)
    found = store.get(taxonomy_id="rb-t")
    if found is not None:
        store.delete(
            found, expected_version=found.version, actor="test", reason="test", request_id="test", now=NOW
        )


def test_reviews_that_come_late_or_are_edited_and_a_new_category_move_their_own_rows(
    instance: dg.DagsterInstance, new_category: TaxonomyVersion
) -> None:
    one = WeekRange(REVIEWS, REVIEWS)
    write("quality", [review("ann", "same", 100, 90), review("bob", "same", 20, 10), review("cat", "old", 20, 20)])
    assert run_assets(instance, one, "quality_scores", "restatements").success

    write("quality", [review("ann", "same", 5, 5, number=2), review("bob", "same", 20, 15)])
    write("taxonomy", [new_category])
    assert run_assets(instance, one, "quality_scores", "restatements").success

    assert causes(REVIEWS, "quality_scores", "correct") == {
        "rb-ann | rb-p | unmapped:rb-same": ["late_record"],
        "rb-bob | rb-p | unmapped:rb-same": ["edited_source"],
        "rb-cat | rb-p | RB vehicles": ["taxonomy"],
        "rb-cat | rb-p | unmapped:rb-old": ["taxonomy"],
        "*": ["late_record", "taxonomy", "edited_source"],
    }


def test_reviews_go_on_after_the_week_and_only_a_share_that_moves_far_is_refused(
    instance: dg.DagsterInstance,
) -> None:
    one = WeekRange(MORE, MORE)
    write("quality", [review("ann", "same", 100, 90, week=MORE)])
    assert run_assets(instance, one, "quality_scores").success

    write("quality", [review("bob", "same", 100, 88, week=MORE)])
    twice_as_many = run_assets(instance, one, "quality_scores", "restatements")
    write("quality", [review("cat", "same", 100, 0, week=MORE)])
    worse = run_assets(instance, one, "quality_scores")

    assert twice_as_many.success
    assert failed_checks(twice_as_many) & {"restatement_size"} == set()
    (failure,) = [event for event in worse.all_events if event.is_step_failure]
    assert "correct_per_reviewed from 0.9 to 0.5933333333 (-34.1%)" in str(failure.event_specific_data)


def test_a_late_review_brings_neither_a_taxonomy_nor_a_correction_with_it(instance: dg.DagsterInstance) -> None:
    one = WeekRange(MOVED, MOVED)
    correction = {
        "week": MOVED, "correction_id": "rb-m", "table": "quality", "from_member": "rb-ann", "to_member": "rb-bob",
        "reason": "test", "created": NOW, "created_by": "rb-lead",
    }  # fmt: skip
    write("corrections", [Correction.model_validate(correction)])
    write("quality", [review("ann", "same", 10, 9, week=MOVED), review("cat", "same", 10, 9, week=MOVED)])
    assert run_assets(instance, one, "quality_scores").success

    write("quality", [review("ann", "fresh", 10, 9, number=2, week=MOVED)])
    assert run_assets(instance, one, "quality_scores", "restatements").success

    assert causes(MOVED, "quality_scores", "reviewed") == {
        "rb-bob | rb-p | unmapped:rb-fresh": ["late_record"],
        "*": ["late_record"],
    }


def test_a_partition_that_is_lost_gets_a_generation_that_nobody_has_read(instance: dg.DagsterInstance) -> None:
    lake, one, partition = Lake(load_settings()), WeekRange(LOST, LOST), QUALITY_SCORES.partition(LOST)
    for number in (1, 2):
        write("quality", [review("ann", "same", 10, 9, number=number, week=LOST)])
        assert run_assets(instance, one, "quality_scores").success
    for key in (partition.parquet, partition.jsonl, partition.manifest):
        lake.delete(key)

    assert run_assets(instance, one, "quality_scores").success

    manifest = lake.manifest(partition)
    assert manifest is not None
    assert manifest.generation == 3


@pytest.mark.parametrize("table", [THROUGHPUT])
def test_a_damaged_entry_of_the_log_is_named_with_what_to_do(table: LakeTable) -> None:
    lake, key = Lake(load_settings()), f"{restatements_prefix(table.name, DAMAGED)}000001-000002.json"
    lake.put(key, b'{"table": "throughput", "wee', content_type="application/json")

    with pytest.raises(PermanentFailure, match="put its earlier version back, or delete it") as error:
        book(PrismResource(), DAMAGED, NOW)

    assert key in str(error.value)
    lake.delete(key)
    assert book(PrismResource(), DAMAGED, NOW).rows == 0
