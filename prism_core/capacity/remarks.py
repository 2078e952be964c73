"""What is worth knowing of a week to plan that can be planned: open hours in advance, pins that earn nothing.

Belongs here: these notes, by line, project and pin. Does not belong here: what keeps a week from being planned
(checking.py) and why a plan is as it is (explain.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from prism_core.capacity.problem import NO_HOURS, DemandLine, Pin, PlanMember, PlanProblem

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
    several = {
        one.project_id: one.min_people
        for one in problem.projects
        if one.min_people > 1 and one.project_id not in pinned
    }
    able: defaultdict[str, set[str]] = defaultdict(set)
    hours: defaultdict[str, Decimal] = defaultdict(lambda: NO_HOURS)
    for line in problem.lines:
        if line.project_id not in several:
            continue
        hours[line.project_id] += line.hours
        rarest = min(line.skills, key=lambda skill: len(having.get(skill, ())), default=None)
        who = problem.members if rarest is None else having.get(rarest, ())
        able[line.project_id] |= {
            one.member_id
            for one in who
            if any(one.hours.values())
            and (one.member_id, line.project_id) not in barred
            and _has(one, line.skills)
        }
    for project, fewest in several.items():
        if able[project] and len(able[project]) < fewest:
            few = f"wants {fewest} people at once, {len(able[project])} can work on it"
            yield f"project {project}", f"{few}; its {hours[project]} hours stay open"


def _nobody_can(skills: Mapping[str, int], having: Mapping[str, list[PlanMember]]) -> str:
    unknown = sorted(skill for skill in skills if skill not in having)
    if unknown:
        return f"nobody has {' or '.join(unknown)}"
    rarest = min(skills, key=lambda skill: (len(having[skill]), skill), default=None)
    if rarest is None or any(_has(member, skills) for member in having[rarest]):
        return ""
    return f"nobody has {' and '.join(f'{skill} at level {level}' for skill, level in sorted(skills.items()))}"


def _has(member: PlanMember, skills: Mapping[str, int]) -> bool:
    return all(member.skills.get(skill, 0) >= level for skill, level in skills.items())


def _pin_notes(problem: PlanProblem) -> Remarks:
    members = {member.member_id: member for member in problem.members}
    projects = {project.project_id: project for project in problem.projects}
    demand: defaultdict[str, Decimal] = defaultdict(lambda: NO_HOURS)
    lines: defaultdict[str, list[DemandLine]] = defaultdict(list)
    for line in problem.lines:
        demand[line.project_id] += line.hours
        lines[line.project_id].append(line)
    pinned: defaultdict[str, Decimal] = defaultdict(lambda: NO_HOURS)
    for pin in problem.pins:
        name = pin_name(pin.member_id, pin.project_id)
        pinned[pin.project_id] += pin.hours
        of_project = lines[pin.project_id]
        if of_project and not any(_has(members[pin.member_id], line.skills) for line in of_project):
            yield name, "they lack the skills of every line; the hours count all the same"
        block = projects[pin.project_id].min_block_hours
        if pin.by_day is not None and any(0 < hours < block for hours in pin.by_day.values()):
            yield name, f"a day has fewer hours than the shortest block of {block}; it is kept all the same"
    for project, hours in pinned.items():
        of_project = [pin for pin in problem.pins if pin.project_id == project]
        over = hours - _counting(of_project, lines[project], problem)
        if over:
            late = "" if over == hours - demand[project] else " or the days on which it ends"
            yield (
                f"pins on {project}",
                f"{over} hours beyond the demand of {demand[project]}{late}; they earn nothing",
            )


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
