"""Images, looked after every hour, and the sample of drift once a week.

Belongs here: the jobs and their schedules. Does not belong here: what is done (prism_assets/media).
"""

import dagster as dg

from prism_assets.retries import NO_RUN_RETRY
from prism_core.settings import Settings
from prism_sensors.known import KnownAssets, keys

RECONCILIATION, DRIFT = "image_reconciliation", "image_model_drift"
# Mondays, before anybody works: it asks the analyser, which is paid by the picture.
_DRIFT_CRON = "20 3 * * 1"


def media_schedules(settings: Settings, known: KnownAssets) -> dg.Definitions | None:
    """None where there are no such assets."""
    if not all(known.exists(name) for name in (RECONCILIATION, DRIFT)):
        return None
    hourly = dg.define_asset_job(
        "image_upkeep",
        selection=dg.AssetSelection.assets(*keys((RECONCILIATION,))),
        description="Bring rows of images, their files and the dead queue together.",
        tags=NO_RUN_RETRY,
    )
    weekly = dg.define_asset_job(
        "image_drift",
        selection=dg.AssetSelection.assets(*keys((DRIFT,))),
        description="Look at a sample of images again, with the model of today.",
        tags=NO_RUN_RETRY,
    )

    @dg.schedule(
        name="images_hourly",
        job=hourly,
        cron_schedule=settings.images_cron,
        execution_timezone="UTC",
        description="Every hour: an upload that got stuck waits no longer than that.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def look(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"images@{context.scheduled_execution_time:%Y-%m-%dT%H:%M}")

    @dg.schedule(
        name="image_drift_weekly",
        job=weekly,
        cron_schedule=_DRIFT_CRON,
        execution_timezone="UTC",
        description="Mondays; stopped until somebody starts it, since each run is paid for.",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def sample(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"image_drift@{context.scheduled_execution_time:%Y-%m-%dT%H:%M}")

    return dg.Definitions(jobs=[hourly, weekly], schedules=[look, sample])
