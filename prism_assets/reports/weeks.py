"""Which weeks of a run get a report.

Belongs here: the tag that says so, for every asset that makes reports. Does not belong here: making one.
"""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import dagster as dg

from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.clock import this_week
from prism_core.failures import BadUsage

# A run with this tag makes reports of fewer weeks than it has. Without it, of each that has ended.
REPORTS_TAG: Final = "prism/reports"
NEWEST_WEEK: Final = "newest"


def weeks_to_report(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, weeks: Sequence[Week], zone: tzinfo = UTC
) -> list[Week]:
    """The weeks of a run of which it makes a report, oldest first: none before it has ended in `zone`.

    The zone is that of the schedule: east of UTC a Monday's run starts on Sunday in UTC. Raises BadUsage for a tag
    that is none.
    """
    tag = context.run.tags.get(REPORTS_TAG)
    if tag not in {None, NEWEST_WEEK}:
        raise BadUsage(f"{REPORTS_TAG}={tag!r} is not {NEWEST_WEEK}")
    ended = sorted(week for week in weeks if week < this_week(zone))
    return ended if tag is None else ended[-1:]


def readers_zone(prism: PrismResource) -> ZoneInfo:
    """By whose days a week of the campaign has ended."""
    return ZoneInfo(prism.settings().report_time_zone)
