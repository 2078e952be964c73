"""Allocations: a member's hours by day on a project in a week, and moving them to somebody else.

Belongs here: the resource and the reassignment of many allocations at once. Does not belong here: finding a good
plan (the capacity engine).
"""

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from prism_api.api import backend, documents
from prism_api.api.bulk import MAX_ROWS, BulkResult, RowResult, failed_row, summary
from prism_api.api.calls import current
from prism_api.api.crud import Idempotency, Reason, crud, respond
from prism_api.api.problems import Problem, problem_of
from prism_api.api.replays import left_at
from prism_api.api.resource import Resource
from prism_api.api.rules import refuse_overfull, rehearse, rehearsed
from prism_api.api.visibility import visible
from prism_api.api.writes import Author, answer_of, author_of, read_item, refuse_unsound, same_version
from prism_core import clock
from prism_core.models.base import Id, Model
from prism_core.models.changes import Change, Operation
from prism_core.models.work import Allocation, AllocationSource
from prism_core.tables import ALLOCATIONS, ITEM_KEY_SEPARATOR
from prism_resources.tables.store import Write

EXAMPLE = {
    "member_id": "m-017",
    "week": "2026-W02",
    "project_id": "p-042",
    "hours": {"2026-01-05": 6, "2026-01-06": 7.5},
    "pinned": False,
}


def _is_one_move(one: Change, other: Change) -> bool:
    """Whether hours left the one and reached the other: the same week and project, one of them was deleted, and
    the other has just its hours more."""
    places = {change.item_key.rpartition(ITEM_KEY_SEPARATOR)[2] for change in (one, other)}
    deleted = [one.operation, other.operation].count(Operation.DELETE)
    return len(places) == deleted == 1 and _gained(one) == {day: -hours for day, hours in _gained(other).items()}


def _gained(change: Change) -> dict[str, Decimal]:
    """Hours by day that a change gave, negative where it took some; no day that it left alone."""
    found: dict[str, Decimal] = {}
    for side, hours in change.changes.get("hours", {}).items():
        for day, value in hours.items() if isinstance(hours, dict) else ():
            given = Decimal(str(value))
            found[day] = found.get(day, Decimal(0)) + (given if side == "after" else -given)
    return {day: hours for day, hours in found.items() if hours}


RESOURCE = Resource(
    path="/api/allocations",
    spec=ALLOCATIONS,
    model=Allocation,
    noun="allocation",
    example=EXAMPLE,
    ways=("by_member", "by_project", "by_week"),
    everything=lambda _: {"week": (clock.this_week().label,)},
    filters={"member_id": str, "project_id": str, "week": str, "source": AllocationSource, "pinned": bool},
    sorts=("member_id", "project_id", "week", "total"),
    search=("member_id", "project_id"),
    owner=lambda allocation: allocation.member_id,
    together=_is_one_move,
    rule=refuse_overfull,
    rehearse=rehearse,
)
router = crud(RESOURCE)


class Move(Model):
    """One allocation, at the version that was read, to somebody else."""

    key: Annotated[str, Field(min_length=1, max_length=1_024)]
    version: Annotated[int, Field(ge=1)]
    to_member: Id


class Reassignment(Model):
    """At most 200 moves, each on its own. A dry run answers the same and writes nothing."""

    rows: Annotated[list[Move], Field(min_length=1, max_length=MAX_ROWS)]
    dry_run: bool = False


@router.post(
    "/api/allocations/reassign",
    **documents.operation("Move allocations to other members", "allocations", BulkResult),
)
def reassign(
    body: Annotated[Reassignment, Body()], reason: Reason = None, idempotency_key: Idempotency = None
) -> Response[BulkResult]:
    """Each row answers for itself: the hours leave one member and reach the other in one transaction."""
    author = author_of(current())
    results: list[RowResult] = []
    for number, row in enumerate(body.rows):
        try:
            results.append(_move(author, number, row, dry=body.dry_run))
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            first = None if body.dry_run else _moved_before(author, number, row)
            results.append(first or failed_row(number, row.key, problem))
    return respond(summary(results, dry_run=body.dry_run))


def _move(author: Author, number: int, row: Move, *, dry: bool) -> RowResult:
    before: Allocation = read_item(RESOURCE, author.call, row.key)
    same_version(RESOURCE, before, row.version)
    if row.to_member == before.member_id:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The allocation is {row.to_member}'s already.")
    if not visible(author.call).sees(row.to_member):
        raise Problem(HTTPStatus.FORBIDDEN, f"{row.to_member} is not yours to plan.")
    store = backend.store(ALLOCATIONS, Allocation)
    stored = store.get(member_id=row.to_member, week=before.week, project_id=before.project_id)
    there = rehearsed(author.call, row.to_member, before.week, before.project_id, stored)
    after = _joined(before, row.to_member, there)
    refuse_unsound(RESOURCE, author.call, there, after)
    if dry:
        rehearse(author.call, before, after)
    else:
        writes = [Write(before, before.version, delete=True), Write(after, 0 if there is None else there.version)]
        _, stored = store.transact(writes, **author.of(number))
        assert stored is not None  # noqa: S101 - a put always has a result
        after = stored
    return _moved(number, after)


def _moved_before(author: Author, number: int, row: Move) -> RowResult | None:
    """The answer of a row that this very call had moved before it was ended."""
    request_id = author.of(number)["request_id"]
    left = left_at(RESOURCE, row.key, request_id, {"member_id": row.to_member})
    return None if left is None or left.item is None else _moved(number, left.item)


def _moved(number: int, after: Allocation) -> RowResult:
    item: dict[str, Any] = answer_of(RESOURCE, after)
    return RowResult(row=number, status=HTTPStatus.OK, key=RESOURCE.key_text(after), item=item)


def _joined(moved: Allocation, to_member: str, there: Allocation | None) -> Allocation:
    """The allocation of the new member: what they had, and the hours that are moved."""
    hours = dict(there.hours) if there is not None else {}
    for day, extra in moved.hours.items():
        hours[day] = hours.get(day, Decimal("0.00")) + extra
    base = there or moved.model_copy(update={"member_id": to_member, "version": 1})
    # Not validated: a day of more than 24 hours is refused in better words, over all projects.
    return base.model_copy(update={"hours": hours, "source": AllocationSource.PERSON, "plan_id": None})
