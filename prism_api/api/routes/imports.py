"""Imports: a workbook into the tables, as `prism ingest workbook` loads it.

Belongs here: the request, and the plan as an answer. Does not belong here: planning (importing.py) and loads too
large for one call, which become a job (jobs.py).
"""

import base64
import binascii
from http import HTTPStatus
from typing import Annotated, Any, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, JsonValue, model_validator

from prism_api.api import backend, documents, objects
from prism_api.api.answers import respond
from prism_api.api.calls import Call, current
from prism_api.api.crud import Idempotency, Reason
from prism_api.api.importing import planned
from prism_api.api.job_store import post_import
from prism_api.api.problems import FieldError, invalid
from prism_api.api.visibility import actor
from prism_api.api.writes import author_of
from prism_core.models.base import Count, Model
from prism_core.workbooks.marking import mark
from prism_core.workbooks.plan import BAD, ImportPlan
from prism_core.workbooks.telling import row_facts, sheet_facts, worth_telling
from prism_resources.tables.imports import Author, carry_out

MAX_ROWS_TOLD = 200
MAX_WRITES = 2_000  # of one call: 8 writers need about 10 seconds for them
_BASE64 = r"^[A-Za-z0-9+/]+={0,2}$"
router = APIGatewayHttpRouter()


class ImportWish(Model):
    """A workbook: in base64 if it is small, else uploaded by POST /api/uploads. A dry run writes nothing."""

    model_config = ConfigDict(
        **{
            **Model.model_config,
            "json_schema_extra": {"examples": [{"upload_id": "u-01ke00000000000000000000aa", "dry_run": True}]},
        }
    )

    content: Annotated[str, Field(min_length=4, max_length=1_400_000, pattern=_BASE64)] | None = None
    upload_id: Annotated[str, Field(pattern=objects.UPLOAD_ID)] | None = None
    mapping: (
        Annotated[str, Field(max_length=100_000, description="TOML: names of sheets and columns, formats")] | None
    ) = None
    dry_run: bool = False
    reason: Annotated[str, Field(max_length=1_000, description="else the header X-Change-Reason")] | None = None

    @model_validator(mode="after")
    def _one_workbook(self) -> Self:
        if (self.content is None) is (self.upload_id is None):
            raise ValueError("give content or upload_id, and not both")
        return self


class ImportCounts(Model):
    """Rows by their outcome, which sum to `read`."""

    read: Count
    new: Count
    changed: Count
    unchanged: Count
    conflict: Count
    rejected: Count


class ImportSheet(Model):
    """One sheet; `problem` says why it was refused, `note` why it was left out."""

    sheet: str
    table: str | None
    counts: ImportCounts
    problem: str | None
    note: str | None


class ImportProblem(Model):
    cell: str | None
    message: str


class ImportChange(Model):
    cell: str | None
    column: str
    before: JsonValue
    after: JsonValue


class ImportRow(Model):
    """What became of a row."""

    sheet: str
    row: Count
    item: str | None
    outcome: str
    problems: list[ImportProblem]
    changes: list[ImportChange]
    notes: list[str]


class ImportAnswer(Model):
    """At most 200 rows are told, bad ones first; `marked` links to the workbook with all of them marked.

    `job` is there when the load was too large for one call and goes on by itself: GET /api/jobs/{key}.
    """

    dry_run: bool
    counts: ImportCounts
    sheets: list[ImportSheet]
    rows: list[ImportRow]
    more: Annotated[Count, Field(description="rows that are not told here")]
    marked: str | None
    seconds: int
    job: str | None = None


def _document() -> dict[str, Any]:
    document = documents.operation("Load a workbook", "imports", ImportAnswer)
    accepted = {**document["responses"][HTTPStatus.OK], "description": HTTPStatus.ACCEPTED.phrase}
    return document | {"responses": document["responses"] | {int(HTTPStatus.ACCEPTED): accepted}}


@router.post("/api/imports", **_document())
def load(
    body: Annotated[ImportWish, Body()], reason: Reason = None, idempotency_key: Idempotency = None
) -> Response[ImportAnswer]:
    """Row by row, by the validator of every other write. Loading a workbook again changes nothing."""
    call = current()
    why = body.reason or author_of(call).reason or "import of a workbook"
    data = _bytes(call, body)
    plan = planned(call, data, body.mapping)
    if body.dry_run or not plan.writes:
        return respond(_answer(call, data, plan, dry_run=body.dry_run))
    if len(plan.writes) > MAX_WRITES:
        job = post_import(call, plan, why)
        answer = _answer(call, data, plan, dry_run=False, job=job.job_id)
        return respond(answer, HTTPStatus.ACCEPTED, {"location": f"/api/jobs/{job.job_id}"})
    author = Author(actor(call), why, call.request_id)
    done = carry_out(backend.dynamodb(), backend.settings(), plan, author, keys=backend.person_keys())
    return respond(_answer(call, data, done, dry_run=False))


def _bytes(call: Call, body: ImportWish) -> bytes:
    if body.upload_id is not None:
        return objects.uploaded(call, body.upload_id)
    try:
        return base64.b64decode(body.content or "", validate=True)
    except binascii.Error as error:
        raise invalid((FieldError("body.content", f"is not base64: {error}"),)) from error


def _answer(call: Call, data: bytes, plan: ImportPlan, *, dry_run: bool, job: str | None = None) -> ImportAnswer:
    told = sorted(worth_telling(plan), key=lambda row: row.outcome not in BAD)
    marked = None
    if not plan.clean:
        key = objects.export_key(call, "marked.xlsx")
        objects.put(key, mark(data, plan), objects.media_type("marked.xlsx"))
        marked = objects.link_to_get(key, "marked.xlsx")
    return ImportAnswer(
        dry_run=dry_run,
        counts=ImportCounts(**plan.counts),
        sheets=[_sheet(facts) for facts in sheet_facts(plan)],
        rows=[ImportRow(**row_facts(row)) for row in told[:MAX_ROWS_TOLD]],
        more=max(0, len(told) - MAX_ROWS_TOLD),
        marked=marked,
        seconds=objects.LINK_SECONDS,
        job=job,
    )


def _sheet(facts: dict[str, Any]) -> ImportSheet:
    counts = ImportCounts(**{name: facts[name] for name in ImportCounts.model_fields})
    kept = {name: facts[name] for name in ("sheet", "table", "problem", "note")}
    return ImportSheet(counts=counts, **kept)
