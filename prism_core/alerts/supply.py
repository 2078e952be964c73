"""The hours that members with given skills have on a day.

Belongs here: contracted hours minus time off, summed over who has the skills, looked up once a skill set.
Does not belong here: who works on what, and what the hours are compared with (rules/).
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from prism_core.alerts.snapshot import NO_HOURS, NO_WEEK, AlertSnapshot, MemberState, Skills
from prism_core.alerts.time_off import days_off
from prism_core.calendar import Week

_Needs = frozenset[tuple[str, int]]


class Supply:
    """Available hours by skills and day. Time off of a week that was not read takes nothing: an upper bound."""

    def __init__(self, snapshot: AlertSnapshot) -> None:
        self._snapshot = snapshot
        self._members = [member for member in snapshot.members.values() if member.active]
        self._eligible: dict[_Needs, tuple[frozenset[str], tuple[Decimal, ...]]] = {}
        self._hours: dict[tuple[_Needs, date], Decimal] = {}
        self._off: dict[Week, dict[date, list[tuple[str, Decimal]]]] = {}

    def people(self, skills: Skills) -> int:
        """Active members who have every skill at its level or above."""
        return len(self._of(skills)[0])

    def hours(self, skills: Skills, days: Iterable[date]) -> Decimal:
        """Their hours over the days: contracted, minus approved time off and public holidays."""
        needs = frozenset(skills.items())
        return sum((self._on(needs, skills, day) for day in days), NO_HOURS)

    def _on(self, needs: _Needs, skills: Skills, day: date) -> Decimal:
        if (needs, day) not in self._hours:
            members, by_weekday = self._of(skills)
            off = sum((hours for member, hours in self._off_on(day) if member in members), NO_HOURS)
            self._hours[needs, day] = by_weekday[day.weekday()] - off
        return self._hours[needs, day]

    def _of(self, skills: Skills) -> tuple[frozenset[str], tuple[Decimal, ...]]:
        needs = frozenset(skills.items())
        if needs not in self._eligible:
            members = [member for member in self._members if has(member, skills)]
            hours = tuple(
                sum(column, NO_HOURS) for column in zip(NO_WEEK, *(m.hours for m in members), strict=True)
            )
            self._eligible[needs] = frozenset(m.member_id for m in members), hours
        return self._eligible[needs]

    def _off_on(self, day: date) -> list[tuple[str, Decimal]]:
        week = Week.of(day)
        if week not in self._off:
            by_day: dict[date, list[tuple[str, Decimal]]] = {}
            for (member, on), off in days_off(self._snapshot, week).items():
                if off.binding:
                    by_day.setdefault(on, []).append((member, off.contracted - off.left))
            self._off[week] = by_day
        return self._off[week].get(day, [])


def has(member: MemberState, skills: Skills) -> bool:
    """Whether a member has every skill at its level or above."""
    return all(member.skills.get(name, 0) >= level for name, level in skills.items())
