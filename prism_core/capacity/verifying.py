"""Whether a plan keeps every rule of its problem, judged from the plan alone.

Belongs here: every breach in words. Does not belong here: how good a plan is (scoring.py) and what is wrong with
the problem itself (checking.py).
The engine judges each of its own plans with this before it hands it out.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from prism_core.capacity.plan import Assignment, PlanResult
from prism_core.capacity.problem import HOURS_A_DAY, NO_HOURS, PRESENCE, Pair, PlanMember, PlanProblem
from prism_core.capacity.scoring import surplus


def breaches(problem: PlanProblem, plan: PlanResult) -> list[str]:
    """Every rule that the plan breaks; none for a plan of ours."""
    members = {member.member_id: member for member in problem.members}
    by_member: defaultdict[str, list[Assignment]] = defaultdict(list)
    by_project: defaultdict[str, list[Assignment]] = defaultdict(list)
    for one in plan.assignments:
        by_member[one.member_id].append(one)
        by_project[one.project_id].append(one)
    return [
        *_sums(problem, plan),
        *(wrong for name, mine in by_member.items() for wrong in _member(problem, members[name], mine)),
        *_skills_and_exclusions(problem, plan, members),
        *_windows(problem, plan),
        *_pins(problem, plan),
        *_people(problem, by_project),
    ]


def asked_too_much(problem: PlanProblem, planned: Mapping[Pair, Mapping[date, Decimal]]) -> list[str]:
    """What planned hours ask of people beyond what they have, next to the pins of the week; a sentence each.

    For hours that were planned when the week was another: time off, pins and exclusions since are in `problem`.
    A pair that is pinned now has the hours of its pin. Days that have passed, and members that the problem does
    not know, are not judged.
    """
    pins = {(pin.member_id, pin.project_id): pin.by_day or {} for pin in problem.pins}
    excluded = {(one.member_id, one.project_id) for one in problem.exclusions}
    fresh = {pair: days for pair, days in planned.items() if pair not in pins}
    asked: defaultdict[str, defaultdict[date, Decimal]] = defaultdict(lambda: defaultdict(lambda: NO_HOURS))
    since = problem.since or problem.week.monday
    fixed: defaultdict[tuple[str, date], Decimal] = defaultdict(lambda: NO_HOURS)
    for (member_id, _), days in pins.items():
        for day, hours in days.items():
            fixed[member_id, day] += hours
            asked[member_id][day] += hours
    for (member_id, _), days in fresh.items():
        for day, hours in days.items():
            if day >= since:
                asked[member_id][day] += hours
    ahead = {pair for pair, days in fresh.items() if any(day >= since and hours for day, hours in days.items())}
    found = [f"{member} is excluded from {project}" for member, project in sorted(ahead & excluded)]
    members = {one.member_id: one for one in problem.members}
    for member_id in sorted({member for member, _ in fresh} & members.keys()):
        member, overtime = members[member_id], NO_HOURS
        mine = {day for (who, _), days in fresh.items() if who == member_id for day in days}
        for day, hours in sorted(asked[member_id].items()):
            there = member.hours.get(day, NO_HOURS)
            over = max(hours - there, NO_HOURS)
            overtime += over
            if not there and day in mine:
                found.append(f"{member_id} has no hours on {day}, {hours:.2f} are planned")
            elif over > max(problem.overtime_hours_a_day, fixed[member_id, day] - there):
                allowed = f"{problem.overtime_hours_a_day:.2f} of overtime a day are allowed"
                found.append(f"{member_id} would work {over:.2f} hours more on {day} than they have, {allowed}")
        if overtime > member.overtime_hours:
            allowed = f"{member.overtime_hours:.2f} of overtime are allowed"
            found.append(f"{member_id} would work {overtime:.2f} hours above those of their days, {allowed}")
    return found


def _sums(problem: PlanProblem, plan: PlanResult) -> Iterator[str]:
    met: defaultdict[str, Decimal] = defaultdict(lambda: NO_HOURS)
    open_hours = {one.line_id: one.hours for one in plan.unmet}
    for one in plan.assignments:
        if sum(one.by_day.values(), NO_HOURS) != one.hours:
            yield f"{one.pair}: the days do not sum to {one.hours}"
        if sum(one.by_line.values(), one.beyond_demand) != one.hours:
            yield f"{one.pair}: the lines do not sum to {one.hours}"
        if any(hours <= 0 for hours in (*one.by_day.values(), *one.by_line.values())):
            yield f"{one.pair}: a share of no hours"
        for line_id, hours in one.by_line.items():
            met[line_id] += hours
    for line in problem.lines:
        if met[line.line_id] + open_hours.get(line.line_id, NO_HOURS) != line.hours:
            yield f"line {line.line_id}: {met[line.line_id]} hours met, {open_hours.get(line.line_id)} open"


def _member(problem: PlanProblem, member: PlanMember, mine: list[Assignment]) -> Iterator[str]:
    load: defaultdict[date, Decimal] = defaultdict(lambda: NO_HOURS)
    fixed: defaultdict[date, Decimal] = defaultdict(lambda: NO_HOURS)
    for one in mine:
        for day, hours in one.by_day.items():
            load[day] += hours
            fixed[day] += hours if one.pinned else NO_HOURS
    over = {day: hours - member.hours.get(day, NO_HOURS) for day, hours in load.items()}
    for day, hours in load.items():
        if not member.hours.get(day):
            yield f"{member.member_id}: {hours} hours on the day off {day}"
        if hours > HOURS_A_DAY:
            yield f"{member.member_id}: {hours} hours on {day}"
        if over[day] > max(problem.overtime_hours_a_day, fixed[day] - member.hours.get(day, NO_HOURS)):
            allowed = problem.overtime_hours_a_day
            yield f"{member.member_id}: {over[day]} hours of overtime on {day}, {allowed} allowed"
    overtime = sum((max(hours, NO_HOURS) for hours in over.values()), NO_HOURS)
    if overtime > member.overtime_hours:
        yield f"{member.member_id}: {overtime} hours above those of their days, {member.overtime_hours} allowed"
    if member.max_projects is not None and len(mine) > member.max_projects:
        yield f"{member.member_id}: {len(mine)} projects, at most {member.max_projects}"


def _skills_and_exclusions(
    problem: PlanProblem, plan: PlanResult, members: Mapping[str, PlanMember]
) -> Iterator[str]:
    lines = {line.line_id: line for line in problem.lines}
    excluded = {(one.member_id, one.project_id) for one in problem.exclusions}
    for one in plan.assignments:
        if one.pair in excluded:
            yield f"{one.pair}: excluded"
        for line_id in one.by_line:
            line = lines[line_id]
            if line.project_id != one.project_id:
                yield f"{one.pair}: line {line_id} is of project {line.project_id}"
            if not one.pinned and surplus(members[one.member_id].skills, line.skills) is None:
                yield f"{one.pair}: lacks the skills of line {line_id}"


def _windows(problem: PlanProblem, plan: PlanResult) -> Iterator[str]:
    """Until any day, an assignment has at least the hours of its lines that end by then."""
    ends: dict[str, date] = {line.line_id: problem.ends(line) for line in problem.lines}
    for one in plan.assignments:
        for end in {ends[line_id] for line_id in one.by_line} - {problem.week.sunday}:
            due = sum((hours for line_id, hours in one.by_line.items() if ends[line_id] <= end), NO_HOURS)
            until = sum((hours for day, hours in one.by_day.items() if day <= end), NO_HOURS)
            if until < due:
                yield f"{one.pair}: {until} hours until {end}, {due} for lines that end by then"


def _pins(problem: PlanProblem, plan: PlanResult) -> Iterator[str]:
    planned = {one.pair: one for one in plan.assignments}
    pairs = {(pin.member_id, pin.project_id) for pin in problem.pins}
    for pin in problem.pins:
        found = planned.get((pin.member_id, pin.project_id))
        if found is None or not found.pinned or found.hours != pin.hours:
            yield f"{pin.member_id} on {pin.project_id}: {pin.hours} hours pinned, {found and found.hours} planned"
        elif pin.by_day is not None:
            wanted = {day: hours for day, hours in pin.by_day.items() if hours}
            if dict(found.by_day) != wanted:
                yield f"{pin.member_id} on {pin.project_id}: not on the days of the pin"
    for one in plan.assignments:
        if (one.pinned or one.beyond_demand) and one.pair not in pairs:
            yield f"{one.pair}: beyond demand or pinned without a pin"


def _people(problem: PlanProblem, by_project: Mapping[str, list[Assignment]]) -> Iterator[str]:
    for project in problem.projects:
        mine = by_project.get(project.project_id, [])
        if project.max_people is not None and len(mine) > project.max_people:
            yield f"{project.project_id}: {len(mine)} people, at most {project.max_people}"
        together = project.min_people > 1 and not any(one.pinned for one in mine)
        if together and mine and len(mine) < project.min_people:
            yield f"{project.project_id}: {len(mine)} people, at least {project.min_people}"
        if together and any(one.hours < PRESENCE for one in mine):
            yield f"{project.project_id}: somebody has less than {PRESENCE} hours"
        for one in mine:
            if not one.pinned and any(hours < project.min_block_hours for hours in one.by_day.values()):
                yield f"{one.pair}: a day with less than {project.min_block_hours} hours"
