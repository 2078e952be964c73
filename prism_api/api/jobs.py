"""Working off a job: many rows, over as many calls of this function as it takes.

Belongs here: the lease, parts, going on in the next call, waking what was killed, and that a repeated row is one
write. A job that is killed at any point goes on behind its last saved part. Does not belong here: what is kept
(job_store.py).
"""

import json
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from prism_api.api import backend
from prism_api.api.bulk import BulkRow, RowResult, failed_row, one_row
from prism_api.api.calls import Access, Call, enter
from prism_api.api.job_store import LEASE, ChangedMeanwhile, Head, load, put_results, rows_of, save, start
from prism_api.api.matrix import find
from prism_api.api.problems import problem_of
from prism_api.api.replays import left_by
from prism_api.api.routes.everything import RESOURCES
from prism_api.api.writes import Author
from prism_core import clock
from prism_core.failures import PermanentFailure, PrismFailure, TransientFailure
from prism_core.models.jobs import Job, JobKind, JobStatus
from prism_core.tables import JOBS

PART_ROWS = 200
# A row takes milliseconds, a throttled one seconds: enough is left to save the part.
STOP_MILLISECONDS = 10_000
WAKE_SECONDS = 30.0
MOST_KILLS = 3
_looked: list[float] = []
FINISHED = frozenset({JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED})
_log = logging.getLogger("prism.api")

Row = Callable[[int], RowResult]
Left = Callable[[], float]


def run(job_id: str, context: Any) -> None:
    """Work on a job until it is done or the call is nearly over; then the next call goes on."""
    job = _take(job_id)
    if job is None:
        return
    try:
        head, rows = rows_of(job)
        job = _parts(job, _worker(job, head, rows), getattr(context, "get_remaining_time_in_millis", lambda: 1e9))
        if job.status is JobStatus.RUNNING:
            start(save(job, lease=None, lease_until=datetime.now(UTC) + LEASE))
    except ChangedMeanwhile:
        return  # somebody else works on it, and knows more
    except TransientFailure:
        _let_go(job_id)
        raise  # Lambda calls again, a minute later
    except Exception as error:  # noqa: BLE001 - nobody stands above to tell the owner
        _log.exception("job %s failed", job_id)
        words = str(error) if isinstance(error, PermanentFailure) else "Something went wrong here, not with you."
        _let_go(job_id, status=JobStatus.FAILED, error=words[:500], finished=clock.now())


def leased(job: Job) -> bool:
    """Whether somebody works on it. By wall time: under a fixed clock no lease would end."""
    return job.lease is not None and job.lease_until is not None and job.lease_until > datetime.now(UTC)


def wake() -> None:
    """Go on with jobs that nobody works on although somebody should: their call was killed, or never began.

    Nothing else would: Lambda calls a function again that failed, not one that was asked for and got lost. So
    every request for jobs looks after all of them, every half minute at most. One that is ended three times in a
    row without settling a row has failed: it would be ended for ever.
    """
    now = time.monotonic()
    if _looked and now - _looked[0] < WAKE_SECONDS:
        return
    _looked[:] = [now]
    reader = backend.reader(JOBS, Job)
    for status in (JobStatus.RUNNING, JobStatus.QUEUED):
        for job in reader.query("by_status", status=status):
            if job.lease_until is not None and job.lease_until < datetime.now(UTC):
                _wake(job.job_id)


def _wake(job_id: str) -> None:
    job = load(job_id)  # the index may be a moment behind
    if job is None or job.status in FINISHED or job.lease_until is None or job.lease_until > datetime.now(UTC):
        return
    try:
        if job.kills + 1 >= MOST_KILLS:
            words = (
                f"It was ended {MOST_KILLS} times in a row at row {job.done} and settled none; "
                "resume it when that row is mended, or post the other rows again."
            )
            save(job, status=JobStatus.FAILED, lease=None, lease_until=None, error=words, finished=clock.now())
            return
        start(save(job, kills=job.kills + 1, lease=None, lease_until=datetime.now(UTC) + LEASE))
    except ChangedMeanwhile:
        return  # somebody else goes on with it
    except PrismFailure:
        _log.exception("job %s could not be started again; the next look tries it", job_id)


def _take(job_id: str) -> Job | None:
    """The job, leased to this call; None when there is nothing to do, or somebody else does it."""
    job = load(job_id)
    if job is None or job.status in FINISHED or leased(job):
        return None
    until = datetime.now(UTC) + LEASE
    try:
        return save(job, status=JobStatus.RUNNING, lease=uuid.uuid4().hex, lease_until=until)
    except ChangedMeanwhile:
        return None


def _parts(job: Job, row: Row, left: Left) -> Job:
    """The job as it stands when it is done, cancelled, or time is up. The first row of a call is always worked."""
    while job.done < job.total:
        results: list[RowResult] = []
        for number in range(job.done, min(job.done + PART_ROWS, job.total)):
            if results and left() < STOP_MILLISECONDS:
                break
            results.append(row(number))
        job = _settle(job, results)
        if job.status is not JobStatus.RUNNING:
            return job
        if left() < STOP_MILLISECONDS and job.done < job.total:
            return job
    return save(job, status=JobStatus.DONE, lease=None, lease_until=None, finished=clock.now())


def _settle(job: Job, results: list[RowResult]) -> Job:
    """Results first, then the count: what is counted can be read."""
    put_results(job, results)
    failed = job.failed + sum(result.status >= HTTPStatus.BAD_REQUEST for result in results)
    counts = {"done": job.done + len(results), "failed": failed, "kills": 0}
    try:
        return save(job, **counts, lease_until=datetime.now(UTC) + LEASE)
    except ChangedMeanwhile:
        now = load(job.job_id)
        if now is None or now.status is not JobStatus.CANCELLED or now.lease != job.lease:
            raise
        return save(now, **counts, lease=None, lease_until=None)  # what was written is counted


def _let_go(job_id: str, **changes: Any) -> None:
    job = load(job_id)
    if job is None or job.status in FINISHED:
        return
    until = None if changes else datetime.now(UTC) + LEASE
    try:
        save(job, lease=None, lease_until=until, **changes)
    except ChangedMeanwhile:
        return


def _worker(job: Job, head: Head, rows: list[str]) -> Row:
    """What is done with a row, for the caller that posted it. Raises PermanentFailure when they may not."""
    resource = None if head.resource is None else RESOURCES[head.resource]
    path = "/api/imports" if resource is None else f"{resource.path}/bulk"
    operation = find("POST", path).operation
    access = Access.NONE if operation is None else operation.access(head.caller)
    if access is not Access.ALL:
        raise PermanentFailure(f"POST {path} is not open to who posted the job")
    call = Call(
        request_id=job.job_id,
        method="POST",
        path=path,
        operation=f"POST {path}",
        caller=head.caller,
        access=access,
        query={},
        headers={},
        body=None,
        now=job.created,
    )

    def work(number: int) -> RowResult:
        author = _RowAuthor(replace(call, request_id=f"{job.job_id}.{number}"), head.actor, job.reason)
        enter(author.call)
        if resource is None or job.kind is JobKind.IMPORT:
            result = _put_item(author, number, json.loads(rows[number]))
        else:
            row = BulkRow.model_validate_json(rows[number])
            result = one_row(resource, author, number, row, dry=job.dry_run)
        if result.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise TransientFailure(result.detail or "the service is busy")
        return result.model_copy(update={"item": None})  # results are kept in clear, items are not theirs to hold

    return work


class _RowAuthor(Author):
    """A row is a request of its own, named by the job. Ids and instants of new items come from the job, so that a
    repeat makes them again."""

    __slots__ = ()

    def of(self, row: int | None = None) -> dict[str, Any]:
        del row
        return super().of()


def _put_item(author: Author, number: int, line: dict[str, Any]) -> RowResult:
    """One write of an import, that was judged when it was planned."""
    resource = RESOURCES[line["table"]]
    item = resource.model.from_plain(line["item"])
    key = resource.key_text(item)
    try:
        backend.store(resource.spec, resource.model).put(
            item, expected_version=line["expected_version"], **author.of()
        )
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            raise
        parts = {part: getattr(item, part) for part in resource.spec.key_parts}
        refused = problem.status in {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
        if not refused or left_by(resource, parts, author.call.request_id) is None:
            return failed_row(number, key, problem)
    status = HTTPStatus.OK if line["expected_version"] else HTTPStatus.CREATED
    return RowResult(row=number, status=status, key=key)
