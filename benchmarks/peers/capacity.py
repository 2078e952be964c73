"""The capacity benchmark's contenders: our flow and our whole plan, and what else a user would write.

Belongs here: one class a contender, made ready before it is timed. Does not belong here: the instances
(capacity_instances.py) and the sizes (capacity.py).
The solvers get the same arcs in memory and answer with the objective in whole points; greedy begins with the
problem, reaches less, and so is not compared for equality. None: not solved in ten minutes.
"""

import math
import pickle
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import highspy
import numpy as np

from prism_core.capacity.flow import cheapest
from prism_core.capacity.network import Extra, network
from prism_core.capacity.offers import tables
from prism_core.capacity.plan import Assignment
from prism_core.capacity.problem import DemandLine, PlanProblem
from prism_core.capacity.scoring import Scorer, surplus
from prism_core.capacity.solve import solve

SECONDS = 600.0
_POINTS = 10_000


class OfProblem:
    share = 1

    def __init__(self, path: Path) -> None:
        self.problem: PlanProblem = pickle.loads(path.read_bytes())  # noqa: S301 - written by this benchmark


class OfArcs(OfProblem):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.arcs = network(tables(self.problem), self.problem.weights, Extra())

    def told(self, worth: float) -> str:
        return _told((worth + self.arcs.constant) / _POINTS)


def _told(points: float) -> str:
    """Whole points, downwards; a little above, so that a float just below a whole point tells that point."""
    return str(math.floor(points + 0.001))


class WholePlan(OfProblem):
    """From the description to the plan: checks, arrays, flow, days, plan, and the count of it."""

    def __call__(self) -> str:
        return _told(float(solve(self.problem).objective))


class Flow(OfArcs):
    """OR-Tools' minimum-cost flow, as the engine calls it."""

    def __call__(self) -> str:
        return self.told(float(cheapest(self.arcs) @ self.arcs.worth))


class HighsLp(OfArcs):
    """The same network as a linear program: HiGHS chooses the method."""

    def __call__(self) -> str | None:
        arcs, columns = self.arcs, len(self.arcs.tail)
        number = np.arange(columns)
        starts = 2 * np.arange(columns)
        index = np.stack([arcs.tail, arcs.head], axis=1).ravel()
        value = np.tile([1.0, -1.0], columns)
        supplies = arcs.supplies.astype(np.float64)
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)  # noqa: FBT003 - the signature of HiGHS
        solver.passModel(
            columns, arcs.nodes, len(index), 1, -1, 0.0, arcs.worth.astype(np.float64), np.zeros(columns),
            arcs.capacity.astype(np.float64), supplies, supplies, starts.astype(np.int32), index.astype(np.int32),
            value, np.zeros(len(number), np.int32),
        )  # fmt: skip
        solver.setOptionValue("time_limit", SECONDS)
        solver.run()
        solved = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return self.told(solver.getInfo().objective_function_value) if solved else None


class Greedy(OfProblem):
    """The most valuable lines first, each to its best members that still have hours."""

    def __call__(self) -> None:
        greedy_points(self.problem)


def greedy_points(problem: PlanProblem) -> Decimal:
    """The objective of the greedy plan."""
    scorer = Scorer(problem)
    left = {member.member_id: sum(member.hours.values(), Decimal(0)) for member in problem.members}
    given: defaultdict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    by_skill: defaultdict[str, list[str]] = defaultdict(list)
    skills = {member.member_id: member.skills for member in problem.members}
    for member in problem.members:
        for skill in member.skills:
            by_skill[skill].append(member.member_id)

    def worth(line: DemandLine, member_id: str) -> int:
        known = problem.previous.get((member_id, line.project_id), Decimal(0)) > 0
        return sum(scorer.hour(member_id, line.line_id).values()) + 500 * known

    priority = {project.project_id: project.priority for project in problem.projects}
    for line in sorted(problem.lines, key=lambda one: (priority[one.project_id], one.line_id)):
        needed = line.hours
        able = [who for who in by_skill[next(iter(line.skills))] if surplus(skills[who], line.skills) is not None]
        for who in sorted(able, key=lambda who: (-worth(line, who), who)):
            taken = min(needed, left[who])
            if taken > 0:
                given[who, line.project_id][line.line_id] = taken
                left[who] -= taken
                needed -= taken
    days = {member.member_id: list(member.hours.items()) for member in problem.members}
    return sum(scorer.terms(list(_laid(given, days))).values(), Decimal(0))


def _laid(given: dict, days: dict) -> list[Assignment]:
    """On days, one project after the other."""
    made: list[Assignment] = []
    for (who, project_id), lines in given.items():
        needed = hours = sum(lines.values(), Decimal(0))
        by_day = {}
        while needed:
            day, room = days[who].pop()
            by_day[day] = min(room, needed)
            needed -= by_day[day]
            if room > by_day[day]:
                days[who].append((day, room - by_day[day]))
        made.append(Assignment(who, project_id, hours, by_day, lines))
    return made
