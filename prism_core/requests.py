"""Requests for capacity: how one is decided, and when it is late.

Belongs here: submitted → triaged → approved or declined → fulfilled, and lateness against the due date.
Does not belong here: who may decide (the API's matrix) and the alert about late ones (alert rules).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from prism_core.failures import BadUsage
from prism_core.models.projects import Request, RequestStatus
from prism_core.transitions import Flow

FLOW: Final = Flow(
    "request",
    {
        RequestStatus.SUBMITTED: (RequestStatus.TRIAGED,),
        RequestStatus.TRIAGED: (RequestStatus.APPROVED, RequestStatus.DECLINED),
        RequestStatus.APPROVED: (RequestStatus.FULFILLED,),
        RequestStatus.DECLINED: (),
        RequestStatus.FULFILLED: (),
    },
)
WAITING: Final = frozenset({RequestStatus.SUBMITTED, RequestStatus.TRIAGED, RequestStatus.APPROVED})


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late a request is or was: whole days that began after its due date; 0 is in time."""

    days: int
    waiting_for: RequestStatus | None

    @property
    def late(self) -> bool:
        return self.days > 0


def decide(request: Request, to: RequestStatus, *, actor: str, now: datetime, decision: str = "") -> Request:
    """The request one step on, with the instant of the step.

    Raises NotAllowed that names the possible steps, BadUsage when a request is declined without a reason.
    """
    FLOW.check(request.request_id, request.status, to)
    if to is RequestStatus.DECLINED and not decision.strip():
        raise BadUsage(f"request {request.request_id} is declined without a reason, which its requester reads")
    step: dict[str, object] = {"status": to}
    if to is RequestStatus.TRIAGED:
        step["triaged"] = now
    elif to is RequestStatus.FULFILLED:
        step["fulfilled"] = now
    else:
        step |= {"decided": now, "decided_by": actor, "decision": decision or None}
    return request.model_copy(update=step)


def lateness(request: Request, now: datetime) -> Lateness:
    """Lateness at `now`. A request has until the end of its due date in UTC.

    A waiting one is measured at `now`, a fulfilled one when it was fulfilled; a declined one is never late.
    """
    if request.status is RequestStatus.DECLINED:
        return Lateness(0, None)
    if request.status is RequestStatus.FULFILLED:
        return Lateness(0 if request.fulfilled is None else days_late(request.due_date, request.fulfilled), None)
    following = next(iter(FLOW.allowed(request.status)), None)
    return Lateness(days_late(request.due_date, now), following)


def days_late(due_date: date, instant: datetime) -> int:
    """Whole days that have begun after the end of the due date in UTC; 0 is in time."""
    end = datetime.combine(due_date, time(), UTC) + timedelta(days=1)
    return max(0, (instant - end) // timedelta(days=1) + 1)
