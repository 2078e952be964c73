"""Judging and telling by themselves.

Belongs here: the two jobs and schedules of alerts; their hours come from the settings. Does not belong here: what
is judged and told (prism_assets/alerts).
"""

import dagster as dg

from prism_assets.retries import NO_RUN_RETRY
from prism_core.settings import Settings
from prism_sensors.known import KnownAssets, keys

LEDGER, DAILY, WEEKLY = "alert_ledger", "alert_digest", "alert_week_digest"


def alerts_daily(settings: Settings, known: KnownAssets) -> dg.Definitions | None:
    """What is new, every day. None as long as there are no alerts."""
    return _telling(
        known,
        "alerts_daily",
        DAILY,
        settings.alerts_daily_cron,
        "Judge all rules, and mail what is new since the last digest. Nothing new: no mail.",
    )


def alerts_weekly(settings: Settings, known: KnownAssets) -> dg.Definitions | None:
    """What the week that has ended left. None as long as there are no alerts."""
    return _telling(
        known,
        "alerts_weekly",
        WEEKLY,
        settings.alerts_weekly_cron,
        "Judge all rules, and mail what the week that has ended opened, left open and mended.",
    )


def _telling(known: KnownAssets, name: str, digest: str, cron: str, description: str) -> dg.Definitions | None:
    """A judgement and one digest, in one run."""
    if not (known.exists(LEDGER) and known.exists(digest)):
        return None
    job = dg.define_asset_job(
        name.replace("alerts", "alerts_told"),
        selection=dg.AssetSelection.assets(*keys([LEDGER, digest])),
        description=description,
        tags=NO_RUN_RETRY,
    )

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{name}@{context.scheduled_execution_time:%Y-%m-%dT%H:%M}")

    return dg.Definitions(jobs=[job], schedules=[tick])
