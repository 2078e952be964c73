"""Requests that are late, or are going to be.

Belongs here: waiting requests whose due date has passed, or whose hours exceed all that the people with the skills
have until then. Does not belong here: the steps of a request (prism_core/requests.py) and how they are planned.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from prism_core.alerts.findings import EvidenceRow, Finding, Judgement, fingerprint, hours_text, judgement
from prism_core.alerts.snapshot import NO_HOURS, AlertSnapshot, RequestState
from prism_core.alerts.supply import Supply
from prism_core.calendar import Week, WeekRange
from prism_core.models.alerts import AlertRule
from prism_core.models.projects import RequestStatus
from prism_core.models.work import Severity
from prism_core.models.workers import JOB_PREFIX
from prism_core.requests import WAITING, days_late

RULE = AlertRule.LATE_REQUEST
_NEXT_STEP: Final = {
    RequestStatus.SUBMITTED: "waits to be triaged",
    RequestStatus.TRIAGED: "waits for a decision",
    RequestStatus.APPROVED: "is approved and not fulfilled",
}
# Beyond it the plan of a programme says little, and nothing is as late as all that.
_HORIZON_DAYS: Final = 92


def judge(snapshot: AlertSnapshot) -> Judgement:
    """A finding for each waiting request that is overdue, or cannot be met even if everybody with the skills did
    nothing else within their contract. High when it is overdue for long, or a promise cannot be kept.

    Undecided is an approved one while the work since then was not read, and one whose lateness is let pass: it was
    not mended by getting late.
    """
    supply = Supply(snapshot)
    waiting = [request for request in snapshot.requests if request.status in WAITING]
    found = (_of(snapshot, supply, request) for request in waiting)
    unknown = [
        fingerprint(RULE, f"requests/{request.request_id}", request.due_date.isoformat())
        for request in waiting
        if _is_undecided(snapshot, request)
    ]
    return judgement(RULE, [finding for finding in found if finding is not None], undecided=unknown)


def _of(snapshot: AlertSnapshot, supply: Supply, request: RequestState) -> Finding | None:
    late = days_late(request.due_date, snapshot.as_of)
    limits = snapshot.limits(request.project_id)
    step = _NEXT_STEP[request.status]
    if late:
        if late <= limits.late_request_days:
            return None
        high = late >= limits.late_request_high_days
        days = "1 day" if late == 1 else f"{late} days"
        return _finding(
            snapshot,
            request,
            Severity.HIGH if high else Severity.MEDIUM,
            f"request {request.request_id} {step}, {days} after its due date {request.due_date}",
            {"late": days},
        )
    left = _left(snapshot, request)
    if left is None or (request.due_date - snapshot.as_of.date()).days > _HORIZON_DAYS:
        return None
    hours = supply.hours(request.skills, _days(snapshot.as_of.date(), request.due_date))
    if left <= hours:
        return None
    promised = request.status is RequestStatus.APPROVED
    return _finding(
        snapshot,
        request,
        Severity.HIGH if promised else Severity.MEDIUM,
        f"request {request.request_id} {step} and cannot be met by {request.due_date}:"
        f" {hours_text(left)} of work, {hours_text(hours)} to do it in",
        {
            "open": hours_text(left),
            "available until then": hours_text(hours),
            "people with the skills": f"{supply.people(request.skills)}",
        },
    )


def _is_undecided(snapshot: AlertSnapshot, request: RequestState) -> bool:
    late = days_late(request.due_date, snapshot.as_of)
    if late:
        return late <= snapshot.limits(request.project_id).late_request_days
    return _left(snapshot, request) is None


def _left(snapshot: AlertSnapshot, request: RequestState) -> Decimal | None:
    """Hours that are certainly still open; None when the weeks since the approval were not all read.

    Work begins with the approval, and all work since then may have been for it: that on its project and on
    labelling jobs of none, or on any where the request names no project. A week that is looked back at is judged a
    few hours into the next one, whose work nobody has counted yet.
    """
    if request.status is not RequestStatus.APPROVED:
        return request.hours
    if request.decided is None:
        return None
    first = request.decided.date()
    last = snapshot.ended if snapshot.ended == snapshot.week else Week.of(snapshot.as_of)
    weeks = WeekRange(Week.of(first), max(Week.of(first), last))
    if any(week not in snapshot.work for week in weeks):
        return None
    done = NO_HOURS
    for week in weeks:
        for project, days in snapshot.work[week].project_hours_by_day.items():
            if request.project_id in {None, project} or project.startswith(JOB_PREFIX):
                done += sum((hours for day, hours in days.items() if day >= first), NO_HOURS)
    return request.hours - done


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _finding(
    snapshot: AlertSnapshot, request: RequestState, severity: Severity, title: str, more: dict[str, str]
) -> Finding:
    figures = {
        "status": request.status.value,
        "due": request.due_date.isoformat(),
        "asked for": hours_text(request.hours),
        **more,
    }
    subject = f"requests/{request.request_id}"
    return Finding(
        RULE,
        subject,
        snapshot.week,
        severity,
        title,
        (EvidenceRow(subject, figures),),
        scope=request.due_date.isoformat(),
        project_id=request.project_id,
    )
