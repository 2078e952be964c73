"""What must hold of a week's utilisation.

Belongs here: asset checks that read what was published, and plans and work again, by another way than the asset
did. Does not belong here: repairing anything.
"""

import math
from typing import Any

import dagster as dg

from prism_assets.checking import over_weeks, rows_of, volume
from prism_assets.known import Known, known_names
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES
from prism_core.calendar import Week
from prism_core.lake_tables import THROUGHPUT, UTILISATION
from prism_core.models.work import Allocation
from prism_core.quality_subjects import WORKER_PREFIX
from prism_core.tables import ALLOCATIONS

MOST_NAMED = 20
_DAY_HOURS = 24
# Sums of doubles in another order.
_ROUNDING = 1e-6


def allocation_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """The checks of utilisation; the conservation of hours blocks what is built on it."""

    @dg.asset_check(
        asset="utilisation",
        name="hours_conserved",
        blocking=True,
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "Allocated hours are those of the week's allocations, worked hours are the wall time of the week's "
            "throughput in the lake, and every member has a day once."
        ),
    )
    def hours_conserved(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _conservation(prism, week))

    @dg.asset_check(
        asset="utilisation",
        name="hours_in_range",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="No hours are below zero, no day has more than 24 of them, available is contracted minus off.",
    )
    def hours_in_range(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _ranges(prism, week), severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(
        asset="utilisation",
        name="members_known",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Every row belongs to a member of the register, or to a worker whom nobody has resolved.",
    )
    def members_known(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        known = known_names(prism)
        return over_weeks(context, lambda week: _known(prism, week, known), severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(
        asset="utilisation",
        name="worked_hours_in_band",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="As many hours were worked as in the four weeks before, give or take the setting's share.",
    )
    def worked_hours_in_band(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(
            context,
            lambda week: volume(prism, UTILISATION, week, "worked_seconds"),
            severity=dg.AssetCheckSeverity.WARN,
        )

    return [hours_conserved, hours_in_range, members_known, worked_hours_in_band]


def _conservation(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    rows = rows_of(prism, UTILISATION, week)
    allocations = prism.reader(ALLOCATIONS, Allocation).query("by_week", week=week)
    planned = math.fsum(float(allocation.total) for allocation in allocations)
    wall = sum(row["wall_seconds"] for row in rows_of(prism, THROUGHPUT, week))
    days = {(row["member_id"], row["day"]) for row in rows}
    facts = {
        "allocations": round(planned, 2),
        "allocated": round(math.fsum(row["allocated_hours"] for row in rows), 2),
        "throughput_hours": round(wall / 3600, 4),
        "worked": round(math.fsum(row["worked_hours"] for row in rows), 4),
        "repeated_days": len(rows) - len(days),
    }
    same = math.isclose(facts["allocations"], facts["allocated"], abs_tol=_ROUNDING) and math.isclose(
        facts["throughput_hours"], facts["worked"], abs_tol=_ROUNDING
    )
    return same and not facts["repeated_days"], facts


def _ranges(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    rows = rows_of(prism, UTILISATION, week)
    bad = [f"{row['member_id']} {row['day']}" for row in rows if not _sound(row)]
    return not bad, {"rows": len(rows), "out_of_range": len(bad), "which": bad[:MOST_NAMED]}


def _sound(row: dict[str, Any]) -> bool:
    hours = [value for name, value in row.items() if name.endswith("_hours") and value is not None]
    left = row["contracted_hours"] - row["off_hours"]
    return all(0 <= one <= _DAY_HOURS for one in hours) and math.isclose(
        row["available_hours"], left, abs_tol=_ROUNDING
    )


def _known(prism: PrismResource, week: Week, known: Known) -> tuple[bool, dict[str, Any]]:
    names = {row["member_id"] for row in rows_of(prism, UTILISATION, week)}
    unknown = sorted(name for name in names - known.members if not name.startswith(WORKER_PREFIX))
    return not unknown, {"members": len(names), "unknown": len(unknown), "which": unknown[:MOST_NAMED]}
