"""A plan as a flow again: how much runs on every arc of the network that it came from, or from a stored plan.

Belongs here: the amounts on the arcs. Does not belong here: the network (network.py) and what can be learnt from
the flow (explain.py).
A plan says which days and which lines a member's hours on a project have; within the pair the earliest days serve
the lines that end first, and every other arc follows from what enters and leaves its nodes.
"""

import numpy as np

from prism_core.capacity.network import NONE, SINK, Network
from prism_core.capacity.offers import Tables
from prism_core.capacity.plan import Assignment, PlanResult
from prism_core.capacity.problem import Pair, PlanProblem
from prism_core.capacity.scoring import hundredths
from prism_core.capacity.supply import Flags, Ints, numbered, sums
from prism_core.failures import PermanentFailure


class Pairs:
    """The number of every pair of the arrays, and of every offer of a pair to a line."""

    def __init__(self, problem: PlanProblem, found: Tables) -> None:
        members = [one.member_id for one in problem.members]
        projects = [one.project_id for one in problem.projects]
        columns = zip(found.pair_member.tolist(), found.pair_project.tolist(), strict=True)
        # Pins lie behind the free pairs; no pair is both.
        self.number: dict[Pair, int] = {
            (members[member], projects[project]): pair for pair, (member, project) in enumerate(columns)
        }
        self.lines = {line.line_id: index for index, line in enumerate(problem.lines)}

    def of(self, one: Assignment) -> int:
        """The pair of an assignment. Raises PermanentFailure when the problem has none."""
        if one.pair not in self.number:
            raise foreign(f"{one.member_id} cannot work on {one.project_id}")
        return self.number[one.pair]


def flow_of(problem: PlanProblem, found: Tables, pairs: Pairs, arcs: Network, plan: PlanResult) -> Ints:
    """The amounts on the arcs, in hundredths of hours. Raises PermanentFailure when the plan does not fit them."""
    pair, slot, offer, hours = _pieces(problem, found, pairs, plan)
    amount = np.zeros(len(arcs.tail), np.int64)
    direct: Flags = np.zeros(len(found.offer_pair) + 1, np.bool_)
    straight = (arcs.offer != NONE) & (arcs.pair != NONE)
    direct[arcs.offer[straight]] = True
    direct[NONE] = False
    slots = max(len(found.slots.owner), 1)

    # What reaches a line at once, what enters a pair, what leaves it for a line.
    here, through = direct[offer], ~direct[offer] & (offer != NONE)
    _fill(arcs, amount, straight, arcs.offer * slots + arcs.slot, offer[here] * slots + slot[here], hours[here])
    entering = (arcs.pair != NONE) & ~straight
    codes = pair[through] * slots + slot[through]
    _fill(arcs, amount, entering, arcs.pair * slots + arcs.slot, codes, hours[through])
    leaving = (arcs.offer != NONE) & ~straight
    _fill(arcs, amount, leaving, arcs.offer, offer[through], hours[through])

    # Inside the pairs, from owners to slots, and into the sink: what enters a node leaves it.
    rest: Flags = (arcs.offer == NONE) & (arcs.pair == NONE)
    inner: Flags = np.isin(arcs.tail, arcs.head[entering]) & rest
    _fill(arcs, amount, inner, arcs.tail, arcs.head[entering], amount[entering])
    to_slot = rest & ~inner & (arcs.head != SINK)
    given = np.flatnonzero((arcs.pair != NONE) & np.isin(arcs.tail, arcs.head[to_slot]))
    _fill(arcs, amount, to_slot, arcs.head, arcs.tail[given], amount[given])
    to_sink = rest & (arcs.head == SINK)
    balance = arcs.supplies + _through(arcs, amount, ~to_sink)
    nodes = np.unique(arcs.tail[to_sink])
    _fill(arcs, amount, to_sink, arcs.tail, nodes, balance[nodes])
    if (arcs.supplies + _through(arcs, amount, np.ones(len(amount), np.bool_))).any():
        raise foreign("its hours do not add up")
    return amount


def _pieces(problem: PlanProblem, found: Tables, pairs: Pairs, plan: PlanResult) -> tuple[Ints, Ints, Ints, Ints]:
    """Pair, slot, offer (NONE beyond the demand) and hours: the days of every assignment over its lines."""
    week = {day: index for index, day in enumerate(problem.week.days)}
    numbers = [pairs.of(one) for one in plan.assignments]
    days = [
        (pair, week[day], hundredths(hours))
        for pair, one in zip(numbers, plan.assignments, strict=True)
        for day, hours in one.by_day.items()
    ]
    lines = [
        (pair, pairs.lines[line], hundredths(hours))
        for pair, one in zip(numbers, plan.assignments, strict=True)
        for line, hours in one.by_line.items()
    ]
    beyond = [
        (pair, NONE, hundredths(one.beyond_demand))
        for pair, one in zip(numbers, plan.assignments, strict=True)
        if one.beyond_demand
    ]
    day_pair, day, day_hours = np.array(days, np.int64).reshape(-1, 3).T
    line_pair, line, line_hours = np.array(lines + beyond, np.int64).reshape(-1, 3).T
    slot = found.slots.of_day[found.pair_owner[day_pair], day]
    if (slot == NONE).any():
        raise foreign("it has hours on a day off")
    order = np.lexsort((day, day_pair))
    ends = np.append(found.line_end, np.iinfo(np.int64).max)
    line_order = np.lexsort((line, ends[line], line_pair))
    day_ends, line_ends = np.cumsum(day_hours[order]), np.cumsum(line_hours[line_order])
    cuts = np.unique(np.concatenate([day_ends, line_ends]))
    from_day, from_line = np.searchsorted(day_ends, cuts), np.searchsorted(line_ends, cuts)
    if len(cuts) and (from_day[-1] == len(day_ends) or from_line[-1] == len(line_ends)):
        raise foreign("its days and lines differ")
    pair, line = day_pair[order][from_day], line_pair[line_order][from_line]
    if (pair != line).any():
        raise foreign("its days and lines differ")
    which = line_order[from_line]
    return pair, slot[order][from_day], _offers(found, pair, lines, which), np.diff(cuts, prepend=0)


def _offers(found: Tables, pair: Ints, lines: list[tuple[int, int, int]], which: Ints) -> Ints:
    many = max(len(found.line_hours), 1)
    codes = found.offer_pair * many + found.offer_line
    order = np.argsort(codes, kind="stable")
    line = np.array([line for _, line, _ in lines] + [NONE], np.int64)[np.minimum(which, len(lines))]
    wanted = pair * many + line
    at = np.minimum(np.searchsorted(codes, wanted, sorter=order), max(len(codes) - 1, 0))
    offer = order[at] if len(order) else np.zeros(len(pair), np.int64)
    with_line = line != NONE
    if with_line.any() and (codes[offer[with_line]] != wanted[with_line]).any():
        raise foreign("a member lacks the skills of a line")
    return np.where(with_line, offer, NONE)


def _fill(arcs: Network, amount: Ints, which: Flags, codes: Ints, wanted: Ints, hours: Ints) -> None:
    """Hours by code onto the arcs of that code, the cheapest arc first."""
    inside = np.flatnonzero(which)
    order = inside[np.lexsort((arcs.cost[inside], codes[inside]))]
    keys, number = numbered(codes[order])
    at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    if len(wanted) and (not len(keys) or ((keys[at] != wanted) & (hours > 0)).any()):
        raise foreign("hours where none can be")
    total = sums(at, hours, len(keys))
    before = np.cumsum(arcs.capacity[order]) - arcs.capacity[order]
    first = np.searchsorted(number, number)
    amount[order] = np.clip(total[number] - (before - before[first]), 0, arcs.capacity[order])


def _through(arcs: Network, amount: Ints, which: Flags) -> Ints:
    """What enters every node less what leaves it."""
    inside = np.flatnonzero(which)
    entering = sums(arcs.head[inside], amount[inside], arcs.nodes)
    return entering - sums(arcs.tail[inside], amount[inside], arcs.nodes)


def foreign(why: str) -> PermanentFailure:
    """The plan is not one of the problem."""
    return PermanentFailure(f"the plan is not one of this week as it stands now: {why}; plan it again")
