"""Hours of a week: what members could work, what was planned, what was worked.

Belongs here: one row a member and UTC day. Does not belong here: reading (the asset), and shrinkage, which the
views compute from these columns (1 - worked / allocated), because a share of sums is not a sum of shares.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from prism_core.availability import day_hours
from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.people import Availability, Member, MemberStatus
from prism_core.models.work import Allocation, ThroughputWeek

_NO_HOURS: Final = Decimal(0)
_SECONDS: Final = Decimal(3600)


@dataclass(frozen=True, slots=True)
class UtilisationRow:
    """One row of the lake's `utilisation`: a member's (or unresolved worker's) UTC day, in hours.

    `active_hours` is None where the labelling tool measured none. Available is contracted minus off.
    """

    member_id: str
    day: date
    contracted_hours: Decimal
    off_hours: Decimal
    available_hours: Decimal
    allocated_hours: Decimal
    worked_hours: Decimal
    active_hours: Decimal | None

    def lake_row(self) -> dict[str, Any]:
        """The row as the lake's columns: hours as doubles."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}


@dataclass(slots=True)
class _Day:
    contracted: Decimal = _NO_HOURS
    off: Decimal = _NO_HOURS
    allocated: Decimal = _NO_HOURS
    wall_seconds: int = 0
    active_seconds: int | None = None

    @property
    def empty(self) -> bool:
        return not (self.contracted or self.off or self.allocated or self.wall_seconds or self.active_seconds)


@dataclass(frozen=True, slots=True)
class WeekInputs:
    """What a week is computed from: members as they were at its end, everything else of the week itself."""

    members: Iterable[Member] = ()
    availability: Iterable[Availability] = ()
    allocations: Iterable[Allocation] = ()
    throughput: Iterable[ThroughputWeek] = field(default_factory=tuple[ThroughputWeek])


def week_utilisation(week: Week, inputs: WeekInputs) -> list[UtilisationRow]:
    """One row for each member and day with anything in it, by member and day.

    Only active members have contracted hours. Work of a member who is none any more, and of an unresolved worker,
    is there all the same, without hours to do it in. Raises BadUsage for rows of another week.
    """
    days: defaultdict[tuple[str, date], _Day] = defaultdict(_Day)
    _add_contracts(days, week, inputs)
    for allocation in inputs.allocations:
        _require(week, allocation.week, "an allocation")
        for day, hours in allocation.hours.items():
            days[allocation.member_id, day].allocated += hours
    for item in inputs.throughput:
        _require(week, item.week, "throughput")
        for done in item.days:
            cell = days[item.member_id, done.day]
            cell.wall_seconds += done.wall_seconds
            if done.active_seconds is not None:
                cell.active_seconds = (cell.active_seconds or 0) + done.active_seconds
    return [_row(member, day, cell) for (member, day), cell in sorted(days.items()) if not cell.empty]


def _add_contracts(days: defaultdict[tuple[str, date], _Day], week: Week, inputs: WeekInputs) -> None:
    off: defaultdict[str, list[Availability]] = defaultdict(list)
    for entry in inputs.availability:
        _require(week, entry.week, "time off")
        off[entry.member_id].append(entry)
    for member in inputs.members:
        if member.status is MemberStatus.ACTIVE:
            for hours in day_hours(member, week.days, off[member.member_id]):
                cell = days[member.member_id, hours.day]
                cell.contracted, cell.off = hours.contracted, hours.off


def _row(member_id: str, day: date, cell: _Day) -> UtilisationRow:
    return UtilisationRow(
        member_id,
        day,
        cell.contracted,
        cell.off,
        cell.contracted - cell.off,
        cell.allocated,
        cell.wall_seconds / _SECONDS,
        None if cell.active_seconds is None else cell.active_seconds / _SECONDS,
    )


def _require(week: Week, found: Week, what: str) -> None:
    if found != week:
        raise BadUsage(f"{what} of {found} does not belong to the utilisation of {week}")
