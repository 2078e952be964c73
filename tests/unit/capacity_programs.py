"""A week to plan as a linear program of its own: hours by member, day and line, with wishes as constraints.

Belongs here: the judge of explanations and of limits of people, which shares no code with the engine. Does not
belong here: tests.
Days of pins must be given. Blocks are not known here; of limits of people and projects every choice is tried.
"""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise

import highspy
import numpy as np

from prism_core.capacity.problem import Pair, PlanProblem

_QUARTER_HOUR = Decimal("0.25")


@dataclass(frozen=True)
class Wishes:
    """What a plan must do beside the problem: hours by pair at most and at least, hours met by line or project.

    `also`: hours of a member on a line that they may not work on, so many exactly. `kept`: hours by pair at least
    on lines that last as long as the project's. `on_line`: hours of a member on a line at least.
    """

    closed: frozenset[Pair] = frozenset()
    kept: Mapping[Pair, Decimal] = field(default_factory=dict)
    at_most: Mapping[Pair, Decimal] = field(default_factory=dict)
    at_least: Mapping[Pair, Decimal] = field(default_factory=dict)
    met_at_least: Mapping[str, Decimal] = field(default_factory=dict)
    met_of_project: Mapping[str, Decimal] = field(default_factory=dict)
    also: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    on_line: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)


def most_points(problem: PlanProblem, wishes: Wishes | None = None) -> float | None:
    """The objective of the best plan that does what is wished; None when there is none."""
    return _Program(problem, wishes or Wishes()).solve()


def best_of_all_choices(problem: PlanProblem) -> float:
    """The objective of the best plan within the limits of people and projects; blocks are not looked at."""
    pins = {(pin.member_id, pin.project_id) for pin in problem.pins}
    gone = {(one.member_id, one.project_id) for one in problem.exclusions}
    free = sorted(
        {
            (one.member_id, line.project_id)
            for one in problem.members
            for line in problem.lines
            if all(one.skills.get(name, 0) >= need for name, need in line.skills.items())
        }
        - pins
        - gone
    )
    together = {
        one.project_id
        for one in problem.projects
        if one.min_people > 1 and one.project_id not in {project for _, project in pins}
    }
    best = -math.inf
    for number in range(len(free) + 1):
        for used in itertools.combinations(free, number):
            if _within_limits(problem, {*used, *pins}, together):
                present = {pair: _QUARTER_HOUR for pair in used if pair[1] in together}
                wishes = Wishes(closed=frozenset(free) - frozenset(used), at_least=present)
                points = most_points(problem, wishes)
                best = best if points is None else max(best, points)
    return best


def _within_limits(problem: PlanProblem, used: Collection[Pair], together: Collection[str]) -> bool:
    projects, people = Counter(member for member, _ in used), Counter(project for _, project in used)
    return all(
        one.max_projects is None or projects[one.member_id] <= one.max_projects for one in problem.members
    ) and all(
        (one.max_people is None or people[one.project_id] <= one.max_people)
        and (one.project_id not in together or not 0 < people[one.project_id] < one.min_people)
        for one in problem.projects
    )


class _Program:
    def __init__(self, problem: PlanProblem, wishes: Wishes) -> None:
        self.problem, self.wishes = problem, wishes
        self.solver = highspy.Highs()
        self.solver.setOptionValue("output_flag", False)  # noqa: FBT003 - of HiGHS
        self.costs: list[float] = []
        self.of_pair: defaultdict[Pair, list[int]] = defaultdict(list)
        self.lasting: defaultdict[Pair, list[int]] = defaultdict(list)
        self.of_line: defaultdict[str, list[int]] = defaultdict(list)
        self.of_day: defaultdict[tuple[str, object], list[int]] = defaultdict(list)
        self.of_member: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self.projects = {one.project_id: one for one in problem.projects}
        self.pins = {(pin.member_id, pin.project_id): pin for pin in problem.pins}
        for member in problem.members:
            self._hours(member)
        for member in problem.members:
            self._load(member)
        self._continuity()
        self._wishes()

    def column(self, worth: Decimal, most: Decimal | None = None) -> int:
        number = len(self.costs)
        self.costs.append(float(worth))
        self.solver.addVar(0.0, highspy.kHighsInf if most is None else float(most))
        self.solver.changeColCost(number, -float(worth))
        return number

    def row(self, columns: Iterable[int], least: Decimal | None, most: Decimal | None, *minus: int) -> None:
        columns = list(columns)
        values = [1.0] * len(columns) + [-1.0] * len(minus)
        low = -highspy.kHighsInf if least is None else float(least)
        high = highspy.kHighsInf if most is None else float(most)
        self.solver.addRow(low, high, len(values), np.array([*columns, *minus], np.int32), np.array(values))

    def solve(self) -> float | None:
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return -self.solver.getInfo().objective_function_value

    def _hours(self, member) -> None:
        problem, wishes = self.problem, self.wishes
        gone = {(one.member_id, one.project_id) for one in problem.exclusions} | wishes.closed
        ends: defaultdict[str, list] = defaultdict(list)
        for line in problem.lines:
            ends[line.project_id].append(problem.ends(line))
        for day, hours in member.hours.items():
            if not hours:
                continue
            for line in problem.lines:
                pair = member.member_id, line.project_id
                able = all(member.skills.get(name, 0) >= need for name, need in line.skills.items())
                also = (member.member_id, line.line_id) in wishes.also
                if day > problem.ends(line) or (
                    not also and not (pair in self.pins or (able and pair not in gone))
                ):
                    continue
                number = self.column(self._worth(member, line))
                self.of_day[member.member_id, day].append(number)
                self.of_line[line.line_id].append(number)
                self.of_pair[pair].append(number)
                if problem.ends(line) == max(ends[line.project_id]):
                    self.lasting[pair].append(number)
                self.of_member[member.member_id, line.line_id].append(number)
                if also:
                    self.of_day[member.member_id, line.line_id].append(number)
        for pair, pin in self.pins.items():
            if pair[0] == member.member_id:
                for day in (day for day, hours in member.hours.items() if hours):
                    hours = (pin.by_day or {}).get(day, Decimal(0))
                    number = self.column(Decimal(0))
                    today = set(self.of_day[member.member_id, day])
                    self.row([*(set(self.of_pair[pair]) & today), number], hours, hours)
                    self.of_day[member.member_id, day].append(number)

    def _worth(self, member, line) -> Decimal:
        problem, weights = self.problem, self.problem.weights
        project = self.projects[line.project_id]
        worth = weights.priority[project.priority - 1]
        if project.sla_date is not None and project.sla_date <= problem.week.sunday:
            worth += weights.sla_this_week
        elif project.sla_date is not None and project.sla_date <= problem.week.sunday + timedelta(days=7):
            worth += weights.sla_next_week
        above = [member.skills.get(name, 0) - need for name, need in line.skills.items()]
        worth += max(min(above, default=0), 0) * weights.level_surplus
        score = problem.quality.get((member.member_id, line.project_id))
        if score is not None and project.quality_target is not None:
            worth -= max(project.quality_target - score, Decimal(0)) * 100 * weights.quality
        return worth

    def _load(self, member) -> None:
        weights, a_day = self.problem.weights, self.problem.overtime_hours_a_day
        regular, overtime = [], []
        for day, hours in member.hours.items():
            if not hours:
                continue
            regular.append(self.column(Decimal(0), hours))
            overtime.append(self.column(-(weights.overtime + weights.fairness), min(24 - hours, a_day)))
            self.row(self.of_day[member.member_id, day], Decimal(0), Decimal(0), regular[-1], overtime[-1])
        available = sum(member.hours.values(), Decimal(0))
        cuts = [
            (available * k / 4 / _QUARTER_HOUR).to_integral_value(ROUND_FLOOR) * _QUARTER_HOUR for k in range(4)
        ] + [available]
        segments = [
            self.column(-weights.fairness * k / 3, end - begin) for k, (begin, end) in enumerate(pairwise(cuts))
        ]
        self.row(regular, Decimal(0), Decimal(0), *segments)
        self.row(overtime, None, member.overtime_hours)

    def _continuity(self) -> None:
        for pair, hours in self.problem.previous.items():
            if self.lasting[pair]:
                number = self.column(self.problem.weights.continuity, hours)
                self.row([number], None, Decimal(0), *self.lasting[pair])

    def _wishes(self) -> None:
        wishes, of_project = self.wishes, defaultdict(list)
        for line in self.problem.lines:
            columns = self.of_line[line.line_id]
            of_project[line.project_id] += columns
            self.row(columns, wishes.met_at_least.get(line.line_id), line.hours)
        for project, hours in wishes.met_of_project.items():
            self.row(of_project[project], None, hours)
        for pair, hours in wishes.at_most.items():
            self.row(self.of_pair[pair], None, hours)
        for pair, hours in wishes.at_least.items():
            self.row(self.of_pair[pair], hours, None)
        for where, hours in wishes.on_line.items():
            self.row(self.of_member[where], hours, None)
        for pair, hours in wishes.kept.items():
            self.row(self.lasting[pair], hours, None)
        for (member, line), hours in wishes.also.items():
            self.row(self.of_day[member, line], hours, hours)
