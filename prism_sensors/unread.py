"""A campaign report that is due and lacks what its source may still answer.

Belongs here: the sensor that lays the last Monday's run beside the shelf of reports, what it asks for, and how
often at most; why there is no report. Does not belong here: the Monday's run (campaign.py), attempts within a run
(the connectors), and mails (reports.py).
Nothing is asked for that a person must mend first: the mail about the failed run, or the report, says what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from prism_assets.campaign.published import CRM_READ, MAY_ANSWER
from prism_assets.checking import counts_of
from prism_assets.reports.weeks import NEWEST_WEEK, REPORTS_TAG, readers_zone
from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.campaign.account_days import week_of
from prism_core.lake_campaign import HUBSPOT_LEADS
from prism_core.models.reports import ReportKind
from prism_core.reports.late import Late, Lateness
from prism_core.settings import CampaignSource
from prism_resources.meta_ads.ours import published_from
from prism_resources.meta_ads.source import FILES
from prism_resources.reports.shelf import Kept, Shelf
from prism_sensors.asking import CAUSE_TAG, RANGE_END, RANGE_START
from prism_sensors.known import keys
from prism_sensors.run_events import RunEvents

FIGURES: Final = ("meta_insights", "hubspot_leads", "campaign_metrics", "lead_attribution", "campaign_trends")
REPORT: Final = ("campaign_analysis", "campaign_report")
# What is made of leads, when the ads of the week are read.
LEADS: Final = ("hubspot_leads", "lead_attribution", *REPORT)
JOB, TICKS = "campaign_figures", "campaign_figures_weekly"
SECONDS: Final = 300
# So many hours after Monday's tick: an outage ends within hours, or somebody sees to it. The next Monday's run
# reads the week again anyway.
AGAIN_AFTER_HOURS: Final = (0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 127.5)
# A run that reads slowly is waited for so long after it was asked for; the report is due two hours behind
# Monday's tick.
WAITED_FOR: Final = timedelta(hours=3)
_THE_TICK_OF: Final = "the tick of "
_INSTANT: Final = "%Y-%m-%dT%H:%MZ"
_UNDER_WAY: Final = frozenset(
    {
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    }
)
# The fact that a report has where the customer system was read.
_FROM_CRM: Final = "crm.leads"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What may bring the missing part: assets over weeks, and why."""

    assets: Sequence[str]
    weeks: WeekRange
    why: str


@dataclass(frozen=True, slots=True)
class _Monday:
    """The run that a tick has asked for."""

    at: datetime
    weeks: WeekRange


def the_tick_of(at: datetime) -> str:
    """The cause that a tick names its run after."""
    return f"{_THE_TICK_OF}{at.astimezone(UTC).strftime(_INSTANT)}"


def campaign_unread() -> dg.SensorDefinition:
    """The sensor over the job of the campaign's weeks."""

    @dg.sensor(
        name="campaign_unread",
        job_name=JOB,
        minimum_interval_seconds=SECONDS,
        description=(
            "Meta or HubSpot did not answer on Monday: they are asked again after half an hour and then at longer "
            f"intervals, {len(AGAIN_AFTER_HOURS)} times at most. What comes is told in the report, or in another "
            "edition of it."
        ),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext, prism: PrismResource) -> dg.RunRequest | dg.SkipReason:
        monday = _last_monday(context.instance)
        now = clock.now()
        if monday is None or prism.settings().campaign_source is CampaignSource.ARCHIVE:
            return dg.SkipReason("no tick has asked for a report, or nobody is to be asked")
        week, times = monday.weeks.last, _times(now - monday.at)
        zone = readers_zone(prism)
        if week_of(now, zone) > week_of(monday.at, zone):
            return dg.SkipReason(f"the week in which {week} is due is over")
        asked = _lacking(prism, monday)
        if asked is None:
            return dg.SkipReason(f"the report of {week} has what its sources may tell")
        if why_not := _must_wait(context.instance, week):
            return dg.SkipReason(f"{asked.why}; {why_not}")
        if not times:
            return dg.SkipReason(f"{asked.why}; it is not yet half an hour ago")
        return dg.RunRequest(
            # Of each interval once, whatever became of the run.
            run_key=f"{JOB}@{week}+again-{times}",
            asset_selection=keys(asked.assets),
            tags={
                RANGE_START: asked.weeks.first.key,
                RANGE_END: asked.weeks.last.key,
                CAUSE_TAG: f"asked again ({times}): {asked.why}",
                REPORTS_TAG: NEWEST_WEEK,
                **NO_RUN_RETRY,
            },
        )

    return sensor


def late_report(instance: dg.DagsterInstance, prism: PrismResource) -> Late | None:
    """The campaign report that the last Monday's run was to make, when it is not there and nobody makes it.

    A run that is under way is waited for: what it makes comes within the same hour, mostly.
    """
    monday = _last_monday(instance)
    if monday is None or Shelf(prism.settings()).has(ReportKind.CAMPAIGN, monday.weeks.last):
        return None
    week = monday.weeks.last
    run = _last_run(instance, week)
    if run is None or run.status in _UNDER_WAY:
        begun = monday.at if run is None else _asked_for(instance, run)
        return Late(week, Lateness.BEING_MADE) if clock.now() - begun >= WAITED_FOR else None
    return Late(week, _why_late(instance, run))


def _asked_for(instance: dg.DagsterInstance, run: dg.DagsterRun) -> datetime:
    """When a run was asked for: one that asks again has begun hours behind Monday's tick."""
    record = instance.get_run_record_by_id(run.run_id)
    if record is None:  # it was deleted just now
        return clock.now()
    return clock.now() - (datetime.now(UTC) - record.create_timestamp)  # Dagster stamps by the machine's clock


def _why_late(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Lateness:
    events, ads = RunEvents(instance, run), FIGURES[0]
    if ads in events.given_up:
        return Lateness.ADS_REFUSED
    return Lateness.ADS_UNREAD if ads in events.failed or ads in events.blocked else Lateness.STOPPED


def _last_monday(instance: dg.DagsterInstance) -> _Monday | None:
    """By the newest run of the schedule."""
    wanted = dg.RunsFilter(job_name=JOB, tags={"dagster/schedule_name": TICKS})
    for run in instance.get_runs(wanted, limit=1):
        said, tags = run.tags.get(CAUSE_TAG, ""), run.tags
        if said.startswith(_THE_TICK_OF) and RANGE_START in tags and RANGE_END in tags:
            at = datetime.strptime(said.removeprefix(_THE_TICK_OF), _INSTANT).replace(tzinfo=UTC)
            return _Monday(at, WeekRange(Week.parse(tags[RANGE_START]), Week.parse(tags[RANGE_END])))
    return None


def _times(since: timedelta) -> int:
    """How many of the intervals are over."""
    return sum(since >= timedelta(hours=one) for one in AGAIN_AFTER_HOURS)


def _lacking(prism: PrismResource, monday: _Monday) -> _Asked | None:
    """What the report of the week does not have and may get; None where there is nothing of the kind."""
    week = monday.weeks.last
    kept = Shelf(prism.settings()).newest(ReportKind.CAMPAIGN, week)
    read = published_from(prism.lake(), week)
    if kept is None:
        return _Asked((*FIGURES, *REPORT), monday.weeks, f"there is no report of {week}")
    if read is not None and read.source != FILES and len(read.days) < len(week.days):
        return _Asked((*FIGURES, *REPORT), monday.weeks, f"days of {week} were not read")
    if not _has_leads(kept) and _may_have_leads(prism, week):
        return _Asked(LEADS, WeekRange(week, week), f"the customer system was not read for {week}")
    return None


def _has_leads(kept: Kept) -> bool:
    return _FROM_CRM in kept.content.scope.facts


def _may_have_leads(prism: PrismResource, week: Week) -> bool:
    counts = counts_of(prism, HUBSPOT_LEADS, week)
    return bool(counts.get(CRM_READ) or counts.get(MAY_ANSWER))


def _must_wait(instance: dg.DagsterInstance, week: Week) -> str:
    """Why the last run over the week forbids another one; empty where it does not."""
    run = _last_run(instance, week)
    if run is None:
        return ""
    if run.status in _UNDER_WAY:
        return "a run is under way"
    if run.status is dg.DagsterRunStatus.CANCELED:
        return "a person has cancelled the last run"
    # A check that gave up, since HubSpot refuses, keeps nobody from asking Meta.
    if run.status is dg.DagsterRunStatus.FAILURE and RunEvents(instance, run).given_up & {*FIGURES, *REPORT}:
        return "the last run failed for a person to mend"
    return ""


def _last_run(instance: dg.DagsterInstance, week: Week) -> dg.DagsterRun | None:
    """The newest run that ends with a week."""
    wanted = dg.RunsFilter(job_name=JOB, tags={RANGE_END: week.key})
    return next(iter(instance.get_runs(wanted, limit=1)), None)
