"""Explanations and differences in words: one sentence each, every figure with its unit.

Belongs here: the text that the command line, the API and the screens share. Does not belong here: what is true
(explain.py, compare.py) and how it is laid out.
People and projects appear by the names that the caller gives for their ids; without names, by their ids.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from prism_core.capacity.compare import PlanDifference
from prism_core.capacity.explanation import (
    AssignmentWhy,
    Candidate,
    Change,
    ChangeKind,
    Constraint,
    Explanation,
    MemberWhy,
    Switch,
    UnmetWhy,
)

_TERMS: Final[Mapping[str, str]] = {
    "priority": "priority",
    "sla": "SLA date",
    "continuity": "continuity",
    "level": "level",
    "quality": "quality",
    "overtime": "overtime",
    "fairness": "fairness of load",
}
_HELD: Final[Mapping[Constraint, str]] = {
    Constraint.PIN: "a person pinned these hours",
    Constraint.PUBLISHED: "these hours are published and stay",
    Constraint.BLOCK: "a shorter piece of work is not allowed",
    Constraint.FEW_PEOPLE: "the project needs its fewest people",
}
_BINDS: Final[Mapping[Constraint, str]] = {
    Constraint.NOBODY: "the week has no members",
    Constraint.NO_SKILL: "nobody has the skills",
    Constraint.NO_HOURS: "everybody who could has no hours left or better work",
    Constraint.TIME_OFF: "time off of those who could would cover them",
    Constraint.PEOPLE_LIMIT: "the limit of people on the project keeps others out",
    Constraint.FEW_PEOPLE: "the project wants several people at once or nobody, and the plan has nobody",
    Constraint.CHOICE: "the plan chose otherwise, within its gap",
    Constraint.PROJECT_LIMIT: "those who could are on as many projects as they may",
    Constraint.BLOCK: "the shortest piece of work that the project allows keeps those who could out",
    Constraint.PIN: "pins hold the hours of those who could",
    Constraint.EXCLUDED: "those who could are excluded from the project",
    Constraint.NOT_WORTH: "they would cost more points than they earn",
}
_IDLE: Final[Mapping[Constraint, str]] = {
    Constraint.NO_SKILL: "no demand asks for their skills",
    Constraint.NO_DEMAND: "all demand that they could meet on their days is met",
    Constraint.PEOPLE_LIMIT: "the limits of people keep them out of the open work",
    Constraint.FEW_PEOPLE: "the open work wants several people at once",
    Constraint.CHOICE: "the plan chose others for the open work",
    Constraint.PROJECT_LIMIT: "they are on as many projects as they may",
    Constraint.BLOCK: "no piece of the open work is short enough for their days",
    Constraint.PIN: "a pin holds their hours on the open work to what it says",
    Constraint.EXCLUDED: "they are excluded from the open work",
    Constraint.NOT_WORTH: "the open work would cost more points than it earns",
}
_KEPT_OUT: Final[Mapping[Constraint, str]] = {
    Constraint.PEOPLE_LIMIT: "the limit of people on the project keeps them out",
    Constraint.FEW_PEOPLE: "the project wants several people at once",
    Constraint.CHOICE: "the plan chose others",
    Constraint.PROJECT_LIMIT: "they are on as many projects as they may",
    Constraint.BLOCK: "no piece of work of theirs is long enough",
    Constraint.PIN: "a pin holds their hours on the project to what it says",
    Constraint.EXCLUDED: "they are excluded from the project",
}
_GIVEN: Final[Mapping[Constraint, str]] = {
    Constraint.PEOPLE_LIMIT: "who is on a project with a limit of people",
    Constraint.PROJECT_LIMIT: "the projects of a member with a limit of projects",
    Constraint.BLOCK: "the shortest pieces of work",
    Constraint.PUBLISHED: "the published hours that stay",
}


@dataclass(frozen=True, slots=True)
class Names:
    """What people and projects are called, by id."""

    members: Mapping[str, str] = field(default_factory=dict[str, str])
    projects: Mapping[str, str] = field(default_factory=dict[str, str])

    def member(self, member_id: str) -> str:
        return self.members.get(member_id, member_id)

    def project(self, project_id: str) -> str:
        return self.projects.get(project_id, project_id)


def sentences(explanation: Explanation, names: Names) -> Iterator[str]:
    """The whole explanation: what it is relative to, then every assignment, open line and member."""
    if explanation.relative_to:
        yield relative_to(explanation.relative_to)
    if explanation.given_up:
        more = _points(explanation.given_up)
        yield f"They are those around a plan with the same choices and {more} more, which fits no days."
    yield from (assignment(one, names) for one in explanation.assignments)
    yield from (unmet(one, names) for one in explanation.unmet)
    yield from (member(one, names) for one in explanation.members)


def relative_to(given: tuple[Constraint, ...]) -> str:
    """What the explanations of a plan take as given."""
    return f"The costs take as given {_listed([_GIVEN[one] for one in given])}."


def assignment(why: AssignmentWhy, names: Names) -> str:
    """Why a member works on a project, and who was next."""
    earned = [f"{_points(points)} for {_TERMS[term]}" for term, points in why.terms.items() if points]
    start = f"{names.member(why.member_id)} works {_hours(why.hours)} on {names.project(why.project_id)}"
    worth = f", which earns {_listed(earned)}" if earned else ", which earns nothing"
    return f"{start}{worth}; {_next(why, names)}."


def unmet(why: UnmetWhy, names: Names) -> str:
    """Why hours of a line are open, and what would help most."""
    start = f"{_hours(why.hours)} of {why.line_id} on {names.project(why.project_id)} stay open"
    helps = "no change for one member would gain anything"
    if why.change is not None:
        helps = f"an hour more is worth at least {_points(why.change.gain)} here if {_change(why.change, names)}"
    return f"{start}: {_BINDS[why.constraint]}; {helps}."


def candidate(found: Candidate, names: Names) -> str:
    """What an hour more of a member on a line would do."""
    name = names.member(found.member_id)
    does = f"gain {_points(found.gain)}" if found.gain >= 0 else f"cost {_points(-found.gain)}"
    kept = "" if found.kept_out is None else f", but {_KEPT_OUT[found.kept_out]}"
    return f"An hour more of {name} would {does} (for up to {_hours(found.hours)}){kept}."


def member(why: MemberWhy, names: Names) -> str:
    """Why a member is full or idle."""
    name = names.member(why.member_id)
    if not why.available:
        return f"{name} has no hours this week."
    over = f" and {_hours(why.overtime)} of overtime" if why.overtime else ""
    worth = f"an hour more of theirs would earn at least {_points(why.next_hour or Decimal(0))}"
    if not why.idle:
        return f"{name} works all {_hours(why.available)}{over}; {worth}."
    reason = "" if why.idle_why is None else f": {_IDLE[why.idle_why]}"
    return f"{name} has {_hours(why.idle)} of {_hours(why.available)} left{over}{reason}."


def differences(found: PlanDifference, names: Names) -> Iterator[str]:
    """What changes from one plan to another: in all, by term, by assignment, by open line."""
    total = f"{_hours(found.moved_hours)} move, {_change_of(found.unmet_hours, 'open hours')}"
    yield f"The plan of {found.week} changes by {_points(found.objective)}: {total}."
    for term, points in found.terms.items():
        yield f"{_TERMS.get(term, term).capitalize()} changes by {_points(points)}."
    for one in found.assignments:
        who = f"{names.member(one.member_id)} on {names.project(one.project_id)}"
        yield f"{who}: {_hours(one.before)} become {_hours(one.after)}."
    for line in found.unmet:
        what = f"{line.line_id} on {names.project(line.project_id)}"
        yield f"{what}: {_hours(line.before)} open become {_hours(line.after)}."


def _next(why: AssignmentWhy, names: Names) -> str:
    if why.switch is None:
        return _HELD[why.held] if why.held else "nothing of it can change"
    taken = _taken(why.switch, names)
    return f"an hour less costs {_points(why.switch.cost)}, {taken} (for up to {_hours(why.switch.hours)})"


def _taken(switch: Switch, names: Names) -> str:
    return "and stays open" if switch.member_id is None else f"and {names.member(switch.member_id)} is next"


def _change(change: Change, names: Names) -> str:
    who = names.member(change.member_id)
    skills = _listed([f"{skill} at level {level}" for skill, level in sorted((change.skills or {}).items())])
    other = names.project(change.project_id or "")
    return {
        ChangeKind.OVERTIME: f"{who} may work an hour more of overtime",
        ChangeKind.HOURS: f"{who} has an hour more",
        ChangeKind.TIME_OFF: f"{who} works an hour of the time off on {change.day}",
        ChangeKind.SKILL: f"{who} learns {skills}",
        ChangeKind.EXCLUSION: f"{who} is no longer excluded",
        ChangeKind.PERSON: f"{who} joins the project beyond its limit of people",
        ChangeKind.ALONE: f"the project asks for one person at once, and {who} is it",
        ChangeKind.JOIN: f"{who} joins the project, as its limits allow",
        ChangeKind.PROJECT: f"{who} may work on one project more",
        ChangeKind.BLOCK: f"{who} may work shorter pieces",
        ChangeKind.UNPIN: f"the pin of {who} on {other} has an hour less",
        ChangeKind.PIN: f"the pin of {who} has an hour more",
    }[change.kind] + f" (for up to {_hours(change.hours)})"


def _change_of(hours: Decimal, what: str) -> str:
    if not hours:
        return f"as many {what}"
    return f"{_number(abs(hours))} {'more' if hours > 0 else 'fewer'} {what}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def _hours(hours: Decimal) -> str:
    return f"{_number(hours)} {'hour' if hours == 1 else 'hours'}"


def _points(points: Decimal) -> str:
    return f"{_number(points)} {'point' if abs(points) == 1 else 'points'}"


def _number(value: Decimal) -> str:
    """Without zeros that say nothing; never an exponent."""
    shown = f"{value:,f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
