"""What is worth knowing of a week to plan that can be planned: open hours in advance, pins that earn nothing.

Belongs here: these notes, by line, project and pin. Does not belong here: what keeps a week from being planned
(checking.py) and why a plan is as it is (explain.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import islice

from prism_core.capacity.problem import NO_HOURS, DemandLine, Pin, PlanMember, PlanProblem
from prism_core.capacity.scoring import surplus

# What to look at, and what there is to know.
Remarks = Iterator[tuple[str, str]]


def worth_knowing(problem: PlanProblem) -> list[tuple[str, str]]:
    """The notes of a week without errors, each kind in the order of the problem."""
    return [*problem.remarks, *_demand_notes(problem), *_pin_notes(problem)]


def pin_name(member: str, project: str) -> str:
    """What a pin is called."""
    return f"pin {member} on {project}"


def _demand_notes(problem: PlanProblem) -> Remarks:
    if problem.lines and not problem.members:
        yield "the week", "has no members; all demand stays open"
        return
    having: defaultdict[str, list[PlanMember]] = defaultdict(list)
    for member in problem.members:
        for skill in member.skills:
            having[skill].append(member)
    can: dict[frozenset[tuple[str, int]], str] = {}
    for line in problem.lines:
        need = frozenset(line.skills.items())
        if need not in can:
            can[need] = _nobody_can(line.skills, having)
        if can[need]:
            yield f"demand line {line.line_id}", f"{can[need]}; its {line.hours} hours stay open but for pins"
    yield from _fewest_notes(problem, having)


def _fewest_notes(problem: PlanProblem, having: Mapping[str, list[PlanMember]]) -> Remarks:
    """Projects that want more people at once than there are who could work on them."""
    barred = {(one.member_id, one.project_id) for one in problem.exclusions}
    pinned = {pin.project_id for pin in problem.pins}
    lines = _by_project(problem.lines)
    able: dict[frozenset[tuple[str, int]], list[str]] = {}
    for project in problem.projects:
        fewest, name = project.min_people, project.project_id
        if fewest <= 1 or name in pinned:
            continue
        people: set[str] = set()
        for line in lines[name]:
            need = frozenset(line.skills.items())
            if need not in able:
                rarest = min(line.skills, key=lambda skill: len(having.get(skill, ())), default=None)
                who = problem.members if rarest is None else having.get(rarest, ())
                able[need] = [
                    one.member_id
                    for one in who
                    if any(one.hours.values()) and surplus(one.skills, line.skills) is not None
                ]
            allowed = (one for one in able[need] if (one, name) not in barred)
            people.update(islice(allowed, fewest))  # as many as would do; else the cost is people times projects
        if people and len(people) < fewest:
            few = f"wants {fewest} people at once, {len(people)} can work on it"
            hours = sum((line.hours for line in lines[name]), NO_HOURS)
            yield f"project {name}", f"{few}; its {hours} hours stay open"


def _nobody_can(skills: Mapping[str, int], having: Mapping[str, list[PlanMember]]) -> str:
    unknown = sorted(skill for skill in skills if skill not in having)
    if unknown:
        return f"nobody has {' or '.join(unknown)}"
    rarest = min(skills, key=lambda skill: (len(having[skill]), skill), default=None)
    if rarest is None or any(surplus(member.skills, skills) is not None for member in having[rarest]):
        return ""
    return f"nobody has {' and '.join(f'{skill} at level {level}' for skill, level in sorted(skills.items()))}"


def _by_project(lines: Iterable[DemandLine]) -> defaultdict[str, list[DemandLine]]:
    found: defaultdict[str, list[DemandLine]] = defaultdict(list)
    for line in lines:
        found[line.project_id].append(line)
    return found


def _pin_notes(problem: PlanProblem) -> Remarks:
    members = {member.member_id: member for member in problem.members}
    projects = {project.project_id: project for project in problem.projects}
    lines = _by_project(problem.lines)
    pins: defaultdict[str, list[Pin]] = defaultdict(list)
    for pin in problem.pins:
        name = pin_name(pin.member_id, pin.project_id)
        pins[pin.project_id].append(pin)
        of_project, skills = lines[pin.project_id], members[pin.member_id].skills
        if of_project and all(surplus(skills, line.skills) is None for line in of_project):
            yield name, "they lack the skills of every line; the hours count all the same"
        block = projects[pin.project_id].min_block_hours
        if pin.by_day is not None and any(0 < hours < block for hours in pin.by_day.values()):
            yield name, f"a day has fewer hours than the shortest block of {block}; it is kept all the same"
    for project, pinned in pins.items():
        hours = sum((pin.hours for pin in pinned), NO_HOURS)
        demand = sum((line.hours for line in lines[project]), NO_HOURS)
        over = hours - _counting(pinned, lines[project], problem)
        if over:
            late = "" if over == hours - demand else " or the days on which it ends"
            yield f"pins on {project}", f"{over} hours beyond the demand of {demand}{late}; they earn nothing"


def _counting(pins: Iterable[Pin], lines: Iterable[DemandLine], problem: PlanProblem) -> Decimal:
    """How many hours of the pins of a project can meet its lines, which end on their days.

    The lines that end first are met first, by the earliest hours. A pin without days has the days that it needs.
    """
    by_day: defaultdict[date, Decimal] = defaultdict(lambda: NO_HOURS)
    anywhere = NO_HOURS
    for pin in pins:
        for day, hours in (pin.by_day or {}).items():
            by_day[day] += hours
        anywhere += NO_HOURS if pin.by_day is not None else pin.hours
    found = NO_HOURS
    for line in sorted(lines, key=problem.ends):
        still = line.hours
        for day in sorted(day for day in by_day if day <= problem.ends(line)):
            taken = min(still, by_day[day])
            by_day[day] -= taken
            still -= taken
        taken = min(still, anywhere)
        anywhere -= taken
        found += line.hours - still + taken
    return found
