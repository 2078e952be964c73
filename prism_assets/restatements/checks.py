"""What must hold of the restatements of a week.

Belongs here: checks that read what was published, and the log. Does not belong here: refusing one (gate.py).
"""

from collections.abc import Container
from typing import Any, Final

import dagster as dg

from prism_assets.allocation.computing import FIGURES as OF_UTILISATION
from prism_assets.checking import over_weeks
from prism_assets.quality.computing import FIGURES as OF_QUALITY_SCORES
from prism_assets.resources import PrismResource
from prism_assets.restatements.book import entries_of, items, reader, totals_of, touched_weeks
from prism_assets.retries import RETRIES
from prism_assets.throughput.causes import FIGURES as OF_THROUGHPUT
from prism_core.calendar import Week
from prism_core.lake_tables import QUALITY_SCORES, RESTATEMENTS, THROUGHPUT, UTILISATION

_WATCHED: Final = {
    THROUGHPUT.name: OF_THROUGHPUT.watched,
    QUALITY_SCORES.name: OF_QUALITY_SCORES.watched,
    UTILISATION.name: OF_UTILISATION.watched,
}


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
        touched = touched_weeks(prism)
        return over_weeks(context, lambda week: _conserved(prism, week, touched))

    @dg.asset_check(
        asset="restatements",
        name="restatement_size",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "What the gate watches of a week has not moved further than the setting since it was first published, "
            "whatever reason was given."
        ),
    )
    def restatement_size(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        limit, touched = prism.settings().restatement_limit, touched_weeks(prism)
        return over_weeks(
            context, lambda week: _size(prism, week, limit, touched), severity=dg.AssetCheckSeverity.WARN
        )

    return [restatements_conserved, restatement_size]


def _conserved(prism: PrismResource, week: Week, touched: Container[Week]) -> tuple[bool, dict[str, Any]]:
    entries, abandoned = entries_of(prism, week) if week in touched else ([], [])
    in_log = sum(1 for entry in entries for _ in items(entry))
    in_table = sum(1 for _ in reader(prism).query("by_week", week=week, consistent=True))
    arrow = prism.lake().read_partition(RESTATEMENTS, week)
    in_lake = 0 if arrow is None else arrow.num_rows
    facts = {"log": in_log, "table": in_table, "lake": in_lake, "abandoned_entries": list(abandoned)}
    return in_log == in_table == in_lake, facts


def _size(prism: PrismResource, week: Week, limit: float, touched: Container[Week]) -> tuple[bool, dict[str, Any]]:
    entries = entries_of(prism, week)[0] if week in touched else []
    moved = {
        f"{table}.{measure}": round(new / first - 1, 4)
        for (table, measure), (first, new) in totals_of(entries).items()
        if first and measure == _WATCHED[table]
    }
    largest = max((abs(share) for share in moved.values()), default=0.0)
    reasons = sorted({entry.reason for entry in entries if entry.reason})
    return largest <= limit, {"moved": moved, "limit": limit, "reasons": reasons}
