"""Whose work a review is of, where a file named a worker and a labelling job.

Belongs here: how such reviews are stored (`worker:<name>`, `job:<name>`), and reading them as the member and the
project of their week once somebody has said who they are; no review is rewritten for that.
Does not belong here: the rule of one day (prism_core/identity.py) and human corrections (corrections.py).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from prism_core.calendar import Week
from prism_core.identity import JobResolver, resolve_member
from prism_core.models.work import QualityReview
from prism_core.models.workers import JOB_PREFIX, Worker

WORKER_PREFIX = "worker:"


class ReviewSubjects:
    """The registers, asked by week: a review is of a week and has no day."""

    def __init__(self, workers: Iterable[Worker], jobs: JobResolver) -> None:
        self._jobs = jobs
        self._workers: defaultdict[str, dict[str, Worker]] = defaultdict(dict)
        for worker in workers:
            for name in _names(worker):
                self._workers[name][worker.worker_key] = worker

    def member(self, name: str, week: Week) -> str | None:
        """The member behind a worker's key, subject or id; None when nobody was, or two were, in that week."""
        workers = self._workers.get(name, {}).values()
        found = {resolve_member(worker, day) for worker in workers for day in week.days} - {None}
        return found.pop() if len(found) == 1 else None

    def project(self, job: str, week: Week) -> str | None:
        """The project of a labelling job; None when it belonged to none, or to two, in that week."""
        found = {self._jobs.resolve(job, day) for day in week.days} - {None}
        return found.pop() if len(found) == 1 else None

    def settled(self, review: QualityReview) -> QualityReview:
        """The review as it counts today: its worker's member and its job's project, where they are known."""
        changes: dict[str, str] = {}
        if review.member_id.startswith(WORKER_PREFIX):
            member = self.member(review.member_id.removeprefix(WORKER_PREFIX), review.week)
            changes |= {} if member is None else {"member_id": member}
        if review.project_id.startswith(JOB_PREFIX):
            project = self.project(review.project_id.removeprefix(JOB_PREFIX), review.week)
            changes |= {} if project is None else {"project_id": project}
        return review.model_copy(update=changes) if changes else review


def is_settled(review: QualityReview) -> bool:
    """Whether a review names a member and a project, rather than a worker or a labelling job."""
    return not review.member_id.startswith(WORKER_PREFIX) and not review.project_id.startswith(JOB_PREFIX)


def stored_names(workers: Iterable[Worker], members: Collection[str]) -> set[str]:
    """What stands in the place of the member where a review named a worker that was one of these at some time."""
    theirs = (one for one in workers if any(period.member in members for period in one.periods))
    return {f"{WORKER_PREFIX}{name}" for worker in theirs for name in _names(worker)}


def _names(worker: Worker) -> tuple[str, ...]:
    return tuple(name for name in (worker.worker_key, worker.sub, worker.worker_id) if name)
