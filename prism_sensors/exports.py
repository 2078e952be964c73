"""The weekly export of the lake and the daily backup.

Belongs here: their jobs and schedules, and which weeks a tick asks for; hours come from the settings.
Does not belong here: what is exported and backed up (prism_assets/lake).
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from prism_assets.lake.assets import asset_name
from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core import clock
from prism_core.calendar import Week
from prism_core.lake_events import EVENT_DAYS, EVENT_LAKE, FAILED_EVENTS
from prism_core.lake_tables import EXPORTED
from prism_core.settings import Settings
from prism_sensors.asking import Asked
from prism_sensors.ingest import recent_weeks
from prism_sensors.known import KnownAssets, keys
from prism_sensors.materialised import materialised_since
from prism_sensors.run_events import NO_WEEK, RunEvents

# What is a snapshot of the week's end, or computed from such ones.
GROUPS = ("lake", "quality", "allocation")
ALSO = ("unresolved_workers", *(asset_name(table) for table in EVENT_LAKE))
# Their rows change after their week: an alert is acknowledged, a delivery settled.
# One that failed is sent again, and a late event is counted on its own day.
FACTS = frozenset(asset_name(table) for table in EXPORTED.values() if table.kind == "fact") | {
    FAILED_EVENTS.name,
    EVENT_DAYS.name,
}
BACKUPS = "backups"
JOB = "lake_export"
# Failed runs that a tick reads: more than a quarter of Mondays has.
MOST_FAILED = 200


def lake_export_weekly(settings: Settings, known: KnownAssets) -> dg.Definitions | None:
    """After the end of a week: its snapshots and scores, and the facts of the weeks before.

    None where there is nothing to export.
    """
    assets = [name for name in [*known.in_groups(*GROUPS), *known.named(*ALSO)] if name != BACKUPS]
    if not assets:
        return None
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(*keys(assets)),
        description="Snapshots, scores and utilisation of weeks that have ended.",
        tags=NO_RUN_RETRY,
    )

    @dg.schedule(
        name="lake_export_weekly",
        job=job,
        cron_schedule=settings.lake_export_cron,
        execution_timezone="UTC",
        description=(
            "Every week of the last quarter that has ended and whose assets were not materialised since its end: "
            "the one that has just ended, and what an outage left behind. The facts of each of them again: their "
            "rows may have changed since. Not what failed for a person to mend: trying again would fail again."
        ),
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext, prism: PrismResource) -> Iterator[dg.RunRequest]:
        asked, failed = Asked(), _given_up(context.instance)
        for name in assets:
            ends = {week: week.end for week in _ended(prism.settings().first_week)}
            done = materialised_since(context.instance, name, ends)
            left = failed[name]
            hopeless = left.keys() - materialised_since(context.instance, name, left)
            asked.add(ends.keys() - done - hopeless, [name], "the end of the week")
            if name in FACTS:
                asked.add(done - hopeless, [name], "what changed since")
        yield from asked.requests(prism.weeks(), tags=NO_RUN_RETRY)

    return dg.Definitions(jobs=[job], schedules=[tick])


def backup_daily(settings: Settings, known: KnownAssets) -> dg.Definitions | None:
    """One backup a day. None as long as there is no such asset."""
    if not known.exists(BACKUPS):
        return None
    job = dg.define_asset_job(
        "backup",
        selection=dg.AssetSelection.assets(BACKUPS),
        description="A backup of every table.",
        tags=NO_RUN_RETRY,
    )

    @dg.schedule(
        name="backup_daily",
        job=job,
        cron_schedule=settings.backup_cron,
        execution_timezone="UTC",
        description="Every table into the lake bucket, with checksums.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        moment = f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}"
        partition = clock.this_week().key if known.is_weekly(BACKUPS) else None
        return dg.RunRequest(run_key=f"backup@{moment}", partition_key=partition)

    return dg.Definitions(jobs=[job], schedules=[tick])


def _given_up(instance: dg.DagsterInstance) -> defaultdict[str, dict[Week, datetime]]:
    """By asset the weeks for which an export failed for a person to mend, with when the last such run began."""
    found: defaultdict[str, dict[Week, datetime]] = defaultdict(dict)
    filters = dg.RunsFilter(job_name=JOB, statuses=[dg.DagsterRunStatus.FAILURE])
    for record in instance.get_run_records(filters, limit=MOST_FAILED):  # the newest first
        events = RunEvents(instance, record.dagster_run)
        began = datetime.fromtimestamp(record.start_time or 0, UTC)
        for name in events.given_up:
            for label in set(events.weeks) - events.done.get(name, set()) - {NO_WEEK}:
                found[name].setdefault(Week.parse(label), began)
    return found


def _ended(first: Week) -> list[Week]:
    return [week for week in recent_weeks(first) if week.end <= clock.now()]
