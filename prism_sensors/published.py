"""Plans that are published: those whose hours change are told.

Belongs here: the sensor over the pointers of weeks. Does not belong here: what is told (prism_assets/planning).
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from prism_assets.resources import PrismResource
from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.published import PublicationState, PublishedPlan
from prism_core.models.reports import Delivery
from prism_resources.aws import client
from prism_resources.plans.telling import refused
from prism_resources.tables.publications import Publications
from prism_sensors.known import KnownAssets, keys

NOTICES: Final = "allocation_notices"
SECONDS: Final = 60
# Whoever has not written the rows of a publication by then was killed.
PATIENCE: Final = timedelta(minutes=5)
# The attempts of one run are over by then.
ATTEMPTS: Final = timedelta(minutes=5)


def published_plans(known: KnownAssets) -> dg.SensorDefinition | None:
    """The sensor. None as long as nobody tells."""
    if not known.exists(NOTICES):
        return None

    @dg.sensor(
        name="published_plans",
        asset_selection=dg.AssetSelection.assets(*keys([NOTICES])),
        minimum_interval_seconds=SECONDS,
        description=(
            "A plan of a week that has not ended is published or taken back: those whose hours change are told. "
            "A publication of any week that was cut off is finished. A mail that is refused is tried again "
            "each hour."
        ),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(prism: PrismResource) -> dg.SensorResult:
        settings, now = prism.settings(), clock.now()
        every = Publications(client(settings, "dynamodb"), settings).between()
        pointers = [one for one in every if one.week >= Week.of(now)]
        cut_off = [one for one in every if _is_cut_off(one, now)]
        asked = [_key(one) for one in pointers if one.state is PublicationState.SETTLED]
        asked += [f"{_key(one)}+{now:%Y-%m-%dT%H}" for one in cut_off]  # each hour, until somebody has finished it
        again = [one for one in refused(settings, pointers, now=now) if _tried(one) < now - ATTEMPTS]
        if again:
            asked.append(_key_again(again, now))
        requests = [dg.RunRequest(run_key=key, asset_selection=keys([NOTICES])) for key in asked]
        return dg.SensorResult(run_requests=requests)

    return sensor


def _is_cut_off(pointer: PublishedPlan, now: datetime) -> bool:
    return pointer.state is PublicationState.FOLDING and now - pointer.published > PATIENCE


def _key(pointer: PublishedPlan) -> str:
    """Dagster starts no second run for it: its mails that were refused are asked for by themselves."""
    return f"{NOTICES}@{pointer.week}-{pointer.publication}"


def _key_again(refused: Iterable[Delivery], now: datetime) -> str:
    """What was refused, to whom, and the hour: once in each, as long as it is due."""
    said = "\n".join(sorted(f"{one.edition_id} {one.recipient_id}" for one in refused))
    return f"{NOTICES}@{now:%Y-%m-%dT%H}+{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}"


def _tried(delivery: Delivery) -> datetime:
    return delivery.settled or delivery.claimed
