"""The ways of an hour to an open line, from a member who has it or would have it.

Belongs here: what an hour of a member on a line gains, found by search. Does not belong here: which hours a person
can give (lifting.py) and the search itself (residual.py).
An hour that is already planned or idle reaches the line over a cheapest path from the sink to its member; an hour
that is new reaches it over one from its member to the line. Neither may take an hour of the line itself, so the
line really gets one more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from prism_core.capacity.grounds import Grounds
from prism_core.capacity.network import NONE, SINK
from prism_core.capacity.problem import NO_HOURS
from prism_core.capacity.residual import Banned, Paths, Residual, cheapest_paths, nothing_banned
from prism_core.capacity.scoring import hundredths
from prism_core.capacity.supply import Ints

_ENDLESS: Final = 2**40


@dataclass(frozen=True, slots=True)
class Way:
    """An hour of a member for a line: points gained (hundredths an hour) for how many hours (hundredths)."""

    gain: int
    member: int
    room: int


class Ways:
    """The ways to some lines: a search each from the sink to everywhere, and from everywhere to the line."""

    def __init__(self, on: Grounds, lines: list[int]) -> None:
        self._on = on
        which = np.array(lines, np.int64)
        self._column = {line: column for column, line in enumerate(lines)}
        self._from_sink = cheapest_paths(on.graph, np.full(len(lines), SINK), Banned(self._met(on.graph), which))
        self._to_line = cheapest_paths(on.towards, on.line_node[which], Banned(self._met(on.towards), which))
        self._direct: dict[tuple[int, int], Way] = {}
        slots = on.found.slots
        # Slots lie sorted by owner.
        self._slots = np.flatnonzero(slots.owner < on.found.supply.members)
        self._of_slot = slots.owner[self._slots]

    def knows(self, lines: Iterable[int]) -> bool:
        """Whether the ways to all of these lines were searched."""
        return self._column.keys() >= set(lines)

    def with_hours(self) -> list[int]:
        """The members with hours this week."""
        return np.unique(self._of_slot).tolist()

    def taken(self, node: int, index: int) -> tuple[int, int] | None:
        """What an hour costs that its owner's node has no longer, and for how many; None where it cannot go."""
        column = self._column[index]
        if not self._from_sink.reached[node, column]:
            return None
        return int(self._from_sink.cost[node, column]), _room(self._from_sink, self._from_sink.path(node, column))

    def freed(self, member: int, index: int) -> Way | None:
        """An hour of a member's own on a line that they may not work on; None without hours that count."""
        return self._own(member, index, self._from_sink, self._column[index])

    def moved(self, members: Iterable[int], index: int) -> Iterator[Way]:
        """As `freed`, of many and for lines without open hours too: whoever works on the line may give way."""
        graph, source = self._on.graph, self._on.line_node[[index]]
        paths = cheapest_paths(graph, source, nothing_banned(graph, 1))
        for member in members:
            way = self._own(member, index, paths, 0)
            if way is not None:
                yield way

    def _own(self, member: int, index: int, paths: Paths, column: int) -> Way | None:
        on = self._on
        nodes = on.slot_node[self._slots_until(member, index)]
        nodes = nodes[paths.reached[nodes, column]]
        if not len(nodes):
            return None
        node = int(nodes[np.argmin(paths.cost[nodes, column])])
        direct = self.direct(member, index)
        room = _room(paths, paths.path(node, column))
        return Way(direct.gain - int(paths.cost[node, column]), member, min(direct.room, room))

    def overtime(self, member: int, index: int) -> Way | None:
        """As `new`, an hour above those of any day that can hold more of them."""
        found: list[Way] = []
        for slot in self._slots_until(member, index).tolist():
            room = int(self._on.overtime_room[slot])
            way = self._through(member, index, np.array([slot]), counts=True) if room else None
            if way is not None:
                found.append(replace(way, room=min(way.room, room)))
        return max(found, key=lambda way: way.gain, default=None)

    def new(self, member: int, index: int, day: int | None) -> Way | None:
        """A new hour of a member, on a day or any with hours, before what the hour itself costs."""
        if day is None:
            slots = self._slots_until(member, index)
            return self._through(member, index, slots, counts=True) if len(slots) else None
        slot = int(self._on.found.slots.of_day[member, day])
        slots = np.array([] if slot < 0 else [slot], np.int64)
        return self._through(member, index, slots, counts=day <= int(self._on.found.line_end[index]))

    def _through(self, member: int, index: int, slots: Ints, *, counts: bool) -> Way | None:
        """The best way of an hour from some slots.

        One on a day that counts may go to the line itself, whatever its arc can hold.
        """
        on, column = self._on, self._column[index]
        best = self.direct(member, index) if counts else None
        nodes = on.slot_node[slots]
        for node in nodes[self._to_line.reached[nodes, column]].tolist():
            gain = -int(self._to_line.cost[node, column])
            if best is None or gain > best.gain:
                best = Way(gain, member, _room(self._to_line, self._to_line.path(node, column)))
        return best

    def direct(self, member: int, index: int) -> Way:
        """What an hour of a member on a line earns by itself, and for how many hours."""
        known = self._direct.get((member, index))
        if known is None:
            known = self._direct[member, index] = self._earned(member, index)
        return known

    def _earned(self, member: int, index: int) -> Way:
        on, line = self._on, self._on.problem.lines[index]
        member_id = on.problem.members[member].member_id
        earned = sum(on.scorer.hour(member_id, line.line_id).values())
        room = _ENDLESS
        pair = (member_id, line.project_id)
        before = hundredths(on.problem.previous.get(pair, NO_HOURS))
        continuity = hundredths(on.problem.weights.continuity)
        if before and continuity and on.scorer.counts_as_kept(line.line_id):
            left = before - self._kept(pair)
            if left > 0:
                earned, room = earned + continuity, left
        return Way(earned, member, room)

    def _kept(self, pair: tuple[str, str]) -> int:
        """The hours of a pair that count for continuity, in hundredths."""
        return sum(
            hundredths(hours)
            for one in self._on.plan.assignments
            if one.pair == pair
            for line_id, hours in one.by_line.items()
            if self._on.scorer.counts_as_kept(line_id)
        )

    def _met(self, graph: Residual) -> Ints:
        """By residual arc, the line whose hours it takes away."""
        arcs, lines = self._on.arcs, len(self._on.found.line_hours)
        tail = arcs.tail[graph.arc] - 1 - len(self._on.found.supply.regular)
        of_line = ~graph.ahead & (arcs.head[graph.arc] == SINK) & (tail >= 0) & (tail < lines)
        return np.where(of_line, tail, NONE)

    def _slots_until(self, member: int, index: int) -> Ints:
        """The slots of a member whose hours count for a line."""
        first, last = np.searchsorted(self._of_slot, [member, member + 1])
        slots = self._slots[first:last]
        return slots[self._on.found.slots.last_day[slots] <= self._on.found.line_end[index]]


def _room(paths: Paths, path: list[int]) -> int:
    return int(paths.graph.room[path].min()) if path else _ENDLESS
