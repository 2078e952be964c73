"""Quality scores, by week.

Belongs here: the asset and what it shows of itself. Does not belong here: the score (prism_core), reading reviews
(reviews.py), what must hold (checks.py), and the reviews themselves, which the export puts into the lake.
"""

from collections import Counter
from decimal import Decimal

import dagster as dg

from prism_assets.computed import replace_week
from prism_assets.partitions import weeks_of
from prism_assets.quality.reviews import ReviewedWeek, Reviews, raw_categories
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.standing import Standing, standing
from prism_assets.throughput.assets import FRESHNESS, OWNERS
from prism_core import clock
from prism_core.calendar import Week
from prism_core.charts import Interval, as_markdown, interval_chart
from prism_core.lake_tables import QUALITY_SCORES
from prism_core.models.projects import Project, ProjectStatus
from prism_core.quality import accuracy
from prism_core.quality_scores import Cells, QualityScore, overall, week_scores
from prism_core.tables import PROJECTS
from prism_resources.lake import PartitionWrite

GROUP = "quality"
MOST_SHOWN = 20


def quality_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """`quality_scores`."""

    @dg.asset(
        name="quality_scores",
        pool="quality_scores",
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "How good the reviewed work was: share with its 95 % interval, severity-weighted score and its trend "
            "over four weeks, per member, project and today's category. Raw categories are mapped when they are "
            "read, by the taxonomy in force today; what it does not name is shown as `unmapped:…`. The week's "
            "human corrections are applied every time."
        ),
    )
    def quality_scores(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            now, weeks = clock.now(), weeks_of(context)
            reviews = Reviews(prism, now)
            projects = standing(prism, PROJECTS, Project, ProjectStatus, weeks, now)
            for week in weeks:
                window = reviews.window(week)
                cells = {at: one.cells for at, one in window.items()}
                rows = week_scores(week, cells, _targets(projects, window[week]))
                lake_rows = [row.lake_row() for row in rows]
                counts = _counts(window[week])
                written = replace_week(prism, QUALITY_SCORES, week, lake_rows, now=now, counts=counts)
                context.add_asset_metadata(_metadata(window[week], rows, reviews, written), partition_key=week.key)
                context.log.info("quality scores of %s: %d reviews", week, len(window[week].stored))

    return [quality_scores]


def _targets(projects: Standing[Project], reviewed: ReviewedWeek) -> dict[str, Decimal | None]:
    """The quality target of each project as it stood at the end of the week."""
    standing_then = projects.of(reviewed.week, (key.project_id for key in reviewed.cells))
    return {project_id: project.quality_target for project_id, project in standing_then.items()}


def _counts(reviewed: ReviewedWeek) -> dict[str, int]:
    """The counts that the manifest keeps, so that checks need no second computation."""
    total = overall(reviewed.cells)
    return {
        "reviews": total.reviews,
        "reviewed": total.reviewed,
        "correct": total.correct,
        "unmapped": sum(cell.reviewed for key, cell in reviewed.cells.items() if not key.mapped),
        "corrections": len(reviewed.corrections),
        "moved": reviewed.moved,
    }


def _metadata(
    reviewed: ReviewedWeek, rows: list[QualityScore], reviews: Reviews, written: PartitionWrite
) -> dict[str, object]:
    week, total = reviewed.week, overall(reviewed.cells)
    version = reviews.taxonomy.version
    found = accuracy(total.correct, total.reviewed)
    facts: dict[str, object] = {
        "week": week.label,
        "dagster/row_count": len(rows),
        **_counts(reviewed),
        "taxonomy": "none in force" if version is None else version.taxonomy_id,
        "unmapped_categories": dg.MetadataValue.json(raw_categories(reviewed, reviews.taxonomy)),
        "below_target": dg.MetadataValue.json(_below_target(rows)),
        "generation": written.manifest.generation,
        "written": written.written,
        "correct_by_category": dg.MetadataValue.md(_picture(week, reviewed.cells)),
    }
    if found.share is not None:
        facts |= {"share": float(found.share), "low": float(found.low), "high": float(found.high)}
        facts["score"] = round(float(total.score), 4)
    return facts


def _below_target(rows: list[QualityScore]) -> dict[str, int]:
    """Members surely below the target of a project: the whole interval lies under it. By project."""
    sure = [row for row in rows if row.target is not None and row.high < row.target]
    return dict(Counter(row.project_id for row in sure).most_common(MOST_SHOWN))


def _picture(week: Week, cells: Cells) -> str:
    """Share of correct pieces by category with its interval, the largest categories first."""
    by_category = {key.category: overall(cells, key.category) for key in cells}
    shown: list[Interval] = []
    for name, cell in sorted(by_category.items(), key=lambda pair: (-pair[1].reviewed, pair[0]))[:MOST_SHOWN]:
        found = accuracy(cell.correct, cell.reviewed)
        shown.append(Interval(name, float(found.low), float(found.share or 0), float(found.high)))
    return as_markdown("Correct pieces by category", interval_chart(f"Correct pieces by category, {week}", shown))
