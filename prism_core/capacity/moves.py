"""A published week planned again: how many published hours may leave their place, and what that is worth.

Belongs here: the budget of moves. Does not belong here: the fewest moves of all, which are a price above every
other (network.dominating).
A budget couples all pairs, so it is no network. Its price is: at the right points for an hour kept, two best flows
enclose the budget, and the plan between them is found along the cycles in which they differ. The value at any
price bounds every plan within the budget (Lagrange).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from prism_core.capacity.flow import Flow, best_flow, read
from prism_core.capacity.network import Extra, dominating
from prism_core.capacity.offers import Tables
from prism_core.capacity.problem import Weights
from prism_core.capacity.supply import Ints


@dataclass(frozen=True, slots=True)
class Kept:
    """A flow that keeps what is asked, where there is one; the bound of all that do; the price that was found."""

    flow: Flow
    bound: int
    points: int
    enough: bool


def keeping(found: Tables, weights: Weights, asked: int) -> Kept:
    """The best flow that keeps `asked` published hours (hundredths); else the one that keeps the most."""
    low = best_flow(found, weights, Extra(kept_points=0))
    if low.kept >= asked:
        return Kept(low, low.objective, 0, enough=True)
    most = dominating(found, weights)
    high = best_flow(found, weights, Extra(kept_points=most))
    if high.kept <= asked:
        return Kept(high, high.objective, most, enough=high.kept == asked)
    bound = min(low.objective, high.objective + most * (high.kept - asked))
    points = -1
    while True:
        # Where the values of the two are equal lies the price, or a better flow than both.
        tried, points = points, (low.objective - high.objective) // (high.kept - low.kept)
        if points == tried:
            break
        flow = best_flow(found, weights, Extra(kept_points=points))
        bound = min(bound, flow.objective + points * (flow.kept - asked))
        known = max(low.objective + points * low.kept, high.objective + points * high.kept)
        if flow.objective + points * flow.kept <= known:
            break
        if flow.kept >= asked:
            high = flow
        else:
            low = flow
    return Kept(_between(found, low, high, asked), bound, points, enough=True)


def _between(found: Tables, low: Flow, high: Flow, asked: int) -> Flow:
    """From the flow that keeps more towards the one that keeps less, along the cycles between them."""
    arcs = high.arcs
    amount, spare = high.amount.copy(), high.kept - asked
    cycles = [(which, sign, units, int(arcs.kept[which] @ sign)) for which, sign, units in _cycles(high, low)]
    for which, sign, units, gained in sorted(cycles, key=lambda one: -one[3]):
        steps = units if gained >= 0 else min(units, spare // -gained)
        amount[which] += sign * steps
        spare += gained * steps
    return read(found, arcs, amount)


def _cycles(start: Flow, end: Flow) -> Iterator[tuple[Ints, Ints, int]]:
    """The difference of two flows on the same arcs: arcs, their directions, and how much runs around."""
    left = end.amount - start.amount
    arcs = start.arcs
    leaving: defaultdict[int, list[int]] = defaultdict(list)
    for arc in np.flatnonzero(left).tolist():
        leaving[int((arcs.tail if left[arc] > 0 else arcs.head)[arc])].append(arc)

    def next_arc(node: int) -> int | None:
        while leaving[node] and not left[leaving[node][-1]]:
            leaving[node].pop()
        return leaving[node][-1] if leaving[node] else None

    for first in list(leaving):
        while next_arc(first) is not None:
            path: list[int] = []
            seen = {first: 0}
            node = first
            while (arc := next_arc(node)) is not None:
                path.append(arc)
                node = int((arcs.head if left[arc] > 0 else arcs.tail)[arc])
                if node in seen:
                    break
                seen[node] = len(path)
            which = np.array(path[seen[node] :], np.int64)
            sign = np.sign(left[which])
            units = int(np.abs(left[which]).min())
            left[which] -= sign * units
            yield which, sign, units
