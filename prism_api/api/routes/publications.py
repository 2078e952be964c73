"""What is published of a week: reading it, what a plan would change, publishing it, taking a publication back.

Belongs here: these routes. Does not belong here: publishing itself, which the planner does
(prism_resources/plans/publishing.py), and plans that are not published (capacity.py).
"""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api import backend, documents, planning
from prism_api.api.answers import respond
from prism_api.api.calls import Call, current
from prism_api.api.crud import Idempotency, IfMatch, Reason
from prism_api.api.problems import Problem
from prism_api.api.routes.capacity import TAG, PlanKey, WeekKey, kept_of, plan_of, solved, week_of
from prism_api.api.routes.capacity_answers import HoursChanged, PlanFigures, PreviewOf, PublicationOf, WeekPlan
from prism_api.api.writes import author_of, versions_of
from prism_core import clock
from prism_core.calendar import Week
from prism_core.capacity.running import replaced_on
from prism_core.models.published import PublishedPlan
from prism_core.models.work import Allocation
from prism_core.publications import changes_of
from prism_core.tables import ALLOCATIONS, PUBLISHED_PLANS

router = APIGatewayHttpRouter()
WhatIf = Annotated[bool, Query(description="publish it although its scenario supposes other people or demand")]


@router.get(
    "/api/capacity/<week>",
    **documents.operation("What is published of a week", TAG, WeekPlan, reads=True),
)
def published(week: WeekKey) -> Response[WeekPlan]:
    """The ETag is that of the publication: who publishes, or takes back, sends it as If-Match."""
    pointer = _pointer(week)
    return respond(_shown(week_of(week), pointer), headers={"etag": _etag(pointer)})


@router.get(
    "/api/capacity/<week>/plans/<plan_id>/changes",
    **documents.operation(
        "What publishing a plan would change", TAG, PreviewOf, reads=True, item=True, unready=True
    ),
)
def changes(week: WeekKey, plan_id: PlanKey) -> Response[PreviewOf]:
    """By the rule of the publication itself, were it today: whose hours change on which days, before and after."""
    plan = plan_of(week, plan_id)
    planned = {one.pair: one.by_day for one in kept_of(plan).plan.assignments}
    pointer = _pointer(week)
    rows = backend.reader(ALLOCATIONS, Allocation).query("by_week", week=plan.week)
    _, replaced = replaced_on(clock.now().date(), plan.week, plan.plan_id, planned, rows)
    names = HoursChanged.model_fields
    found = [{name: getattr(one, name) for name in names} for one in changes_of(replaced)]
    publication = 0 if pointer is None else pointer.publication
    return respond(PreviewOf.model_validate({"publication": publication, "changes": found}))


@router.post(
    "/api/capacity/<week>/plans/<plan_id>/publish",
    **documents.operation("Make a plan the one of its week", TAG, PublicationOf, item=True, versioned=True),
)
def publish(
    week: WeekKey,
    plan_id: PlanKey,
    if_match: IfMatch = None,
    reason: Reason = None,
    idempotency_key: Idempotency = None,
    *,
    what_if: WhatIf = False,
) -> Response[PublicationOf]:
    """Readers see the old allocations or the new ones, pinned ones stay.

    412 when somebody else published since the plan was made, or with If-Match since the week was looked at, with
    what differs; 409 with `findings` for a plan that cannot stand any more, and without `what_if` for one of a
    scenario that supposes other people or demand than there are.
    """
    plan = solved(plan_of(week, plan_id))
    expected = _expected(current(), week)
    return _publication("publish", week, expected, plan_id=plan.plan_id, what_if=what_if)


@router.post(
    "/api/capacity/<week>/unpublish",
    **documents.operation("Take the last publication of a week back", TAG, PublicationOf, versioned=True),
)
def unpublish(
    week: WeekKey, if_match: IfMatch = None, reason: Reason = None, idempotency_key: Idempotency = None
) -> Response[PublicationOf]:
    """A publication of its own: taken back again, it stands again. Rows that somebody changed since stay."""
    label, expected = week_of(week).label, _expected(current(), week)
    if expected is None:
        words = f"Send If-Match with the ETag of /api/capacity/{week}, so that nobody's publication is lost."
        raise Problem(HTTPStatus.PRECONDITION_REQUIRED, words)
    return _publication("unpublish", week, expected, week=label)


def _publication(do: str, week: str, expected: int | None, /, **asked: Any) -> Response[PublicationOf]:
    author = author_of(current())
    told = planning.answer(do, **asked, actor=author.actor, reason=author.reason, expected=expected)
    pointer = PublishedPlan.from_plain(told["pointer"])
    found = PublicationOf.model_validate(
        {"week": _shown(week_of(week), pointer), "changes": told["changes"], "kept": told["edited"]}
    )
    return respond(found, headers={"etag": _etag(pointer)})


def _expected(call: Call, week: str) -> int | None:
    """The publication that was looked at; None without If-Match."""
    given = call.headers.get("if-match", "").strip()
    if not given:
        return None
    current_one = _pointer(week)
    stands = 0 if current_one is None else current_one.publication
    named = {stands} if given == "*" else versions_of(given)
    return stands if stands in named else max(named)


def _pointer(week: str) -> PublishedPlan | None:
    return backend.reader(PUBLISHED_PLANS, PublishedPlan).get(week=week_of(week))


def _etag(pointer: PublishedPlan | None) -> str:
    return f'"{0 if pointer is None else pointer.publication}"'


def _shown(week: Week, pointer: PublishedPlan | None) -> WeekPlan:
    if pointer is None:
        return WeekPlan(week=week)
    plan = None if pointer.plan_id is None else planning.store().load(pointer.plan_id)
    shown = {name: getattr(pointer, name) for name in WeekPlan.model_fields if name in PublishedPlan.model_fields}
    figures = None if plan is None else {name: getattr(plan, name) for name in PlanFigures.model_fields}
    return WeekPlan.model_validate({**shown, "plan": figures})
