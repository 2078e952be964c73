"""What must hold of a week of the lake.

Belongs here: checks of what lies in the bucket, read by another way than it was written. Does not belong here:
what must hold of computed figures (their domains), and repairing anything: the next export does that.
"""

import io
import zlib
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prism_assets.campaign.metrics import PLACES as OF_CAMPAIGN_METRICS
from prism_assets.checking import over_weeks, rows_of, volume
from prism_assets.known import Known, known_names
from prism_assets.lake.assets import asset_name
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.publish import PLACES as OF_THROUGHPUT
from prism_assets.two_places import TwoPlaces
from prism_core.calendar import Week
from prism_core.clock import this_week
from prism_core.lake import LakeTable
from prism_core.lake_campaign import CAMPAIGN
from prism_core.lake_events import EVENT_LAKE
from prism_core.lake_tables import (
    ALLOCATIONS,
    EXPORTED,
    QUALITY,
    QUALITY_SCORES,
    THROUGHPUT,
    UNRESOLVED_WORKERS,
    UTILISATION,
)
from prism_resources.export.reading import items_by_week
from prism_resources.lake import Lake, Manifest, UnreadableManifest
from prism_resources.lake_files import CONTENT_HASH, hash_of_lines
from prism_resources.tables.raw import RawTables

WARN = dg.AssetCheckSeverity.WARN
# Written by assets of their own; the export compares what lies there.
COMPUTED = (THROUGHPUT, QUALITY_SCORES, UTILISATION, UNRESOLVED_WORKERS, *CAMPAIGN, *EVENT_LAKE)
PLACES = (OF_THROUGHPUT, OF_CAMPAIGN_METRICS)
_GZIP = 31
Verdict = tuple[bool, dict[str, Any]]


def lake_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """For each table that its week is whole; for the ones people read, what belongs to them."""
    whole = [_whole(table, weekly) for table in (*EXPORTED.values(), *COMPUTED)]
    return [*whole, *_of_reviews(weekly), *_of_allocations(weekly), *(_follows(one, weekly) for one in PLACES)]


def _whole(table: LakeTable, weekly: dg.WeeklyPartitionsDefinition) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_name(table),
        name="partition_whole",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "Manifest, Parquet and JSON Lines of the week are there, have the same number of rows and the columns "
            "that the table has today, and the content hash that the manifest says: Parquet by its own word, JSON "
            "Lines by their rows."
        ),
    )
    def partition_whole(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: judge_partition(prism.lake(), table, week))

    return partition_whole


def judge_partition(lake: Lake, table: LakeTable, week: Week) -> Verdict:
    """Whether a week is whole, and what is wrong with it."""
    partition = table.partition(week)
    try:
        manifest = lake.manifest(partition)
    except UnreadableManifest as error:
        return False, {"wrong": [str(error)]}
    if manifest is None:
        return False, {"wrong": [f"{partition.manifest} is missing: the week was never written to its end"]}
    facts: dict[str, Any] = {"rows": manifest.rows, "generation": manifest.generation}
    parquet, lines = lake.get(partition.parquet), lake.get(partition.jsonl)
    if parquet is None and lines is None and not manifest.rows and not manifest.parts:
        return True, facts  # never had a row
    wrong = [
        f"{key} is missing"
        for key, body in ((partition.parquet, parquet), (partition.jsonl, lines))
        if body is None
    ]
    wrong += _of_parquet(table, parquet, manifest.rows, manifest.content_hash) if parquet is not None else []
    wrong += _of_lines(table, lines, manifest) if lines is not None else []
    return not wrong, facts | ({"wrong": wrong} if wrong else {})


def _of_parquet(table: LakeTable, body: bytes, rows: int, content_hash: str) -> list[str]:
    try:
        file = pq.ParquetFile(io.BytesIO(body))
    except (pa.ArrowInvalid, OSError) as error:
        return [f"the Parquet object cannot be read: {error}"]
    wrong: list[str] = []
    if file.metadata.num_rows != rows:
        wrong.append(f"Parquet holds {file.metadata.num_rows:,} rows, the manifest counts {rows:,}")
    said = (file.schema_arrow.metadata or {}).get(CONTENT_HASH, b"").decode()
    if said != content_hash:
        wrong.append("Parquet says another content than the manifest: a run was ended between the two")
    lacking = [column.name for column in table.columns if column.name not in file.schema_arrow.names]
    if lacking:
        wrong.append(f"the table gained {', '.join(lacking)} since the week was written; write it anew")
    return wrong


def _of_lines(table: LakeTable, body: bytes, manifest: Manifest) -> list[str]:
    """The content hash is that of the lines, so rows of the same number that say something else are found, too."""
    try:
        lines = zlib.decompress(body, _GZIP)
    except zlib.error as error:
        return [f"the JSON Lines object cannot be read: {error}"]
    if (found := lines.count(b"\n")) != manifest.rows:
        return [f"JSON Lines hold {found:,} rows, the manifest counts {manifest.rows:,}"]
    # Of a week that has other columns than the table today, the Parquet object tells what is to be done.
    of_today = not manifest.columns or manifest.columns == [column.name for column in table.columns]
    if of_today and hash_of_lines(table, lines) != manifest.content_hash:
        return ["JSON Lines hold other rows than the manifest says; write the week anew"]
    return []


def _of_reviews(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    reviews = asset_name(QUALITY)

    @dg.asset_check(
        asset=reviews,
        name="reviews_conserved",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="As many reviews in the lake as the table holds for the week now.",
    )
    def reviews_conserved(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        settings = prism.settings()
        with failures_by_intent():
            counted = items_by_week(RawTables(settings), settings, QUALITY, weeks_of(context))
        return over_weeks(context, lambda week: _counts_agree(prism, QUALITY, week, counted[week.label]), WARN)

    @dg.asset_check(
        asset=reviews,
        name="reviewed_in_range",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Every review looked at something, and found no more of it correct than it looked at.",
    )
    def reviewed_in_range(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _in_range(prism, week))

    @dg.asset_check(
        asset=reviews,
        name="reviews_known",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Every review is of a member and a project that the registers know.",
    )
    def reviews_known(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        names = known_names(prism)
        return over_weeks(context, lambda week: _unknown(prism, names, QUALITY, week), WARN)

    @dg.asset_check(
        asset=reviews,
        name="usual_number_of_reviews",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="The number of reviews lies within the band of the four weeks before.",
    )
    def usual_number_of_reviews(
        context: dg.AssetCheckExecutionContext, prism: PrismResource
    ) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: volume(prism, QUALITY, week, "rows"), WARN)

    return [reviews_conserved, reviewed_in_range, reviews_known, usual_number_of_reviews]


def _of_allocations(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    @dg.asset_check(
        asset=asset_name(ALLOCATIONS),
        name="allocations_known",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Every allocation is of a member and a project that the registers know.",
    )
    def allocations_known(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        names = known_names(prism)
        return over_weeks(context, lambda week: _unknown(prism, names, ALLOCATIONS, week), WARN)

    return [allocations_known]


def _follows(places: TwoPlaces[Any], weekly: dg.WeeklyPartitionsDefinition) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_name(places.lake),
        name="lake_follows_table",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "The lake holds the generation of the week that the table has published, and as many subjects as the "
            "table has rows of it; manifest and Parquet have as many lines."
        ),
    )
    def lake_follows_table(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: places.agree(prism, week))

    return lake_follows_table


def _counts_agree(prism: PrismResource, table: LakeTable, week: Week, counted: int) -> Verdict:
    """Of the running week, more may have come meanwhile."""
    parquet = prism.lake().read_partition(table, week)
    exported = 0 if parquet is None else parquet.num_rows
    agree = counted == exported or (week == this_week() and counted > exported)
    return agree, {"table": counted, "lake": exported}


def _in_range(prism: PrismResource, week: Week) -> Verdict:
    found = prism.lake().read_partition(QUALITY, week)
    if found is None or not found.num_rows:
        return True, {"reviews": 0}
    bad = pc.or_(pc.greater(found["correct"], found["reviewed"]), pc.less(found["reviewed"], pa.scalar(1)))
    wrong = found.filter(bad)["review_id"].to_pylist()
    return not wrong, {"reviews": found.num_rows, "out_of_range": wrong[:20]}


def _unknown(prism: PrismResource, names: Known, table: LakeTable, week: Week) -> Verdict:
    rows = rows_of(prism, table, week)
    members = sorted({row["member_id"] for row in rows} - names.members)
    projects = sorted({row["project_id"] for row in rows} - names.projects)
    return not members and not projects, {"rows": len(rows), "members": members[:20], "projects": projects[:20]}
