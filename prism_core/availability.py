"""Time off: who may move it, how many hours it takes, and public holidays.

Belongs here: the steps of an entry and by whom, contracted and available hours of a day, holidays by location.
Does not belong here: storing entries, and planning around them (the capacity engine).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from prism_core.failures import BadUsage
from prism_core.models.people import Availability, AvailabilityStatus, Member, Weekday
from prism_core.transitions import Flow, NotAllowed

REQUESTED, APPROVED = AvailabilityStatus.REQUESTED, AvailabilityStatus.APPROVED
DECLINED, CANCELLED = AvailabilityStatus.DECLINED, AvailabilityStatus.CANCELLED
NO_HOURS: Final = Decimal("0.00")
_WEEKDAYS: Final = tuple(Weekday)
# An entry is keyed by member and date, so who asks again for the same day does so in the same entry.
FLOW: Final = Flow(
    "time off",
    {
        REQUESTED: (APPROVED, DECLINED, CANCELLED),
        APPROVED: (CANCELLED,),
        DECLINED: (REQUESTED, APPROVED),
        CANCELLED: (REQUESTED,),
    },
)


class Standing(StrEnum):
    """What a person is to an entry. A lead's own entry makes them its member: nobody decides on their own."""

    MEMBER = "member"
    LEAD = "lead"
    ADMIN = "admin"


_MAY: Final[Mapping[Standing, frozenset[AvailabilityStatus]]] = {
    Standing.MEMBER: frozenset({REQUESTED, CANCELLED}),
    Standing.LEAD: frozenset({APPROVED, DECLINED, CANCELLED}),
    Standing.ADMIN: frozenset(AvailabilityStatus),
}


def may_become(entry: Availability, standing: Standing, today: date) -> tuple[AvailabilityStatus, ...]:
    """What this person may make of the entry now. A member cancels approved time off only before it begins."""
    started = entry.status is APPROVED and entry.date <= today and standing is Standing.MEMBER
    return tuple(s for s in FLOW.allowed(entry.status) if s in _MAY[standing] and not (started and s is CANCELLED))


def move(
    entry: Availability,
    to: AvailabilityStatus,
    *,
    standing: Standing,
    actor: str,
    now: datetime,
    answer: str = "",
) -> Availability:
    """The entry one step on, with who decided and when.

    Raises NotAllowed that names what the person may do instead, BadUsage for declining without a word.
    """
    name = f"of {entry.member_id} on {entry.date}"
    FLOW.check(name, entry.status, to)
    allowed = may_become(entry, standing, now.date())
    if to not in allowed:
        can = f"they can make it {' or '.join(allowed)}" if allowed else "they can do nothing about it any more"
        raise NotAllowed(
            f"time off {name} is {entry.status}; a {standing} cannot make it {to}: {can}", tuple(allowed)
        )
    if to is DECLINED and not answer.strip():
        raise BadUsage(f"time off {name} is declined without a word; the member reads the answer: give one")
    if to is REQUESTED:
        return entry.model_copy(
            update={"status": to, "created": now, "decided": None, "decided_by": None, "answer": None}
        )
    return entry.model_copy(
        update={"status": to, "decided": now, "decided_by": actor, "answer": answer or None},
    )


def contracted(member: Member, day: date) -> Decimal:
    """Hours by contract on a day; none on a weekday off."""
    return member.hours.get(_WEEKDAYS[day.isoweekday() - 1], NO_HOURS)


def check_hours(entry: Availability, member: Member) -> None:
    """Raises BadUsage when the hours off are none, or more than the member works on that day."""
    hours = contracted(member, entry.date)
    day = f"{entry.date:%A} {entry.date}"
    if not hours:
        raise BadUsage(f"{member.member_id} does not work on {day}: there is nothing to take off")
    if not entry.hours_off:
        raise BadUsage(f"time off on {day} takes no hours; {member.member_id} works {hours}")
    if entry.hours_off > hours:
        raise BadUsage(f"{entry.hours_off} hours off on {day} exceed the {hours} that {member.member_id} works")


@dataclass(frozen=True, slots=True)
class DayHours:
    """A member's day: hours by contract, hours off (approved, or all of them on a public holiday), the rest."""

    day: date
    contracted: Decimal
    off: Decimal
    holiday: str | None

    @property
    def available(self) -> Decimal:
        return self.contracted - self.off


def day_hours(member: Member, days: Iterable[date], entries: Iterable[Availability]) -> list[DayHours]:
    """The hours of each day. Only approved entries of this member count, capped at the contracted hours.

    A location of which no holidays are known has none: one member must not keep the others from being counted.
    """
    off = {
        entry.date: entry.hours_off
        for entry in entries
        if entry.member_id == member.member_id and entry.status is APPROVED
    }
    found: list[DayHours] = []
    week = list(days)
    holidays = holidays_on(member.location, week) or {}
    for day in week:
        hours = contracted(member, day)
        holiday = holidays.get(day)
        taken = hours if holiday is not None else min(hours, off.get(day, NO_HOURS))
        found.append(DayHours(day, hours, taken, holiday))
    return found


def holidays_on(location: str | None, days: Iterable[date]) -> dict[date, str] | None:
    """The names of the public holidays of a location on some days; None where no holidays of it are known."""
    if location is None:
        return {}
    try:
        return {day: name for day in days if (name := public_holidays(location, day.year).get(day)) is not None}
    except BadUsage:
        return None


@lru_cache(maxsize=256)
def public_holidays(location: str, year: int) -> Mapping[date, str]:
    """Public holidays of a country (`ES`) or a subdivision (`ES-MD`), their English names where known.

    Source: the `holidays` library. Raises BadUsage for a location that it does not know.
    """
    # Half a second on first use (it imports 251 countries): only who asks for holidays pays it.
    from holidays import country_holidays  # noqa: PLC0415

    country, _, subdivision = location.partition("-")
    try:
        found = country_holidays(country, subdiv=subdivision or None, years=year, language="en_US")
    except NotImplementedError as error:
        raise BadUsage(f"no public holidays are known for {location!r}: {error}") from error
    return MappingProxyType({day: found[day] for day in sorted(found)})
