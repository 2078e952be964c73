"""The time it is, everywhere.

Belongs here: the one clock. `PRISM_NOW` fixes it, so that a run, a test or a rehearsal of a past Monday
sees one instant. Does not belong here: durations and progress, which use `time.monotonic`.
"""

import os
from datetime import UTC, datetime, timedelta, tzinfo

from prism_core.calendar import Week
from prism_core.failures import BadUsage

NOW_VARIABLE = "PRISM_NOW"
# Nobody recorded anything before; an earlier instant is a slip, and its weeks until now are thousands of queries.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# How far the clocks of two writers may differ: what happened within it of an instant may be on either side.
SKEW = timedelta(minutes=1)
# How long after its instant a change may appear in its table and in the log: its writer may be throttled, in
# conflict with others, or without an answer. Who waits for changes looks back so far.
LONGEST_WRITE = timedelta(minutes=10)


def now() -> datetime:
    """The current instant, aware, in UTC. Raises BadUsage when PRISM_NOW is no aware ISO instant."""
    fixed = os.environ.get(NOW_VARIABLE)
    if not fixed:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(fixed)
    except ValueError as error:
        raise BadUsage(f"{NOW_VARIABLE}={fixed!r} is not an instant; write 2026-01-05T07:00:00+00:00") from error
    if instant.tzinfo is None:
        raise BadUsage(f"{NOW_VARIABLE}={fixed!r} has no time zone; add +00:00 or Z")
    return instant.astimezone(UTC)


def weeks_ahead() -> int | None:
    """How many weeks a fixed clock is ahead of the machine's (negative: behind); None when it is not fixed.

    For Dagster, which looks at the machine's clock and at no other.
    """
    if not os.environ.get(NOW_VARIABLE):
        return None
    return this_week() - Week.of(datetime.now(UTC))


def this_week(zone: tzinfo = UTC) -> Week:
    """The running week, by the days of a time zone."""
    return Week.of(now().astimezone(zone).date())
