"""Reports that are made and due: they are mailed.

Belongs here: the sensor that asks for the mails. Does not belong here: what is due for whom
(prism_resources/reports/delivery.py) and sending it (prism_assets/reports).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from prism_assets.reports.mails import MAILS
from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core import clock
from prism_resources.reports.delivery import Due, ReportDelivery
from prism_sensors.known import KnownAssets, keys

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
            "is; or its figures are others than those that were mailed. What is refused is tried again each hour."
        ),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext, prism: PrismResource) -> dg.SensorResult:
        now = clock.now()
        due = ReportDelivery(prism.settings()).due(now)
        if not due:
            return dg.SensorResult(skip_reason="nothing is due that was not mailed")
        if _under_way(context.instance):
            return dg.SensorResult(skip_reason="a run mails just now")
        asked = dg.RunRequest(
            run_key=_key(due, now), asset_selection=keys([MAILS]), tags={_TAG: "true", **NO_RUN_RETRY}
        )
        return dg.SensorResult(run_requests=[asked])

    return sensor


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
