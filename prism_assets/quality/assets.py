"""Quality scores, by week.

Belongs here: the asset. Does not belong here: what it computes (computing.py), what must hold (checks.py), and the
reviews themselves, which the export puts into the lake.
"""

from functools import partial

import dagster as dg

from prism_assets.computed import publish_weeks
from prism_assets.operational import reads
from prism_assets.quality.computing import QualityComputation
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import FRESHNESS, OWNERS
from prism_core.lake_tables import QUALITY_SCORES
from prism_core.tables import CORRECTIONS, PROJECTS, QUALITY, TAXONOMY, WORKERS

GROUP = "quality"


def quality_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """`quality_scores`."""

    @dg.asset(
        name="quality_scores",
        pool="quality_scores",
        deps=reads(QUALITY, CORRECTIONS, TAXONOMY, WORKERS, PROJECTS),
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
            publish_weeks(context, prism, QUALITY_SCORES, partial(QualityComputation, prism))

    return [quality_scores]
