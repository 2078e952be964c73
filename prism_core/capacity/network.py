"""A week to plan as a network: hours flow from their owners over pairs to lines of demand, for points an hour.

Belongs here: nodes, arcs and what a flow on them means. Does not belong here: solving it (flow.py) and limits that
no network can hold (limits.py).
Worth is in hundredths of a point an hour; the sink takes the hours that stay idle too, for the load that they
spare, so that fairness and overtime are arcs like any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from prism_core.capacity.offers import Tables
from prism_core.capacity.problem import Weights
from prism_core.capacity.scoring import hundredths, overtime_rate, rates
from prism_core.capacity.supply import Flags, Ints, numbered, sums

SINK: Final = 0
NONE: Final = -1
_UNLIMITED: Final = 2**40
_COLUMNS: Final = ("tail", "head", "capacity", "worth", "cost", "kept", "offer", "pair", "slot")


@dataclass(frozen=True, slots=True)
class Extra:
    """What the network is built with beside the problem.

    Pairs that may be used (None: all). Points for a published hour that stays where it is (None: of no matter; 0:
    of equal plans, the one that keeps the most). Hours by pair that are worth more than anything else: the blocks
    that the search for limits tries.
    """

    allowed: Flags | None = None
    kept_points: int | None = None
    floor: Ints | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Arcs in arrays: `offer` is set where hours reach a line for it, `pair` and `slot` where they enter a pair.

    `worth` is what a unit adds to the objective, `cost` what the solver sees: worth and what is extra, negated.
    `kept` is 1 where a published hour stays. `constant`: the objective when all hours are worked and earn nothing.
    """

    tail: Ints
    head: Ints
    capacity: Ints
    worth: Ints
    cost: Ints
    kept: Ints
    offer: Ints
    pair: Ints
    slot: Ints
    supplies: Ints
    constant: int

    @property
    def nodes(self) -> int:
        return len(self.supplies)


@dataclass(frozen=True, slots=True)
class Hours:
    """What a flow means, in hundredths: hours by offer, by pair, on lasting lines, by pair and slot (entries)."""

    by_offer: Ints
    lasting: Ints
    entry_pair: Ints
    entry_slot: Ints
    entry_hours: Ints
    by_pair: Ints


class _Arcs:
    def __init__(self) -> None:
        self.parts: list[tuple[Ints, ...]] = []

    def add(
        self,
        tail: Ints,
        head: Ints | int,
        capacity: Ints | int,
        worth: Ints | int = 0,
        offer: Ints | int = NONE,
        pair: Ints | int = NONE,
        slot: Ints | int = NONE,
        step: "_Step | None" = None,
    ) -> None:
        above, kept = (0, 0) if step is None else (step.above, step.kept)
        columns = (tail, head, capacity, worth, -(worth + above), kept, offer, pair, slot)
        self.parts.append(tuple(np.broadcast_to(np.asarray(one, np.int64), tail.shape) for one in columns))

    def columns(self) -> dict[str, Ints]:
        columns = zip(*self.parts, strict=True)
        return {name: np.concatenate(column) for name, column in zip(_COLUMNS, columns, strict=True)}


class _Nodes:
    """The sink, the owners, the lines, then whatever else is asked for."""

    def __init__(self, found: Tables) -> None:
        owners = len(found.supply.regular)
        self.owner = 1 + np.arange(owners)
        self.line = 1 + owners + np.arange(len(found.line_hours))
        self.count = 1 + owners + len(found.line_hours)

    def more(self, count: int) -> Ints:
        self.count += count
        return self.count - count + np.arange(count)


def dearest_arcs(found: Tables) -> int:
    """How many arcs of any worth a cycle can have.

    Two flows differ by cycles, and a cycle meets a node at most once. An arc of any worth touches a line or the
    sink, two of a cycle at each, or is the way through a pair, behind which the next one does.
    """
    return 4 * (len(found.line_hours) + 1) + 2


def dominating(found: Tables, weights: Weights, beside: int = 0) -> int:
    """Points an hour that nothing else can outbid, `beside` included."""
    dearest = int(np.abs(found.offer_points).max(initial=0)) + hundredths(weights.continuity)
    return dearest_arcs(found) * (dearest + overtime_rate(weights) + beside) + 1


def network(found: Tables, weights: Weights, extra: Extra) -> Network:
    """The network of a problem."""
    nodes, arcs = _Nodes(found), _Arcs()
    supplies, slot_node = _owners(found, weights, nodes, arcs)
    arcs.add(nodes.line, SINK, found.line_hours)
    _pairs(found, weights, extra, nodes, arcs, slot_node)
    every = np.zeros(nodes.count, np.int64)
    every[: len(supplies)] = supplies
    every[SINK] = -supplies.sum()
    columns = arcs.columns()
    if extra.kept_points == 0:
        # Kept hours decide between equal plans alone: a point is worth more than a cycle can keep.
        columns["cost"] = columns["cost"] * (dearest_arcs(found) + 1) - columns["kept"]
    return Network(**columns, supplies=every, constant=_full_load(found, weights))


def hours(found: Tables, arcs: Network, flow: Ints) -> Hours:
    """What the flow on the arcs means."""
    reaching = np.flatnonzero((arcs.offer != NONE) & (flow > 0))
    by_offer = sums(arcs.offer[reaching], flow[reaching], len(found.offer_pair))
    entering = np.flatnonzero((arcs.pair != NONE) & (flow > 0))
    # Parallel arcs of one entry are one entry.
    codes = arcs.pair[entering] * max(len(found.slots.owner), 1) + arcs.slot[entering]
    kept, inverse = numbered(codes)
    pairs = len(found.pair_owner)
    lasting = found.offer_lasting
    return Hours(
        by_offer=by_offer,
        lasting=sums(found.offer_pair[lasting], by_offer[lasting], pairs),
        entry_pair=kept // max(len(found.slots.owner), 1),
        entry_slot=kept % max(len(found.slots.owner), 1),
        entry_hours=sums(inverse, flow[entering], len(kept)),
        by_pair=sums(found.offer_pair, by_offer, pairs),
    )


def _owners(found: Tables, weights: Weights, nodes: _Nodes, arcs: _Arcs) -> tuple[Ints, Ints]:
    """Hours of the owners, their way to the slots, and what they spare when they stay idle."""
    given, slots = found.supply, found.slots
    members, owners = given.members, len(given.regular)
    several = slots.count > 1
    slot_node = np.where(several[slots.owner], 0, nodes.owner[slots.owner])
    apart = np.flatnonzero(several[slots.owner])
    slot_node[apart] = nodes.more(len(apart))
    arcs.add(nodes.owner[slots.owner[apart]], slot_node[apart], slots.capacity[apart])

    # Overtime of a member with one slot is more of the same hours; with several it keeps a day's room.
    overtime = np.zeros(owners, np.int64)
    overtime[:members] = given.overtime
    split = np.flatnonzero(several & (overtime > 0))
    overtime_node = nodes.owner.copy()
    overtime_node[split] = nodes.more(len(split))
    room = apart[np.isin(slots.owner[apart], split) & (slots.overtime[apart] > 0)]
    arcs.add(overtime_node[slots.owner[room]], slot_node[room], slots.overtime[room])

    supplies = np.zeros(nodes.count, np.int64)
    supplies[nodes.owner] = given.regular.sum(axis=1)
    supplies[overtime_node] += overtime
    with_overtime = np.flatnonzero(overtime)
    arcs.add(overtime_node[with_overtime], SINK, overtime[with_overtime], overtime_rate(weights))
    _idle(found, weights, nodes, arcs)
    return supplies, slot_node


def _idle(found: Tables, weights: Weights, nodes: _Nodes, arcs: _Arcs) -> None:
    """Idle hours spare the fullest quarters first. Those of a pin beyond the demand are idle too, sparing none."""
    given = found.supply
    pins = nodes.owner[given.members :]
    arcs.add(pins, SINK, given.regular[given.members :].sum(axis=1))
    for number, rate in enumerate(rates(weights)):
        above = np.maximum(given.quarters[:, number], given.pinned)
        capacity = np.maximum(given.quarters[:, number + 1] - above, 0)
        some = np.flatnonzero(capacity)
        arcs.add(nodes.owner[some], SINK, capacity[some], rate)


def _full_load(found: Tables, weights: Weights) -> int:
    """Points off when every hour is worked, those of the pins and of overtime included."""
    widths = np.diff(found.supply.quarters, axis=1).sum(axis=0).tolist()
    load = sum(width * rate for width, rate in zip(widths, rates(weights), strict=True))
    overtime = int(found.supply.overtime.sum() + found.supply.pinned_overtime.sum())
    return -(load + overtime * overtime_rate(weights))


def _pairs(found: Tables, weights: Weights, extra: Extra, nodes: _Nodes, arcs: _Arcs, slot_node: Ints) -> None:
    """Arcs from slots to lines: straight, parallel where the first hours are worth more, else through the pair."""
    slots, pairs = found.slots, len(found.pair_owner)
    used = np.ones(len(found.offer_pair), np.bool_)
    if extra.allowed is not None:
        used = extra.allowed[found.offer_pair] | (found.offer_pair >= found.free_pairs)
    steps = _Steps(found, weights, extra)
    stepped: Flags = np.any(steps.ends > 0, axis=1)
    tied = used & stepped[found.offer_pair] & found.offer_lasting
    lines = np.bincount(found.offer_pair[tied], minlength=pairs)
    one_way = (slots.count[found.pair_owner] == 1) & (lines == 1)

    # Straight: every offer of a pair whose hours are all worth the same.
    straight = np.flatnonzero(used & ~tied)
    offer, slot = _over_slots(found, straight, found.pair_owner[found.offer_pair[straight]])
    early = slots.last_day[slot] <= found.line_end[found.offer_line[offer]]
    offer, slot = offer[early], slot[early]
    most = np.minimum(_most(found, slot), found.line_hours[found.offer_line[offer]])
    head = nodes.line[found.offer_line[offer]]
    arcs.add(slot_node[slot], head, most, found.offer_points[offer], offer, found.offer_pair[offer], slot)

    # Parallel: one slot, one line, and the first hours are worth more.
    offer = np.flatnonzero(tied & one_way[found.offer_pair])
    slot = slots.first[found.pair_owner[found.offer_pair[offer]]]
    early = slots.last_day[slot] <= found.line_end[found.offer_line[offer]]
    offer, slot = offer[early], slot[early]
    most = np.minimum(_most(found, slot), found.line_hours[found.offer_line[offer]])
    for step in steps.of(found.offer_pair[offer], most):
        one, at = offer[step.where], slot[step.where]
        worth, head = found.offer_points[one] + step.worth, nodes.line[found.offer_line[one]]
        arcs.add(slot_node[at], head, step.width, worth, one, found.offer_pair[one], at, step)

    # Through the pair: its hours are counted together before they reach the lines.
    through = np.flatnonzero((lines > 0) & ~one_way)
    enter, leave = np.zeros(pairs, np.int64), np.zeros(pairs, np.int64)
    enter[through], leave[through] = nodes.more(len(through)), nodes.more(len(through))
    offer = np.flatnonzero(tied & ~one_way[found.offer_pair])
    end = np.zeros(pairs, np.int64)
    end[found.offer_pair[offer]] = found.line_end[found.offer_line[offer]]
    pair, slot = _over_slots(found, through, found.pair_owner[through])
    early = slots.last_day[slot] <= end[pair]
    pair, slot = pair[early], slot[early]
    arcs.add(slot_node[slot], enter[pair], _most(found, slot), 0, NONE, pair, slot)
    for step in steps.of(through, np.full(len(through), _UNLIMITED)):
        pair = through[step.where]
        arcs.add(enter[pair], leave[pair], step.width, step.worth, step=step)
    line = found.offer_line[offer]
    worth = found.offer_points[offer]
    arcs.add(leave[found.offer_pair[offer]], nodes.line[line], found.line_hours[line], worth, offer)


def _over_slots(found: Tables, what: Ints, owner: Ints) -> tuple[Ints, Ints]:
    """Every one of `what` with every slot of its owner."""
    count = found.slots.count[owner]
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(what, count), np.repeat(found.slots.first[owner], count) + within


def _most(found: Tables, slot: Ints) -> Ints:
    return found.slots.capacity[slot] + found.slots.overtime[slot]


@dataclass(frozen=True, slots=True)
class _Step:
    """Hours of pairs (`where` of those asked for) that are worth the same: how many, and what they add."""

    where: Ints
    width: Ints
    worth: Ints
    above: Ints
    kept: Ints


class _Steps:
    """The first hours of a pair are worth more: those of last week, published ones, those of a floor."""

    def __init__(self, found: Tables, weights: Weights, extra: Extra) -> None:
        none = np.zeros(len(found.pair_owner), np.int64)
        kept = extra.kept_points or 0
        continuity = hundredths(weights.continuity)
        self._worth = np.array([continuity, 0, 0], np.int64)
        self._above = np.array([0, kept, 0 if extra.floor is None else dominating(found, weights, kept)], np.int64)
        self._kept = np.array([0, 1, 0], np.int64)
        columns = (
            found.previous if continuity else none,
            none if extra.kept_points is None else found.published,
            none if extra.floor is None else extra.floor,
        )
        self.ends = np.stack(columns, axis=1)

    def of(self, pairs: Ints, most: Ints) -> Iterator[_Step]:
        """The steps of these pairs in turn, the dearest first, up to `most` hours in all.

        Steps that more hours would reach are among them, of no width: what can change of a plan asks for them.
        """
        order = np.argsort(self.ends[pairs], axis=1, kind="stable")
        ends = np.take_along_axis(self.ends[pairs], order, axis=1)
        begin = np.zeros(len(pairs), np.int64)
        for number in range(order.shape[1] + 1):
            reach = ends[:, number] if number < order.shape[1] else np.full(len(pairs), _UNLIMITED)
            end = np.minimum(reach, most)
            where = np.flatnonzero(reach > begin)
            still = order[where, number:]
            worth, above, kept = (one[still].sum(axis=1) for one in (self._worth, self._above, self._kept))
            yield _Step(where, (end - begin)[where], worth, above, kept)
            begin = end
