"""Many writes in one call, each a transaction of its own, each with its own answer.

Belongs here: the rows of a bulk call and their results. Does not belong here: larger amounts, which are a job
(routes/jobs.py), and one write (writes.py).
"""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field, JsonValue

from prism_api.api.problems import Problem, problem_of
from prism_api.api.replays import left_at
from prism_api.api.resource import Resource
from prism_api.api.writes import (
    Author,
    answer_of,
    create_item,
    delete_item,
    patch_item,
    read_item,
    same_version,
)
from prism_core.models.base import Choice, Model

MAX_ROWS = 200
_MAY_HAVE_HAPPENED = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})


class RowOperation(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class BulkRow(Model):
    """One write. An update or a deletion names the key and the version that was read."""

    operation: Choice[RowOperation]
    key: Annotated[str, Field(max_length=1_024)] | None = None
    version: Annotated[int, Field(ge=1)] | None = None
    fields: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class BulkWrites(Model):
    """At most 200 rows. A dry run answers the same and writes nothing."""

    rows: Annotated[list[BulkRow], Field(min_length=1, max_length=MAX_ROWS)]
    dry_run: bool = False


class RowError(Model):
    path: str
    message: str


class RowResult(Model):
    """What became of a row: a status as its own call would have answered, and the item or what is wrong."""

    row: Annotated[int, Field(ge=0, description="position in the request, from 0")]
    status: int
    key: str | None = None
    item: dict[str, JsonValue] | None = None
    detail: str | None = None
    errors: list[RowError] = Field(default_factory=list[RowError])


class BulkResult(Model):
    """Per row what happened. `written` counts the rows that changed, or in a dry run would change, something."""

    dry_run: bool
    written: int
    failed: int
    rows: list[RowResult]


def write_rows(resource: Resource[Any], author: Author, writes: BulkWrites) -> BulkResult:
    """Every row on its own: a bad one does not stop the next."""
    results = [
        one_row(resource, author, number, row, dry=writes.dry_run) for number, row in enumerate(writes.rows)
    ]
    return summary(results, dry_run=writes.dry_run)


def summary(results: list[RowResult], *, dry_run: bool) -> BulkResult:
    failed = sum(result.status >= HTTPStatus.BAD_REQUEST for result in results)
    return BulkResult(dry_run=dry_run, written=len(results) - failed, failed=failed, rows=results)


def one_row(resource: Resource[Any], author: Author, number: int, row: BulkRow, *, dry: bool) -> RowResult:
    try:
        return _write(resource, author, number, row, dry=dry)
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            raise
        first = None if dry or problem.status not in _MAY_HAVE_HAPPENED else _first(resource, author, number, row)
        return first or failed_row(number, row.key, problem)


def _first(resource: Resource[Any], author: Author, number: int, row: BulkRow) -> RowResult | None:
    """The answer of a row that this very call had written before it was ended."""
    if row.operation is RowOperation.CREATE or row.key is None:
        return None  # a creation is repeated by itself
    left = left_at(resource, row.key, author.of(number)["request_id"])
    if left is None or (left.item is None) is not (row.operation is RowOperation.DELETE):
        return None
    if left.item is None:
        return RowResult(row=number, status=HTTPStatus.NO_CONTENT, key=row.key)
    return _done(resource, number, HTTPStatus.OK, left.item)


def failed_row(number: int, key: str | None, problem: Problem) -> RowResult:
    errors = [RowError(path=error.path, message=error.message) for error in problem.errors]
    return RowResult(row=number, status=problem.status, key=key, detail=problem.detail, errors=errors)


def _write(resource: Resource[Any], author: Author, number: int, row: BulkRow, *, dry: bool) -> RowResult:
    if row.operation is RowOperation.CREATE:
        item = create_item(resource, author, row.fields, row=number, dry=dry)
        return _done(resource, number, HTTPStatus.CREATED, item)
    if row.key is None or row.version is None:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"A row that is to {row.operation} names its key and version."
        )
    before = read_item(resource, author.call, row.key)
    same_version(resource, before, row.version)
    if row.operation is RowOperation.DELETE:
        delete_item(resource, author, before, row=number, dry=dry)
        return RowResult(row=number, status=HTTPStatus.NO_CONTENT, key=row.key)
    item = patch_item(resource, author, before, row.fields, row=number, dry=dry)
    return _done(resource, number, HTTPStatus.OK, item)


def _done(resource: Resource[Any], number: int, status: int, item: Any) -> RowResult:
    return RowResult(row=number, status=status, key=resource.key_text(item), item=answer_of(resource, item))
