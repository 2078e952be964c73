"""Reading the worker-activity log by itself.

Belongs here: the hourly job and which weeks a tick asks for; the hour comes from the settings.
Does not belong here: what is run (prism_assets).
"""

import hashlib
from collections.abc import Iterator

import dagster as dg

from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_assets.throughput.publish import uncounted_keys
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.settings import ActivitySource, Settings
from prism_resources.worker_activity.log import LogIngest
from prism_sensors.known import KnownAssets, keys

# Weeks that a tick looks at. An outage of more than a quarter is a person's to repair, with `prism ingest --log`.
LOOKS_BACK = 13


def worker_activity_hourly(settings: Settings, known: KnownAssets) -> dg.Definitions:
    """The hourly ingest. It is on from the start only where the log is the source."""
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
            "and what an outage left behind. And every week into which something landed that is not counted yet."
        ),
        default_status=(
            dg.DefaultScheduleStatus.RUNNING
            if settings.worker_activity_source is ActivitySource.LOG
            else dg.DefaultScheduleStatus.STOPPED
        ),
    )
    def tick(context: dg.ScheduleEvaluationContext, prism: PrismResource) -> Iterator[dg.RunRequest]:
        tick = f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}"
        reads_log = prism.settings().worker_activity_source is ActivitySource.LOG
        growing = weeks_to_read(prism) if reads_log else []
        for week in growing:
            yield dg.RunRequest(run_key=f"{week.key}@{tick}", partition_key=week.key)
        for week in recent_weeks(prism.settings().first_week):
            landed = uncounted_keys(prism, week)
            if landed and week not in growing:
                # The key names what has landed: a week that cannot be computed is asked for once, not every hour.
                yield dg.RunRequest(run_key=f"{week.key}+{_digest(landed)}", partition_key=week.key)

    return dg.Definitions(jobs=[ingest], schedules=[tick])


def recent_weeks(first: Week) -> WeekRange:
    """The weeks that a tick looks at: the newest LOOKS_BACK ones up to the running one."""
    running = max(first, clock.this_week())
    return WeekRange(max(first, running + (1 - LOOKS_BACK)), running)


def weeks_to_read(prism: PrismResource) -> list[Week]:
    """The recent weeks whose log was never read past their end and the overlap, however long nobody looked."""
    log = LogIngest(prism.settings(), prism.lake(), prism.weeks())
    return [week for week in recent_weeks(prism.settings().first_week) if not log.is_finished(week)]


def _digest(keys: list[str]) -> str:
    return hashlib.blake2b("\n".join(keys).encode(), digest_size=8).hexdigest()
