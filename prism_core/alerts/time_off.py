"""Planned hours that fall into time off.

Belongs here: how many of a day's planned hours collide with hours off, and the days off of a week by member.
Does not belong here: contracts and holidays as such (prism_core/availability.py) and what is made of it (rules/).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from prism_core.alerts.snapshot import NO_HOURS, AlertSnapshot, TimeOff
from prism_core.calendar import Week
from prism_core.models.people import AvailabilityStatus

_COUNTED = frozenset({AvailabilityStatus.APPROVED, AvailabilityStatus.REQUESTED})


@dataclass(frozen=True, slots=True)
class DayOff:
    """A member's day with hours off. `entry` is the time off, None on a public holiday without one."""

    member_id: str
    day: date
    contracted: Decimal
    off: Decimal
    entry: TimeOff | None
    holiday: str | None

    @property
    def binding(self) -> bool:
        """Approved, or a public holiday: not merely asked for."""
        return self.holiday is not None or (
            self.entry is not None and self.entry.status is AvailabilityStatus.APPROVED
        )

    @property
    def left(self) -> Decimal:
        """Hours of the contract that may still be planned."""
        return max(NO_HOURS, self.contracted - self.off)

    def collision(self, planned: Decimal) -> Decimal:
        """Of the planned hours, those beyond what the time off leaves; on a whole day off all of them."""
        return max(NO_HOURS, planned - self.left)

    def taken(self, planned: Decimal) -> Decimal:
        """Of the colliding hours, those of the time off itself: overtime is no part of a partial day off."""
        collision = self.collision(planned)
        return min(collision, self.off) if self.left else collision


def days_off(snapshot: AlertSnapshot, week: Week) -> dict[tuple[str, date], DayOff]:
    """Every day of the week with hours off, approved or asked for, by member and date.

    Of somebody who is not among the members nothing is known, so not what a day off leaves either.
    """
    found = {(one.member_id, one.day): one for one in _holidays(snapshot, week)}
    for entry in snapshot.time_off.get(week, ()):
        place, member = (entry.member_id, entry.day), snapshot.members.get(entry.member_id)
        if entry.status not in _COUNTED or not entry.hours_off or member is None or place in found:
            continue
        found[place] = DayOff(*place, member.contracted(entry.day), entry.hours_off, entry, None)
    return found


def _holidays(snapshot: AlertSnapshot, week: Week) -> Iterator[DayOff]:
    for member in snapshot.members.values():
        for day in week.days if member.holidays else ():
            if day in member.holidays and member.contracted(day):
                contracted = member.contracted(day)
                yield DayOff(member.member_id, day, contracted, contracted, None, member.holidays[day])
