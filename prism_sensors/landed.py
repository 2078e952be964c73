"""Raw records that land, from files or from the log, and the weeks that they are of.

Belongs here: the sensor over the raw objects of the lake, of whatever week, and what it remembers of them.
Does not belong here: reading the log (ingest.py), and landing (prism_resources/worker_activity).
"""

import hashlib
from collections.abc import Iterable
from typing import Self

import dagster as dg
import msgspec

from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_assets.throughput.publish import raw_keys_by_week, uncounted_keys
from prism_core.calendar import Week, WeekRange
from prism_core.failures import PermanentFailure
from prism_core.settings import ActivitySource, Settings
from prism_resources.lake import UnreadableManifest
from prism_sensors.asking import Asked, request
from prism_sensors.known import KnownAssets, keys

SECONDS = 60
# A load of many files lands for minutes, and a week that is published half is refused when its other half comes.
# So nothing is asked for while objects land, up to this many ticks.
MOST_WAITS = 15


class Seen(msgspec.Struct, frozen=True):
    """What a tick leaves to the next one: a name for all landed objects, for how many ticks they have been another
    one, and by week a name for those that were looked at."""

    landed: str = ""
    waits: int = 0
    weeks: dict[str, str] = {}

    @classmethod
    def parse(cls, text: str | None) -> Self:
        try:
            return cls() if not text else msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise PermanentFailure(f"the cursor {text!r:.80} is damaged; reset it in Dagster") from error

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def landed_activity(settings: Settings, known: KnownAssets) -> dg.SensorDefinition:
    """The sensor."""
    # Where the log is the source, reading it is the schedule's: a week that has ended would be read as a whole.
    reads_log = settings.worker_activity_source is ActivitySource.LOG
    assets = known.with_downstream("throughput" if reads_log else "worker_activity")

    @dg.sensor(
        name="landed_activity",
        asset_selection=dg.AssetSelection.assets(*keys(assets)),
        minimum_interval_seconds=SECONDS,
        description=(
            "Worker activity or worker responses landed that are not counted: throughput of exactly their weeks, "
            "however far back, and what is computed from it. Once nothing has landed for a minute."
        ),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext, prism: PrismResource) -> dg.SensorResult:
        seen, within = Seen.parse(context.cursor), prism.weeks()
        landed = {week: raw for week, raw in raw_keys_by_week(prism.lake()).items() if week in within}
        names = {week.label: _name(raw) for week, raw in landed.items()}
        everything = _name(f"{label} {name}" for label, name in names.items())
        fresh = {week: raw for week, raw in landed.items() if seen.weeks.get(week.label) != names[week.label]}
        if fresh and everything != seen.landed and seen.waits < MOST_WAITS:
            waiting = msgspec.structs.replace(seen, landed=everything, waits=seen.waits + 1)
            return dg.SensorResult(cursor=waiting.text(), skip_reason="records are landing")
        requests = _requests(prism, fresh, assets, within)
        return dg.SensorResult(
            run_requests=requests,
            cursor=Seen(everything, 0, names).text(),
            skip_reason=None if requests else "nothing landed that is not counted",
        )

    return sensor


def _requests(
    prism: PrismResource, landed: dict[Week, list[str]], assets: list[str], within: WeekRange
) -> list[dg.RunRequest]:
    """For the weeks with objects that no figure holds; the keys of the runs name these objects."""
    asked, alone = Asked(), list[dg.RunRequest]()
    for week in sorted(landed):
        try:
            uncounted = uncounted_keys(prism, week, landed[week])
        except UnreadableManifest:
            # Its run fails and says why; in a range with others it would end these, too.
            cause = f"an unreadable manifest below {_name(landed[week])}"
            alone.append(request(WeekRange(week, week), assets, [cause], tags=NO_RUN_RETRY))
            continue
        if uncounted:
            asked.add([week], assets, f"{len(uncounted)} landed objects of {week} ({_name(uncounted)})")
    return [*alone, *asked.requests(within, tags=NO_RUN_RETRY)]


def _name(texts: Iterable[str]) -> str:
    """One name for some texts, in whatever order they come."""
    return hashlib.blake2b("\n".join(sorted(texts)).encode(), digest_size=8).hexdigest()
