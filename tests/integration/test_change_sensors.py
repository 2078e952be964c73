"""Which weeks a change asks for. Why real: the log, the indexes and the published weeks decide it together."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.models.disputes import Correction, FactTable
from prism_core.models.projects import LabelingJob, Project
from prism_core.models.work import ThroughputDay, ThroughputWeek
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus, worker_key
from prism_core.tables import CORRECTIONS, PROJECTS, WORKERS
from prism_resources.aws import client
from prism_resources.tables.feed import FeedCursor, read_news
from prism_resources.tables.history import TableHistory
from prism_resources.tables.store import TableStore
from tests.integration.fresh import platform_of_this_file
from tests.integration.moving_clock import NOW, RUNNING, Clock, Write
from tests.integration.ticks import Sensor

platform = platform_of_this_file()

WEEKS = [RUNNING + offset for offset in (-6, -5, -4, -3)]
POOL = "us-east-1_Sensors"


@pytest.fixture
def resolved_work(instance: dg.DagsterInstance, clock: Clock) -> Sensor:
    return Sensor("resolved_work", instance, clock)


def publish(*rows: tuple[Week, str, str]) -> None:
    """Throughput of each week: a task a project and member on its Tuesday."""
    for week in {row[0] for row in rows}:
        items = [
            ThroughputWeek(
                project_id=project,
                week=week,
                member_id=member,
                days=(ThroughputDay(day=week.days[1], tasks_submitted=1, wall_seconds=30),),
                worker_resolved=not member.startswith("worker:"),
                project_resolved=not project.startswith("job:"),
            )
            for of_week, project, member in rows
            if of_week == week
        ]
        PrismResource().throughput().replace(week, items, now=NOW)


def a_worker(sub: str, *periods: WorkerPeriod) -> Worker:
    return Worker(
        worker_key=worker_key(pool=POOL, sub=sub),
        pool=POOL,
        sub=sub,
        status=WorkerStatus.RESOLVED if periods else WorkerStatus.UNRESOLVED,
        periods=periods,
        last_seen=NOW,
    )


def a_project(project_id: str, *jobs: LabelingJob) -> Project:
    return Project(
        project_id=project_id, name=project_id, category="text", demand_hours=Decimal(1), labeling_jobs=jobs
    )


def labels(*weeks: Week) -> list[str]:
    return [week.label for week in weeks]


def test_a_resolved_worker_asks_for_exactly_the_weeks_that_hold_its_records_and_only_once(
    write: Write, resolved_work: Sensor
) -> None:
    key = worker_key(pool=POOL, sub="one")
    publish(*[(week, "P-s1", f"worker:{key}") for week in (WEEKS[0], WEEKS[2])], (WEEKS[1], "P-s1", "M-s9"))
    write(WORKERS, a_worker("one"))
    unresolved = resolved_work.tick()
    write(WORKERS, a_worker("one", WorkerPeriod(member="M-s1", from_=WEEKS[0].monday)))

    first, second = resolved_work.tick(), resolved_work.tick()

    assert (unresolved.requests, second.requests) == ([], [])
    assert first.weeks_of("throughput") == labels(WEEKS[0], WEEKS[2])
    assert len({request.run_key for request in first.requests}) == 2


def test_a_worker_who_is_somebody_else_from_a_day_on_leaves_the_weeks_before_alone(
    write: Write, resolved_work: Sensor
) -> None:
    publish(*[(week, "P-s2", "M-s2") for week in WEEKS])
    write(WORKERS, a_worker("two", WorkerPeriod(member="M-s2", from_=WEEKS[0].monday)))
    resolved_work.tick()
    changed = WEEKS[2].monday
    write(
        WORKERS,
        a_worker(
            "two",
            WorkerPeriod(member="M-s2", from_=WEEKS[0].monday, to=changed),
            WorkerPeriod(member="M-s3", from_=changed),
        ),
    )

    asked = resolved_work.tick()

    assert asked.weeks_of("throughput") == labels(WEEKS[2], WEEKS[3])
    assert len(asked.requests) == 1  # neighbours in one run


def test_weeks_of_the_member_whom_a_worker_turns_out_to_be_are_left_alone(
    write: Write, resolved_work: Sensor
) -> None:
    key = worker_key(pool=POOL, sub="six")
    publish((WEEKS[0], "P-s1", "M-s0"), (WEEKS[1], "P-s1", f"worker:{key}"), (WEEKS[2], "P-s1", "M-s0"))
    write(WORKERS, a_worker("six"))
    resolved_work.tick()

    write(WORKERS, a_worker("six", WorkerPeriod(member="M-s0", from_=WEEKS[0].monday)))

    assert resolved_work.tick().weeks_of("throughput") == labels(WEEKS[1])


def test_an_ignored_worker_and_a_deleted_one_are_nobodys_any_more(write: Write, resolved_work: Sensor) -> None:
    publish((WEEKS[1], "P-s3", "M-s4"), (WEEKS[3], "P-s3", "M-s5"))
    ignored = write(WORKERS, a_worker("three", WorkerPeriod(member="M-s4", from_=WEEKS[0].monday)))
    deleted = write(WORKERS, a_worker("four", WorkerPeriod(member="M-s5", from_=WEEKS[0].monday)))
    resolved_work.tick()
    write(WORKERS, ignored.model_copy(update={"status": WorkerStatus.IGNORED}))
    write(WORKERS, deleted, deleted=True)

    assert resolved_work.tick().weeks_of("throughput") == labels(WEEKS[1], WEEKS[3])


def test_a_mapped_labelling_job_asks_for_the_weeks_in_which_it_was_nobodys(
    write: Write, resolved_work: Sensor
) -> None:
    publish((WEEKS[0], "job:lidar-a", "M-s6"), (WEEKS[1], "job:lidar-a", "M-s6"), (WEEKS[2], "job:radar", "M-s6"))
    for job in ("lidar-a", "radar"):
        write(WORKERS, Worker(worker_key=worker_key(job=job), job=job, last_seen=NOW))
    resolved_work.tick()

    write(PROJECTS, a_project("P-s4", LabelingJob(job="lidar-*", valid_from=WEEKS[1].monday)))

    assert resolved_work.tick().weeks_of("throughput") == labels(WEEKS[1])


def test_a_rule_that_takes_a_job_from_another_project_or_lets_it_go_asks_for_their_weeks(
    write: Write, resolved_work: Sensor
) -> None:
    since = WEEKS[0].monday
    publish((WEEKS[1], "P-s5", "M-s6"), (WEEKS[3], "P-s6", "M-s6"))
    write(PROJECTS, a_project("P-s5", LabelingJob(job="sonar-*", valid_from=since)))
    write(PROJECTS, a_project("P-s6", LabelingJob(job="video-*", valid_from=since)))
    resolved_work.tick()

    write(PROJECTS, a_project("P-s7", LabelingJob(job="sonar-deep-*", valid_from=since)))
    taken = resolved_work.tick()
    write(PROJECTS, a_project("P-s6"))
    let_go = resolved_work.tick()

    assert taken.weeks_of("throughput") == labels(WEEKS[1])
    assert let_go.weeks_of("throughput") == labels(WEEKS[3])


def test_another_change_of_a_project_asks_for_no_throughput(write: Write, resolved_work: Sensor) -> None:
    publish((WEEKS[1], "P-s8", "M-s6"))
    project = write(PROJECTS, a_project("P-s8", LabelingJob(job="plain", valid_from=WEEKS[0].monday)))
    resolved_work.tick()

    write(PROJECTS, project.model_copy(update={"priority": 1}))

    assert resolved_work.tick().weeks_of("throughput") == []


def test_a_correction_asks_for_its_week_when_it_is_made_and_when_it_is_taken_back(
    write: Write, resolved_work: Sensor
) -> None:
    correction = Correction(
        week=WEEKS[2],
        correction_id="c-sensor",
        from_member="M-s7",
        to_member="M-s8",
        reason="x",
        created=NOW,
        created_by="test",
    )
    write(CORRECTIONS, correction)
    made = resolved_work.tick()
    write(CORRECTIONS, correction, deleted=True)
    taken_back = resolved_work.tick()

    assert [made.weeks_of("throughput"), taken_back.weeks_of("throughput")] == [labels(WEEKS[2])] * 2
    assert [made.weeks_of("corrections"), taken_back.weeks_of("corrections")] == [labels(WEEKS[2])] * 2
    assert made.requests[0].run_key != taken_back.requests[0].run_key


def test_a_late_correction_of_a_review_asks_for_the_corrections_of_its_week_and_no_throughput(
    write: Write, resolved_work: Sensor
) -> None:
    correction = Correction(
        week=RUNNING + -40,
        correction_id="c-review",
        table=FactTable.QUALITY,
        from_member="M-s7",
        to_member="M-s8",
        reason="x",
        created=NOW,
        created_by="test",
    )
    write(CORRECTIONS, correction)

    assert resolved_work.tick().asked == [(str(RUNNING + -40), ["corrections"])]


def test_a_worker_whose_work_was_corrected_asks_for_the_week_of_the_correction(
    write: Write, resolved_work: Sensor
) -> None:
    """The rows stand under another name, and the correction does not find them under the new one."""
    key = worker_key(pool=POOL, sub="five")
    correction = Correction(
        week=WEEKS[1],
        correction_id="c-moved",
        from_member=f"worker:{key}",
        to_member="M-s9",
        reason="x",
        created=NOW,
        created_by="test",
    )
    write(CORRECTIONS, correction)
    write(WORKERS, a_worker("five"))
    resolved_work.tick()

    write(WORKERS, a_worker("five", WorkerPeriod(member="M-s1", from_=date(2020, 1, 6))))

    assert resolved_work.tick().weeks_of("throughput") == labels(WEEKS[1])


def test_weeks_that_have_not_begun_are_not_asked_for(write: Write, resolved_work: Sensor) -> None:
    ahead = Correction(
        week=RUNNING + 2,
        correction_id="c-ahead",
        from_member="M-s7",
        to_member="M-s8",
        reason="x",
        created=NOW,
        created_by="test",
    )
    write(CORRECTIONS, ahead)

    assert resolved_work.tick().requests == []


def test_late_changes_that_are_more_than_a_tick_takes_come_once_and_bring_no_old_ones_back(
    platform: Platform,
) -> None:
    stood = datetime(2019, 3, 6, 12, tzinfo=UTC)
    dynamodb = client(platform.settings, "dynamodb")
    store = TableStore(dynamodb, platform.settings, PROJECTS, Project)
    history = TableHistory(dynamodb, platform.settings)
    # The first was read by an earlier tick; the others appear behind the place where the cursor stands.
    for name, seconds_before in (("P-f0", 620), ("P-f1", 580), ("P-f2", 80), ("P-f3", 70)):
        author: Any = {"actor": "test", "reason": "", "request_id": name}
        store.create(a_project(name), **author, now=stood - timedelta(seconds=seconds_before))

    cursor, found = FeedCursor(stood), list[str]()
    for _ in range(4):
        news = read_news(history, [PROJECTS], cursor, stood + timedelta(minutes=1), most=1)
        cursor, found = news.cursor, [*found, *(change.item_key for change in news.changes)]

    assert found == ["projects/P-f1", "projects/P-f2", "projects/P-f3"]
