"""What must hold of the restatements of a week.

Belongs here: checks that read what was published, and the log. Does not belong here: refusing one (gate.py).
"""

from typing import Any

import dagster as dg

from prism_assets.checking import over_weeks
from prism_assets.resources import PrismResource
from prism_assets.restatements.book import entries_of, items, reader
from prism_assets.retries import RETRIES
from prism_core.calendar import Week
from prism_core.lake_tables import RESTATEMENTS
from prism_core.restatements import WHOLE_WEEK


def restatement_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """Two: the books agree, and no total moved far."""

    @dg.asset_check(
        asset="restatements",
        name="restatements_conserved",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Figures in the log = rows in the table = rows in the lake.",
    )
    def restatements_conserved(
        context: dg.AssetCheckExecutionContext, prism: PrismResource
    ) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _conserved(prism, week))

    @dg.asset_check(
        asset="restatements",
        name="restatement_size",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="No published total has moved further than the setting, whatever reason was given.",
    )
    def restatement_size(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        limit = prism.settings().restatement_limit
        return over_weeks(context, lambda week: _size(prism, week, limit), severity=dg.AssetCheckSeverity.WARN)

    return [restatements_conserved, restatement_size]


def _conserved(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    entries, abandoned = entries_of(prism, week)
    in_log = sum(1 for entry in entries for _ in items(entry))
    in_table = sum(1 for _ in reader(prism).query("by_week", week=week, consistent=True))
    arrow = prism.lake().read_partition(RESTATEMENTS, week)
    in_lake = 0 if arrow is None else arrow.num_rows
    facts = {"log": in_log, "table": in_table, "lake": in_lake, "abandoned_entries": list(abandoned)}
    return in_log == in_table == in_lake, facts


def _size(prism: PrismResource, week: Week, limit: float) -> tuple[bool, dict[str, Any]]:
    entries, _ = entries_of(prism, week)
    moved = {
        f"{entry.table}.{one.measure}": round((one.new or 0.0) / one.old - 1, 4)
        for entry in entries
        for one in entry.rows
        if one.subject == WHOLE_WEEK and one.old
    }
    largest = max((abs(share) for share in moved.values()), default=0.0)
    reasons = sorted({entry.reason for entry in entries if entry.reason})
    return largest <= limit, {"moved": moved, "limit": limit, "reasons": reasons}
