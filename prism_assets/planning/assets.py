"""The proposal for the next week.

Belongs here: the asset. Does not belong here: what it stores (computing.py), what must hold (checks.py), the
engine (prism_core/capacity) and publishing, which a person decides.
A partition is the week in which the proposal is made: its plan is of the week after, which has no partition yet.
"""

from datetime import timedelta

import dagster as dg

from prism_assets.operational import reads
from prism_assets.partitions import weeks_of
from prism_assets.planning.computing import facts_of, proposed
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import OWNERS
from prism_core.calendar import Week
from prism_core.clock import this_week
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS, PROJECTS, QUALITY, REQUESTS

GROUP = "planning"
# Coordinators look at it on Friday morning.
FRESHNESS = dg.FreshnessPolicy.cron(
    deadline_cron="0 7 * * 5", lower_bound_delta=timedelta(hours=30), timezone="UTC"
)


def planning_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """`capacity_plan`."""

    @dg.asset(
        name="capacity_plan",
        pool="capacity_plan",
        deps=reads(MEMBERS, PROJECTS, REQUESTS, AVAILABILITY, ALLOCATIONS, QUALITY),
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"python", "ortools", "s3"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "The best plan of the week after the partition's, from the items as they are now, stored as a draft "
            "with its reasons: who works how long on what, what stays open, the proven bound. Nothing is "
            "published. On unchanged items the draft stays as it is; of a week that has begun nothing is proposed."
        ),
    )
    def capacity_plan(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            for week in weeks_of(context):
                context.add_asset_metadata(_propose(context, prism, week + 1), partition_key=week.key)

    return [capacity_plan]


def _propose(context: dg.AssetExecutionContext, prism: PrismResource, week: Week) -> dict[str, object]:
    if week <= this_week():
        return {"planned_week": week.label, "left_out": f"{week} has begun; the items of now say nothing of it"}
    plan, kept = proposed(prism.settings(), week)
    context.log.info("plan %s of %s: objective %s", plan.plan_id, week, plan.objective)
    return facts_of(plan, kept)
