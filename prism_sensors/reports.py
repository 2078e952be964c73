"""Reports: the operations report is made, and what is made and due is mailed.

Belongs here: the sensor that asks for the mails, and the schedule of the operations report; its hour is a setting.
Does not belong here: what is due for whom (prism_resources/reports/delivery.py), making and sending it
(prism_assets/reports).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from prism_assets.reports.mails import LATE_TAG, MAILS
from prism_assets.reports.operations import REPORT
from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.failures import PrismFailure
from prism_core.settings import Settings
from prism_resources.metrics import Metric, put_metrics
from prism_resources.reports.delivery import Due, ReportDelivery
from prism_sensors.asking import request
from prism_sensors.known import KnownAssets, keys
from prism_sensors.unread import late_report

# What the operations report is made of and its own run computes: throughput is counted as it comes.
FIGURES: Final = ("quality_scores", "utilisation")
SECONDS: Final = 60
# A run that mails is over by then, or was killed.
PATIENCE: Final = timedelta(minutes=15)
_TAG: Final = "prism/mails"
_UNDER_WAY: Final = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def operations_report_weekly(settings: Settings, known: KnownAssets) -> dg.Definitions | None:
    """The report of the week that has ended, over figures of its end. None as long as there is no such asset."""
    assets = known.named(*FIGURES, REPORT)
    if REPORT not in assets:
        return None
    job = dg.define_asset_job(
        "operations_reporting",
        selection=dg.AssetSelection.assets(*keys(assets)),
        description="Quality and hours of a week, and the operations report of it.",
        tags=NO_RUN_RETRY,
    )

    @dg.schedule(
        name="operations_report_weekly",
        job=job,
        cron_schedule=settings.operations_report_cron,
        execution_timezone="UTC",
        description="The operations report of the week that has ended, with its quality and hours computed anew.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext, prism: PrismResource) -> dg.RunRequest | dg.SkipReason:
        at, first = context.scheduled_execution_time, prism.weeks().first
        week = Week.of(at) + -1
        if week < first:
            return dg.SkipReason(f"the first week is {first}, and {week} is the one that has ended")
        return request(WeekRange(week, week), assets, [f"the tick of {at:%Y-%m-%dT%H:%MZ}"], tags=NO_RUN_RETRY)

    return dg.Definitions(jobs=[job], schedules=[tick])


def report_delivery(known: KnownAssets) -> dg.SensorDefinition | None:
    """The sensor. None as long as nobody mails."""
    if not known.exists(MAILS):
        return None

    @dg.sensor(
        name="report_delivery",
        asset_selection=dg.AssetSelection.assets(*keys([MAILS])),
        minimum_interval_seconds=SECONDS,
        description=(
            "A report is made and it is Monday seven o'clock, or what the settings say, where one of its readers "
            "is; or its figures are others than those that were mailed; or Monday's run has made none, which a "
            "notice says. What is refused is tried again each hour."
        ),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext, prism: PrismResource) -> dg.SensorResult:
        now, settings = clock.now(), prism.settings()
        delivery = ReportDelivery(settings)
        told = _told_of_missing(context, settings, delivery, now)
        late = late_report(context.instance, prism)
        due = delivery.due(now, late=late)
        if not due:
            return dg.SensorResult(skip_reason="nothing is due that was not mailed", cursor=told)
        if _under_way(context.instance):
            return dg.SensorResult(skip_reason="a run mails just now", cursor=told)
        tags = {_TAG: "true", **NO_RUN_RETRY, **({LATE_TAG: str(late)} if late else {})}
        asked = dg.RunRequest(run_key=_key(due, now), asset_selection=keys([MAILS]), tags=tags)
        return dg.SensorResult(run_requests=[asked], cursor=told)

    return sensor


def _told_of_missing(
    context: dg.SensorEvaluationContext, settings: Settings, delivery: ReportDelivery, now: datetime
) -> str | None:
    """The hour in which CloudWatch was last told how many reports are missing; an alarm looks at that."""
    hour = f"{now:%Y-%m-%dT%H}"
    if context.cursor == hour:
        return hour
    try:
        put_metrics(settings, [Metric("ReportsMissing", len(delivery.missing(now)))])
    except PrismFailure as error:  # mails go out all the same, and the next tick tells it
        context.log.warning("CloudWatch was not told how many reports are missing: %s", error)
        return context.cursor
    return hour


def _under_way(instance: dg.DagsterInstance) -> bool:
    """By the machine's clock, as Dagster stamps its runs."""
    since = datetime.now().astimezone() - PATIENCE
    wanted = dg.RunsFilter(statuses=_UNDER_WAY, tags={_TAG: "true"}, created_after=since)
    return bool(instance.get_runs(wanted, limit=1))


def _key(due: Sequence[Due], now: datetime) -> str:
    """What is due, to whom, and the hour: what a run could not send is asked for once more in each later one."""
    said = "\n".join(
        f"{one.report} {one.week} {one.content_hash} {one.edition and one.edition.edition_id} {one.recipients}"
        for one in due
    )
    digest = hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
    return f"{MAILS}@{now:%Y-%m-%dT%H}+{digest}"
