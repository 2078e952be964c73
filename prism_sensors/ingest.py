"""Reading the worker-activity log by itself.

Belongs here: the hourly job and which weeks a tick asks for; the hour comes from the settings.
Does not belong here: what has landed and is not counted (landed.py), and what is run (prism_assets).
"""

from collections.abc import Iterator

import dagster as dg

from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.settings import ActivitySource, Settings
from prism_resources.worker_activity.log import LogIngest
from prism_sensors.known import KnownAssets, keys

# Weeks that a tick looks at. An outage of more than a quarter is a person's to repair, with `prism ingest --log`.
LOOKS_BACK = 13


def worker_activity_hourly(settings: Settings, known: KnownAssets) -> dg.Definitions:
    """The hourly reading: on from the start only where the log is the source, and elsewhere without an effect."""
    ingest = dg.define_asset_job(
        "worker_activity_ingest",
        selection=dg.AssetSelection.assets(*keys(known.with_downstream("worker_activity", "throughput"))),
        description="Read the worker-activity log of a week, count it, and compute what follows from it.",
        tags=NO_RUN_RETRY,
    )

    @dg.schedule(
        name="worker_activity_hourly",
        job=ingest,
        cron_schedule=settings.worker_activity_cron,
        execution_timezone="UTC",
        description=(
            "Every week whose log has not been read past its end: the running one, the one that has just ended, "
            "and what an outage left behind; and a week again three and fourteen days later. What lands "
            "otherwise is the sensor's, landed_activity."
        ),
        default_status=(
            dg.DefaultScheduleStatus.RUNNING
            if settings.worker_activity_source is ActivitySource.LOG
            else dg.DefaultScheduleStatus.STOPPED
        ),
    )
    def tick(
        context: dg.ScheduleEvaluationContext, prism: PrismResource
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        if prism.settings().worker_activity_source is not ActivitySource.LOG:
            yield dg.SkipReason("weeks are fed from files: what lands is the sensor's, landed_activity")
            return
        tick = f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}"
        for week in weeks_to_read(prism):
            yield dg.RunRequest(run_key=f"{week.key}@{tick}", partition_key=week.key)

    return dg.Definitions(jobs=[ingest], schedules=[tick])


def recent_weeks(first: Week) -> WeekRange:
    """The weeks that a tick looks at: the newest LOOKS_BACK ones up to the running one."""
    running = max(first, clock.this_week())
    return WeekRange(max(first, running + (1 - LOOKS_BACK)), running)


def weeks_to_read(prism: PrismResource) -> list[Week]:
    """The recent weeks whose log was never read past their end and the overlap, however long nobody looked, and
    those that are to be read again for what comes very late."""
    log = LogIngest(prism.settings(), prism.lake(), prism.weeks())
    return [week for week in recent_weeks(prism.settings().first_week) if log.is_due(week, clock.now())]
