"""Days and weeks of an ad account, whose midnight is that of its own time zone.

Belongs here: in which day and week of the account an instant lies, and when that week begins and ends.
Does not belong here: weeks of the platform, which are UTC (calendar.py).
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from prism_core.calendar import Week
from prism_core.failures import BadUsage


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The account's day of an aware instant. Raises BadUsage for one without a time zone."""
    if instant.tzinfo is None:
        raise BadUsage(f"{instant!r} has no time zone; its day cannot be known")
    return instant.astimezone(zone).date()


def week_of(instant: datetime, zone: ZoneInfo) -> Week:
    """The account's ISO week of an aware instant. Raises BadUsage as `day_of`."""
    return Week.of(day_of(instant, zone))


def bounds(week: Week, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The week's first instant and the first one after it, in UTC: 167 to 169 hours where clocks change."""
    return _midnight(week.monday, zone), _midnight(week.sunday + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day: where midnight is skipped it is the change, where it comes twice the first."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
