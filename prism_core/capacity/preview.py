"""What a request would ask of the weeks that it touches, against the hours that people have there.

Belongs here: the comparison by week, as if the request were approved now. Does not belong here: how demand is
spread (demand.py), what a member's hours are (describing.py) and planning: who works on what is the engine's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from prism_core.calendar import Week
from prism_core.capacity.demand import share_of
from prism_core.capacity.describing import Items, describe
from prism_core.capacity.problem import NO_HOURS, PlanMember
from prism_core.models.projects import Request, RequestStatus

# A request that is due in years is looked at for a quarter.
MOST_WEEKS: Final = 13


@dataclass(frozen=True, slots=True)
class WeekDemand:
    """Hours of one week. `others`: what is asked for beside the request; `able`: of members with the skills."""

    week: Week
    hours: Decimal
    others: Decimal
    available: Decimal
    able: Decimal


def as_approved(request: Request, now: datetime) -> Request:
    """The request as it would be, approved now; one that is decided already stays as it is."""
    if request.status not in {RequestStatus.SUBMITTED, RequestStatus.TRIAGED}:
        return request
    return request.model_copy(update={"status": RequestStatus.APPROVED, "decided": now})


def preview(request: Request, now: datetime, items_of: Callable[[Week], Items]) -> tuple[WeekDemand, ...]:
    """The weeks from this one on in which the request asks for hours, the earliest first, 13 at most.

    `items_of` reads a week's members, projects, requests and time off. One that is declined, fulfilled or overdue
    asks for nothing. Raises BadUsage for a due date in the last days of the year 9999, whose week has no end.
    """
    supposed = as_approved(request, now)
    if supposed.status is not RequestStatus.APPROVED:
        return ()
    found: list[WeekDemand] = []
    week, last = Week.of(now), Week.of(supposed.due_date)
    while week <= last and len(found) < MOST_WEEKS:
        if hours := share_of(week, supposed):
            found.append(_of_week(week, hours, supposed, items_of(week)))
        week += 1
    return tuple(found)


def _of_week(week: Week, hours: Decimal, request: Request, items: Items) -> WeekDemand:
    own = f"request:{request.request_id}"
    problem = describe(week, items).problem
    others = sum((line.hours for line in problem.lines if line.source != own), NO_HOURS)
    project = next((one for one in items.projects if one.project_id == request.project_id), None)
    needs: dict[str, int] = {}
    for skill in (*request.skills, *(project.skills if project else ())):
        needs[skill.name] = max(skill.level, needs.get(skill.name, 0))
    able = [one for one in problem.members if _has(one, needs)]
    return WeekDemand(week, hours, others, _sum(problem.members), _sum(able))


def _has(member: PlanMember, needs: dict[str, int]) -> bool:
    return all(member.skills.get(name, 0) >= level for name, level in needs.items())


def _sum(members: Iterable[PlanMember]) -> Decimal:
    return sum((sum(one.hours.values(), NO_HOURS) for one in members), NO_HOURS)
