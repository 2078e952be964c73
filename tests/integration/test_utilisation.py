"""Utilisation and unresolved workers, materialised. Why real: hours are conserved between plan, work and lake."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.lake_tables import UNRESOLVED_WORKERS, UTILISATION
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project
from prism_core.models.work import Allocation
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus, worker_key
from prism_resources.lake import Lake
from prism_resources.worker_activity.ingest import FileIngest
from prism_resources.worker_activity.landing import Landing
from tests.integration.asset_runs import failed_checks, lake_rows, run_assets, run_checks, week_metadata, write
from tests.integration.fresh import platform_of_this_file
from tests.integration.helpers import POOL, record, write_lines

platform = platform_of_this_file()

pytestmark = pytest.mark.usefixtures("platform")
WEEK = Week.parse("2026-W22")
ONE = WeekRange(WEEK, WEEK)
WEEKDAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "6")
CHAIN = ("worker_activity", "throughput", "utilisation", "unresolved_workers")


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def member(member_id: str, **fields: Any) -> Member:
    base = {"member_id": member_id, "name": "N", "email": "n@example.org", "time_zone": "UTC", "hours": WEEKDAYS}
    return Member.model_validate(base | fields)


def allocation(member_id: str, day: int, hours: str) -> Allocation:
    values = {"member_id": member_id, "week": WEEK, "project_id": "ut-boxes", "hours": {WEEK.days[day]: hours}}
    return Allocation.model_validate(values)


def time_off(member_id: str, day: int, hours: str) -> Availability:
    values = {"member_id": member_id, "date": WEEK.days[day], "hours_off": hours, "status": "approved"}
    return Availability.model_validate(values)


@pytest.fixture(scope="module")
def programme(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Ann and Bob are planned on one project; Ann works on Monday, a stranger on Tuesday, on two jobs.

    Ann's contract was 6 hours a day in that week, and is 4 since, under another name.
    """
    before, after = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 8, 3, tzinfo=UTC)
    ann = worker_key(pool=POOL, sub="ut-ann")
    write("members", [member("ut-ann"), member("ut-bob")], now=before)
    write("members", [member("ut-ann", name="Ann", hours=dict.fromkeys(WEEKDAYS, "4"))], now=after)
    boxes = {
        "project_id": "ut-boxes",
        "name": "Boxes",
        "category": "c",
        "demand_hours": 10,
        "labeling_jobs": [{"job": "ut-boxes-*", "valid_from": "2026-01-01"}],
    }
    write("projects", [Project.model_validate(boxes)])
    write("workers", [
        Worker(worker_key=ann, pool=POOL, sub="ut-ann", status=WorkerStatus.RESOLVED, last_seen=before,
               periods=(WorkerPeriod(member="ut-ann", from_=before.date()),))
    ])  # fmt: skip
    write("allocations", [allocation("ut-ann", 0, "3.5"), allocation("ut-bob", 1, "6")])
    write("availability", [time_off("ut-ann", 0, "2")])
    monday, tuesday = (int(WEEK.start.timestamp()) + day * 86_400 + 36_000 for day in (0, 1))
    lines: list[bytes | dict[str, Any]] = [
        *(record(monday + n * 1800, sub="ut-ann", job="ut-boxes-1", handle=1800) for n in range(3)),
        *(record(tuesday + n * 900, sub="ut-stranger", job="ut-boxes-1", handle=900) for n in range(5)),
        record(tuesday + 9000, sub="ut-stranger", job="ut-orphan", handle=600),
    ]
    path = write_lines(tmp_path_factory.mktemp("ut") / "w.jsonl", lines)
    ingest = FileIngest(Landing(Lake(platform.settings)), ONE, datetime.now(UTC))
    counts = ingest.load(path, lambda rejected: pytest.fail(str(rejected)), lambda _: None)
    assert counts.loaded == len(lines)


@pytest.fixture(scope="module")
def result(programme: None, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return run_assets(instance, ONE, *CHAIN)


def test_a_day_has_the_hours_of_contract_leave_plan_and_work_and_all_checks_hold(
    result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance
) -> None:
    rows = {(row["member_id"], row["day"]): row for row in lake_rows(UTILISATION, WEEK)}

    assert result.success
    assert failed_checks(result) == {"unresolved_share"}
    monday = rows["ut-ann", WEEK.monday]
    assert [monday[f"{name}_hours"] for name in ("contracted", "off", "available", "allocated", "worked")] == [
        6, 2, 4, 3.5, 1.5,
    ]  # fmt: skip
    facts = week_metadata(instance, "utilisation", WEEK)
    assert (facts["allocated_hours"], facts["hours_by_day"][:15]) == (9.5, "![Hours by day]")


def test_the_contract_is_that_of_the_weeks_end_and_not_of_today(result: dg.ExecuteInProcessResult) -> None:
    contracted = {row["contracted_hours"] for row in lake_rows(UTILISATION, WEEK) if row["member_id"] == "ut-ann"}

    assert contracted == {6}


def test_unresolved_work_stands_under_its_own_name_with_the_likeliest_member(
    result: dg.ExecuteInProcessResult,
) -> None:
    stranger = f"worker:{POOL}#ut-stranger"
    rows = {row["subject"]: row for row in lake_rows(UNRESOLVED_WORKERS, WEEK)}
    worked = [row for row in lake_rows(UTILISATION, WEEK) if row["member_id"] == stranger]

    assert set(rows) == {stranger, "job:ut-orphan"}
    assert (rows[stranger]["tasks_submitted"], rows[stranger]["status"]) == (6, "unresolved")
    assert rows[stranger]["suggestion"] == "ut-bob", "who is planned there and does not work under an own account"
    assert (rows["job:ut-orphan"]["tasks_submitted"], rows["job:ut-orphan"]["kind"]) == (1, "job")
    assert [row["worked_hours"] for row in worked] == [pytest.approx((5 * 900 + 600) / 3600)]


def test_the_same_week_again_writes_nothing(
    result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance, platform: Platform
) -> None:
    lake = Lake(platform.settings)
    tables = (UTILISATION, UNRESOLVED_WORKERS)
    run_assets(instance, ONE, "utilisation")  # notes the total that later changes are measured against
    before = [lake.manifest(table.partition(WEEK)) for table in tables]

    again = run_assets(instance, ONE, "utilisation", "unresolved_workers")

    assert again.success
    assert [lake.manifest(table.partition(WEEK)) for table in tables] == before
    assert week_metadata(instance, "utilisation", WEEK)["written"] is False


def test_a_member_who_was_recorded_later_counts_where_they_were_planned(
    instance: dg.DagsterInstance, programme: None
) -> None:
    """History that is imported: the register is of today, the plan of then."""
    week = Week.parse("2026-W02")
    late = Allocation.model_validate(
        {"member_id": "ut-late", "week": week, "project_id": "ut-boxes", "hours": {week.monday: "3"}}
    )
    write("members", [member("ut-late")])
    write("allocations", [late])

    run = run_assets(instance, WeekRange(week, week), "utilisation")

    rows = [row for row in lake_rows(UTILISATION, week) if row["member_id"].startswith("ut-")]
    assert run.success
    assert {row["member_id"] for row in rows if row["contracted_hours"]} == {"ut-ann", "ut-bob", "ut-late"}


def test_hours_that_nobody_planned_fail_the_check_that_blocks(
    result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance, platform: Platform
) -> None:
    """The manifest says what was read, so rows that say something else cannot pass."""
    rows, lake = lake_rows(UTILISATION, WEEK), Lake(platform.settings)
    for row in rows:
        row["allocated_hours"] += 1
    manifest = lake.manifest(UTILISATION.partition(WEEK))
    assert manifest is not None
    lake.replace_partition(UTILISATION, WEEK, rows, generation=9, now=datetime.now(UTC), counts=manifest.counts)

    judged = run_checks(instance, WEEK, "utilisation")

    assert failed_checks(judged) == {"hours_conserved"}


def test_a_plan_that_changes_between_the_hours_and_their_checks_is_a_warning_and_blocks_nothing(
    instance: dg.DagsterInstance, programme: None
) -> None:
    week = Week.parse("2026-W03")

    def planned(hours: str) -> Allocation:
        values = {"member_id": "ut-ann", "week": week, "project_id": "ut-boxes", "hours": {week.monday: hours}}
        return Allocation.model_validate(values)

    write("allocations", [planned("3")])
    run_assets(instance, WeekRange(week, week), "utilisation")

    write("allocations", [planned("4")])
    judged = run_checks(instance, week, "utilisation")

    assert judged.success
    assert failed_checks(judged) == {"hours_as_read"}
