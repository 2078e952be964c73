"""Which weeks of a run get a report.

Belongs here: the tag that says so, for every asset that makes reports. Does not belong here: making one.
"""

from collections.abc import Sequence
from typing import Final

import dagster as dg

from prism_core.calendar import Week
from prism_core.clock import this_week
from prism_core.failures import BadUsage

# A run with this tag makes reports of fewer weeks than it has. Without it, of each that has ended.
REPORTS_TAG: Final = "prism/reports"
NEWEST_WEEK: Final = "newest"


def weeks_to_report(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, weeks: Sequence[Week]
) -> list[Week]:
    """The weeks of a run of which it makes a report, oldest first: none before it has ended.

    Raises BadUsage for a tag that is none.
    """
    tag = context.run.tags.get(REPORTS_TAG)
    if tag not in {None, NEWEST_WEEK}:
        raise BadUsage(f"{REPORTS_TAG}={tag!r} is not {NEWEST_WEEK}")
    ended = sorted(week for week in weeks if week < this_week())
    return ended if tag is None else ended[-1:]
