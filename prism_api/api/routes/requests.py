"""Requests for capacity, and the steps of their decision.

Belongs here: the resource, the decision, how late one is. Does not belong here: the flow (prism_core/requests.py).
"""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from prism_api.api import documents
from prism_api.api.actions import action
from prism_api.api.calls import Call, current
from prism_api.api.crud import crud, respond
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor
from prism_api.api.writes import read_item
from prism_core.models.base import Choice, Count, Model, Text, instant_text
from prism_core.models.projects import Request, RequestStatus
from prism_core.requests import FLOW, decide, lateness
from prism_core.tables import REQUESTS

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
