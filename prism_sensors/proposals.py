"""The weekly proposal of a plan.

Belongs here: its job and schedule; the hour comes from the settings. Does not belong here: the plan
(prism_assets/planning).
"""

import dagster as dg

from prism_assets.retries import NO_RUN_RETRY
from prism_core import clock
from prism_core.settings import Settings
from prism_sensors.known import KnownAssets

CAPACITY_PLAN = "capacity_plan"


def capacity_plan_weekly(settings: Settings, known: KnownAssets) -> dg.Definitions | None:
    """A proposal for the next week. None as long as there is no such asset."""
    if not known.is_weekly(CAPACITY_PLAN):
        return None
    job = dg.define_asset_job(
        "capacity_proposal",
        selection=dg.AssetSelection.assets(CAPACITY_PLAN),
        description="A plan of the next week, stored as a draft.",
        tags=NO_RUN_RETRY,
    )

    @dg.schedule(
        name="capacity_plan_weekly",
        job=job,
        cron_schedule=settings.capacity_plan_cron,
        execution_timezone="UTC",
        description="The plan of the next week, from the items as they are; a person publishes it.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        moment = f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}"
        return dg.RunRequest(run_key=f"{CAPACITY_PLAN}@{moment}", partition_key=clock.this_week().key)

    return dg.Definitions(jobs=[job], schedules=[tick])
