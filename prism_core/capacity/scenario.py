"""What if: a week to plan with somebody gone, more demand, overtime, other hours, no pins, other weights.

Belongs here: the scenario file, what is wrong with one, and the problem that it makes of another. Does not belong
here: where problems and files come from, and the difference that it makes (compare.py).
A scenario is JSON. It changes a copy of the week: nothing of it is ever stored as the week itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

import msgspec
from pydantic import Field, ValidationError

from prism_core.capacity.problem import Exclusion, PlanMember, PlanProblem
from prism_core.capacity.weighting import WeightsChange, weighted
from prism_core.failures import BadUsage
from prism_core.models.base import HOURS_QUANTUM, Day, DayHours, Hours, Id, Many, Model, Name


class BadScenario(BadUsage):
    """A scenario that cannot be read or does not fit the week; `findings` name the field, one for each."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        self.findings = findings
        super().__init__("; ".join(findings))


class DemandChange(Model):
    """Demand times a factor of two places, of a project or (None) of all; 0 takes it away."""

    factor: Annotated[Hours, Field(le=100)]
    project_id: Id | None = None


class HoursChange(Model):
    """A member's hours on some days, instead of those that they have; 0 is a day off."""

    member_id: Id
    by_day: Annotated[dict[Day, DayHours], Field(min_length=1)]


class OvertimeChange(Model):
    """Overtime that a member or (None) everybody may work this week, instead of what is allowed now."""

    hours: Annotated[Hours, Field(le=168)]
    member_id: Id | None = None


class ExclusionChange(Model):
    """A member who may not work on a project."""

    member_id: Id
    project_id: Id


class Scenario(Model):
    """What to change of a week. `leave`: members who are gone, their pins with them."""

    name: Name
    leave: Many[Id] = ()
    demand: Many[DemandChange] = ()
    hours: Many[HoursChange] = ()
    overtime: Many[OvertimeChange] = ()
    exclude: Many[ExclusionChange] = ()
    no_pins: bool = False
    weights: WeightsChange = Field(default_factory=WeightsChange)
    move_budget_hours: Hours | None = None

    @property
    def supposes(self) -> tuple[str, ...]:
        """The fields that take people or demand for other than they are; the others say how to plan what is."""
        return tuple(name for name in ("leave", "demand", "hours", "overtime") if getattr(self, name))


def read_scenario(body: bytes, name: str = "the scenario") -> Scenario:
    """A scenario from JSON. Raises BadScenario that names every field that is wrong."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise BadScenario((f"{name} is no JSON: {error}",)) from error
    try:
        return Scenario.model_validate(found)
    except ValidationError as error:
        findings = (f"{name}: {_where(one['loc'])}{_said(one['type'], one['msg'])}" for one in error.errors())
        raise BadScenario(tuple(findings)) from error


def apply(scenario: Scenario, problem: PlanProblem) -> PlanProblem:
    """The week as the scenario has it.

    Raises BadScenario that names every member, project or day that the week does not have.
    """
    findings = tuple(_misfits(scenario, problem))
    if findings:
        raise BadScenario(tuple(f"scenario {scenario.name}: {one}" for one in findings))
    gone = frozenset(scenario.leave)
    changed = replace(
        problem,
        members=[_member(one, scenario) for one in problem.members if one.member_id not in gone],
        lines=[
            replace(line, hours=hours)
            for line in problem.lines
            if (hours := _demand(line.hours, line.project_id, scenario.demand))
        ],
        pins=() if scenario.no_pins else [pin for pin in problem.pins if pin.member_id not in gone],
        exclusions=list(_exclusions(problem, scenario, gone)),
        weights=weighted(problem.weights, scenario.weights),
    )
    if scenario.move_budget_hours is not None:
        changed = replace(changed, move_budget_hours=scenario.move_budget_hours)
    return changed


def _member(member: PlanMember, scenario: Scenario) -> PlanMember:
    hours = dict(member.hours)
    for change in scenario.hours:
        if change.member_id == member.member_id:
            hours.update(change.by_day)
    overtime = member.overtime_hours
    for allowed in scenario.overtime:
        if allowed.member_id in {None, member.member_id}:
            overtime = allowed.hours
    return replace(member, hours=hours, overtime_hours=overtime)


def _demand(hours: Decimal, project_id: str, changes: Iterable[DemandChange]) -> Decimal:
    """Factors of all and of the project follow each other; whole hundredths, halves up."""
    for change in changes:
        if change.project_id in {None, project_id}:
            hours *= change.factor
    return hours.quantize(HOURS_QUANTUM, ROUND_HALF_UP)


def _exclusions(problem: PlanProblem, scenario: Scenario, gone: frozenset[str]) -> Iterator[Exclusion]:
    more = (Exclusion(one.member_id, one.project_id) for one in scenario.exclude)
    for one in dict.fromkeys((*problem.exclusions, *more)):
        if one.member_id not in gone:
            yield one


def _misfits(scenario: Scenario, problem: PlanProblem) -> Iterator[str]:
    """Every field that names what the week does not have."""
    members = {one.member_id for one in problem.members}
    projects = {one.project_id for one in problem.projects}
    named: list[tuple[str, str | None, str | None]] = [
        *((f"leave[{number}]", one, None) for number, one in enumerate(scenario.leave)),
        *((f"demand[{number}].project_id", None, one.project_id) for number, one in enumerate(scenario.demand)),
        *((f"hours[{number}].member_id", one.member_id, None) for number, one in enumerate(scenario.hours)),
        *((f"overtime[{number}].member_id", one.member_id, None) for number, one in enumerate(scenario.overtime)),
        *((f"exclude[{number}].member_id", one.member_id, None) for number, one in enumerate(scenario.exclude)),
        *((f"exclude[{number}].project_id", None, one.project_id) for number, one in enumerate(scenario.exclude)),
    ]
    for field, member, project in named:
        if member is not None and member not in members:
            yield f"{field}: there is no member {member} in {problem.week}"
        if project is not None and project not in projects:
            yield f"{field}: there is no project {project} in {problem.week}"
    days = frozenset(problem.week.days)
    for number, change in enumerate(scenario.hours):
        yield from _outside(f"hours[{number}].by_day", change.by_day, days, problem)


def _outside(
    field: str, by_day: Mapping[date, Decimal], days: frozenset[date], problem: PlanProblem
) -> Iterator[str]:
    for day in by_day:
        if day not in days:
            first, last = problem.week.monday, problem.week.sunday
            yield f"{field}: {day} lies outside {problem.week.label} ({first} to {last})"


def _where(path: tuple[int | str, ...]) -> str:
    """`demand[0].factor: ` of a path of names and positions; nothing of the whole."""
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return f"{shown}: " if shown else ""


def _said(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"there is no such field; those of a scenario are {', '.join(Scenario.model_fields)}"
    return message.removeprefix("Value error, ")
