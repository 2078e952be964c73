"""The plans of a week: asking for one, and what can be read of it.

Belongs here: their routes, and finding a plan. Does not belong here: the engine (prism_core/capacity), the calls
of the function that has it (planning.py), the models of the answers (capacity_answers.py) and publishing
(publications.py).
A plan tells of everybody: who sees one team is refused before any of these is asked (matrix.py).
"""

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api import backend, documents, planning
from prism_api.api.answers import respond
from prism_api.api.calls import current, enter
from prism_api.api.crud import NEEDED, Idempotency, Reason, WeekText, item_answer, signed
from prism_api.api.lists import DEFAULT_LIMIT, MAX_LIMIT, list_rows
from prism_api.api.problems import FieldError, Problem, invalid, not_found
from prism_api.api.resource import answer_model, page_model
from prism_api.api.routes.capacity_answers import (
    CandidatesOf,
    DifferenceOf,
    ExplanationOf,
    PlanDocument,
    candidate_of,
    difference_of,
    document_of,
    explanation_of,
)
from prism_api.api.routes.plans import RESOURCE
from prism_api.api.writes import answer_as
from prism_core.calendar import Week
from prism_core.capacity import wording
from prism_core.capacity.compare import difference
from prism_core.capacity.explanation import Candidate, Explanation
from prism_core.capacity.kept import KeptPlan, read_explanation
from prism_core.capacity.running import check_plannable
from prism_core.capacity.wish import PlanWish
from prism_core.failures import BadUsage
from prism_core.models.alerts import Plan
from prism_core.models.people import Member, MemberStatus
from prism_core.models.projects import Project, ProjectStatus
from prism_core.tables import MEMBERS, PROJECTS
from prism_resources.plans.bodies import LostBody, read_body

TAG = "capacity"
# An answer of a function holds 6 MB; an assignment takes 300 bytes.
MOST_ASSIGNMENTS = 15_000
router = APIGatewayHttpRouter()
WeekKey = Annotated[WeekText, Path(description="the week, such as 2026-W48")]
PlanKey = Annotated[str, Path(description="the plan", min_length=1, max_length=128)]
OfMember = Annotated[str | None, Query(description="of this member alone", min_length=1, max_length=128)]
OfProject = Annotated[str | None, Query(description="of this project alone", min_length=1, max_length=128)]
LineName = Annotated[str, Query(description="the demand line", min_length=1, max_length=500)]
if TYPE_CHECKING:
    Answer = Plan
else:
    Answer = answer_model(RESOURCE, Plan)
Page: Any = page_model(RESOURCE, Answer)


def _ask() -> dict[str, Any]:
    return documents.operation("Ask for a plan of a week", TAG, Answer, status=HTTPStatus.ACCEPTED)


@router.post("/api/capacity/<week>/plans", **_ask())
def post(
    week: WeekKey, body: Annotated[PlanWish, Body()], reason: Reason = None, idempotency_key: Idempotency = None
) -> Response[Answer]:
    """It is queued; its status says when it is solved, or what kept it from being."""
    plan = planning.ask(current(), plannable(week), body)
    answer = item_answer(RESOURCE, Answer, plan, HTTPStatus.ACCEPTED)
    answer.headers["location"] = f"/api/capacity/{week}/plans/{plan.plan_id}"
    return answer


def _listed(*, week: str, **_: Any) -> Response[Any]:
    call = current()
    asked = replace(call, query={**call.query, "week": (week_of(week).label,)})
    enter(asked)
    found = list_rows(RESOURCE, asked)
    items = [answer_as(RESOURCE, Answer, one) for one in found.rows]
    return respond(Page.model_construct(items=items, next=found.next))


router.get(
    "/api/capacity/<week>/plans",
    **documents.operation("The plans of a week, the oldest first", TAG, Page, reads=True),
)(
    signed(
        _listed,
        {
            "week": (WeekKey, NEEDED),
            "limit": (Annotated[int, Query(ge=1, le=MAX_LIMIT, description="rows of a page")], DEFAULT_LIMIT),
            "cursor": (Annotated[str | None, Query(max_length=2_000)], None),
        },
        Response[Page],
    )
)


@router.get(
    "/api/capacity/<week>/plans/<plan_id>",
    **documents.operation("A plan and how far it is", TAG, Answer, reads=True, item=True),
)
def get(week: WeekKey, plan_id: PlanKey) -> Response[Answer]:
    return item_answer(RESOURCE, Answer, plan_of(week, plan_id))


@router.get(
    "/api/capacity/<week>/plans/<plan_id>/result",
    **documents.operation("Who works how long on what", TAG, PlanDocument, reads=True, item=True, unready=True),
)
def result(
    week: WeekKey, plan_id: PlanKey, member_id: OfMember = None, project_id: OfProject = None
) -> Response[PlanDocument]:
    """Figures are those of the whole plan, also where a member or a project is named."""
    document = kept_of(plan_of(week, plan_id)).document
    answer = document_of(document, member_id, project_id)
    if len(answer.assignments) > MOST_ASSIGNMENTS:
        many = len(answer.assignments)
        raise _too_large(f"{many:,} assignments are more than one answer holds; name a member_id or a project_id.")
    return respond(answer)


@router.get(
    "/api/capacity/<week>/plans/<plan_id>/explanation",
    **documents.operation("Why a plan is as it is", TAG, ExplanationOf, reads=True, item=True, unready=True),
)
def explanation(
    week: WeekKey,
    plan_id: PlanKey,
    member_id: OfMember = None,
    line: Annotated[
        str | None, Query(description="of this demand line alone", min_length=1, max_length=500)
    ] = None,
) -> Response[ExplanationOf]:
    """Of everything, of a member's week, or of the open hours of a demand line."""
    plan = plan_of(week, plan_id)
    kept = kept_of(plan)
    if kept.explanation is not None:
        found = _part(kept.explanation, member_id, line)
    elif member_id is None and line is None:
        raise _too_large("The week is too large to be explained whole; name a member_id or a line.")
    else:
        found = read_explanation(
            Explanation, planning.answer("explain", plan_id=plan_id, member_id=member_id, line=line)
        )
    return respond(explanation_of(found, wording.sentences(found, _names())))


@router.get(
    "/api/capacity/<week>/plans/<plan_id>/compare",
    **documents.operation(
        "What a plan has otherwise than another", TAG, DifferenceOf, reads=True, item=True, unready=True
    ),
)
def compare(
    week: WeekKey,
    plan_id: PlanKey,
    other: Annotated[str, Query(alias="with", description="the other plan", min_length=1, max_length=128)],
) -> Response[DifferenceOf]:
    """This plan less the one that it is compared with."""
    before, after = kept_of(plan_of(week, other, "query.with")), kept_of(plan_of(week, plan_id))
    found = difference(before.plan, after.plan)
    return respond(difference_of(found, wording.differences(found, _names())))


@router.get(
    "/api/capacity/<week>/plans/<plan_id>/candidates",
    **documents.operation(
        "Who could work an hour more on a demand line", TAG, CandidatesOf, reads=True, item=True, unready=True
    ),
)
def candidates(week: WeekKey, plan_id: PlanKey, line: LineName) -> Response[CandidatesOf]:
    """The best first, everything else planned anew."""
    told = planning.answer("candidates", plan_id=solved(plan_of(week, plan_id)).plan_id, line=line)
    found, names = [read_explanation(Candidate, one) for one in told], _names()
    rows = [candidate_of(one, wording.candidate(one, names)) for one in found]
    return respond(CandidatesOf(line=line, candidates=rows))


def week_of(week: str) -> Week:
    try:
        return Week.parse(week)
    except BadUsage as error:
        raise invalid((FieldError("path.week", str(error)),)) from error


def plannable(week: str) -> Week:
    """The week, if it can be planned. Raises Problem 422."""
    wanted = week_of(week)
    try:
        check_plannable(wanted, backend.settings().first_week)
    except BadUsage as error:
        raise invalid((FieldError("path.week", str(error)),)) from error
    return wanted


def plan_of(week: str, plan_id: str, field: str | None = None) -> Plan:
    """The plan, if it is of the week. Raises Problem 404, or 422 where a field names it."""
    plan = planning.store().load(plan_id)
    if plan is not None and plan.week == week_of(week):
        return plan
    if field is not None:
        raise invalid((FieldError(field, f"{week} has no such plan"),))
    raise not_found(f"plan {plan_id} of {week}")


def solved(plan: Plan) -> Plan:
    """Raises Problem 409 for a plan that there is nothing to read of."""
    if plan.is_solved:
        return plan
    why = f": {'; '.join(plan.errors)}" if plan.errors else ""
    raise Problem(HTTPStatus.CONFLICT, f"The plan {plan.plan_id} is {plan.status}{why}.")


def kept_of(plan: Plan) -> KeptPlan:
    """What a plan keeps beside its figures. Raises Problem 409 where there is nothing, or it is lost."""
    try:
        return read_body(backend.settings(), solved(plan))
    except LostBody as error:
        raise Problem(HTTPStatus.CONFLICT, f"{error}.") from error


def _part(whole: Explanation, member_id: str | None, line: str | None) -> Explanation:
    """Of a member, of a line, or of both; the whole where neither is named. Raises Problem 422 for nobody."""
    if member_id is None and line is None:
        return whole
    found = replace(
        whole,
        assignments=tuple(one for one in whole.assignments if one.member_id == member_id),
        unmet=tuple(one for one in whole.unmet if one.line_id == line),
        members=tuple(one for one in whole.members if one.member_id == member_id),
    )
    if member_id is not None and not found.members:
        raise invalid((FieldError("query.member_id", f"the plan has no member {member_id}"),))
    if line is not None and not found.unmet:
        raise invalid((FieldError("query.line", f"demand line {line} has no open hours in this plan"),))
    return found


def _names() -> wording.Names:
    """What people and projects are called now; who has left is called by the id."""
    people = backend.reader(MEMBERS, Member).query("by_status", status=MemberStatus.ACTIVE)
    work = backend.reader(PROJECTS, Project).query("by_status", status=ProjectStatus.ACTIVE)
    return wording.Names({one.member_id: one.name for one in people}, {one.project_id: one.name for one in work})


def _too_large(words: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, words)
