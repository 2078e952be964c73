"""What keeps the hours of a line open, and the change of one member that would fill one for the most points.

Belongs here: every such change and what it gains, and the same question asked of an idle member. Does not belong
here: paths (residual.py) and sentences (wording.py).
An hour that is already planned or idle reaches the line over a cheapest path from the sink to its member; an hour
that is new reaches it over one from its member to the line. Neither may take an hour of the line itself, so the
line really gets one more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np

from prism_core.capacity.explanation import Change, ChangeKind, Constraint, UnmetWhy
from prism_core.capacity.grounds import Grounds
from prism_core.capacity.network import NONE, SINK
from prism_core.capacity.plan import Unmet
from prism_core.capacity.problem import NO_HOURS, DemandLine
from prism_core.capacity.residual import Banned, Paths, Residual, cheapest_paths
from prism_core.capacity.scoring import hours_of, hundredths, overtime_rate, points_of, rates, surplus
from prism_core.capacity.supply import Ints

_HOUR: Final = 100
_KINDS: Final[Mapping[Constraint, ChangeKind]] = {
    Constraint.EXCLUDED: ChangeKind.EXCLUSION,
    Constraint.PEOPLE_LIMIT: ChangeKind.PERSON,
    Constraint.PROJECT_LIMIT: ChangeKind.PROJECT,
    Constraint.BLOCK: ChangeKind.BLOCK,
    Constraint.PIN: ChangeKind.PIN,
    Constraint.NO_SKILL: ChangeKind.SKILL,
}


@dataclass(frozen=True, slots=True)
class _Way:
    """An hour of a member for a line: points gained (hundredths an hour) for how many hours (hundredths)."""

    gain: int
    member: int
    room: int


@dataclass(frozen=True, slots=True)
class _Ways:
    """Searches for some lines, a column each: from the sink to everywhere, from everywhere to the line."""

    column: Mapping[int, int]
    from_sink: Paths
    to_line: Paths


class Lifting:
    """The changes that lift open lines of one plan."""

    def __init__(self, on: Grounds) -> None:
        self._on = on
        problem = on.problem
        self._excluded = {(one.member_id, one.project_id) for one in problem.exclusions}
        self._pins = {(pin.member_id, pin.project_id): number for number, pin in enumerate(problem.pins)}
        self._member = {one.member_id: index for index, one in enumerate(problem.members)}
        self._project = {one.project_id: index for index, one in enumerate(problem.projects)}
        self._able: dict[frozenset[tuple[str, int]], list[int]] = {}
        self._known: _Ways | None = None
        slots = on.found.slots
        mine = np.flatnonzero(slots.owner < on.found.supply.members)
        # Slots lie sorted by owner.
        self._slots, self._of_slot = mine, slots.owner[mine]

    def lines(self, which: Iterable[Unmet]) -> tuple[UnmetWhy, ...]:
        """What keeps the hours of each of these lines open."""
        indexes = [self._on.pairs.lines[one.line_id] for one in which]
        ways = self._ways(indexes)
        made: list[UnmetWhy] = []
        for one, index in zip(which, indexes, strict=True):
            constraint, change = self._line(index, hundredths(one.hours), ways)
            made.append(UnmetWhy(one.line_id, one.project_id, one.hours, constraint, change))
        return tuple(made)

    def idle(self, which: tuple[str, ...]) -> dict[str, Constraint]:
        """What keeps each of these members, who have idle hours, from open work."""
        lines, members = self._on.problem.lines, self._on.problem.members
        unmet = {self._on.pairs.lines[one.line_id] for one in self._on.plan.unmet}
        able = {
            name: [index for index, line in enumerate(lines) if self._can(self._member[name], line)]
            for name in which
        }
        ways = self._ways(sorted({index for mine in able.values() for index in mine if index in unmet}))
        found: dict[str, Constraint] = {}
        for name, mine in able.items():
            member = self._member[name]
            if not mine and lines:
                pinned = any(pin.member_id == members[member].member_id for pin in self._on.problem.pins)
                found[name] = Constraint.NO_DEMAND if pinned else Constraint.NO_SKILL
                continue
            found[name] = self._why_idle(member, [index for index in mine if index in unmet], ways)
        return found

    def _why_idle(self, member: int, unmet: list[int], ways: _Ways) -> Constraint:
        best, found = 0, Constraint.NO_DEMAND
        for index in unmet:
            status = self._status(member, index)
            way = self._freed(member, index, ways)
            if way is None:
                continue
            if status is None:
                found = Constraint.NOT_WORTH if not best else found
            elif way.gain > best or found is Constraint.NO_DEMAND:
                best, found = max(way.gain, best), status
        return found

    def _line(self, index: int, still: int, ways: _Ways) -> tuple[Constraint, Change | None]:
        """What binds, and the change with the greatest gain."""
        line = self._on.problem.lines[index]
        able = self._able_for(line)
        if not able:
            return Constraint.NO_SKILL, self._taught(index, still, ways)
        status = {member: self._status(member, index) for member in able}
        decided = [self._decided(member, why, index, still, ways) for member, why in status.items() if why]
        free = [member for member, why in status.items() if why is None]
        offered = [*filter(None, decided), *self._unpinned(free, index, still, ways)]
        best = max(offered, key=lambda one: one[1].gain, default=None)
        if not free:
            constraint = best[0] if best else next(why for why in status.values() if why)
            return constraint, best[1] if best and best[1].gain > 0 else None
        new = self._new_hours(free, index, still, ways)
        overtime = 0 if new is None else new[2]
        if best is not None and best[1].gain > max(points_of(overtime * _HOUR), 0):
            return best
        return (Constraint.NOT_WORTH, None) if new is None else (new[0], new[1])

    def _decided(
        self, member: int, why: Constraint, index: int, still: int, ways: _Ways
    ) -> tuple[Constraint, Change] | None:
        """What a decision or a limit keeps a member from."""
        way = self._freed(member, index, ways)
        if way is None:
            return None
        return why, self._change(_KINDS[why], way, still)

    def _taught(self, index: int, still: int, ways: _Ways) -> Change | None:
        """Who would best learn the skills that nobody has."""
        line, members = self._on.problem.lines[index], self._on.problem.members
        best: _Way | None = None
        for member in np.unique(self._of_slot).tolist():
            if self._status(member, index) is None and self._has_room(member, line):
                way = self._freed(member, index, ways)
                best = way if best is None or (way is not None and way.gain > best.gain) else best
        if best is None or best.gain <= 0:
            return None
        have = members[best.member].skills
        missing = {skill: level for skill, level in line.skills.items() if have.get(skill, 0) < level}
        return replace(self._change(ChangeKind.SKILL, best, still), skills=missing)

    def _unpinned(
        self, free: list[int], index: int, still: int, ways: _Ways
    ) -> Iterator[tuple[Constraint, Change]]:
        """Hours that pins on other projects give back."""
        on, given = self._on, self._on.found.supply
        mine = set(free)
        column = ways.column[index]
        for number, pin in enumerate(on.problem.pins):
            member, owner = self._member[pin.member_id], given.members + number
            node = 1 + owner
            if (
                member not in mine
                or given.pinned_overtime[member]
                or pin.project_id == on.problem.lines[index].project_id
                or not ways.from_sink.reached[node, column]
            ):
                continue
            lost = ways.from_sink.path(node, column)
            for day in np.flatnonzero(given.regular[owner]).tolist():
                new = self._new(member, index, day, ways)
                if new is not None:
                    gain = new.gain - int(ways.from_sink.cost[node, column])
                    room = min(new.room, self._room(ways.from_sink, lost)) // 2 or 1
                    way = _Way(gain, member, min(room, int(given.regular[owner, day])))
                    change = self._change(ChangeKind.UNPIN, way, still)
                    yield Constraint.PIN, replace(change, project_id=pin.project_id)

    def _new_hours(
        self, free: list[int], index: int, still: int, ways: _Ways
    ) -> tuple[Constraint, Change, int] | None:
        """The best new hour: of time off where that would cover the line, else of overtime, else by contract.

        With what an hour of overtime would gain; None when no new hour is worth it.
        """
        on, line = self._on, self._on.problem.lines[index]
        weights, end = on.problem.weights, on.problem.ends(line)
        dearest, overtime = rates(weights)[-1], overtime_rate(weights)
        best: _Way | None = None
        off: tuple[_Way, date] | None = None
        away = NO_HOURS
        for member in free:
            person = on.problem.members[member]
            new = self._new(member, index, None, ways)
            if new is not None and (best is None or new.gain > best.gain):
                best = new
            for day, hours in person.off.items():
                if not hours or day > end or day not in on.problem.week.days:
                    continue
                away += hours
                new = self._new(member, index, (day - on.problem.week.monday).days, ways)
                if new is not None and (off is None or new.gain > off[0].gain):
                    off = _Way(new.gain, member, min(new.room, hundredths(hours))), day
        if off is not None and hundredths(away) >= still and off[0].gain > dearest:
            way = replace(off[0], gain=off[0].gain - dearest)
            change = replace(self._change(ChangeKind.TIME_OFF, way, still), day=off[1])
            return Constraint.TIME_OFF, change, off[0].gain - overtime
        if best is None:
            # Nobody who could has a day that counts: an hour by contract on one is what is missing.
            best = max((self._direct(member, index) for member in free), key=lambda way: way.gain)
        elif best.gain > overtime:
            way = replace(best, gain=best.gain - overtime)
            return Constraint.NO_HOURS, self._change(ChangeKind.OVERTIME, way, still), way.gain
        if best.gain <= dearest:
            return None
        way = replace(best, gain=best.gain - dearest)
        return Constraint.NO_HOURS, self._change(ChangeKind.HOURS, way, still), best.gain - overtime

    def _freed(self, member: int, index: int, ways: _Ways) -> _Way | None:
        """An hour of a member's own spent on a line that they may not work on; None without hours that count."""
        on, column = self._on, ways.column[index]
        slots = self._slots_of(member)
        slots = slots[on.found.slots.last_day[slots] <= on.found.line_end[index]]
        nodes = on.slot_node[slots]
        nodes = nodes[ways.from_sink.reached[nodes, column]]
        if not len(nodes):
            return None
        node = int(nodes[np.argmin(ways.from_sink.cost[nodes, column])])
        direct = self._direct(member, index)
        gain = direct.gain - int(ways.from_sink.cost[node, column])
        room = self._room(ways.from_sink, ways.from_sink.path(node, column))
        return _Way(gain, member, min(direct.room, room))

    def _new(self, member: int, index: int, day: int | None, ways: _Ways) -> _Way | None:
        """A new hour of a member, on a day or any with hours, before what the hour itself costs."""
        on, column = self._on, ways.column[index]
        end = int(on.found.line_end[index])
        if day is None:
            slots = self._slots_of(member)
            slots = slots[on.found.slots.last_day[slots] <= end]
            if not len(slots):
                return None
        else:
            slot = int(on.found.slots.of_day[member, day])
            slots = np.array([] if slot < 0 else [slot], np.int64)
        # On a day that counts the hour may go to the line itself, whatever its arc can hold.
        counts = day is None or day <= end
        best = self._direct(member, index) if counts else None
        nodes = on.slot_node[slots]
        for node in nodes[ways.to_line.reached[nodes, column]].tolist():
            gain = -int(ways.to_line.cost[node, column])
            if best is None or gain > best.gain:
                best = _Way(gain, member, self._room(ways.to_line, ways.to_line.path(node, column)))
        return best

    def _direct(self, member: int, index: int) -> _Way:
        """What an hour of a member on a line earns by itself, and for how many hours."""
        on, line = self._on, self._on.problem.lines[index]
        member_id = on.problem.members[member].member_id
        earned = sum(on.scorer.hour(member_id, line.line_id).values())
        room = 1 << 40
        pair = (member_id, line.project_id)
        before = hundredths(on.problem.previous.get(pair, NO_HOURS))
        continuity = hundredths(on.problem.weights.continuity)
        if before and continuity and on.scorer.counts_as_kept(line.line_id):
            left = before - self._kept(pair)
            if left > 0:
                earned, room = earned + continuity, left
        return _Way(earned, member, room)

    def _kept(self, pair: tuple[str, str]) -> int:
        """The hours of a pair that count for continuity, in hundredths."""
        return sum(
            hundredths(hours)
            for one in self._on.plan.assignments
            if one.pair == pair
            for line_id, hours in one.by_line.items()
            if self._on.scorer.counts_as_kept(line_id)
        )

    def _change(self, kind: ChangeKind, way: _Way, still: int) -> Change:
        name = self._on.problem.members[way.member].member_id
        return Change(kind, name, points_of(way.gain * _HOUR), hours_of(min(way.room, still)))

    def _status(self, member: int, index: int) -> Constraint | None:
        """What keeps a member with the skills from a line; None when nothing but their hours does."""
        on, line = self._on, self._on.problem.lines[index]
        pair = (on.problem.members[member].member_id, line.project_id)
        if pair in self._excluded:
            return Constraint.EXCLUDED
        if pair in self._pins:
            return Constraint.PIN
        number = on.pairs.number.get(pair)
        if number is None or on.allowed[number]:
            return None
        project = self._project[line.project_id]
        if not on.limits.fits[number]:
            return Constraint.BLOCK
        if on.people[project] >= on.limits.people[project]:
            return Constraint.PEOPLE_LIMIT
        if on.projects[member] >= on.limits.projects[member]:
            return Constraint.PROJECT_LIMIT
        return Constraint.BLOCK if on.limits.block[number] else Constraint.PEOPLE_LIMIT

    def _has_room(self, member: int, line: DemandLine) -> bool:
        """Whether one more pair of a member and the project of a line would keep their limits."""
        on, project = self._on, self._project[line.project_id]
        pair = on.pairs.number.get((on.problem.members[member].member_id, line.project_id))
        if pair is not None and on.used[pair]:
            return True
        fits = not on.problem.projects[project].min_block_hours and not on.limits.fewest[project]
        of_people = on.people[project] < on.limits.people[project]
        return bool(fits and of_people and on.projects[member] < on.limits.projects[member])

    def _able_for(self, line: DemandLine) -> list[int]:
        need = frozenset(line.skills.items())
        if need not in self._able:
            self._able[need] = [
                index
                for index, one in enumerate(self._on.problem.members)
                if surplus(one.skills, line.skills) is not None
            ]
        return self._able[need]

    def _can(self, member: int, line: DemandLine) -> bool:
        return surplus(self._on.problem.members[member].skills, line.skills) is not None

    def _slots_of(self, member: int) -> Ints:
        first, last = np.searchsorted(self._of_slot, [member, member + 1])
        return self._slots[first:last]

    @staticmethod
    def _room(paths: Paths, path: list[int]) -> int:
        return int(paths.graph.room[path].min()) if path else 1 << 40

    def _ways(self, lines: list[int]) -> _Ways:
        """The searches for these lines; those of the last call when it had them all."""
        if self._known is None or not self._known.column.keys() >= set(lines):
            on = self._on
            nodes, which = on.line_node[np.array(lines, np.int64)], np.array(lines, np.int64)
            self._known = _Ways(
                {line: column for column, line in enumerate(lines)},
                cheapest_paths(on.graph, np.full(len(lines), SINK), Banned(self._met(on.graph), which)),
                cheapest_paths(on.towards, nodes, Banned(self._met(on.towards), which)),
            )
        return self._known

    def _met(self, graph: Residual) -> Ints:
        """By residual arc, the line whose hours it takes away."""
        arcs, lines = self._on.arcs, len(self._on.found.line_hours)
        tail = arcs.tail[graph.arc] - 1 - len(self._on.found.supply.regular)
        of_line = ~graph.ahead & (arcs.head[graph.arc] == SINK) & (tail >= 0) & (tail < lines)
        return np.where(of_line, tail, NONE)
