"""Whether a report that is due may be sent now, by the clock on the wall of whoever reads it.

Belongs here: that mail which is late wakes nobody. Does not belong here: when a report is due (hours.py).
"""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from prism_core.reports.hours import MONDAY_MORNING, due_at, last_due

# What comes later than its hour, a correction or a report that was made late, comes by day.
BY_DAY: Final = (time(7), time(20))
ON_TIME: Final = timedelta(hours=1)


def may_be_sent(now: datetime, zone: ZoneInfo, at: time = MONDAY_MORNING) -> bool:
    """By day, and in the hour in which it falls due, whichever that is. `now` is aware."""
    due = due_at(last_due(now, zone, at), zone, at)
    shown = now.astimezone(zone).replace(tzinfo=None).time()
    return now - due < ON_TIME or BY_DAY[0] <= shown < BY_DAY[1]
