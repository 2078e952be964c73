"""Reading and computing the weeks of the campaign by itself.

Belongs here: the job and its schedule, and which weeks a tick asks for; hour and time zone come from the settings.
Does not belong here: what is run (prism_assets/campaign), asking again (unread.py), and sending the report.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg

from prism_assets.reports.weeks import NEWEST_WEEK, REPORTS_TAG, readers_zone
from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core.calendar import Week, WeekRange
from prism_core.settings import Settings
from prism_sensors.asking import request
from prism_sensors.known import KnownAssets, keys
from prism_sensors.unread import FIGURES, JOB, REPORT, TICKS, campaign_unread, the_tick_of

# Meta counts leads to a day for 28 days after it, so a closed week is another one on the four Mondays after.
READ_AGAIN_WEEKS = 4


def campaign_figures_weekly(settings: Settings, known: KnownAssets) -> dg.Definitions | None:
    """The week that has ended and the four before it, in one run. None as long as there are no such assets."""
    assets = known.named(*FIGURES, *REPORT)
    if len(assets) < len(FIGURES) + len(REPORT):
        return None
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(*keys(assets)),
        description="Ads and leads of some weeks, every figure that is computed from them, and the report of one.",
        tags=NO_RUN_RETRY,
    )

    @dg.schedule(
        name=TICKS,
        job=job,
        cron_schedule=settings.campaign_figures_cron,
        execution_timezone=settings.report_time_zone,
        description=(
            "Ads and leads of the week that has ended, and of the four before it again: Meta counts leads to a "
            "day for 28 days. The report of the week that has ended."
        ),
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext, prism: PrismResource) -> dg.RunRequest | dg.SkipReason:
        within, zone = prism.weeks(), readers_zone(prism)
        asked = weeks_to_read(context.scheduled_execution_time, zone)
        first = max(asked.first, within.first)
        if asked.last < first:
            return dg.SkipReason(f"the first week is {within.first}, and {asked.last} is the one that has ended")
        # Each Monday is a cause of its own: what was read a week ago is read again.
        cause = the_tick_of(context.scheduled_execution_time)
        tags = NO_RUN_RETRY | {REPORTS_TAG: NEWEST_WEEK}
        return request(WeekRange(first, asked.last), assets, [cause], tags=tags)

    return dg.Definitions(jobs=[job], schedules=[tick], sensors=[campaign_unread()])


def weeks_to_read(at: datetime, zone: ZoneInfo) -> WeekRange:
    """The week before the one that an instant lies in where the readers are, and the four before it."""
    closed = Week.of(at.astimezone(zone).date()) + -1
    return closed.window(1 + READ_AGAIN_WEEKS)
