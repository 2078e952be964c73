"""Throughput as it is published: by week, project and member, down to the days; and moving misattributed work.

Belongs here: reading the facts and writing corrections of them in bulk. Does not belong here: computing them.
"""

from collections.abc import Iterator
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field, JsonValue, TypeAdapter

from prism_api.api import backend, documents
from prism_api.api.bulk import MAX_ROWS, BulkResult, BulkRow, BulkWrites, RowOperation, write_rows
from prism_api.api.calls import Call, current
from prism_api.api.crud import FilterText, Idempotency, Reason, WeekText, respond
from prism_api.api.lists import DEFAULT_LIMIT, MAX_LIMIT, all_in_order, page_of
from prism_api.api.opaque import decode_key, encode_key
from prism_api.api.problems import FieldError, Problem, invalid, not_found
from prism_api.api.routes.corrections import RESOURCE as CORRECTIONS
from prism_api.api.visibility import Visible, visible
from prism_api.api.writes import author_of
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage
from prism_core.models.base import Count, Measure, Model, measure
from prism_core.models.work import ThroughputDay, ThroughputWeek

MAX_WEEKS = 60
_OF_PAGES = frozenset({"limit", "cursor", "sort"})
KEY = ("project_id", "week", "member_id")
_TRUTH = TypeAdapter(bool)
router = APIGatewayHttpRouter()
_SORTS = Literal[
    "week", "-week", "project_id", "-project_id", "member_id", "-member_id", "tasks_submitted", "-tasks_submitted",
    "wall_seconds", "-wall_seconds",
]  # fmt: skip


class ThroughputRow(Model):
    """One project and member in one week; unresolved ones stand as `worker:…` and `job:…`."""

    key: str
    week: Week
    project_id: str
    member_id: str
    tasks_submitted: Count
    tasks_returned: Count
    tasks_declined: Count
    wall_seconds: Count
    active_seconds: Count | None
    tasks_per_hour: Measure | None
    worker_resolved: bool
    project_resolved: bool


class ThroughputAnswer(ThroughputRow):
    """The same with its days."""

    days: list[ThroughputDay]


class ThroughputPage(Model):
    """A page of a list."""

    items: list[ThroughputRow]
    next: str | None = None


class Reassignments(Model):
    """At most 200 corrections, as POST /api/corrections takes them; each answers for itself."""

    rows: Annotated[list[dict[str, JsonValue]], Field(min_length=1, max_length=MAX_ROWS)]
    dry_run: bool = False


@router.get(
    "/api/throughput", **documents.operation("List throughput by week", "throughput", ThroughputPage, reads=True)
)
def list_throughput(
    week: Annotated[WeekText | None, Query()] = None,
    week_from: Annotated[WeekText | None, Query()] = None,
    week_to: Annotated[WeekText | None, Query()] = None,
    project_id: Annotated[list[FilterText] | None, Query(description="only these projects; repeatable")] = None,
    member_id: Annotated[list[FilterText] | None, Query(description="only these members; repeatable")] = None,
    resolved: Annotated[
        bool | None, Query(description="only what is, or is not, resolved to member and project")
    ] = None,
    sort: Annotated[_SORTS | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response[ThroughputPage]:
    call = current()
    rows = rows_of(call, resolved=resolved)
    chosen = sorted((name, values) for name, values in call.query.items() if name not in _OF_PAGES)
    listed = f"throughput {chosen} {clock.this_week()} {sorted(visible(call).members or ())}"
    page = page_of(rows, _in_order, call, listed)
    return respond(ThroughputPage(items=page.rows, next=page.next))


def rows_of(call: Call, *, resolved: bool | None) -> list[ThroughputRow]:
    """All rows that the parameters of a call choose."""
    weeks = _weeks(call.one("week"), call.one("week_from"), call.one("week_to"))
    projects, members = call.query.get("project_id", ()), call.query.get("member_id", ())
    rows = [row_of(fact) for fact in facts_of(weeks, projects, members, visible(call))]
    if resolved is None:
        return rows
    return [row for row in rows if (row.worker_resolved and row.project_resolved) is resolved]


def rows_of_list(call: Call) -> list[ThroughputRow]:
    """All rows that the parameters of a call choose, in the order of the list."""
    resolved = call.one("resolved")
    rows = rows_of(call, resolved=None if resolved is None else _TRUTH.validate_python(resolved))
    return all_in_order(rows, _in_order, call.one("sort"))


def _in_order(row: ThroughputRow) -> str:
    return f"{row.week.label}#{row.project_id}#{row.member_id}"


@router.get(
    "/api/throughput/<key>",
    **documents.operation(
        "Read throughput down to the days", "throughput", ThroughputAnswer, reads=True, item=True
    ),
)
def get_throughput(key: Annotated[str, Path(min_length=1, max_length=2_000)]) -> Response[ThroughputAnswer]:
    parts = decode_key(key, KEY)
    week = week_of("key", parts["week"])
    for fact in backend.throughput().project(parts["project_id"], week, week):
        if fact.member_id == parts["member_id"] and visible(current()).sees(fact.member_id):
            return respond(ThroughputAnswer(**row_of(fact).model_dump(), days=list(fact.days)))
    raise not_found(f"throughput {key}")


@router.post(
    "/api/throughput/reassign",
    **documents.operation("Move misattributed work by corrections", "throughput", BulkResult),
)
def reassign(
    body: Annotated[Reassignments, Body()], reason: Reason = None, idempotency_key: Idempotency = None
) -> Response[BulkResult]:
    """Each row becomes a correction; the figures follow when the week is materialised."""
    rows = [BulkRow(operation=RowOperation.CREATE, fields=fields) for fields in body.rows]
    return respond(write_rows(CORRECTIONS, author_of(current()), BulkWrites(rows=rows, dry_run=body.dry_run)))


def row_of(fact: ThroughputWeek) -> ThroughputRow:
    """The week's sums of a fact."""
    days = fact.days
    active = [day.active_seconds for day in days if day.active_seconds is not None]
    wall = sum(day.wall_seconds for day in days)
    return ThroughputRow(
        key=encode_key({"project_id": fact.project_id, "week": fact.week.label, "member_id": fact.member_id}),
        week=fact.week,
        project_id=fact.project_id,
        member_id=fact.member_id,
        tasks_submitted=fact.tasks_submitted,
        tasks_returned=sum(day.tasks_returned for day in days),
        tasks_declined=sum(day.tasks_declined for day in days),
        wall_seconds=wall,
        active_seconds=sum(active) if active else None,
        tasks_per_hour=measure(Decimal(fact.tasks_submitted * 3600) / wall) if wall else None,
        worker_resolved=fact.worker_resolved,
        project_resolved=fact.project_resolved,
    )


def facts_of(weeks: WeekRange, projects: Any, members: Any, seen: Visible) -> Iterator[ThroughputWeek]:
    """The published facts of some weeks that a caller sees; no projects or members are all of them."""
    facts = backend.throughput()
    wanted: set[str] | frozenset[str] | None = seen.members
    if members:
        wanted = set(members) if seen.members is None else seen.members & set(members)
    if wanted is not None:
        found = (fact for one in sorted(wanted) for fact in facts.member(one, weeks.first, weeks.last))
        yield from (fact for fact in found if not projects or fact.project_id in projects)
    elif projects:
        for project in dict.fromkeys(projects):
            yield from facts.project(project, weeks.first, weeks.last)
    else:
        for week in weeks:
            yield from facts.week(week)


def _weeks(week: str | None, week_from: str | None, week_to: str | None) -> WeekRange:
    if week is not None and (week_from or week_to):
        raise invalid((FieldError("query.week", "give a week or a range, not both"),))
    first = week_of("week_from", week or week_from or week_to or clock.this_week().label)
    last = week_of("week_to", week or week_to or clock.this_week().label)
    try:
        weeks = WeekRange(first, last)
    except BadUsage as error:
        raise invalid((FieldError("query.week_to", str(error)),)) from error
    if len(weeks) > MAX_WEEKS:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{len(weeks)} weeks are too many at once; at most {MAX_WEEKS}."
        )
    return weeks


def week_of(name: str, text: str) -> Week:
    """The week that a parameter names. Raises Problem for what is none."""
    try:
        return Week.parse(text)
    except BadUsage as error:
        raise invalid((FieldError(f"query.{name}", str(error)),)) from error
