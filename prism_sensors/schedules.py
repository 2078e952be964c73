"""When things run by themselves.

Belongs here: jobs over assets and their schedules; hours come from the settings.
Does not belong here: what is run (prism_assets).
"""

from collections.abc import Iterator

import dagster as dg

from prism_core import clock
from prism_core.calendar import Week
from prism_core.settings import ActivitySource, Settings


def schedules(settings: Settings) -> dg.Definitions:
    """The hourly ingest. It is on from the start only where the log is the source."""
    ingest = dg.define_asset_job(
        "worker_activity_ingest",
        selection=dg.AssetSelection.assets("worker_activity", "throughput"),
        description="Read the worker-activity log of the running week and count it.",
    )

    @dg.schedule(
        name="worker_activity_hourly",
        job=ingest,
        cron_schedule=settings.worker_activity_cron,
        execution_timezone="UTC",
        description="The running week every hour, and on Mondays until noon also the one that just ended.",
        default_status=(
            dg.DefaultScheduleStatus.RUNNING
            if settings.worker_activity_source is ActivitySource.LOG
            else dg.DefaultScheduleStatus.STOPPED
        ),
    )
    def worker_activity_hourly(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        tick = f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}"
        for week in weeks_to_read(settings.first_week):
            yield dg.RunRequest(run_key=f"{week.key}@{tick}", partition_key=week.key)

    return dg.Definitions(jobs=[ingest], schedules=[worker_activity_hourly])


def weeks_to_read(first: Week) -> list[Week]:
    """The weeks whose log may still grow: the running one, and until Monday noon the one before."""
    now = clock.now()
    running = Week.of(now)
    growing = [running + -1, running] if now.isoweekday() == 1 and now.hour < 12 else [running]
    return [week for week in growing if week >= first]
