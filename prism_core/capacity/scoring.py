"""What a plan is worth, hour by hour and as a whole, by the words of docs/capacity.md.

Belongs here: the terms of the objective, computed from a plan alone. Does not belong here: finding the plan: the
solver has the same terms as arrays (arrays.py), and every plan is counted again with these.
Points and hours are integers of hundredths inside, so that both counts agree to the last digit.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

from prism_core.capacity.plan import Assignment
from prism_core.capacity.problem import (
    DemandLine,
    Pair,
    PlanMember,
    PlanProblem,
    PlanProject,
    Weights,
)

TERMS: Final = ("priority", "sla", "continuity", "level", "quality", "overtime", "fairness")
QUARTERS: Final = 4
_QUARTER_HOUR: Final = 25
_POINTS: Final = Decimal(10_000)


def hundredths(value: Decimal) -> int:
    """Hours or points of two places as an integer of hundredths."""
    return int(value * 100)


@lru_cache(maxsize=1 << 14)
def hours_of(amount: int) -> Decimal:
    """Hundredths of an hour as hours."""
    return Decimal(amount).scaleb(-2)


def points_of(amount: int) -> Decimal:
    """Hundredths of a point and hour as points, four places."""
    return Decimal(amount).scaleb(-4)


def quarters(available: int) -> tuple[int, ...]:
    """Where the quarters of a member's hours begin and end, in hundredths, on whole quarter hours."""
    inner = (available * number // QUARTERS // _QUARTER_HOUR * _QUARTER_HOUR for number in range(1, QUARTERS))
    return (0, *inner, available)


def rates(weights: Weights) -> tuple[int, ...]:
    """Points off for an hour in each quarter, in hundredths."""
    return tuple(hundredths(weights.fairness) * number // (QUARTERS - 1) for number in range(QUARTERS))


def overtime_rate(weights: Weights) -> int:
    """Points off for an hour of overtime, in hundredths: never less than the last regular hour."""
    return hundredths(weights.overtime) + hundredths(weights.fairness)


def line_value(problem: PlanProblem, project: PlanProject) -> dict[str, int]:
    """The terms of an hour that depend on the project alone, in hundredths of a point."""
    weights, week = problem.weights, problem.week
    near = 0
    if project.sla_date is not None and project.sla_date <= week.sunday:
        near = hundredths(weights.sla_this_week)
    elif project.sla_date is not None and project.sla_date <= (week + 1).sunday:
        near = hundredths(weights.sla_next_week)
    return {"priority": hundredths(weights.priority[project.priority - 1]), "sla": near}


def surplus(skills: Mapping[str, int], need: Mapping[str, int]) -> int | None:
    """Levels above the need, of the skill that is least above it; None without every skill, 0 without a need."""
    least = min((skills.get(skill, 0) - level for skill, level in need.items()), default=0)
    return None if least < 0 else least


def shortfall(weights: Weights, target: Decimal | None, score: Decimal | None) -> int:
    """Points off per hour for a score below the target, in hundredths, halves up."""
    below = Decimal(0) if target is None or score is None else max(target - score, Decimal(0))
    return int((below * 10_000 * weights.quality).to_integral_value(ROUND_HALF_UP))


def last_end(problem: PlanProblem, lines: Iterable[DemandLine]) -> date:
    """The last day of the lines of a project. Only those that end then count for continuity and kept hours."""
    return max((problem.ends(line) for line in lines), default=problem.week.sunday)


class Scorer:
    """The worth of hours in one problem."""

    def __init__(self, problem: PlanProblem) -> None:
        self._problem = problem
        self._members = {member.member_id: member for member in problem.members}
        projects = {project.project_id: project for project in problem.projects}
        self._targets = {name: project.quality_target for name, project in projects.items()}
        self._lines = {line.line_id: line for line in problem.lines}
        of_project: defaultdict[str, list[DemandLine]] = defaultdict(list)
        for line in problem.lines:
            of_project[line.project_id].append(line)
        self._last = {project: last_end(problem, lines) for project, lines in of_project.items()}
        self._rates, self._overtime = rates(problem.weights), overtime_rate(problem.weights)
        self._value = {name: line_value(problem, project) for name, project in projects.items()}

    def hour(self, member_id: str, line_id: str) -> dict[str, int]:
        """The terms of one hour of a member on a line in hundredths, but for continuity, overtime and fairness."""
        line, problem = self._lines[line_id], self._problem
        levels = surplus(self._members[member_id].skills, line.skills) or 0
        score = problem.quality.get((member_id, line.project_id))
        return {
            **self._value[line.project_id],
            "level": levels * hundredths(problem.weights.level_surplus),
            "quality": -shortfall(problem.weights, self._targets[line.project_id], score),
        }

    def counts_as_kept(self, line_id: str) -> bool:
        """Whether hours on the line count for continuity and as kept."""
        line = self._lines[line_id]
        return self._problem.ends(line) == self._last[line.project_id]

    def terms(self, assignments: Sequence[Assignment]) -> dict[str, Decimal]:
        """Every term of the objective of a plan, in points; they sum to the objective."""
        found: dict[str, int] = dict.fromkeys(TERMS, 0)
        days: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
        for one in assignments:
            kept = 0
            for line_id, hours in one.by_line.items():
                amount = hundredths(hours)
                for term, points in self.hour(one.member_id, line_id).items():
                    found[term] += points * amount
                kept += amount if self.counts_as_kept(line_id) else 0
            before = hundredths(self._problem.previous.get(one.pair, Decimal(0)))
            found["continuity"] += hundredths(self._problem.weights.continuity) * min(kept, before)
            for day, hours in one.by_day.items():
                days[one.member_id][day] += hundredths(hours)
        for member_id, by_day in days.items():
            overtime, fairness = self._load(self._members[member_id], by_day)
            found["overtime"] -= overtime
            found["fairness"] -= fairness
        return {term: points_of(amount) for term, amount in found.items()}

    def _load(self, member: PlanMember, by_day: Mapping[date, int]) -> tuple[int, int]:
        """Points off for overtime (its share of fairness included) and for the load within the hours."""
        regular = sum(min(amount, hundredths(member.hours.get(day, Decimal(0)))) for day, amount in by_day.items())
        over = sum(by_day.values()) - regular
        bounds = quarters(sum(map(hundredths, member.hours.values())))
        fairness = sum(
            rate * max(0, min(regular, end) - begin)
            for rate, begin, end in zip(self._rates, bounds, bounds[1:], strict=False)
        )
        return over * self._overtime, fairness


def moved_hours(published: Mapping[Pair, Decimal], assignments: Iterable[Assignment]) -> Decimal:
    """Published hours that a plan takes from where they were."""
    now = {one.pair: one.hours for one in assignments}
    return sum(
        (max(hours - now.get(pair, Decimal(0)), Decimal(0)) for pair, hours in published.items()), Decimal(0)
    )
