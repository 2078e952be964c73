"""What explanations of a plan stand on: the plan as a flow, what can change in it, and what is taken as given.

Belongs here: the network of a plan with its choices. Does not belong here: what is read from it (explain.py,
lifting.py).
Where limits make the week more than a network, the choice of people stands as the plan made it: a limited pair
without hours stays closed, one with hours keeps its shortest piece, and published hours that were kept stay. Among
all plans with these choices ours is the best, so that every cost is one of planning again with the same choices.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final

import numpy as np

from prism_core.capacity.explanation import Constraint
from prism_core.capacity.flow import cheapest
from prism_core.capacity.limits import Limits, limited, limits_of
from prism_core.capacity.network import NONE, Extra, Network, network
from prism_core.capacity.offers import Tables, tables
from prism_core.capacity.plan import PlanResult, PlanState
from prism_core.capacity.planned import Pairs, flow_of, foreign
from prism_core.capacity.problem import HOURS_A_DAY, NO_HOURS, PlanProblem
from prism_core.capacity.residual import NotBest, Residual, residual
from prism_core.capacity.scoring import Scorer, hundredths, points_of
from prism_core.capacity.supply import Flags, Ints, numbered, sums

# Far beyond the length of any path seen; a plan that hours were taken from to fit its days has no potentials.
_ROUNDS: Final = 1_000
# More hours than a week has, in hundredths.
_ENDLESS: Final = 2**20


@dataclass(frozen=True)
class Grounds:
    """A plan, its problem in arrays, its flow with what can change, and the pairs that may be used."""

    problem: PlanProblem
    plan: PlanResult
    found: Tables
    limits: Limits
    pairs: Pairs
    allowed: Flags
    arcs: Network
    amount: Ints
    graph: Residual
    relative_to: tuple[Constraint, ...]

    @cached_property
    def towards(self) -> Residual:
        return self.graph.towards()

    @cached_property
    def given_up(self) -> Decimal:
        """Points of the flow beyond those of the plan."""
        return points_of(int(self.amount @ self.arcs.worth) + self.arcs.constant) - self.plan.objective

    @cached_property
    def scorer(self) -> Scorer:
        return Scorer(self.problem)

    @cached_property
    def slot_node(self) -> Ints:
        """The node of every slot: that of its owner, or one of its own where the owner has several."""
        slots, owners = self.found.slots, len(self.found.supply.regular)
        nodes = 1 + slots.owner
        apart = np.flatnonzero(slots.count[slots.owner] > 1)
        nodes[apart] = 1 + owners + len(self.found.line_hours) + np.arange(len(apart))
        return nodes

    @cached_property
    def overtime_room(self) -> Ints:
        """How much more overtime the days of every slot of a member can hold, were more allowed in the week."""
        problem, slots = self.problem, self.found.slots
        load: Counter[tuple[str, date]] = Counter()
        for one in self.plan.assignments:
            load.update({(one.member_id, day): hours for day, hours in one.by_day.items()})
        room = np.zeros(len(slots.owner), np.int64)
        for index, member in enumerate(problem.members):
            for number, day in enumerate(problem.week.days):
                slot, hours = slots.of_day[index, number], member.hours.get(day, NO_HOURS)
                most = min(HOURS_A_DAY - hours, problem.overtime_hours_a_day)
                if slot != NONE and hours:
                    over = max(load[member.member_id, day] - hours, NO_HOURS)
                    room[slot] += hundredths(max(most - over, NO_HOURS))
        return room

    @cached_property
    def line_node(self) -> Ints:
        return 1 + len(self.found.supply.regular) + np.arange(len(self.found.line_hours))

    @cached_property
    def used(self) -> Flags:
        """The free pairs with hours."""
        with_hours = np.zeros(len(self.found.pair_owner), np.bool_)
        with_hours[[self.pairs.of(one) for one in self.plan.assignments if not one.pinned]] = True
        return with_hours

    @cached_property
    def people(self) -> Ints:
        """How many people each project has beside its pins."""
        return np.bincount(self.found.pair_project[self.used], minlength=len(self.limits.people))

    @cached_property
    def projects(self) -> Ints:
        """How many projects each member has beside their pins."""
        return np.bincount(self.found.pair_member[self.used], minlength=len(self.limits.projects))


def grounds(problem: PlanProblem, plan: PlanResult) -> Grounds:
    """What explanations of a plan stand on. Raises PermanentFailure when the plan is not one of the problem."""
    _same(problem, plan)
    found = tables(problem)
    limits = limits_of(problem, found)
    pairs = Pairs(problem, found)
    lasting = _lasting(problem, found, pairs, plan)
    closable = limited(found, limits)
    allowed = ~closable | (lasting.used > 0)
    floor = np.where(closable, limits.least, 0)
    if problem.published:
        floor = np.maximum(floor, found.published)
    floor = np.minimum(floor, lasting.hours)
    floor[found.free_pairs :] = 0
    arcs = network(found, problem.weights, Extra(allowed, None, floor if floor.any() else None))
    amount = flow_of(problem, found, pairs, arcs, plan)
    try:
        graph = residual(arcs, amount, spare=_spare(found, arcs, amount), rounds=_ROUNDS)
    except NotBest:
        if plan.state is PlanState.OPTIMUM:
            raise foreign("it is not the best one") from None
        # Days too short for blocks took hours away: costs are those around the best plan with the same people.
        amount = cheapest(arcs)
        graph = residual(arcs, amount, spare=_spare(found, arcs, amount))
    given = _given(found, limits, closable, problem)
    return Grounds(problem, plan, found, limits, pairs, allowed, arcs, amount, graph, given)


def _same(problem: PlanProblem, plan: PlanResult) -> None:
    """Whether the plan is one of the problem, as far as its sums say. Raises PermanentFailure."""
    if plan.week != problem.week:
        raise foreign(f"it is of {plan.week}")
    hours = {one.line_id: one.hours for one in plan.unmet}
    for one in plan.assignments:
        for line_id, met in one.by_line.items():
            hours[line_id] = hours.get(line_id, NO_HOURS) + met
    if hours != {line.line_id: line.hours for line in problem.lines}:
        raise foreign("its demand is another")
    people = [(one.member_id, sum(one.hours.values(), NO_HOURS)) for one in problem.members]
    if people != [(one.member_id, one.available) for one in plan.loads]:
        raise foreign("its members or their hours are others")
    if sum(Scorer(problem).terms(plan.assignments).values()) != plan.objective:
        raise foreign("its hours are worth something else")


def _spare(found: Tables, arcs: Network, amount: Ints) -> Ints:
    """Room that an arc lacks only because its slot has no more hours: new hours of the slot may use it."""
    slots = found.slots
    spare = np.zeros(len(arcs.tail), np.int64)
    entering = np.flatnonzero((arcs.pair != NONE) & (amount == arcs.capacity))
    offer, pair = arcs.offer[entering], arcs.pair[entering]
    kept, number = numbered(arcs.tail[entering] * arcs.nodes + arcs.head[entering])
    total = sums(number, amount[entering], len(kept))[number]
    full = total == (slots.capacity + slots.overtime)[arcs.slot[entering]]
    # Of parallel arcs those of a floor have their hours, those of last week have room for as many as there were.
    of_floor = arcs.cost[entering] != -arcs.worth[entering]
    of_last_week = arcs.worth[entering] > np.append(found.offer_points, 0)[offer]
    most = np.append(found.line_hours[found.offer_line], _ENDLESS)[offer]
    most = np.where(of_last_week, np.minimum(most, found.previous[pair]), most)
    spare[entering] = np.where(full & ~of_floor, np.maximum(most - total, 0), 0)
    return spare


@dataclass(frozen=True, slots=True)
class _Lasting:
    used: Ints
    hours: Ints


def _lasting(problem: PlanProblem, found: Tables, pairs: Pairs, plan: PlanResult) -> _Lasting:
    """Hours by pair, all of them and those on lasting lines."""
    scorer, lasts = Scorer(problem), dict[str, bool]()
    made = _Lasting(np.zeros(len(found.pair_owner), np.int64), np.zeros(len(found.pair_owner), np.int64))
    for one in plan.assignments:
        pair = pairs.of(one)
        made.used[pair] = hundredths(one.hours)
        for line_id in one.by_line:
            lasts.setdefault(line_id, scorer.counts_as_kept(line_id))
        made.hours[pair] = hundredths(sum((hours for line, hours in one.by_line.items() if lasts[line]), NO_HOURS))
    return made


def _given(found: Tables, limits: Limits, closable: Flags, problem: PlanProblem) -> tuple[Constraint, ...]:
    """What the explanation takes as given."""
    member, project = found.pair_member[closable], found.pair_project[closable]
    of_member = np.bincount(member, minlength=len(limits.projects))
    of_project = np.bincount(project, minlength=len(limits.people))
    people = (limits.people < of_project).any() or (limits.fewest[project] > 0).any()
    whether = (
        (Constraint.PEOPLE_LIMIT, people),
        (Constraint.PROJECT_LIMIT, (limits.projects < of_member).any()),
        (Constraint.BLOCK, (limits.block[closable] > 0).any()),
        (Constraint.PUBLISHED, bool(problem.published)),
    )
    return tuple(constraint for constraint, holds in whether if holds)
