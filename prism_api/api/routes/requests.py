"""Requests for capacity, and the steps of their decision.

Belongs here: the resource, the decision, how late one is, what it asks of its weeks. Does not belong here: the
flow (prism_core/requests.py) and how demand is spread over weeks (prism_core/capacity).
"""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from prism_api.api import backend, documents
from prism_api.api.actions import action
from prism_api.api.calls import Call, current
from prism_api.api.crud import crud, respond
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor
from prism_api.api.writes import read_item
from prism_core.calendar import Week
from prism_core.capacity.describing import Items
from prism_core.capacity.preview import preview
from prism_core.models.base import Choice, Count, Hours, Model, Text, instant_text
from prism_core.models.people import Availability, Member, MemberStatus
from prism_core.models.projects import Project, ProjectStatus, Request, RequestStatus
from prism_core.requests import FLOW, decide, lateness
from prism_core.tables import AVAILABILITY, MEMBERS, PROJECTS, REQUESTS

EXAMPLE = {
    "due_date": "2026-02-13",
    "hours": 80,
    "requester": "Cleo Example",
    "reason": "a second pass over the night scenes",
    "skills": [{"name": "lidar", "level": 3}],
    "project_id": "p-042",
}
DECIDED = ("status", "created", "triaged", "decided", "decided_by", "decision", "fulfilled")

RESOURCE = Resource(
    path="/api/requests",
    spec=REQUESTS,
    model=Request,
    noun="request",
    example=EXAMPLE,
    ways=("by_id", "by_project", "by_status"),
    everything=lambda _: {"status": tuple(RequestStatus)},
    filters={"request_id": str, "project_id": str, "status": RequestStatus, "due_date": str},
    sorts=("due_date", "created", "hours", "status", "requester"),
    search=("requester", "reason", "request_id"),
    server=DECIDED,
    complete=lambda call, _: {"created": instant_text(call.now)},
    generated="r",
)
router = crud(RESOURCE)


class Decision(Model):
    """The next step: triaged, approved, declined (with a reason), fulfilled."""

    status: Choice[RequestStatus]
    decision: Annotated[Text, Field(description="why; needed to decline")] = ""


class LatenessAnswer(Model):
    """Whole days behind the due date, what the request waits for, and the steps that can be taken now."""

    late: bool
    days: Count
    waiting_for: Choice[RequestStatus] | None
    allowed: list[RequestStatus]


def _decide(call: Call, request: Request, body: Decision) -> Any:
    return decide(request, body.status, actor=actor(call), now=call.now, decision=body.decision)


action(router, RESOURCE, "decision", Decision, "Take the next step of a request", _decide)


@router.get(
    "/api/requests/<key>/lateness",
    **documents.operation("How late a request is", "requests", LatenessAnswer, reads=True, item=True),
)
def late(key: Annotated[str, Path(min_length=1, max_length=1_024)]) -> Response[LatenessAnswer]:
    call = current()
    request: Request = read_item(RESOURCE, call, key)
    found = lateness(request, call.now)
    allowed = list(FLOW.allowed(request.status))
    answer = LatenessAnswer(late=found.late, days=found.days, waiting_for=found.waiting_for, allowed=allowed)
    return respond(answer)


class WeekDemandOf(Model):
    """Hours of a week: of the request, of all else that is asked for, of everybody, of those who have the skills.

    `able` have what skills the request and its project need; whom other work needs too is not taken off.
    """

    week: str
    hours: Hours
    others: Hours
    available: Hours
    able: Hours


class DemandAnswer(Model):
    """The weeks from this one on in which a request asks for hours, as if it were approved now; 13 at most."""

    items: list[WeekDemandOf]


@router.get(
    "/api/requests/<key>/demand",
    **documents.operation("What a request asks of its weeks", "requests", DemandAnswer, reads=True, item=True),
)
def demand(key: Annotated[str, Path(min_length=1, max_length=1_024)]) -> Response[DemandAnswer]:
    call = current()
    request: Request = read_item(RESOURCE, call, key)
    members = list(backend.reader(MEMBERS, Member).query("by_status", status=MemberStatus.ACTIVE))
    projects = list(backend.reader(PROJECTS, Project).query("by_status", status=ProjectStatus.ACTIVE))
    approved = list(backend.reader(REQUESTS, Request).query("by_status", status=RequestStatus.APPROVED))
    away = backend.reader(AVAILABILITY, Availability)

    def items_of(week: Week) -> Items:
        return Items(members, projects, approved, list(away.query("by_week", week=week)))

    found = preview(request, call.now, items_of)
    rows = [
        WeekDemandOf(
            week=one.week.label, hours=one.hours, others=one.others, available=one.available, able=one.able
        )
        for one in found
    ]
    return respond(DemandAnswer(items=rows))
