"""What must hold of a week's utilisation.

Belongs here: asset checks that compare what was published with what was read for it, and with what is stored now.
Does not belong here: repairing anything.
"""

import math
from typing import Any

import dagster as dg

from prism_assets.allocation.computing import READ_PLAN, READ_WORK, planned_seconds
from prism_assets.checking import counts_of, over_weeks, rows_of, volume
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
            "Allocated hours are those of the allocations that were read, worked hours are the wall time of the "
            "throughput that was read, and every member has a day once."
        ),
    )
    def hours_conserved(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _conservation(prism, week))

    @dg.asset_check(
        asset="utilisation",
        name="hours_as_read",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "The week's allocations, and its throughput in the lake, are still those that the hours were computed "
            "from."
        ),
    )
    def hours_as_read(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _as_read(prism, week), severity=dg.AssetCheckSeverity.WARN)

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

    return [hours_conserved, hours_as_read, hours_in_range, members_known, worked_hours_in_band]


def _conservation(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    """Compared is with what the asset read: plans go on being written while a run checks."""
    rows = rows_of(prism, UTILISATION, week)
    read = _read(prism, week)
    published = {
        READ_PLAN: round(math.fsum(row["allocated_hours"] for row in rows) * 3600),
        READ_WORK: round(math.fsum(row["worked_hours"] for row in rows) * 3600),
    }
    repeated = len(rows) - len({(row["member_id"], row["day"]) for row in rows})
    return read == published and not repeated, {"read": read, "published": published, "repeated_days": repeated}


def _as_read(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    now = {
        READ_PLAN: planned_seconds(prism.reader(ALLOCATIONS, Allocation).query("by_week", week=week)),
        READ_WORK: sum(row["wall_seconds"] for row in rows_of(prism, THROUGHPUT, week)),
    }
    read = _read(prism, week)
    return now == read, {"now": now, "read": read}


def _read(prism: PrismResource, week: Week) -> dict[str, int]:
    counts = counts_of(prism, UTILISATION, week)
    return {name: counts.get(name, 0) for name in (READ_PLAN, READ_WORK)}


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
