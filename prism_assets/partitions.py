"""Time as Dagster sees it.

Belongs here: the one weekly partitions definition, and the weeks of a run. Every weekly asset uses it:
single-run backfills split where start dates differ. Does not belong here: what a week is (prism_core).
"""

import dagster as dg

from prism_core import clock
from prism_core.calendar import Week
from prism_core.settings import Settings


def weekly(settings: Settings) -> dg.WeeklyPartitionsDefinition:
    """ISO weeks from the first week of the settings to the running one; keys are Mondays.

    `day_offset=1` because Dagster splits on Sunday otherwise; `end_offset=1` adds the running week. Dagster counts
    from the machine's clock: under PRISM_NOW the offset leads to that week, and the end holds it there.
    """
    ahead = clock.weeks_ahead()
    last = None if ahead is None else max(clock.this_week(), settings.first_week)
    return dg.WeeklyPartitionsDefinition(
        start_date=settings.first_week.key,
        end_date=None if last is None else (last + 1).key,
        day_offset=1,
        end_offset=max(1, 1 + (ahead or 0)),
        timezone="UTC",
    )


def weeks_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> list[Week]:
    """The weeks of this run, oldest first, whether it has one or a range."""
    return sorted(Week.parse(key) for key in context.partition_keys)
