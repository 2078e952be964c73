"""Which published figures are other ones now, and why, by week.

Belongs here: the asset and what it shows of itself. Does not belong here: finding a restatement (gate.py) and
booking it (book.py).
"""

from collections import Counter

import dagster as dg

from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.restatements.book import GUARDED, Booked, book, listed_for, totals_of
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core import clock
from prism_core.calendar import Week
from prism_core.charts import as_markdown, grouped_bar_chart

OWNERS = ["team:data-engineering"]
MOST_SHOWN = 24


def restatement_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """`restatements`."""

    @dg.asset(
        name="restatements",
        pool="restatements",
        deps=[table.name for table in GUARDED],
        partitions_def=weekly,
        group_name="lake",
        owners=OWNERS,
        kinds={"dynamodb", "parquet", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            "Every figure of a published week that was replaced: old and new value, and why (late record, "
            "resolved worker, correction, taxonomy, edited source, computed anew). From the log that is written "
            "before a published week is replaced; a week that nobody has read yet is put right without a row here."
        ),
    )
    def restatements(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            now, weeks = clock.now(), weeks_of(context)
            listed = listed_for(prism, weeks)
            booked = {week: book(prism, week, now, listed) for week in weeks}
            picture = _old_and_new(booked)
            for week, one in booked.items():
                context.add_asset_metadata(_metadata(week, one, picture), partition_key=week.key)
                context.log.info("%s: %d restated figures", week, one.rows)

    return [restatements]


def _metadata(week: Week, booked: Booked, picture: str | None) -> dict[str, object]:
    causes = Counter(one.causes[0].value for entry in booked.entries for one in entry.rows if one.causes)
    facts: dict[str, object] = {
        "week": week.label,
        "dagster/row_count": booked.rows,
        "replacements": len(booked.entries),
        "by_cause": dg.MetadataValue.json(dict(causes)),
        "reasons": dg.MetadataValue.json([entry.reason for entry in booked.entries if entry.reason]),
        # Runs that were killed before they published; nobody has seen their figures.
        "abandoned_entries": len(booked.abandoned),
        "written": booked.lake.written or booked.put > 0 or booked.deleted > 0,
    }
    if picture is not None and booked.entries:
        facts["old_and_new_by_week"] = dg.MetadataValue.md(picture)
    return facts


def _old_and_new(booked: dict[Week, Booked]) -> str | None:
    """Totals of the weeks of the run that moved: as first published, and as they are now."""
    groups = [
        (f"{week} {measure}", totals)
        for week, one in booked.items()
        for (_, measure), totals in totals_of(one.entries).items()
    ]
    if not groups:
        return None
    title = "Totals as first published, and now"
    return as_markdown(title, grouped_bar_chart(title, ("published", "now"), groups[-MOST_SHOWN:]))
