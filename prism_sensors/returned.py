"""Mail that came back, within minutes.

Belongs here: the sensor that asks for `returned_mail` while something waits. Does not belong here: reading it
(prism_resources/returns.py).
"""

import dagster as dg

from prism_assets.reports.returned import RETURNED
from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core import clock
from prism_resources.returns import MailReturns
from prism_sensors.known import KnownAssets, keys

SECONDS = 300


def returned_sensor(known: KnownAssets) -> dg.SensorDefinition | None:
    """The sensor. None as long as there is no such asset."""
    if not known.exists(RETURNED):
        return None

    @dg.sensor(
        name="mail_returned",
        asset_selection=dg.AssetSelection.assets(*keys([RETURNED])),
        minimum_interval_seconds=SECONDS,
        description="SES told of a mail that came back, or of a reader who complained.",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(prism: PrismResource) -> dg.SensorResult:
        waiting = MailReturns(prism.settings()).waiting()
        if not waiting:
            return dg.SensorResult(skip_reason="nothing came back")
        key = f"{RETURNED}@{clock.now():%Y-%m-%dT%H:%M}"
        return dg.SensorResult(
            run_requests=[dg.RunRequest(run_key=key, asset_selection=keys([RETURNED]), tags=NO_RUN_RETRY)]
        )

    return sensor
