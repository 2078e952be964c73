"""Small weeks to plan: made by hypothesis, and solved by trying everything.

Belongs here: strategies of problems, and the best plan by brute force, which shares no code with the engine.
Does not belong here: tests.
Hours are whole, so that a best plan of whole hours exists; where fairness counts, a member has 4 or 8 hours, whose
quarters are whole.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.capacity.problem import (
    DemandLine,
    Exclusion,
    Pin,
    PlanMember,
    PlanProblem,
    PlanProject,
    Weights,
)

WEEK = Week.parse("2026-W48")
MON, TUE, WED, THU, FRI, SAT, SUN = WEEK.days
NO_FAIRNESS = Weights(fairness=Decimal(0))


def member(member_id: str, *hours: int, skills: dict[str, int] | None = None, **more: object) -> PlanMember:
    """A member with these hours from Monday on."""
    by_day = {day: Decimal(one) for day, one in zip(WEEK.days, hours, strict=False) if one}
    return PlanMember(member_id, by_day, skills=skills or {}, **more)  # type: ignore[arg-type]


def line(project_id: str, hours: object, line_id: str = "", **more: object) -> DemandLine:
    """A demand line of a project, named after it."""
    return DemandLine(line_id or f"D-{project_id}", project_id, Decimal(str(hours)), **more)  # type: ignore[arg-type]


@st.composite
def problems(
    draw: st.DrawFn, *, limits: bool = False, fewest: bool = False, blocks: bool = True, windows: bool = True
) -> PlanProblem:
    """Up to three members with up to two days, two projects, three lines, pins, exclusions, windows, a past.

    With `fewest` people of a project, a best plan may need parts of an hour. Without `blocks` there are no
    shortest ones among the limits, without `windows` no line ends inside the week.
    """
    fair = draw(st.booleans())
    members = [
        _drawn_member(draw, f"M{number}", fair=fair, limits=limits) for number in range(draw(st.integers(1, 3)))
    ]
    projects = [
        _drawn_project(draw, f"P{number}", limits=limits, fewest=fewest, blocks=blocks) for number in range(2)
    ]
    lines = [
        line(
            draw(st.sampled_from(("P0", "P1"))),
            draw(st.integers(1, 6)),
            f"L{number}",
            skills=draw(st.sampled_from(({}, {"a": 1}, {"a": 2}, {"a": 1, "b": 1}))),
            until=draw(st.sampled_from((None, None, MON))) if windows else None,
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    pairs = [(one.member_id, project.project_id) for one in members for project in projects]
    some_hours = st.dictionaries(st.sampled_from(pairs), st.integers(1, 6).map(Decimal), max_size=3)
    scores = st.dictionaries(
        st.sampled_from(pairs), st.sampled_from((Decimal("0.5"), Decimal("0.93"))), max_size=3
    )
    problem = PlanProblem(
        WEEK,
        members,
        projects,
        lines,
        exclusions=[Exclusion(*pair) for pair in draw(st.lists(st.sampled_from(pairs), max_size=1))],
        previous=draw(some_hours),
        quality=draw(scores),
        weights=Weights() if fair else NO_FAIRNESS,
        overtime_hours_a_day=Decimal(draw(st.sampled_from((24, 1)))),
    )
    return _with_pin(draw, problem)


@st.composite
def short_days(draw: st.DrawFn) -> PlanProblem:
    """Weeks whose days are too short for all blocks that their hours would hold, of projects for several people.

    A best plan of whole hours exists.
    """
    days = st.sampled_from(((3, 1), (6, 2), (4, 0), (0, 4)))
    members = [
        member(f"M{number}", *draw(days), skills=draw(st.sampled_from(({"a": 1}, {"a": 1, "b": 1}))))
        for number in range(draw(st.integers(2, 3)))
    ]
    projects = [
        PlanProject(
            f"P{number}",
            draw(st.integers(1, 5)),
            min_people=draw(st.sampled_from((0, 2))),
            min_block_hours=Decimal(draw(st.sampled_from((2, 4)))),
        )
        for number in range(2)
    ]
    lines = [
        line(f"P{number}", draw(st.sampled_from((2, 4, 8))), skills={skill: 1})
        for number, skill in enumerate("ab")
    ]
    pairs = [(one.member_id, project.project_id) for one in members for project in projects]
    before = draw(st.dictionaries(st.sampled_from(pairs), st.sampled_from((Decimal(2), Decimal(4))), max_size=2))
    return PlanProblem(WEEK, members, projects, lines, previous=before, weights=NO_FAIRNESS)


def _drawn_member(draw: st.DrawFn, member_id: str, *, fair: bool, limits: bool) -> PlanMember:
    hours = draw(st.sampled_from(((4, 0), (2, 2), (4, 4)) if fair else ((3, 0), (0, 2), (2, 3), (4, 1), (0, 0))))
    skills = draw(st.sampled_from(({}, {"a": 1}, {"a": 3}, {"a": 2, "b": 4})))
    most = draw(st.sampled_from((None, 1))) if limits else None
    overtime = Decimal(draw(st.sampled_from((0, 0, 1, 2))))
    return member(member_id, *hours, skills=skills, max_projects=most, overtime_hours=overtime)


def _drawn_project(draw: st.DrawFn, project_id: str, *, limits: bool, fewest: bool, blocks: bool) -> PlanProject:
    most = draw(st.sampled_from((None, 1, 2))) if limits else None
    least = draw(st.sampled_from((0, 2, 3) if most is None else (0, most))) if fewest else 0
    return PlanProject(
        project_id,
        draw(st.integers(1, 5)),
        sla_date=draw(st.sampled_from((None, MON - timedelta(days=30), WED, SUN + timedelta(days=3)))),
        quality_target=draw(st.sampled_from((None, Decimal("0.95")))),
        min_people=least,
        max_people=most,
        min_block_hours=Decimal(draw(st.sampled_from((0, 0, 2, 4)))) if limits and blocks else Decimal(0),
    )


def _with_pin(draw: st.DrawFn, problem: PlanProblem) -> PlanProblem:
    excluded = {(one.member_id, one.project_id) for one in problem.exclusions}
    room = [
        (one, project.project_id, day)
        for one in problem.members
        for project in problem.projects
        for day in one.hours
        if (one.member_id, project.project_id) not in excluded
    ]
    if not room or not draw(st.booleans()):
        return problem
    who, project_id, day = draw(st.sampled_from(room))
    hours = Decimal(draw(st.integers(1, int(who.hours[day]))))
    return replace(problem, pins=[Pin(who.member_id, project_id, hours, {day: hours})])


# --- everything that is possible ---------------------------------------------------------------------------------

Hours = tuple[int, ...]


def best_points(problem: PlanProblem) -> Decimal:
    """The objective of the best plan of whole hours; brute force."""
    reached: dict[tuple[Hours, tuple[tuple[bool, bool], ...]], Decimal] = {
        ((0,) * len(problem.lines), ()): Decimal(0)
    }
    demand = [int(one.hours) for one in problem.lines]
    for one in problem.members:
        mine = _options(problem, one)
        more: dict[tuple[Hours, tuple[tuple[bool, bool], ...]], Decimal] = {}
        for (met, works), points in reached.items():
            for (hours, on), own in mine.items():
                total = tuple(a + b for a, b in zip(met, hours, strict=True))
                if all(a <= b for a, b in zip(total, demand, strict=True)):
                    key = (total, (*works, on))
                    more[key] = max(more.get(key, points + own), points + own)
        reached = more
    return max(points for (_, works), points in reached.items() if _people_fit(problem, works))


def _people_fit(problem: PlanProblem, works: tuple[tuple[bool, bool], ...]) -> bool:
    pinned = {pin.project_id for pin in problem.pins}
    for number, project in enumerate(problem.projects):
        people = sum(on[number] for on in works)
        if project.max_people is not None and people > project.max_people:
            return False
        if 0 < people < project.min_people and project.project_id not in pinned:
            return False
    return True


def _options(problem: PlanProblem, one: PlanMember) -> dict[tuple[Hours, tuple[bool, bool]], Decimal]:
    """Hours by line that the member can work, on which projects, with the most points that this can earn."""
    allowance = int(one.overtime_hours)
    a_day = min(allowance, int(problem.overtime_hours_a_day))
    weeks: dict[tuple[tuple[Hours, int, int], ...], None] = {(): None}
    for day in WEEK.days:
        if not one.hours.get(day):
            continue
        most = int(one.hours[day])
        today = [
            (cells, sum(cells), max(sum(cells) - most, 0)) for cells in _days(problem, one, day, most + a_day)
        ]
        weeks = {(*week, cells): None for week, cells in product(weeks, today)}
    found: dict[tuple[Hours, tuple[bool, bool]], Decimal] = {}
    pinned = [pin for pin in problem.pins if pin.member_id == one.member_id]
    for week in weeks:
        if sum(over for _, _, over in week) > allowance:
            continue
        cells = [sum(column) for column in zip(*(cells for cells, _, _ in week), strict=True)] or [0] * (
            len(problem.lines) + 2
        )
        hours, beyond = tuple(cells[: len(problem.lines)]), cells[len(problem.lines) :]
        on = _projects(problem, hours, beyond)
        if one.max_projects is not None and sum(on) > one.max_projects:
            continue
        if any(_on_project(problem, hours, beyond, pin.project_id) != pin.hours for pin in pinned):
            continue
        loads = [(load, over) for _, load, over in week]
        points = _points(problem, one, hours, loads)
        found[hours, on] = max(found.get((hours, on), points), points)
    return found


def _days(problem: PlanProblem, one: PlanMember, day: date, most: int) -> Iterator[Hours]:
    """Hours of one day by line, then beyond the demand by project (of pins alone)."""
    pins = {pin.project_id: pin for pin in problem.pins if pin.member_id == one.member_id}
    excluded = {gone.project_id for gone in problem.exclusions if gone.member_id == one.member_id}
    ranges: list[range] = []
    for demand in problem.lines:
        able = demand.project_id in pins or all(
            one.skills.get(name, 0) >= need for name, need in demand.skills.items()
        )
        able = able and demand.project_id not in excluded and (demand.until is None or day <= demand.until)
        ranges.append(range(min(most, int(demand.hours)) + 1 if able else 1))
    ranges += [range(most + 1 if project.project_id in pins else 1) for project in problem.projects]
    for cells in product(*ranges):
        if sum(cells) > most:
            continue
        hours, beyond = cells[: len(problem.lines)], list(cells[len(problem.lines) :])
        pieces = {one.project_id: _on_project(problem, hours, beyond, one.project_id) for one in problem.projects}
        short = any(
            0 < pieces[project.project_id] < project.min_block_hours and project.project_id not in pins
            for project in problem.projects
        )
        moved = any(pieces[name] != (pin.by_day or {}).get(day, 0) for name, pin in pins.items())
        if not short and not moved:
            yield cells


def _on_project(problem: PlanProblem, hours: Hours, beyond: list[int], project_id: str) -> int:
    of_lines = sum(a for a, demand in zip(hours, problem.lines, strict=True) if demand.project_id == project_id)
    return of_lines + sum(
        a for a, project in zip(beyond, problem.projects, strict=True) if project.project_id == project_id
    )


def _projects(problem: PlanProblem, hours: Hours, beyond: list[int]) -> tuple[bool, bool]:
    on = [_on_project(problem, hours, beyond, project.project_id) > 0 for project in problem.projects]
    return on[0], on[1]


def _points(problem: PlanProblem, one: PlanMember, hours: Hours, loads: list[tuple[int, int]]) -> Decimal:
    weights, points = problem.weights, Decimal(0)
    projects = {project.project_id: project for project in problem.projects}
    lasting: defaultdict[str, int] = defaultdict(int)
    for amount, demand in zip(hours, problem.lines, strict=True):
        project = projects[demand.project_id]
        worth = weights.priority[project.priority - 1]
        if project.sla_date is not None and project.sla_date <= SUN:
            worth += weights.sla_this_week
        elif project.sla_date is not None and project.sla_date <= SUN + timedelta(days=7):
            worth += weights.sla_next_week
        above = [one.skills.get(name, 0) - need for name, need in demand.skills.items()]
        worth += max(min(above, default=0), 0) * weights.level_surplus
        score = problem.quality.get((one.member_id, demand.project_id))
        if score is not None and project.quality_target is not None:
            worth -= max(project.quality_target - score, Decimal(0)) * 100 * weights.quality
        points += worth * amount
        ends = [other.until is None for other in problem.lines if other.project_id == demand.project_id]
        if demand.until is None or not any(ends):
            lasting[demand.project_id] += amount
    for project_id, amount in lasting.items():
        points += weights.continuity * min(
            Decimal(amount), problem.previous.get((one.member_id, project_id), Decimal(0))
        )
    over = sum(extra for _, extra in loads)
    regular = sum(load for load, _ in loads) - over
    quarter = sum(one.hours.values(), Decimal(0)) / 4
    steps = [max(min(Decimal(regular), quarter * (k + 1)) - quarter * k, Decimal(0)) for k in range(4)]
    points -= sum((weights.fairness * k / 3 * step for k, step in enumerate(steps)), Decimal(0))
    return points - over * (weights.overtime + weights.fairness)
