"""What a week asks for: the demand of active projects, by skill where they say so, and approved requests.

Belongs here: from projects and requests to the demand lines that are planned and whose shortage is told. Does not
belong here: what the lines are worth and who may work on them (the engine), and reading tables.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Final

from prism_core.calendar import Week
from prism_core.capacity.problem import NO_HOURS, DemandLine
from prism_core.models.people import Skill
from prism_core.models.projects import Project, ProjectStatus, Request, RequestStatus

_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Demanded:
    """The lines of a week. `unplaced`: what of approved requests is not planned, in words by request."""

    lines: tuple[DemandLine, ...]
    unplaced: Mapping[str, str]


def demanded(
    week: Week, projects: Iterable[Project], requests: Iterable[Request], today: date | None = None
) -> Demanded:
    """The demand of a week, by project and line id. Hours of nothing make no line.

    A request that was due in an earlier week is overdue once that day lies before `today` (None: the first day of
    the week); until then it is planned in its own week.
    """
    active = {one.project_id: one for one in projects if one.status is ProjectStatus.ACTIVE}
    lines = [line for project in active.values() for line in _of_project(week, project)]
    unplaced: dict[str, str] = {}
    for request in requests:
        hours = share_of(week, request)
        if not hours:
            if _is_overdue(week, request, today or week.monday):
                due = f"its {request.hours} h were due on {request.due_date}"
                unplaced[request.request_id] = f"{due}; mark it fulfilled or declined, or give it another date"
            continue
        project = active.get(request.project_id or "")
        if project is None:
            unplaced[request.request_id] = f"{hours} h of {week}: {_why_unplaced(request)}"
            continue
        until = request.due_date if Week.of(request.due_date) == week else None
        skills = _levels(project.skills) | {
            skill.name: max(skill.level, _levels(project.skills).get(skill.name, 0)) for skill in request.skills
        }
        source = f"request:{request.request_id}"
        lines.append(
            DemandLine(f"{project.project_id}/{source}", project.project_id, hours, skills, source, until)
        )
    return Demanded(tuple(sorted(lines, key=lambda line: (line.project_id, line.line_id))), unplaced)


def share_of(week: Week, request: Request) -> Decimal:
    """The hours of an approved request that fall into a week: as many in each until its due date.

    The first is the week after the approval, or the week of the due date when that comes first; what does not
    divide into hundredths falls into the last. Nothing before, after, and of a request that nobody approved.
    """
    if request.status is not RequestStatus.APPROVED:
        return NO_HOURS
    last = Week.of(request.due_date)
    first = min(Week.of(request.decided or request.created) + 1, last)
    if not first <= week <= last:
        return NO_HOURS
    weeks = last - first + 1
    each = (request.hours / weeks).quantize(_CENT, ROUND_DOWN)
    return request.hours - each * (weeks - 1) if week == last else each


def _is_overdue(week: Week, request: Request, today: date) -> bool:
    """Whether nothing of an approved request is planned any more, although nobody says that it is done."""
    if request.status is not RequestStatus.APPROVED or not request.hours:
        return False
    return Week.of(request.due_date) < week and request.due_date < today


def _of_project(week: Week, project: Project) -> Iterator[DemandLine]:
    until = project.sla_date if project.sla_date is not None and Week.of(project.sla_date) == week else None
    skills = _levels(project.skills)
    rest = project.demand_hours
    for one in project.demand_by_skill:
        rest -= one.hours
        if one.hours:
            needs = skills | {one.name: max(one.level, skills.get(one.name, 0))}
            source = f"skill:{one.name}"
            yield DemandLine(f"{project.project_id}/{source}", project.project_id, one.hours, needs, source, until)
    if rest:
        yield DemandLine(project.project_id, project.project_id, rest, skills, "project", until)


def _levels(skills: Iterable[Skill]) -> dict[str, int]:
    return {skill.name: skill.level for skill in skills}


def _why_unplaced(request: Request) -> str:
    if request.project_id is None:
        return "it names no project; give it one, and it is planned"
    return f"project {request.project_id} is not active; activate it or give the request another"
