"""Utilisation, by week.

Belongs here: the asset. Does not belong here: what it computes (computing.py), what must hold (checks.py), and the
snapshots of allocations and availability, which the export writes.
"""

from functools import partial

import dagster as dg

from prism_assets.allocation.computing import UtilisationComputation
from prism_assets.computed import publish_weeks
from prism_assets.operational import reads
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import FRESHNESS, OWNERS
from prism_core.lake_tables import UTILISATION
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS

GROUP = "allocation"


def allocation_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """`utilisation`."""

    @dg.asset(
        name="utilisation",
        pool="utilisation",
        deps=["throughput", *reads(ALLOCATIONS, AVAILABILITY, MEMBERS)],
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
            publish_weeks(context, prism, UTILISATION, partial(UtilisationComputation, prism))

    return [utilisation]
