"""What can still change in a flow, and the cheapest way to change it.

Belongs here: residual arcs, potentials and shortest paths, many at a time with numpy. Does not belong here: what
arcs and paths mean (explain.py, lifting.py).
With the potentials of a best flow no arc costs less than nothing, so a path is followed only while it is cheaper
than the best one that has reached its target. All searches advance together, by one arc a step.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from prism_core.capacity.network import Network
from prism_core.capacity.supply import Flags, Ints

# Further than any path: far above all costs, far below where sums of two overflow.
_FAR: Final = 2**60
# Cells of the labels of searches that advance together: 32 MB.
_CELLS: Final = 4_000_000


class NotBest(Exception):
    """The flow is not the best one of its network: something can change for a gain."""


@dataclass(frozen=True, slots=True)
class Residual:
    """Arcs of a flow that can change: with room ahead, or (`ahead` is not set) with hours to take back.

    `arc`: of the network; `room`: how many hundredths of hours; `cost`: points lost by each of them, less the
    potentials: never negative. Sorted by tail.
    """

    tail: Ints
    head: Ints
    cost: Ints
    room: Ints
    arc: Ints
    ahead: Flags
    potential: Ints

    def towards(self) -> "Residual":
        """The same arcs turned round: a search from a node finds the ways that lead to it."""
        order = np.argsort(self.head, kind="stable")
        return Residual(
            tail=self.head[order],
            head=self.tail[order],
            cost=self.cost[order],
            room=self.room[order],
            arc=self.arc[order],
            ahead=self.ahead[order],
            potential=-self.potential,
        )


def residual(arcs: Network, amount: Ints, *, spare: Ints, rounds: int | None = None) -> Residual:
    """What can change in a flow; what is worth more than anything else (a floor) cannot.

    `spare`: room of arcs beyond their capacity. Raises NotBest when a change would gain, or none was ruled out
    within so many rounds.
    """
    loose = arcs.cost == -arcs.worth
    more = arcs.capacity + spare - amount
    ahead, back = np.flatnonzero(more > 0), np.flatnonzero((amount > 0) & loose)
    order = np.argsort(np.concatenate([arcs.tail[ahead], arcs.head[back]]), kind="stable")
    arc = np.concatenate([ahead, back])[order]
    forward = (np.arange(len(arc)) < len(ahead))[order]
    tail = np.where(forward, arcs.tail[arc], arcs.head[arc])
    head = np.where(forward, arcs.head[arc], arcs.tail[arc])
    cost = np.where(forward, -arcs.worth[arc], arcs.worth[arc])
    room = np.where(forward, more[arc], amount[arc])
    potential = _potentials(arcs.nodes, tail, head, cost, arcs.nodes + 1 if rounds is None else rounds)
    return Residual(tail, head, cost + potential[tail] - potential[head], room, arc, forward, potential)


def _potentials(nodes: int, tail: Ints, head: Ints, cost: Ints, rounds: int) -> Ints:
    """The least cost of any path to every node."""
    found = np.zeros(nodes, np.int64)
    order = np.argsort(head, kind="stable")
    tail, cost = tail[order], cost[order]
    reached, starts = np.unique(head[order], return_index=True)
    for _ in range(rounds if len(head) else 0):
        least = np.minimum(np.minimum.reduceat(found[tail] + cost, starts), found[reached])
        if (least == found[reached]).all():
            return found
        found[reached] = least
    if len(head):
        raise NotBest
    return found


@dataclass(frozen=True, slots=True)
class Paths:
    """Cheapest paths, a column a search: `cost` by node in hundredths of a point an hour, and the last arc."""

    graph: Residual
    source: Ints
    cost: Ints
    reached: Flags
    last: Ints

    def path(self, node: int, row: int) -> list[int]:
        """The residual arcs of the way that a search found to a node it reached, from its end to its beginning."""
        found: list[int] = []
        while (arc := int(self.last[node, row])) >= 0:
            found.append(arc)
            node = int(self.graph.tail[arc])
            if node == self.source[row]:
                break
        return found


@dataclass(frozen=True, slots=True)
class Banned:
    """Arcs that a search may not use: those whose kind (by residual arc) is that of the search (by row)."""

    kind: Ints
    of_row: Ints


def nothing_banned(graph: Residual, rows: int) -> Banned:
    """Every arc may be used by every search."""
    return Banned(np.zeros(len(graph.tail), np.int64), np.ones(rows, np.int64))


def cheapest_paths(graph: Residual, source: Ints, banned: Banned, *, round_by: Ints | None = None) -> Paths:
    """A search from every source to everywhere.

    `round_by` makes every search a way round, back to its source, whose first arc is one of that kind: only what
    is cheaper than the way found is followed then, so other nodes may be left out.
    """
    nodes, rows = len(graph.potential), len(source)
    chunk = max(1, _CELLS // max(nodes, 1))
    label, last = np.full((nodes, rows), _FAR, np.int64), np.full((nodes, rows), -1, np.int64)
    labels, lasts = label.ravel(), last.ravel()
    ends = source * rows + np.arange(rows)
    degree = np.bincount(graph.tail, minlength=nodes)
    out = np.cumsum(degree) - degree, degree
    heads = graph.head * rows
    for first in range(0, rows, chunk):
        row = np.arange(first, min(rows, first + chunk))
        if round_by is None:
            cell = ends[row]
            labels[cell] = 0
        else:
            arc, where = _out_of(out, source[row])
            mine = round_by[arc] == banned.of_row[row[where]]
            arc, row = arc[mine], row[where[mine]]
            cell = _relax(labels, lasts, arc, heads[arc] + row, graph.cost[arc])
        while len(cell):
            arc, where = _out_of(out, cell // rows)
            row = (cell % rows)[where]
            value, cell = labels[cell][where] + graph.cost[arc], heads[arc] + row
            better = value < (labels[cell] if round_by is None else np.minimum(labels[cell], labels[ends[row]]))
            better &= banned.kind[arc] != banned.of_row[row]
            cell = _relax(labels, lasts, arc[better], cell[better], value[better])
    true = label + graph.potential[:, None] - graph.potential[source]
    return Paths(graph, source, true, label < _FAR, last)


@dataclass(frozen=True, slots=True)
class Rounds:
    """Cheapest ways round, one a search: `cost` in hundredths of a point an hour, where there is one (`reached`).

    `labels` and `lasts` by depth, node and search.
    """

    graph: Residual
    source: Ints
    own: Banned
    labels: Ints
    lasts: Ints

    @property
    def cost(self) -> Ints:
        return self.labels[:, self.source, np.arange(len(self.source))].min(axis=0)

    @property
    def reached(self) -> Flags:
        return self.cost < _FAR

    def path(self, row: int) -> list[int]:
        """The residual arcs of a way that was found, from its end to its beginning."""
        node, found = int(self.source[row]), list[int]()
        deep = int(self.labels[:, node, row].argmin())
        while True:
            arc = int(self.lasts[deep, node, row])
            found.append(arc)
            tail, least = int(self.graph.tail[arc]), int(self.labels[deep, node, row] - self.graph.cost[arc])
            if tail == self.source[row]:
                return found
            mine = self.own.kind[arc] == self.own.of_row[row]
            before = deep - (_step(self.graph)[arc] if mine else 0)
            # The deepest level holds whatever is deeper still.
            node, deep = tail, before if self.labels[before, tail, row] <= least else deep


def cheapest_rounds(graph: Residual, source: Ints, own: Banned, deep: int) -> Rounds:
    """A way from every source back to it that takes back more hours of its own kind than it gives.

    It begins with an arc that takes one back, and is never without one: every way round has such a beginning.
    `deep`: how many more it may have taken than given.
    """
    nodes, rows = len(graph.potential), len(source)
    size = nodes * rows
    label, last = np.full((deep, nodes, rows), _FAR, np.int64), np.full((deep, nodes, rows), -1, np.int64)
    labels, lasts = label.ravel(), last.ravel()
    degree = np.bincount(graph.tail, minlength=nodes)
    out = np.cumsum(degree) - degree, degree
    heads, step = graph.head * rows, _step(graph)
    chunk = max(1, _CELLS // max(nodes * deep, 1))
    for first in range(0, rows, chunk):
        row = np.arange(first, min(rows, first + chunk))
        arc, where = _out_of(out, source[row])
        begins = (own.kind[arc] == own.of_row[row[where]]) & ~graph.ahead[arc]
        arc, row = arc[begins], row[where[begins]]
        cell = _relax(labels, lasts, arc, heads[arc] + row, graph.cost[arc])
        while len(cell):
            arc, where = _out_of(out, cell % size // rows)
            row, value = (cell % rows)[where], labels[cell][where] + graph.cost[arc]
            mine = own.kind[arc] == own.of_row[row]
            level = np.minimum((cell // size)[where] + np.where(mine, step[arc], 0), deep - 1)
            cell = np.maximum(level, 0) * size + heads[arc] + row
            best = label[:, source[row], row].min(axis=0)
            better = (level >= 0) & (value < np.minimum(labels[cell], best))
            cell = _relax(labels, lasts, arc[better], cell[better], value[better])
    return Rounds(graph, source, own, label, last)


def _step(graph: Residual) -> Ints:
    return np.where(graph.ahead, -1, 1)


def _out_of(out: tuple[Ints, Ints], node: Ints) -> tuple[Ints, Ints]:
    """The arcs out of every node, and the position of the node that each is of."""
    first, degree = out[0][node], out[1][node]
    ends = np.cumsum(degree)
    where = np.repeat(np.arange(len(node)), degree)
    return first[where] + np.arange(len(where)) - (ends - degree)[where], where


def _relax(labels: Ints, lasts: Ints, arc: Ints, cell: Ints, value: Ints) -> Ints:
    """Take over the least values by cell; the cells that became better, each once."""
    np.minimum.at(labels, cell, value)
    least = value == labels[cell]
    arc, cell = arc[least], cell[least]
    # Of equal values one arc counts, always the same one for equal input.
    lasts[cell] = arc
    return cell[lasts[cell] == arc]
