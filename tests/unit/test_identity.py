"""Whose work it was, and for which project."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.identity import JobResolver, resolve_member
from prism_core.models.projects import LabelingJob, Project
from prism_core.models.workers import Worker, WorkerPeriod

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def worker(*periods: WorkerPeriod, status: str = "resolved") -> Worker:
    return Worker.model_validate(
        {
            "worker_key": "w",
            "worker_id": "w",
            "status": status,
            "last_seen": "2026-01-05T07:00:00Z",
            "periods": [p.model_dump(mode="json") for p in periods],
        }
    )


def project(project_id: str, *jobs: str | LabelingJob) -> Project:
    entries = tuple(LabelingJob(job=job, valid_from=JANUARY) if isinstance(job, str) else job for job in jobs)
    return Project.model_validate(
        {"project_id": project_id, "name": "x", "category": "c", "demand_hours": "1", "labeling_jobs": entries}
    )


def test_a_period_starts_on_its_first_day_and_ends_before_its_last() -> None:
    someone = worker(
        WorkerPeriod(member="M-1", from_=JANUARY, to=FEBRUARY), WorkerPeriod(member="M-2", from_=MARCH)
    )

    assert resolve_member(someone, JANUARY - timedelta(days=1)) is None
    assert resolve_member(someone, JANUARY) == "M-1"
    assert resolve_member(someone, FEBRUARY - timedelta(days=1)) == "M-1"
    assert resolve_member(someone, FEBRUARY) is None
    assert resolve_member(someone, MARCH + timedelta(days=9999)) == "M-2"


def test_an_ignored_worker_is_nobody() -> None:
    ignored = worker(WorkerPeriod(member="M-1", from_=JANUARY), status="ignored")

    assert resolve_member(ignored, MARCH) is None


@given(st.dates(JANUARY, MARCH))
def test_adjacent_periods_leave_no_day_out_and_none_twice(day: date) -> None:
    someone = worker(
        WorkerPeriod(member="M-1", from_=JANUARY, to=FEBRUARY), WorkerPeriod(member="M-2", from_=FEBRUARY)
    )

    assert resolve_member(someone, day) == ("M-1" if day < FEBRUARY else "M-2")


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("birds-1", "exact"),
        ("birds-2", "long"),
        ("birdhouse", "short"),
        ("cats", None),
        ("xbirds-1", None),
        ("birds-1x", "short"),
    ],
)
def test_an_exact_name_beats_a_pattern_and_a_longer_pattern_a_shorter_one(job: str, expected: str | None) -> None:
    resolver = JobResolver([project("short", "bird*"), project("exact", "birds-1"), project("long", "birds-2*")])

    assert resolver.resolve(job, JANUARY) == expected


def test_two_projects_that_match_equally_well_leave_a_job_unresolved_and_reported() -> None:
    resolver = JobResolver([project("P-2", "birds-*"), project("P-1", "*-birds")])

    match = resolver.explain("birds-birds", JANUARY)

    assert match.project_id is None
    assert match.ambiguous
    assert match.candidates == ("P-1", "P-2")
    assert resolver.resolve("birds-birds", JANUARY) is None


def test_one_project_that_matches_twice_is_not_ambiguous() -> None:
    resolver = JobResolver([project("P-1", "birds-*", "*-birds")])

    assert resolver.resolve("birds-birds", JANUARY) == "P-1"


def test_a_job_that_nothing_matches_is_not_ambiguous() -> None:
    match = JobResolver([]).explain("birds", JANUARY)

    assert (match.project_id, match.ambiguous) == (None, False)


def test_a_job_moves_to_another_project_on_the_day_it_is_valid_from() -> None:
    before = LabelingJob(job="birds", valid_from=JANUARY, valid_to=FEBRUARY)
    after = LabelingJob(job="birds", valid_from=FEBRUARY)
    resolver = JobResolver([project("P-1", before), project("P-2", after)])

    assert resolver.resolve("birds", FEBRUARY - timedelta(days=1)) == "P-1"
    assert resolver.resolve("birds", FEBRUARY) == "P-2"
    assert resolver.resolve("birds", JANUARY - timedelta(days=1)) is None


def test_an_exact_name_that_is_no_longer_valid_leaves_the_pattern() -> None:
    ended = LabelingJob(job="birds-1", valid_from=JANUARY, valid_to=FEBRUARY)
    resolver = JobResolver([project("P-1", ended), project("P-2", "birds-*")])

    assert resolver.resolve("birds-1", MARCH) == "P-2"


def test_only_the_star_is_special() -> None:
    resolver = JobResolver([project("P-1", "a-*-z")])

    assert resolver.resolve("a-b-z", JANUARY) == "P-1"
    assert resolver.resolve("a--z", JANUARY) == "P-1"
    assert resolver.resolve("a-z", JANUARY) is None
    assert resolver.resolve("a-b-z\n", JANUARY) is None
