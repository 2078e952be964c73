"""Which weeks a review, a taxonomy, a plan or a register asks for. Why real: as in test_change_sensors.py."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import dagster as dg
import openpyxl
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.models.disputes import Correction, FactTable
from prism_core.models.people import Availability, Member, Weekday
from prism_core.models.projects import LabelingJob, Project
from prism_core.models.taxonomy import TaxonomyEntry, TaxonomyStatus, TaxonomyVersion
from prism_core.models.work import Allocation, QualityReview
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus
from prism_core.tables import (
    ALLOCATIONS,
    AVAILABILITY,
    CORRECTIONS,
    MEMBERS,
    PROJECTS,
    QUALITY,
    TAXONOMY,
    WORKERS,
)
from prism_core.workbooks.reading import read_workbook
from prism_resources.aws import client
from prism_resources.quality_ingest import QualityIngest
from prism_resources.tables.imports import Author, carry_out, plan_of
from prism_sensors import recategorised
from tests.integration.fresh import platform_of_this_file
from tests.integration.moving_clock import NOW, RUNNING, Clock, Write
from tests.integration.ticks import Sensor

platform = platform_of_this_file()

LAST = RUNNING + -1


@pytest.fixture
def changed_quality(instance: dg.DagsterInstance, clock: Clock) -> Sensor:
    return Sensor("changed_quality", instance, clock)


@pytest.fixture
def changed_plans(instance: dg.DagsterInstance, clock: Clock) -> Sensor:
    return Sensor("changed_plans", instance, clock)


def labels(*weeks: Week) -> list[str]:
    return [week.label for week in weeks]


def a_review(
    week: Week, number: int, category: str = "raw-a", *, member: str = "M-q1", project: str = "P-q1"
) -> QualityReview:
    return QualityReview(
        member_id=member,
        week=week,
        project_id=project,
        review_id=f"q-{week}-{number}",
        category=category,
        reviewed=10,
        correct=10,
        reviewer="M-q2",
        reviewed_at=week.start,
    )


def a_version(name: str, category: str, clock: Clock, *, days: int = 0) -> TaxonomyVersion:
    return TaxonomyVersion(
        taxonomy_id=name,
        title=name,
        status=TaxonomyStatus.PUBLISHED,
        effective=(clock.now + timedelta(days=days)).date(),
        entries=(TaxonomyEntry(raw="raw-moved", category=category),),
    )


def a_member(hours: str, member_id: str = "M-q9") -> Member:
    return Member(
        member_id=member_id,
        name="Member",
        email="m@example.com",
        hours={Weekday.MON: Decimal(hours)},
        time_zone="UTC",
    )


def test_a_review_asks_for_the_scores_of_every_week_whose_window_holds_it(
    write: Write, changed_quality: Sensor
) -> None:
    week = RUNNING + -8
    write(QUALITY, a_review(week, 1))

    asked = changed_quality.tick()

    assert asked.weeks_of("quality_scores") == labels(*(week + later for later in range(4)))
    assert changed_quality.tick().requests == []


def test_a_corrected_review_asks_for_scores_and_a_correction_of_throughput_does_not(
    write: Write, changed_quality: Sensor
) -> None:
    work = Correction(
        week=LAST,
        correction_id="c-work",
        from_member="M-q1",
        to_member="M-q2",
        reason="x",
        created=NOW,
        created_by="test",
    )
    write(CORRECTIONS, work)
    of_work = changed_quality.tick()
    write(CORRECTIONS, work.model_copy(update={"correction_id": "c-review", "table": FactTable.QUALITY}))

    of_reviews = changed_quality.tick()

    assert of_work.requests == []
    assert of_reviews.weeks_of("quality_scores") == labels(LAST, RUNNING)


def test_a_resolved_worker_asks_for_the_scores_that_count_its_reviews_under_any_of_its_names(
    write: Write, changed_quality: Sensor
) -> None:
    before, by_sub, by_id, other = (RUNNING + offset for offset in (-70, -60, -50, -40))
    write(QUALITY, a_review(before, 1, member="worker:sub-q"))
    write(QUALITY, a_review(by_sub, 1, member="worker:sub-q"))
    write(QUALITY, a_review(by_id, 1, member="worker:id-q"))
    write(QUALITY, a_review(other, 1, member="worker:sub-other"))
    seen = Worker(worker_key="pool#sub-q", pool="pool", sub="sub-q", worker_id="id-q", last_seen=NOW)
    seen = write(WORKERS, seen)
    changed_quality.tick()
    unresolved = write(WORKERS, seen.model_copy(update={"last_seen": NOW + timedelta(hours=1)}))
    seen_again = changed_quality.tick()
    periods = (WorkerPeriod(member="M-q7", from_=by_sub.days[2]),)
    write(WORKERS, unresolved.model_copy(update={"status": WorkerStatus.RESOLVED, "periods": periods}))

    asked = changed_quality.tick()

    assert seen_again.requests == []
    assert asked.weeks_of("quality_scores") == labels(
        *(at + later for at in (by_sub, by_id) for later in range(4))
    )
    assert changed_quality.tick().requests == []


def test_a_mapped_labelling_job_asks_for_the_scores_that_count_its_reviews_while_it_holds(
    write: Write, changed_quality: Sensor
) -> None:
    before, held, other = (RUNNING + offset for offset in (-100, -90, -80))
    write(QUALITY, a_review(before, 1, project="job:birds-1"))
    write(QUALITY, a_review(held, 1, project="job:birds-2"))
    write(QUALITY, a_review(other, 1, project="job:cats-1"))
    project = Project(project_id="P-q6", name="P", category="text", demand_hours=Decimal(1))
    project = write(PROJECTS, project)
    changed_quality.tick()

    write(
        PROJECTS,
        project.model_copy(update={"labeling_jobs": (LabelingJob(job="birds-*", valid_from=held.monday),)}),
    )

    assert changed_quality.tick().weeks_of("quality_scores") == labels(*(held + later for later in range(4)))


def test_a_taxonomy_asks_for_the_weeks_whose_reviews_it_names_otherwise_when_its_day_has_come_and_once(
    write: Write, changed_quality: Sensor, clock: Clock
) -> None:
    moved, other = RUNNING + -12, RUNNING + -20
    write(QUALITY, a_review(moved, 1, "raw-moved"))
    write(QUALITY, a_review(other, 1, "raw-stays"))
    changed_quality.tick()
    write(TAXONOMY, a_version("2020-a", "New name", clock, days=1))

    before = changed_quality.tick()
    clock.forward(24 * 60)
    on_its_day, after = changed_quality.tick(), changed_quality.tick()

    assert before.requests == []
    assert on_its_day.weeks_of("quality_scores") == labels(*(moved + later for later in range(4)))
    assert after.requests == []


def test_a_taxonomy_that_takes_longer_than_a_tick_is_gone_on_with_by_the_next_ones(
    write: Write, changed_quality: Sensor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recategorised, "SECONDS_A_TICK", 0.0)  # a week a tick
    monkeypatch.setenv("PRISM_FIRST_WEEK", (RUNNING + -3).label)
    for back in (3, 1):
        write(QUALITY, a_review(RUNNING + -back, 9, "raw-moved"))
    changed_quality.tick()
    write(TAXONOMY, a_version("2020-0", "Name by name", clock))

    ticks = [changed_quality.tick().weeks_of("quality_scores") for _ in range(6)]

    window = labels(*(RUNNING + -back for back in (3, 2, 1, 0)))
    assert ticks == [[], window[2:], [], window, [], []]


def test_another_quality_target_asks_for_the_scores_of_the_running_week(
    write: Write, changed_quality: Sensor
) -> None:
    project = Project(project_id="P-q5", name="P", category="text", demand_hours=Decimal(1))
    project = write(PROJECTS, project)
    project = write(PROJECTS, project.model_copy(update={"quality_target": Decimal("0.9500")}))
    changed = changed_quality.tick()
    write(PROJECTS, project.model_copy(update={"priority": 1}))

    unrelated = changed_quality.tick()

    assert changed.weeks_of("quality_scores") == [RUNNING.label]
    assert unrelated.requests == []


def test_another_target_of_a_project_that_was_recorded_late_asks_for_the_weeks_of_its_reviews_before(
    write: Write, changed_quality: Sensor
) -> None:
    own, of_job, of_another = (RUNNING + offset for offset in (-112, -111, -110))
    jobs = (LabelingJob(job="late-*", valid_from=own.monday),)
    project = Project(project_id="P-q8", name="P", category="text", demand_hours=Decimal(1), labeling_jobs=jobs)
    project = write(PROJECTS, project)
    write(QUALITY, a_review(own, 1, project="P-q8"))
    write(QUALITY, a_review(of_job, 1, project="job:late-1"))
    write(QUALITY, a_review(of_another, 1, project="job:early-1"))
    changed_quality.tick()

    write(PROJECTS, project.model_copy(update={"quality_target": Decimal("0.9500")}))

    assert changed_quality.tick().weeks_of("quality_scores") == labels(own, of_job, RUNNING)


def test_other_hours_of_a_member_who_was_recorded_late_ask_for_the_weeks_that_count_them_before(
    write: Write, changed_plans: Sensor
) -> None:
    planned, off = RUNNING + -30, RUNNING + -20
    write(MEMBERS, a_member("8.00", "M-q11"))
    write(
        ALLOCATIONS,
        Allocation(member_id="M-q11", week=planned, project_id="P-q3", hours={planned.monday: Decimal(1)}),
    )
    write(AVAILABILITY, Availability(member_id="M-q11", date=off.days[2], hours_off=Decimal(8)))
    changed_plans.tick()

    write(MEMBERS, a_member("6.00", "M-q11"))

    assert changed_plans.tick().weeks_of("utilisation") == labels(planned, off, RUNNING)


def test_what_was_planned_for_a_coming_week_is_asked_for_once_when_it_begins(
    write: Write, changed_plans: Sensor, clock: Clock
) -> None:
    coming = RUNNING + 1
    hours = {coming.days[1]: Decimal(4)}
    write(ALLOCATIONS, Allocation(member_id="M-q3", week=coming, project_id="P-q3", hours=hours))
    ahead = changed_plans.tick()
    clock.forward(7 * 24 * 60)

    begun, after = changed_plans.tick(), changed_plans.tick()

    assert ahead.requests == []
    assert begun.weeks_of("allocations") == begun.weeks_of("utilisation") == [coming.label]
    assert after.requests == []


def test_allocations_and_days_off_ask_for_the_utilisation_of_weeks_that_have_begun(
    write: Write, changed_plans: Sensor
) -> None:
    for week in (LAST, RUNNING, RUNNING + 1):
        hours = {week.days[1]: Decimal(4)}
        write(ALLOCATIONS, Allocation(member_id="M-q3", week=week, project_id="P-q3", hours=hours))
    planned = changed_plans.tick()
    day = (RUNNING + -3).days[2]
    write(AVAILABILITY, Availability(member_id="M-q3", date=day, hours_off=Decimal(8)))

    absent = changed_plans.tick()

    assert planned.weeks_of("utilisation") == labels(LAST, RUNNING)
    assert absent.weeks_of("utilisation") == labels(RUNNING + -3)


def test_other_hours_of_a_member_ask_for_utilisation_and_another_team_does_not(
    write: Write, changed_plans: Sensor
) -> None:
    member = write(MEMBERS, a_member("8.00"))
    changed_plans.tick()
    write(MEMBERS, member.model_copy(update={"team": "team-1"}))
    moved = changed_plans.tick()
    write(MEMBERS, a_member("6.00"))

    fewer_hours = changed_plans.tick()

    assert moved.weeks_of("utilisation") == []
    assert fewer_hours.weeks_of("utilisation") == [RUNNING.label]


def test_a_change_of_last_week_that_is_seen_this_week_asks_for_both(
    write: Write, changed_plans: Sensor, clock: Clock
) -> None:
    write(MEMBERS, a_member("5.00"))
    clock.forward(7 * 24 * 60)

    asked = changed_plans.tick()

    assert asked.weeks_of("utilisation") == labels(RUNNING, RUNNING + 1)


def test_reviews_of_a_load_that_began_before_the_last_tick_are_asked_for(
    platform: Platform, changed_quality: Sensor, clock: Clock, tmp_path: Path
) -> None:
    week = RUNNING + -30
    path = tmp_path / "reviews.csv"
    path.write_text(f"job,week,worker_id,judgments,accuracy\nbirds,{week},w-late,10,1.0\n")
    load = QualityIngest(platform.settings, WeekRange(week, RUNNING), clock.now)
    clock.forward(10)
    before = changed_quality.tick()

    counts = load.load(path, lambda _: None, lambda _: None)

    assert (before.requests, counts.loaded) == ([], 1)
    assert changed_quality.tick().weeks_of("quality_scores") == labels(*(week + later for later in range(4)))


def test_items_of_a_workbook_that_was_read_before_the_last_tick_are_asked_for(
    platform: Platform, changed_plans: Sensor, clock: Clock
) -> None:
    book, body = openpyxl.Workbook(), BytesIO()
    sheet = book.worksheets[0]
    sheet.title = "Members"
    sheet.append(["Member ID", "Name", "Email", "Time zone"])
    sheet.append(["M-book", "Synthetic", "s@example.org", "UTC"])
    book.save(body)
    dynamodb = client(platform.settings, "dynamodb")
    plan = plan_of(dynamodb, platform.settings, read_workbook(body.getvalue()), now=clock.now)
    author = Author("workbook:plan.xlsx", "import", "workbook-of-a-test")
    clock.forward(10)
    before = changed_plans.tick()

    carry_out(dynamodb, platform.settings, plan, author)

    assert before.requests == []
    assert changed_plans.tick().weeks_of("members") == [RUNNING.label]
