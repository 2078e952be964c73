"""Jobs as they are kept: the item, the rows to work off, the results.

Belongs here: posting a job, the conditional write of its item, its objects. Does not belong here: working it off
(jobs.py) and routes (routes/jobs.py).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from prism_api.api import backend, objects
from prism_api.api.bulk import RowResult
from prism_api.api.calls import JOB_EVENT, Call, Caller, Role
from prism_api.api.visibility import actor
from prism_core import clock
from prism_core.failures import PermanentFailure
from prism_core.lake import JOBS as PREFIX
from prism_core.models.jobs import Job, JobKind
from prism_core.tables import JOBS
from prism_core.workbooks.plan import ImportPlan
from prism_resources.failures import calling, error_code
from prism_resources.tables.codec import encode

# A function is ended after 29 s: a lease that is older belongs to nobody. By wall time: a fixed clock ends none.
LEASE = timedelta(seconds=60)
_LINES = "application/x-ndjson"
_RESULTS: TypeAdapter[list[RowResult]] = TypeAdapter(list[RowResult])


class ChangedMeanwhile(Exception):
    """The job is at another revision than the one that was read."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a job's rows: for whom it works, with the rights of the moment it was posted."""

    caller: Caller
    actor: str
    resource: str | None

    def line(self) -> str:
        roles = sorted(role.value for role in self.caller.roles)
        return json.dumps({"sub": self.caller.sub, "roles": roles, "actor": self.actor, "resource": self.resource})


def post_rows(call: Call, resource: str, lines: Iterable[str], *, reason: str, dry_run: bool) -> Job:
    """A job of bulk rows, one JSON text each."""
    return _post(call, JobKind.BULK, f"{resource}/bulk", resource, lines, reason=reason, dry_run=dry_run)


def post_import(call: Call, plan: ImportPlan, reason: str) -> Job:
    """A job of the writes that an import leads to."""
    lines = (
        json.dumps(
            {"table": write.spec.name, "expected_version": write.expected_version, "item": write.item.plain()}
        )
        for write in plan.writes
    )
    return _post(call, JobKind.IMPORT, "imports", None, lines, reason=reason, dry_run=False)


def _post(
    call: Call,
    kind: JobKind,
    operation: str,
    resource: str | None,
    lines: Iterable[str],
    *,
    reason: str,
    dry_run: bool,
) -> Job:
    """Keep the rows, then the job, then start it. A repeated call finds the job that it made."""
    job_id = objects.new_id(call, "j")
    who = actor(call)
    rows = [*lines]
    key = f"{PREFIX}{job_id}/rows.jsonl"
    objects.put(key, "\n".join([Head(call.caller, who, resource).line(), *rows]).encode(), _LINES)
    job = Job(
        job_id=job_id,
        kind=kind,
        operation=operation,
        owner=who,
        request_id=call.request_id,
        reason=reason,
        dry_run=dry_run,
        total=len(rows),
        input=key,
        results=f"{PREFIX}{job_id}/results/",
        lease_until=datetime.now(UTC) + LEASE,
        created=call.now,
        updated=call.now,
    )
    try:
        _put(job, None)
    except ChangedMeanwhile:
        return load(job_id) or job
    start(job)
    return job


def start(job: Job) -> None:
    """Have it worked off, by a call of its own."""
    backend.call_again(json.dumps({JOB_EVENT: job.job_id}).encode())


def load(job_id: str) -> Job | None:
    return backend.reader(JOBS, Job).get(job_id=job_id)


def save(job: Job, **changes: Any) -> Job:
    """The job with changes, if nobody else changed it. Raises ChangedMeanwhile."""
    values = job.model_dump() | {"updated": clock.now(), "revision": job.revision + 1} | changes
    after = Job.model_validate(values)
    _put(after, job.revision)
    return after


def rows_of(job: Job) -> tuple[Head, list[str]]:
    """For whom, and the rows as JSON texts. Raises PermanentFailure when they are gone after a week."""
    data = objects.get(str(job.input))
    if data is None:
        raise PermanentFailure(f"the rows of {job.job_id} are kept for a week only; post them again")
    first, *rows = data.decode().split("\n")
    head = json.loads(first)
    caller = Caller(head["sub"], frozenset(Role(role) for role in head["roles"]))
    return Head(caller, head["actor"], head["resource"]), rows


def put_results(job: Job, results: list[RowResult]) -> None:
    """The results of a part that begins where the job stands."""
    objects.put(_part(job, job.done), _RESULTS.dump_json(results), "application/json")


def results_from(job: Job, start_row: int) -> list[RowResult]:
    """The part of the results that begins at a row; nothing behind the last settled one."""
    data = objects.get(_part(job, start_row)) if start_row < job.done else None
    return [] if data is None else _RESULTS.validate_json(data)


def _part(job: Job, row: int) -> str:
    return f"{job.results}{row:07d}.json"


def _put(job: Job, expected_revision: int | None) -> None:
    request: dict[str, Any] = {
        "TableName": backend.settings().table_name(JOBS.name),
        "Item": encode(JOBS, job),
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": JOBS.partition.name},
    }
    if expected_revision is not None:
        request |= {
            "ConditionExpression": "#revision = :revision",
            "ExpressionAttributeNames": {"#revision": "revision"},
            "ExpressionAttributeValues": {":revision": {"N": str(expected_revision)}},
        }
    with calling(JOBS.name, "write"):
        try:
            backend.dynamodb().put_item(**request)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise ChangedMeanwhile(job.job_id) from error
