"""The tables of the lake that the export writes, an asset each.

Belongs here: the factory, and what each table shows of itself. Does not belong here: the export (prism_resources),
tables that are computed (their domains), and what must hold (checks.py).
A new table is a line in prism_core/lake_registers.py or lake_facts.py; a line in SHOWN gives it a picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg
import pyarrow.compute as pc

from prism_assets.computed import GENERATION
from prism_assets.operational import reads
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import FRESHNESS, OWNERS
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.charts import as_markdown, bar_chart
from prism_core.lake import Kind, LakeTable
from prism_core.lake_tables import EXPORTED
from prism_resources.export.engine import Export, TableOutcome
from prism_resources.lake import PartitionWrite

MOST_BARS: Final = 12
# The asset of quality_scores is computed from the reviews; beside it, `quality` alone would say too little. The
# archive of events is one of four assets of them, and the job of the others is called as the table.
NAMES: Final[Mapping[str, str]] = {"quality": "quality_reviews", "events": "event_archive"}
_HOLDS: Final[Mapping[Kind, str]] = {
    "register": "As they stood at the end of the week; of the running week, as they stand now.",
    "weekly": "As they stood at the end of the week; what was recorded only later says so in `recorded_late`.",
    "fact": "In their newest state.",
    "log": "Without personal values.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """How a table stands in the UI: its group, whether somebody waits for it, and the column of its picture."""

    group: str = "lake"
    awaited: bool = False
    by: str | None = None


SHOWN: Final[Mapping[str, Shown]] = {
    "quality": Shown("quality", awaited=True, by="category"),
    "allocations": Shown("allocation", awaited=True, by="project_id"),
    "availability": Shown("allocation", awaited=True, by="code"),
    "members": Shown("allocation", awaited=True, by="team"),
    "projects": Shown("allocation", awaited=True, by="status"),
    "requests": Shown("allocation", awaited=True, by="status"),
    "workers": Shown(by="status"),
    "bugs": Shown(by="status"),
    "disputes": Shown(by="status"),
    "alerts": Shown(by="rule"),
    "changelog": Shown(by="table"),
}


def asset_name(table: LakeTable) -> str:
    return NAMES.get(table.name, table.name)


def lake_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """One asset a table that the export writes."""
    return [_asset(table, SHOWN.get(table.name, Shown()), weekly) for table in EXPORTED.values()]


def _asset(table: LakeTable, shown: Shown, weekly: dg.WeeklyPartitionsDefinition) -> dg.AssetsDefinition:
    @dg.asset(
        name=asset_name(table),
        deps=reads(table.name),
        partitions_def=weekly,
        group_name=shown.group,
        owners=OWNERS,
        pool="export",
        kinds={"dynamodb", "parquet"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS if shown.awaited else None,
        description=f"{table.meaning} {_HOLDS[table.kind]} Lake table `{table.name}`, exported in one pass.",
    )
    def exported(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            weeks = weeks_of(context)
            export = Export(prism.settings(), prism.lake(), now=clock.now())
            outcome = export.table(table, WeekRange(weeks[0], weeks[-1]))
            for week in weeks:
                write = outcome.partitions[week]
                context.add_asset_metadata(_metadata(prism, table, shown, week, write), partition_key=week.key)
            for note in outcome.notes:
                context.log.warning("%s", note)
            context.log.info("%s", told(outcome))

    return exported


def told(outcome: TableOutcome) -> str:
    """One sentence about an export of a table."""
    return (
        f"{outcome.table}: {outcome.items:,} items read, {outcome.rows:,} rows, "
        f"{outcome.written} weeks written, {outcome.unchanged} unchanged"
    )


def _metadata(
    prism: PrismResource, table: LakeTable, shown: Shown, week: Week, write: PartitionWrite
) -> dict[str, object]:
    facts: dict[str, object] = {
        "week": week.label,
        "dagster/row_count": write.manifest.rows,
        GENERATION: write.manifest.generation,
        "written": write.written,
    }
    if write.notes:
        facts["set_right"] = dg.MetadataValue.json(list(write.notes))
    if shown.by is not None and write.manifest.rows:
        title = f"{table.name} by {shown.by.removesuffix('_id')}, {week}"
        facts["picture"] = dg.MetadataValue.md(
            as_markdown(title, bar_chart(title, _bars(prism, table, week, shown.by)))
        )
    return facts


def _bars(prism: PrismResource, table: LakeTable, week: Week, column: str) -> list[tuple[str, int]]:
    """Rows by the commonest values of a column."""
    rows = prism.lake().read_partition(table, week)
    if rows is None:
        return []
    found: Any = pc.value_counts(rows[column])
    counted = [(one["values"] or "none", one["counts"]) for one in found.to_pylist()]
    return sorted(counted, key=lambda bar: (-bar[1], bar[0]))[:MOST_BARS]
