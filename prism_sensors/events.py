"""What is done with events every hour.

Belongs here: the job and its schedule; the minute comes from the settings. Does not belong here: what is done
(prism_assets/events).
"""

import dagster as dg

from prism_assets.retries import NO_RUN_RETRY
from prism_core.settings import Settings
from prism_sensors.known import KnownAssets, keys

ASSETS = ("event_dead_letters", "event_rollups", "event_scorecard")


def events_hourly(settings: Settings, known: KnownAssets) -> dg.Definitions | None:
    """The dead queue, roll-ups with their balance, and the scorecard. None where there are no such assets."""
    if not all(known.exists(name) for name in ASSETS):
        return None
    job = dg.define_asset_job(
        "events",
        selection=dg.AssetSelection.assets(*keys(ASSETS)),
        description="Empty the dead queue, count the hours that have ended, and score producers.",
        tags=NO_RUN_RETRY,
    )

    @dg.schedule(
        name="events_hourly",
        job=job,
        cron_schedule=settings.events_cron,
        execution_timezone="UTC",
        description="Every hour, some minutes after its end; an outage is made up for by the next tick.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"events@{context.scheduled_execution_time:%Y-%m-%dT%H:%M}")

    return dg.Definitions(jobs=[job], schedules=[tick])
