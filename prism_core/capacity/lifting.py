"""What keeps the hours of a line open, and the change of one member that would fill one for the most points.

Belongs here: every such change and what it gains, and the same question asked of an idle member. Does not belong
here: the ways of an hour (ways.py) and sentences (wording.py).
What binds is what keeps the best hour away; hours by decision (a pin, an exclusion, a limit) are compared with a
new hour at the price of overtime.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from prism_core.capacity.explanation import Candidate, Change, ChangeKind, Constraint, UnmetWhy
from prism_core.capacity.grounds import Grounds
from prism_core.capacity.plan import Unmet
from prism_core.capacity.problem import NO_HOURS, DemandLine
from prism_core.capacity.scoring import hours_of, hundredths, overtime_rate, points_of, rates, surplus
from prism_core.capacity.ways import Way, Ways

_HOUR: Final = 100
_KINDS: Final[Mapping[Constraint, ChangeKind]] = {
    Constraint.EXCLUDED: ChangeKind.EXCLUSION,
    Constraint.PEOPLE_LIMIT: ChangeKind.PERSON,
    Constraint.FEW_PEOPLE: ChangeKind.ALONE,
    Constraint.CHOICE: ChangeKind.JOIN,
    Constraint.PROJECT_LIMIT: ChangeKind.PROJECT,
    Constraint.BLOCK: ChangeKind.BLOCK,
    Constraint.PIN: ChangeKind.PIN,
    Constraint.NO_SKILL: ChangeKind.SKILL,
}


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
        self._known: Ways | None = None

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

    def kept_out(self, index: int) -> Iterator[Candidate]:
        """Those with the skills of a line whom a decision or a limit keeps from it, with what an hour would do."""
        able = self._able_for(self._on.problem.lines[index])
        status = {member: why for member in able if (why := self._status(member, index))}
        for way in self._ways([index]).moved(status, index):
            name = self._on.problem.members[way.member].member_id
            yield Candidate(name, points_of(way.gain * _HOUR), hours_of(way.room), status[way.member])

    def _why_idle(self, member: int, unmet: list[int], ways: Ways) -> Constraint:
        best, found = 0, Constraint.NO_DEMAND
        for index in unmet:
            status = self._status(member, index)
            way = ways.freed(member, index)
            if way is None:
                continue
            if status is None:
                found = Constraint.NOT_WORTH if not best else found
            elif way.gain > best or found is Constraint.NO_DEMAND:
                best, found = max(way.gain, best), status
        return found

    def _line(self, index: int, still: int, ways: Ways) -> tuple[Constraint, Change | None]:
        """What binds, and the change with the greatest gain."""
        line = self._on.problem.lines[index]
        able = self._able_for(line)
        if not self._on.problem.members:
            return Constraint.NOBODY, None
        if not able:
            return Constraint.NO_SKILL, self._taught(index, still, ways)
        status = {member: self._status(member, index) for member in able}
        decided = [self._decided(member, why, index, still, ways) for member, why in status.items() if why]
        free = [member for member, why in status.items() if why is None]
        offered = [*filter(None, decided), *self._unpinned(free, index, still, ways)]
        best = max(offered, key=lambda one: one[1].gain, default=None)
        if not free:
            if best is not None and best[1].gain > 0:
                return best
            # Whatever keeps them out, nobody would be better here than where they are.
            return Constraint.NO_HOURS if best else next(why for why in status.values() if why), None
        new = self._new_hours(free, index, still, ways)
        overtime = 0 if new is None else new[2]
        if best is not None and best[1].gain > max(points_of(overtime * _HOUR), 0):
            return best
        return (Constraint.NOT_WORTH, None) if new is None else (new[0], new[1])

    def _decided(
        self, member: int, why: Constraint, index: int, still: int, ways: Ways
    ) -> tuple[Constraint, Change] | None:
        """What a decision or a limit keeps a member from; None where something else would keep them still."""
        way = ways.freed(member, index)
        if way is None or not self._lifts(member, why, index, min(way.room, still)):
            return None
        return why, self._change(_KINDS[why], way, still)

    def _lifts(self, member: int, why: Constraint, index: int, room: int) -> bool:
        """Whether `room` hundredths of hours of a member could go to a line if only this gave way."""
        on, line = self._on, self._on.problem.lines[index]
        if why is Constraint.EXCLUDED:
            return self._has_room(member, line)
        if why in {Constraint.PIN, Constraint.BLOCK}:
            return True
        pair = on.pairs.number[on.problem.members[member].member_id, line.project_id]
        least = on.limits.block[pair] if why is Constraint.FEW_PEOPLE else on.limits.least[pair]
        is_free = on.projects[member] < on.limits.projects[member]
        return bool(room >= least and (is_free or why is Constraint.PROJECT_LIMIT))

    def _taught(self, index: int, still: int, ways: Ways) -> Change | None:
        """Who would best learn the skills that nobody has."""
        line, members = self._on.problem.lines[index], self._on.problem.members
        best: Way | None = None
        for member in ways.with_hours():
            if self._status(member, index) is None and self._has_room(member, line):
                way = ways.freed(member, index)
                best = way if best is None or (way is not None and way.gain > best.gain) else best
        if best is None or best.gain <= 0:
            return None
        have = members[best.member].skills
        missing = {skill: level for skill, level in line.skills.items() if have.get(skill, 0) < level}
        return replace(self._change(ChangeKind.SKILL, best, still), skills=missing)

    def _unpinned(
        self, free: list[int], index: int, still: int, ways: Ways
    ) -> Iterator[tuple[Constraint, Change]]:
        """Hours that pins on other projects give back."""
        given, mine, project_id = self._on.found.supply, set(free), self._on.problem.lines[index].project_id
        for number, pin in enumerate(self._on.problem.pins):
            member, owner = self._member[pin.member_id], given.members + number
            if member not in mine or given.pinned_overtime[member] or pin.project_id == project_id:
                continue
            lost = ways.taken(1 + owner, index)
            for day in np.flatnonzero(given.regular[owner]).tolist() if lost else ():
                new = ways.new(member, index, day)
                if new is not None and lost is not None:
                    # Both ways may lead over one arc.
                    room = max(min(new.room, lost[1]) // 2, 1)
                    way = Way(new.gain - lost[0], member, min(room, int(given.regular[owner, day])))
                    change = self._change(ChangeKind.UNPIN, way, still)
                    yield Constraint.PIN, replace(change, project_id=pin.project_id)

    def _new_hours(
        self, free: list[int], index: int, still: int, ways: Ways
    ) -> tuple[Constraint, Change, int] | None:
        """The best new hour: of time off where that would cover the line, else of overtime, else by contract.

        With what an hour of overtime would gain; None when no new hour is worth it.
        """
        on, line = self._on, self._on.problem.lines[index]
        weights, end = on.problem.weights, on.problem.ends(line)
        dearest, overtime = rates(weights)[-1], overtime_rate(weights)
        best: Way | None = None
        longer: Way | None = None
        off: tuple[Way, date] | None = None
        away = NO_HOURS
        for member in free:
            person = on.problem.members[member]
            new = ways.new(member, index, None)
            if new is not None and (best is None or new.gain > best.gain):
                best = new
            over = ways.overtime(member, index)
            if over is not None and (longer is None or over.gain > longer.gain):
                longer = over
            for day, hours in person.off.items():
                if not hours or day > end or day not in on.problem.week.days:
                    continue
                away += hours
                new = ways.new(member, index, (day - on.problem.week.monday).days)
                if new is not None and (off is None or new.gain > off[0].gain):
                    off = Way(new.gain, member, min(new.room, hundredths(hours))), day
        if off is not None and hundredths(away) >= still and off[0].gain > dearest:
            way = replace(off[0], gain=off[0].gain - dearest)
            change = replace(self._change(ChangeKind.TIME_OFF, way, still), day=off[1])
            return Constraint.TIME_OFF, change, off[0].gain - overtime
        if best is None:
            # Nobody who could has a day that counts: an hour by contract on one is what is missing.
            best = max((ways.direct(member, index) for member in free), key=lambda way: way.gain)
        elif longer is not None and longer.gain > overtime:
            way = replace(longer, gain=longer.gain - overtime)
            return Constraint.NO_HOURS, self._change(ChangeKind.OVERTIME, way, still), way.gain
        if best.gain <= dearest:
            return None
        way = replace(best, gain=best.gain - dearest)
        return Constraint.NO_HOURS, self._change(ChangeKind.HOURS, way, still), best.gain - overtime

    def _change(self, kind: ChangeKind, way: Way, still: int) -> Change:
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
        if on.people[project] < on.limits.fewest[project]:
            return Constraint.FEW_PEOPLE
        if on.people[project] >= on.limits.people[project]:
            return Constraint.PEOPLE_LIMIT
        if on.projects[member] >= on.limits.projects[member]:
            return Constraint.PROJECT_LIMIT
        return Constraint.BLOCK if on.limits.block[number] else Constraint.CHOICE

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

    def _ways(self, lines: list[int]) -> Ways:
        """The searches for these lines; those of the last call when it had them all."""
        if self._known is None or not self._known.knows(lines):
            self._known = Ways(self._on, lines)
        return self._known
