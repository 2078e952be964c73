"""What is wrong with a description of a week, all of it, in words for the person who can mend it.

Belongs here: every error, by member, project, line, pin or weight. Does not belong here: what is only worth
knowing (remarks.py) and repairing anything: an error stops the plan, so that nothing is dropped in silence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from prism_core.capacity.problem import (
    HOURS_A_DAY,
    NO_HOURS,
    Level,
    Pin,
    PlanMember,
    PlanProblem,
    PlanProject,
)
from prism_core.capacity.remarks import pin_name, worth_knowing
from prism_core.failures import PermanentFailure

_CENTS: Final = Decimal("0.01")
_PRIORITIES: Final = 5
# Far above any week; keeps every sum inside the integers of the solver.
_MOST_POINTS: Final = Decimal(10_000)
_MOST_HOURS: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (an error: no plan is made) or worth knowing. `subject` is what to look at."""

    subject: str
    message: str
    is_error: bool

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


class BadProblem(PermanentFailure):
    """The week cannot be planned as described; `findings` has every error."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__("; ".join(map(str, findings)))


def check(problem: PlanProblem) -> list[Finding]:
    """Every finding, errors first, each kind in the order of the problem."""
    errors = [
        *_weights(problem),
        *_members(problem),
        *_projects(problem),
        *_lines(problem),
        *_known_pairs(problem),
    ]
    errors += [*_pins(problem), *_pin_sums(problem), *_pin_limits(problem)]
    # A note follows from figures; it needs sound ones.
    notes = [] if errors else worth_knowing(problem)
    return [Finding(*one, is_error=True) for one in errors] + [Finding(*one, is_error=False) for one in notes]


_Found = Iterator[tuple[str, str]]


def _weights(problem: PlanProblem) -> _Found:
    weights = problem.weights
    if len(weights.priority) != _PRIORITIES:
        yield "weight priority", f"has {len(weights.priority)} values; give one for each priority from 1 to 5"
    values = {f"priority[{number}]": value for number, value in enumerate(weights.priority, start=1)}
    names = ("sla_this_week", "sla_next_week", "continuity", "level_surplus", "quality", "overtime", "fairness")
    for name, value in (values | {name: getattr(weights, name) for name in names}).items():
        if wrong := _number(value, _MOST_POINTS):
            yield f"weight {name}", f"{wrong}; give points per hour from 0 to {_MOST_POINTS}"
    if wrong := _number(problem.overtime_hours_a_day, HOURS_A_DAY):
        yield "overtime a day", f"{wrong}; give hours from 0 to 24"
    if problem.move_budget_hours is not None and (wrong := _number(problem.move_budget_hours, _MOST_HOURS)):
        yield "move budget", f"{wrong}; give hours, or none for the fewest moves"


def _members(problem: PlanProblem) -> _Found:
    yield from _repeated("member", (member.member_id for member in problem.members))
    days = frozenset(problem.week.days)
    for member in problem.members:
        name = f"member {member.member_id}"
        yield from ((name, wrong) for wrong in _days(member.hours, days, problem))
        yield from ((name, f"time off: {wrong}") for wrong in _days(member.off, days, problem))
        if wrong := _number(member.overtime_hours, _MOST_HOURS):
            yield name, f"overtime: {wrong}; give hours a week, 0 for none"
        if member.max_projects is not None and member.max_projects < 1:
            yield name, f"may have {member.max_projects} projects; give at least 1, or no hours to keep them free"


def _projects(problem: PlanProblem) -> _Found:
    yield from _repeated("project", (project.project_id for project in problem.projects))
    for project in problem.projects:
        name = f"project {project.project_id}"
        if not 1 <= project.priority <= _PRIORITIES:
            yield name, f"priority {project.priority} does not exist; give 1 (most urgent) to 5"
        if wrong := _number(project.min_block_hours, HOURS_A_DAY):
            yield name, f"shortest block: {wrong}; give hours a day, 0 for none"
        if project.quality_target is not None and (
            wrong := _number(project.quality_target, Decimal(1), places=False)
        ):
            yield name, f"quality target: {wrong}; give a share from 0 to 1"
        if project.min_people < 0:
            yield name, f"wants at least {project.min_people} people; give 0 or more"
        if project.max_people is not None and project.max_people < max(1, project.min_people):
            least = max(1, project.min_people)
            yield name, f"allows {project.max_people} people and needs {least}; raise the one or lower the other"


def _lines(problem: PlanProblem) -> _Found:
    yield from _repeated("demand line", (line.line_id for line in problem.lines))
    projects = {project.project_id for project in problem.projects}
    for line in problem.lines:
        name = f"demand line {line.line_id}"
        if line.project_id not in projects:
            yield name, f"is for project {line.project_id}, which is not in the problem"
        if wrong := _number(line.hours, _MOST_HOURS):
            yield name, f"demand: {wrong}; give hours above 0"
        elif not line.hours:
            yield name, "asks for no hours; leave it out or give hours above 0"
        if line.until is not None and line.until < problem.week.monday:
            yield (
                name,
                f"ended on {line.until}, before {problem.week}; leave the day out if it is still wanted",
            )
        elif problem.level is Level.WEEK and problem.ends(line) < problem.week.sunday:
            yield name, f"ends on {line.until}, inside the week: days matter; choose level auto or day"


def _known_pairs(problem: PlanProblem) -> _Found:
    """What is said of pairs; of people and projects that are no longer there, the past may still speak."""
    for what, hours in (("last week's hours", problem.previous), ("published hours", problem.published)):
        for (member, project), value in hours.items():
            if wrong := _number(value, _MOST_HOURS):
                yield f"member {member}", f"{what} on {project}: {wrong}; give hours of 0 or more"
    for (member, project), score in problem.quality.items():
        if wrong := _number(score, Decimal(1), places=False):
            yield f"member {member}", f"quality on {project}: {wrong}; give a share from 0 to 1"
    members, projects = _ids(problem)
    for exclusion in problem.exclusions:
        if missing := _missing(exclusion.member_id, exclusion.project_id, members, projects):
            yield f"exclusion {exclusion.member_id} from {exclusion.project_id}", missing


def _pins(problem: PlanProblem) -> _Found:
    members, projects = _ids(problem)
    days = frozenset(problem.week.days)
    excluded = {(one.member_id, one.project_id) for one in problem.exclusions}
    times = Counter((pin.member_id, pin.project_id) for pin in problem.pins)
    for (member, project), count in times.items():
        if count > 1:
            yield pin_name(member, project), f"is given {count} times; give one with all its hours"
    for pin in problem.pins:
        name = pin_name(pin.member_id, pin.project_id)
        if missing := _missing(pin.member_id, pin.project_id, members, projects):
            yield name, missing
        if (pin.member_id, pin.project_id) in excluded:
            yield name, "the same member is excluded from the project; take one of the two away"
        if wrong := _number(pin.hours, _MOST_HOURS):
            yield name, f"{wrong}; give hours above 0"
        elif not pin.hours:
            yield name, "pins no hours; exclude the member from the project instead"
        if pin.by_day is not None:
            yield from ((name, wrong) for wrong in _pin_days(pin, members.get(pin.member_id), days, problem))


def _pin_days(pin: Pin, member: PlanMember | None, days: frozenset[date], problem: PlanProblem) -> Iterator[str]:
    by_day = pin.by_day or {}
    wrong = list(_days(by_day, days, problem))
    yield from wrong
    if not wrong and sum(by_day.values(), NO_HOURS) != pin.hours:
        yield f"its days have {sum(by_day.values(), NO_HOURS)} hours, the pin has {pin.hours}; make them agree"
    if member is None or wrong:
        return
    for day, hours in sorted(by_day.items()):
        if hours and not member.hours.get(day, NO_HOURS):
            why = f"{member.off[day]} hours off" if member.off.get(day) else "a day off"
            yield f"{hours} hours on {day:%A} {day}, when {pin.member_id} has {why}; move or remove them"


def _pin_sums(problem: PlanProblem) -> _Found:
    """Pins together against the hours of a member and of their days, overtime included."""
    members, _ = _ids(problem)
    by_member: defaultdict[str, list[Pin]] = defaultdict(list)
    for pin in problem.pins:
        sound = not _number(pin.hours, _MOST_HOURS) and not any(
            _number(hours, HOURS_A_DAY) for hours in (pin.by_day or {}).values()
        )
        if sound and pin.member_id in members and not _unsound(members[pin.member_id]):
            by_member[pin.member_id].append(pin)
    for member_id, pins in by_member.items():
        member = members[member_id]
        shown = ", ".join(f"{pin.hours} on {pin.project_id}" for pin in pins)
        name = f"pins of {member_id}"
        pinned: Counter[date] = Counter()
        for pin in pins:
            pinned.update(dict(pin.by_day or {}))
        room = {day: HOURS_A_DAY - hours for day, hours in member.hours.items() if hours}
        over = {day: hours - member.hours.get(day, NO_HOURS) for day, hours in pinned.items()}
        for day, excess in sorted(over.items()):
            if member.hours.get(day) and excess > min(room[day], member.overtime_hours):
                yield (
                    name,
                    f"{pinned[day]} hours on {day:%A} {day}, when they have {_worked(member, day)}; pin fewer",
                )
        # What is pinned on a day stands; pins without days take no more overtime of one than is allowed.
        placed = (
            max(min(most, problem.overtime_hours_a_day), over.get(day, NO_HOURS)) for day, most in room.items()
        )
        overtime = min(member.overtime_hours, sum(placed, NO_HOURS))
        total = sum((pin.hours for pin in pins), NO_HOURS)
        most = sum(member.hours.values(), NO_HOURS) + overtime
        by_days = sum((max(excess, NO_HOURS) for excess in over.values()), NO_HOURS)
        if total > most:
            yield name, f"{total} hours ({shown}) exceed the {most} that they have this week; pin fewer"
        elif by_days > overtime:
            yield name, f"{by_days} hours above those of their days exceed the {overtime} of overtime; pin fewer"


def _pin_limits(problem: PlanProblem) -> _Found:
    by_member = Counter(pin.member_id for pin in problem.pins)
    by_project = Counter(pin.project_id for pin in problem.pins)
    for member in problem.members:
        if member.max_projects is not None and by_member[member.member_id] > member.max_projects:
            pins = by_member[member.member_id]
            yield (
                f"pins of {member.member_id}",
                f"{pins} projects, at most {member.max_projects} allowed; pin fewer",
            )
    for project in problem.projects:
        if project.max_people is not None and by_project[project.project_id] > project.max_people:
            pins = by_project[project.project_id]
            yield (
                f"pins on {project.project_id}",
                f"{pins} people, at most {project.max_people} allowed; pin fewer",
            )


def _ids(problem: PlanProblem) -> tuple[Mapping[str, PlanMember], Mapping[str, PlanProject]]:
    return (
        {member.member_id: member for member in problem.members},
        {project.project_id: project for project in problem.projects},
    )


def _missing(member: str, project: str, members: Mapping[str, object], projects: Mapping[str, object]) -> str:
    gone = [f"member {member}"] * (member not in members) + [f"project {project}"] * (project not in projects)
    return f"{' and '.join(gone)} not in the problem; remove it or add who it names" if gone else ""


def _worked(member: PlanMember, day: date) -> str:
    off = member.off.get(day, NO_HOURS)
    return f"{member.hours[day]}" + (f" beside {off} hours off" if off else "")


def _unsound(member: PlanMember) -> bool:
    return any(_number(hours, HOURS_A_DAY) for hours in (*member.hours.values(), member.overtime_hours))


def _days(hours: Mapping[date, Decimal], days: frozenset[date], problem: PlanProblem) -> Iterator[str]:
    for day, value in hours.items():
        if day not in days:
            yield f"{day} lies outside {problem.week} ({problem.week.monday} to {problem.week.sunday})"
        elif wrong := _number(value, HOURS_A_DAY):
            yield f"{day}: {wrong}; a day has 0 to 24 hours"
        elif value and problem.since is not None and day < problem.since:
            yield f"{day} has passed; {problem.week} is planned from {problem.since} on"


def _number(value: object, most: Decimal, *, places: bool = True) -> str:
    if not isinstance(value, Decimal):
        return f"{value!r} is no Decimal"
    if not value.is_finite():
        return f"{value} is no number"
    if value < 0:
        return f"{value} is negative"
    if value > most:
        return f"{value} is above {most}"
    return f"{value} has more than two places" if places and value % _CENTS else ""


def _repeated(what: str, names: Iterable[str]) -> _Found:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{what} {name}", f"is in the problem {count} times; give it once"
