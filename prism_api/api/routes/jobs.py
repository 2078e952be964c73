"""Jobs: more rows than one call takes.

Belongs here: posting, watching, cancelling and resuming a job. Does not belong here: working it off (jobs.py).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import ConfigDict, Field, ValidationError, model_validator

from prism_api.api import backend, documents, objects, strict_json
from prism_api.api.answers import respond
from prism_api.api.bulk import BulkRow, RowResult
from prism_api.api.calls import Access, Call, Role, current
from prism_api.api.crud import Idempotency, Reason, crud
from prism_api.api.job_store import LEASE, ChangedMeanwhile, post_rows, results_from, save, start
from prism_api.api.jobs import FINISHED, leased
from prism_api.api.matrix import find
from prism_api.api.opaque import decode_cursor, encode_cursor
from prism_api.api.problems import ERRORS_SHOWN, FieldError, Problem, errors_of, invalid
from prism_api.api.resource import Resource, answer_model
from prism_api.api.routes.everything import RESOURCES
from prism_api.api.visibility import selves
from prism_api.api.writes import answer_of, author_of, read_item
from prism_core import clock
from prism_core.models.base import Model
from prism_core.models.jobs import Job, JobKind, JobStatus
from prism_core.tables import JOBS

MAX_ROWS = 50_000
_ATTEMPTS = 5
EXAMPLE = {
    "job_id": "j-01ke00000000000000000000aa",
    "kind": "bulk",
    "operation": "allocations/bulk",
    "status": "running",
    "owner": "m-017",
    "total": 450,
    "done": 200,
}


def _hidden(call: Call, job: Any) -> bool:
    return Role.ADMIN not in call.caller.roles and job.owner not in selves(call)


def _everything(call: Call) -> dict[str, tuple[str, ...]]:
    return (
        {"status": tuple(JobStatus)} if Role.ADMIN in call.caller.roles else {"owner": tuple(sorted(selves(call)))}
    )


RESOURCE = Resource(
    path="/api/jobs",
    spec=JOBS,
    model=Job,
    noun="job",
    example=EXAMPLE,
    ways=("by_owner", "by_status"),
    everything=_everything,
    filters={"owner": str, "status": JobStatus, "kind": JobKind},
    sorts=("created", "status", "total"),
    hidden=_hidden,
    mine="owner",
)
router = crud(RESOURCE, "lg")
if TYPE_CHECKING:
    Answer = Job
else:
    Answer = answer_model(RESOURCE, Job)
Key = Annotated[str, Path(min_length=1, max_length=1_024)]


class JobWish(Model):
    """Rows as a bulk call takes them, of one resource: in the body, or uploaded as JSON lines (one row a line)."""

    model_config = ConfigDict(
        **{
            **Model.model_config,
            "json_schema_extra": {
                "examples": [
                    {
                        "resource": "projects",
                        "rows": [{"operation": "update", "key": "p-042", "version": 3, "fields": {"priority": 2}}],
                        "dry_run": True,
                    }
                ]
            },
        }
    )

    resource: Annotated[str, Field(min_length=1, max_length=50)]
    rows: Annotated[list[BulkRow], Field(min_length=1, max_length=MAX_ROWS)] | None = None
    upload_id: Annotated[str, Field(pattern=objects.UPLOAD_ID)] | None = None
    dry_run: bool = False
    reason: Annotated[str, Field(max_length=1_000, description="else the header X-Change-Reason")] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.rows is None) is (self.upload_id is None):
            raise ValueError("give rows or upload_id, and not both")
        return self


class JobResults(Model):
    """A page of results, in the order of the rows. More may follow while the job runs."""

    items: list[RowResult]
    next: str | None = None


def _posting() -> dict[str, Any]:
    return documents.operation("Write many rows, in the background", "jobs", Answer, status=HTTPStatus.ACCEPTED)


@router.post("/api/jobs", **_posting())
def post(
    body: Annotated[JobWish, Body()], reason: Reason = None, idempotency_key: Idempotency = None
) -> Response[Answer]:
    """Each row on its own, as in a bulk call; what was done until a failure stays done."""
    call = current()
    resource = _writable(call, body.resource)
    rows = body.rows if body.rows is not None else _uploaded(call, str(body.upload_id))
    job = post_rows(
        call,
        resource.spec.name,
        (row.model_dump_json() for row in rows),
        reason=body.reason or author_of(call).reason,
        dry_run=body.dry_run,
    )
    return _answer(job, HTTPStatus.ACCEPTED)


@router.get(
    "/api/jobs/<key>/results",
    **documents.operation("What became of the rows of a job", "jobs", JobResults, reads=True, item=True),
)
def results(key: Key, cursor: Annotated[str | None, Query(max_length=2_000)] = None) -> Response[JobResults]:
    """A page is a part of the job, of at most 200 rows."""
    job: Job = read_item(RESOURCE, current(), key)
    listed = f"results of {job.job_id}"
    begin = int(decode_cursor(backend.cursor_key(), listed, cursor)) if cursor else 0
    found = results_from(job, begin)
    following = begin + len(found)
    more = bool(found) and following < job.total and job.status not in FINISHED
    link = encode_cursor(backend.cursor_key(), listed, following) if more or following < job.done else None
    return respond(JobResults(items=found, next=link))


@router.post(
    "/api/jobs/<key>/cancel",
    **documents.operation("Stop a job after its current part", "jobs", Answer, item=True),
)
def cancel(key: Key, idempotency_key: Idempotency = None) -> Response[Answer]:
    """What was written stays written; the results say what that is."""

    def stop(job: Job) -> dict[str, Any]:
        if job.status in FINISHED:
            raise Problem(HTTPStatus.CONFLICT, f"The job is {job.status.value} already.")
        return {"status": JobStatus.CANCELLED, "finished": clock.now()}

    return _answer(_change(key, stop), HTTPStatus.OK)


@router.post(
    "/api/jobs/<key>/resume",
    **documents.operation("Go on with a job that stopped", "jobs", Answer, status=HTTPStatus.ACCEPTED, item=True),
)
def resume(key: Key, idempotency_key: Idempotency = None) -> Response[Answer]:
    """From its last saved part; rows that were written before are not written again."""

    def again(job: Job) -> dict[str, Any]:
        if job.status is JobStatus.DONE:
            raise Problem(HTTPStatus.CONFLICT, "The job is done.")
        if leased(job):
            raise Problem(HTTPStatus.CONFLICT, "The job is being worked on; look again in a minute.")
        return {
            "status": JobStatus.QUEUED,
            "lease": None,
            "lease_until": datetime.now(UTC) + LEASE,
            "finished": None,
            "error": None,
            "kills": 0,
        }

    job = _change(key, again)
    start(job)
    return _answer(job, HTTPStatus.ACCEPTED)


def _change(key: str, change: Any) -> Job:
    """Under the revision that was read, which a running job moves on."""
    for _ in range(_ATTEMPTS):
        job: Job = read_item(RESOURCE, current(), key)
        try:
            return save(job, **change(job))
        except ChangedMeanwhile:
            continue
    raise Problem(HTTPStatus.CONFLICT, "The job is changing too quickly; try again.")


def _writable(call: Call, name: str) -> Resource[Any]:
    """The resource of a name, if the caller may write many of its items at once."""
    bulk = {table: find("POST", f"{one.path}/bulk").operation for table, one in RESOURCES.items()}
    operations = {table: one for table, one in bulk.items() if one is not None and one.path.endswith("/bulk")}
    if name not in operations:
        valid = ", ".join(sorted(operations))
        raise invalid((FieldError("body.resource", f"takes no bulk writes; valid ones are {valid}"),))
    if operations[name].access(call.caller) is not Access.ALL:
        raise Problem(HTTPStatus.FORBIDDEN, f"{operations[name].name} is not open to you, neither is a job of it.")
    return RESOURCES[name]


def _uploaded(call: Call, upload_id: str) -> list[BulkRow]:
    """Every line of an upload, or Problem 422 with the lines that are none."""
    rows: list[BulkRow] = []
    errors: list[FieldError] = []
    for number, line in _lines(objects.uploaded(call, upload_id)):
        try:
            rows.append(BulkRow.model_validate(strict_json.read(line)))
        except Problem as problem:
            errors.append(FieldError(f"line {number}", problem.detail))
        except ValidationError as error:
            errors += errors_of(error, f"line {number}")
        if len(errors) >= ERRORS_SHOWN:
            break
        if len(rows) > MAX_ROWS:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The file has more than {MAX_ROWS:,} rows; split it."
            )
    if errors or not rows:
        raise invalid(tuple(errors) or (FieldError("body.upload_id", "the file has no rows"),))
    return rows


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    text = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return ((number, line) for number, line in enumerate(text, 1) if line.strip())


def _answer(job: Job, status: int) -> Response[Any]:
    headers = {"location": f"{RESOURCE.path}/{job.job_id}"} if status == HTTPStatus.ACCEPTED else {}
    return respond(Answer.model_validate(answer_of(RESOURCE, job)), status, headers)
