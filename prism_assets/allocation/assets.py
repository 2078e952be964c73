"""Utilisation, by week.

Belongs here: the asset, what it reads and what it shows of itself. Does not belong here: the rows (prism_core),
what must hold (checks.py), and the snapshots of allocations and availability, which the export writes.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import dagster as dg

from prism_assets.computed import replace_week
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.standing import Standing, standing
from prism_assets.throughput.assets import FRESHNESS, OWNERS
from prism_core import clock
from prism_core.calendar import Week
from prism_core.charts import as_markdown, grouped_bar_chart
from prism_core.lake_tables import UTILISATION
from prism_core.models.people import Availability, Member, MemberStatus
from prism_core.models.work import Allocation
from prism_core.quality_subjects import WORKER_PREFIX
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS
from prism_core.utilisation import UtilisationRow, WeekInputs, week_utilisation
from prism_resources.lake import PartitionWrite

GROUP = "allocation"
_HOURS = ("contracted_hours", "off_hours", "available_hours", "allocated_hours", "worked_hours")


def allocation_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """`utilisation`."""

    @dg.asset(
        name="utilisation",
        pool="utilisation",
        deps=["throughput"],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "Hours by member and UTC day: by contract (as it stood at the week's end), off, available, allocated, "
            "worked and active. Shrinkage is 1 - worked / allocated, over any sum of rows. Work of a worker whom "
            "nobody has resolved stands under `worker:…`."
        ),
    )
    def utilisation(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            now, weeks = clock.now(), weeks_of(context)
            members = standing(prism, MEMBERS, Member, MemberStatus, weeks, now)
            for week in weeks:
                rows = week_utilisation(week, read_inputs(prism, members, week))
                lake_rows = [row.lake_row() for row in rows]
                written = replace_week(prism, UTILISATION, week, lake_rows, now=now, counts=_counts(rows))
                context.add_asset_metadata(_metadata(week, rows, written), partition_key=week.key)
                context.log.info("utilisation of %s: %d days of members", week, len(rows))

    return [utilisation]


def read_inputs(prism: PrismResource, members: Standing[Member], week: Week) -> WeekInputs:
    """Everything of a week. A member who was recorded only after it, but was planned or worked in it, counts."""
    allocations = list(prism.reader(ALLOCATIONS, Allocation).query("by_week", week=week))
    availability = list(prism.reader(AVAILABILITY, Availability).query("by_week", week=week))
    throughput = list(prism.throughput().week(week))
    needed = {item.member_id for item in (*allocations, *availability, *throughput)}
    return WeekInputs(tuple(members.of(week, needed).values()), availability, allocations, throughput)


def _counts(rows: list[UtilisationRow]) -> dict[str, int]:
    """Seconds and members for the manifest, whose counts are whole numbers."""
    seconds = {name.replace("hours", "seconds"): _seconds(rows, name) for name in _HOURS}
    members = {row.member_id for row in rows if not row.member_id.startswith(WORKER_PREFIX)}
    return {"members": len(members), **seconds}


def _seconds(rows: list[UtilisationRow], name: str) -> int:
    return round(sum((getattr(row, name) for row in rows), Decimal(0)) * 3600)


def _metadata(week: Week, rows: list[UtilisationRow], written: PartitionWrite) -> dict[str, object]:
    hours = {name: round(float(sum((getattr(row, name) for row in rows), Decimal(0))), 2) for name in _HOURS}
    allocated = hours["allocated_hours"]
    return {
        "week": week.label,
        "dagster/row_count": len(rows),
        "members": _counts(rows)["members"],
        **hours,
        "shrinkage": round(1 - hours["worked_hours"] / allocated, 4) if allocated else "nothing was allocated",
        "worked_without_allocation": dg.MetadataValue.json(_unplanned(rows)),
        "generation": written.manifest.generation,
        "written": written.written,
        "hours_by_day": dg.MetadataValue.md(_picture(week, rows)),
    }


def _unplanned(rows: list[UtilisationRow], most: int = 10) -> dict[str, float]:
    """Hours that were worked on days without any allocation, by member, the most first."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.worked_hours and not row.allocated_hours:
            found[row.member_id] += row.worked_hours
    largest = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    return {member: round(float(hours), 2) for member, hours in largest}


def _picture(week: Week, rows: list[UtilisationRow]) -> str:
    def total(day: date, name: str) -> float:
        return float(sum((getattr(row, name) for row in rows if row.day == day), Decimal(0)))

    series = ("available", "allocated", "worked")
    days = [(f"{day:%a %d %b}", [total(day, f"{name}_hours") for name in series]) for day in week.days]
    return as_markdown("Hours by day", grouped_bar_chart(f"Hours by day, {week}", series, days))
