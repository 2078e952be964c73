"""The synthetic sample: says that it is synthetic, is the same for the same seed, and could have happened."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from infra.local.sample.activity import week_lines
from infra.local.sample.people import (
    MEMBERS,
    POOL,
    PROJECTS,
    TEAMS,
    UNMAPPED_JOBS,
    UNRESOLVED_WORKERS,
    Programme,
    synthetic_programme,
)
from infra.local.sample.profile import derive_profile, real_profile
from infra.local.sample.records import UNMAPPED_CATEGORIES
from prism_core.availability import check_hours, public_holidays
from prism_core.calendar import WeekRange
from prism_core.identity import JobResolver, resolve_member
from prism_core.models.bugs import BugStatus
from prism_core.models.disputes import DisputeStatus
from prism_core.models.people import AvailabilityStatus
from prism_core.models.projects import RequestStatus
from prism_core.requests import WAITING, lateness
from prism_core.taxonomy import Taxonomy, in_force
from prism_core.worker_activity.record import Activity, check_line, parse_time, read_activity
from tests.unit.worker_activity_samples import REAL

WEEKS = WeekRange.parse("2026-W01..2026-W02")
RUNNING = WEEKS.last
NOW = datetime(2026, 1, 7, 11, 30, tzinfo=UTC)  # a Wednesday, in the running week
SEED = 7


@pytest.fixture(scope="module")
def programme() -> Programme:
    return synthetic_programme(WEEKS, SEED)


@pytest.fixture(scope="module")
def whole_week(programme: Programme) -> list[bytes]:
    return list(week_lines(programme, WEEKS.first, WEEKS.first.end, SEED))


@pytest.fixture(scope="module")
def activities(whole_week: list[bytes]) -> list[Activity]:
    return [read_activity(line.rstrip(b"\n")) for line in whole_week]


def test_the_same_seed_gives_the_same_people_and_another_one_others(programme: Programme) -> None:
    assert synthetic_programme(WEEKS, SEED) == programme
    assert synthetic_programme(WEEKS, SEED + 1) != programme


def test_the_same_seed_gives_the_same_records_whatever_week_is_drawn_first(
    programme: Programme, whole_week: list[bytes]
) -> None:
    again = list(week_lines(synthetic_programme(WEEKS, SEED), WEEKS.first, WEEKS.first.end, SEED))

    assert again == whole_week
    assert list(week_lines(programme, WEEKS.first, WEEKS.first.end, SEED + 1)) != whole_week


def test_the_programme_has_the_size_of_the_reference(programme: Programme) -> None:
    assert (len(programme.members), len(programme.projects)) == (MEMBERS, PROJECTS) == (79, 88)
    assert {allocation.week for allocation in programme.allocations} == set(WEEKS)


def test_every_id_starts_with_syn_and_every_name_says_synthetic(programme: Programme) -> None:
    ids = [
        *(member.member_id for member in programme.members),
        *(project.project_id for project in programme.projects),
        *(request.request_id for request in programme.requests),
        *(allocation.member_id for allocation in programme.allocations),
        *(entry.member_id for entry in programme.availability),
        *(member.team for member in programme.members),
        *(review.review_id for review in programme.records.reviews),
        *(review.reviewer for review in programme.records.reviews),
        *(bug.bug_id for bug in programme.records.bugs),
        *(bug.reporter for bug in programme.records.bugs),
        *(dispute.dispute_id for dispute in programme.records.disputes),
        *(correction.correction_id for correction in programme.records.corrections),
        *(version.taxonomy_id for version in programme.records.taxonomy),
    ]
    names = [
        *(member.name for member in programme.members),
        *(member.email for member in programme.members),
        *(project.name for project in programme.projects),
        *(request.requester for request in programme.requests),
        *(request.reason for request in programme.requests),
        *(entry.reason for entry in programme.availability),
        *(worker.worker_key for worker in programme.workers),
        *(job.job for project in programme.projects for job in project.labeling_jobs),
        *(review.notes for review in programme.records.reviews),
        *(bug.title for bug in programme.records.bugs),
        *(dispute.reason for dispute in programme.records.disputes),
        *(correction.reason for correction in programme.records.corrections),
        *(version.title for version in programme.records.taxonomy),
        *(entry.category for version in programme.records.taxonomy for entry in version.entries),
    ]

    assert [one for one in ids if one is None or not one.startswith("syn-")] == []
    assert [one for one in names if "synthetic" not in one.lower()] == []


def test_everything_that_can_be_decided_is_there_in_every_state(programme: Programme) -> None:
    records = programme.records

    assert {request.status for request in programme.requests} == set(RequestStatus)
    assert {entry.status for entry in programme.availability} == set(AvailabilityStatus)
    assert {bug.status for bug in records.bugs} == set(BugStatus)
    assert {dispute.status for dispute in records.disputes} == set(DisputeStatus)


def test_a_request_is_late_and_another_is_not(programme: Programme) -> None:
    late = {lateness(request, NOW).late for request in programme.requests if request.status in WAITING}

    assert late == {True, False}


def test_time_off_takes_hours_that_the_member_works_and_public_holidays_are_known(programme: Programme) -> None:
    members = {member.member_id: member for member in programme.members}

    for entry in programme.availability:
        check_hours(entry, members[entry.member_id])
    assert {member.team for member in programme.members} == set(TEAMS)
    assert all(public_holidays(member.location or "", 2026) for member in programme.members)


def test_the_taxonomy_names_every_category_but_the_one_that_is_left_to_be_seen(programme: Programme) -> None:
    (version,) = programme.records.taxonomy
    taxonomy = Taxonomy(in_force([version], WEEKS.first.monday))

    mapped = {taxonomy.map(project.category, WEEKS.first.monday) for project in programme.projects}

    assert sum(one.category is None for one in mapped) == UNMAPPED_CATEGORIES


def test_reviews_are_of_planned_work_and_the_first_member_has_one_every_week(
    programme: Programme,
) -> None:
    planned = {(one.member_id, one.week, one.project_id) for one in programme.allocations}
    reviews = programme.records.reviews

    assert [r for r in reviews if (r.member_id, r.week, r.project_id) not in planned] == []
    assert {r.week for r in reviews if r.member_id == programme.members[0].member_id} == set(WEEKS)
    assert [r for r in reviews if r.reviewer == r.member_id or r.reviewed_at > NOW] == []


def test_the_correction_finds_work_to_move(programme: Programme, activities: list[Activity]) -> None:
    (correction,) = programme.records.corrections
    workers = {worker.worker_key: worker.periods[0].member for worker in programme.workers}

    moved = [
        activity
        for activity in activities
        if workers.get(activity.worker_key) == correction.from_member
        and datetime.fromtimestamp(activity.event_s, UTC).date() in correction.days
    ]

    assert moved


def test_no_mail_can_reach_a_real_person(programme: Programme) -> None:
    assert {member.email.rpartition("@")[2] for member in programme.members} == {"example.com"}


def test_every_record_says_synthetic_too(whole_week: list[bytes]) -> None:
    for line in whole_week:
        record = json.loads(line)
        assert record["cognito_user_pool_id"] == POOL
        assert "synthetic" in record["workteam_arn"]
        assert "synthetic" in record["labeling_job_arn"]
        assert record["job_reference_code"] == "synthetic"


def test_every_record_is_accepted_as_a_real_one_would_be(whole_week: list[bytes]) -> None:
    week = WeekRange(WEEKS.first, WEEKS.first)

    assert {check_line(line.rstrip(b"\n"), week).week for line in whole_week} == {WEEKS.first}
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in whole_week)


def test_nobody_works_on_two_tasks_at_once(activities: list[Activity]) -> None:
    of_worker: dict[str, list[tuple[int, int]]] = {}
    for activity in activities:
        of_worker.setdefault(activity.worker_key, []).append((activity.accepted_s, activity.outcome_s))

    overlapping = [key for key, tasks in of_worker.items() if any(b[0] < a[1] for a, b in pairwise(sorted(tasks)))]

    assert overlapping == []


def test_nobody_works_on_a_day_off(programme: Programme, activities: list[Activity]) -> None:
    members = {worker.worker_key: worker.periods[0].member for worker in programme.workers}
    approved = [e for e in programme.availability if e.status is AvailabilityStatus.APPROVED]
    off = {(entry.member_id, entry.date) for entry in approved}

    worked = {
        (members.get(activity.worker_key), datetime.fromtimestamp(activity.event_s, UTC).date())
        for activity in activities
    }

    assert worked & off == set()


def test_the_running_week_stops_at_the_instant(programme: Programme) -> None:
    lines = list(week_lines(programme, RUNNING, NOW, SEED))
    ended = [read_activity(line.rstrip(b"\n")).event_s for line in lines]

    assert max(ended) <= NOW.timestamp()
    assert max(ended) > (NOW - timedelta(hours=2)).timestamp()
    assert min(ended) >= RUNNING.start.timestamp()


def test_a_later_instant_adds_records_and_changes_none_of_the_days_before(programme: Programme) -> None:
    def before_today(until: datetime) -> list[bytes]:
        midnight = datetime(2026, 1, 6, tzinfo=UTC).timestamp()
        lines = week_lines(programme, RUNNING, until, SEED)
        return [line for line in lines if read_activity(line.rstrip(b"\n")).event_s < midnight]

    first = Counter(before_today(NOW))

    assert first
    assert sum(first.values()) == len(before_today(NOW))


def test_most_work_is_resolved_and_what_is_not_is_what_was_meant_to_be(
    programme: Programme, activities: list[Activity]
) -> None:
    workers = {worker.worker_key: worker for worker in programme.workers}
    jobs = JobResolver(programme.projects)
    day = WEEKS.first.monday

    strangers = {a.worker_key for a in activities if a.worker_key not in workers}
    orphans = {a.job_name for a in activities if jobs.resolve(a.job_name, day) is None}

    assert len(strangers) == UNRESOLVED_WORKERS
    assert len(orphans) == UNMAPPED_JOBS
    assert all(resolve_member(worker, day) for worker in workers.values())


def test_tasks_are_submitted_returned_and_declined(activities: list[Activity]) -> None:
    shares = Counter(activity.event_type for activity in activities)

    assert set(shares) == {"TasksSubmitted", "TasksReturned", "TasksDeclined"}
    assert shares["TasksSubmitted"] > 0.9 * len(activities)


def test_the_committed_profile_is_derived_from_the_real_records() -> None:
    handle_seconds: list[int] = []
    hours: list[int] = []
    for path in sorted(REAL.glob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            record = json.loads(line)
            submitted = parse_time(record["task_submitted_time"])
            handle_seconds.append(submitted - parse_time(record["task_accepted_time"]))
            hours.append(submitted // 3600 % 24)

    assert len(handle_seconds) == 4816
    assert derive_profile(handle_seconds, hours) == real_profile()
