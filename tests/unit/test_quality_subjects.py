"""Reviews of workers and jobs, read as the member and the project of their week."""

from datetime import UTC, date, datetime

from prism_core.calendar import Week
from prism_core.identity import JobResolver
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus, worker_key
from prism_core.quality_subjects import ReviewSubjects, stored_names
from tests.unit.test_corrections import REVIEW, WEEK
from tests.unit.test_suggestions import project

SEEN = datetime(2026, 1, 1, tzinfo=UTC)


def worker(sub: str, *periods: tuple[str, date, date | None], pool: str = "p") -> Worker:
    return Worker(
        worker_key=worker_key(pool=pool, sub=sub),
        pool=pool,
        sub=sub,
        worker_id=None,
        status=WorkerStatus.RESOLVED,
        periods=tuple(WorkerPeriod(member=who, from_=start, to=end) for who, start, end in periods),
        last_seen=SEEN,
    )


def subjects(*workers: Worker) -> ReviewSubjects:
    return ReviewSubjects(workers, JobResolver([project("birds", "Birds", "birds-*")]))


def test_a_worker_is_found_by_key_and_by_subject() -> None:
    known = subjects(worker("s-1", ("ann", date(2018, 1, 1), None)))

    assert (known.member("p#s-1", WEEK), known.member("s-1", WEEK), known.member("s-2", WEEK)) == (
        "ann",
        "ann",
        None,
    )


def test_a_week_of_two_members_or_a_subject_of_two_pools_is_nobodys() -> None:
    shared = worker("s-1", ("ann", date(2018, 1, 1), WEEK.days[2]), ("bob", WEEK.days[2], None))
    twice = (
        worker("s-2", ("ann", date(2018, 1, 1), None)),
        worker("s-2", ("bob", date(2018, 1, 1), None), pool="q"),
    )

    known = subjects(shared, *twice)

    assert (known.member("s-1", WEEK), known.member("s-2", WEEK)) == (None, None)
    assert known.member("s-1", WEEK + 1) == "bob"


def test_a_stored_review_counts_for_its_member_and_project_once_they_are_known_and_is_not_rewritten() -> None:
    stored = REVIEW.model_copy(
        update={"member_id": "worker:s-1", "project_id": "job:birds-2", "week": Week.parse("2026-W10")}
    )

    settled = subjects(worker("s-1", ("ann", date(2018, 1, 1), None))).settled(stored)
    unknown = subjects().settled(stored.model_copy(update={"project_id": "job:ships"}))

    assert (settled.member_id, settled.project_id, settled.review_id) == ("ann", "birds", stored.review_id)
    assert (unknown.member_id, unknown.project_id) == ("worker:s-1", "job:ships")
    assert stored.member_id == "worker:s-1"


def test_a_member_stands_in_reviews_under_every_name_of_their_workers() -> None:
    theirs, others = worker("s-1", ("ann", date(2018, 1, 1), None)), worker("s-2", ("bob", date(2018, 1, 1), None))

    assert stored_names((theirs, others), {"ann"}) == {"worker:p#s-1", "worker:s-1"}
