"""When a report of a week is due, by the clock on the wall of whoever reads it.

Belongs here: the instant of an hour of a day in a time zone, on days too whose clocks change, and which week's
report is due. Does not belong here: who reads what (recipients), sending, and weeks of an ad account (campaign).
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from prism_core.calendar import Week
from prism_core.failures import BadUsage

MONDAY_MORNING: Final = time(7)
_SECOND: Final = timedelta(seconds=1)
_ON_MONDAY: Final = re.compile(r"(\d+) (\d+) \S+ \S+ (?:1|mon)", re.IGNORECASE)


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the clocks of a zone show this day and hour or a later one.

    An hour that comes twice counts when it comes first; of one that is skipped it is the change of the clocks.
    `at` has whole seconds and no zone. Raises BadUsage otherwise.
    """
    if at.tzinfo is not None or at.microsecond:
        raise BadUsage(f"an hour of the day is written 07:00, without a zone or parts of a second, not {at!r}")
    shown = datetime.combine(day, at)
    found = shown.replace(tzinfo=zone).astimezone(UTC)
    if _clocks(found, zone) == shown:
        return found
    # Skipped: between the clocks' last second before it and their first one behind it lies the change.
    before = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    seconds = range(int((found - before) / _SECOND) + 1)
    return before + bisect_left(seconds, shown, key=lambda n: _clocks(before + n * _SECOND, zone)) * _SECOND


def due_at(week: Week, zone: ZoneInfo, at: time = MONDAY_MORNING) -> datetime:
    """When the report of a week is due: on the Monday after it."""
    return _at(week, at, zone)


def last_due(now: datetime, zone: ZoneInfo, at: time = MONDAY_MORNING) -> Week:
    """The newest week whose report is due at an aware instant. Raises BadUsage for one without a time zone."""
    if now.tzinfo is None:
        raise BadUsage(f"{now!r} has no time zone; nobody can say which hour it is")
    closed = Week.of(now.astimezone(zone).date()) + -1
    return closed if due_at(closed, zone, at) <= now else closed + -1


def on_monday(cron: str) -> time | None:
    """The hour of a run on Mondays; None for a cron of another form."""
    found = _ON_MONDAY.fullmatch(cron)
    return time(int(found[2]), int(found[1])) if found else None


def hour_before(run: time, ours: ZoneInfo, due: Iterable[tuple[Week, datetime]]) -> int | None:
    """The latest hour of a Monday in `ours` at whose minute of `run` nothing is due yet, in any week.

    `due`: weeks with the instant at which their report is. None where it is due before that Monday.
    """
    latest = [
        max((hour for hour in range(24) if _at(week, time(hour, run.minute), ours) < at), default=-1)
        for week, at in due
    ]
    return None if min(latest) < 0 else min(latest)


def made_too_late(run: time, ours: ZoneInfo, due: Iterable[tuple[Week, datetime]]) -> bool:
    """Whether some week's report is due before the run that makes it."""
    return any(at < _at(week, run, ours) for week, at in due)


def _at(week: Week, at: time, zone: ZoneInfo) -> datetime:
    return instant_of(week.sunday + timedelta(days=1), at, zone)


def _clocks(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks show."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
