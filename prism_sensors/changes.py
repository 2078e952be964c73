"""Changes that people make, and the weeks that they touch: the sensors over the change log.

Belongs here: the tick of such a sensor (read what is new, ask the rules, request runs, move the cursor on).
Does not belong here: the rules (rules.py) and the log (prism_resources/tables/feed.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import dagster as dg

from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core import clock
from prism_core.models.changes import Change
from prism_core.table_spec import TableSpec
from prism_resources.tables.feed import FeedCursor, digest_of, read_news
from prism_sensors.asking import Asked
from prism_sensors.known import KnownAssets, keys
from prism_sensors.materialised import read_at
from prism_sensors.reads import Reads

Rule = Callable[[Reads, KnownAssets, Sequence[Change], Asked], None]
Steady = Callable[[Reads, KnownAssets, datetime, Asked, str], str]


@dataclass(frozen=True, slots=True)
class Watch:
    """A sensor over some tables: rules by table, and what they may ask for.

    `steady` is asked at every tick, since that a day comes is no change: with the instant of the last tick and the
    text that it answered then.
    """

    name: str
    seconds: int
    description: str
    rules: Sequence[tuple[TableSpec, Rule]]
    assets: tuple[str, ...]
    steady: Steady | None = None
    most: int = 100_000  # changes a tick


def change_sensor(watch: Watch, known: KnownAssets) -> dg.SensorDefinition | None:
    """The sensor; None where none of its assets exists."""
    mine = known.named(*watch.assets)
    if not mine:
        return None

    @dg.sensor(
        name=watch.name,
        asset_selection=dg.AssetSelection.assets(*keys(known.with_downstream(*mine))),
        minimum_interval_seconds=watch.seconds,
        description=watch.description,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext, prism: PrismResource) -> dg.SensorResult:
        fresh = not context.cursor
        cursor = FeedCursor(_begins(context, mine)) if fresh else FeedCursor.parse(context.cursor or "")
        reads = Reads(prism)
        tables = {spec.name: spec for spec, _ in watch.rules}
        news = read_news(reads.history, tables.values(), cursor, clock.now(), most=watch.most)
        asked = Asked()
        for spec, rule in watch.rules:
            changes = [one for one in news.changes if one.table == spec.name]
            if fresh:
                changes = [one for one in changes if one.instant > cursor.since]
            if changes:
                rule(reads, known, changes, asked)
        left = cursor.left
        if watch.steady is not None:
            left = watch.steady(reads, known, cursor.since, asked, left)
        requests = list(asked.requests(reads.weeks, tags=NO_RUN_RETRY))
        seen = len(news.changes)
        return dg.SensorResult(
            run_requests=requests,
            cursor=replace(news.cursor, left=left).text(),
            skip_reason=None if requests else f"{seen} new changes, which touch no week",
        )

    return sensor


def cause_of(changes: Sequence[Change]) -> str:
    """What a run says of why it runs; it is part of its key."""
    items = sorted({change.item_key for change in changes})
    shown = items[0] if len(items) == 1 else f"{items[0]} and {len(items) - 1} more"
    return f"{shown} ({digest_of(changes)})"


def _begins(context: dg.SensorEvaluationContext, assets: Sequence[str]) -> datetime:
    """A sensor that never ran looks at what changed since the oldest of its assets' newest runs began to read. An
    asset that was never materialised has nothing that could be out of date."""
    newest = [context.instance.get_latest_materialization_event(key) for key in keys(assets)]
    stamps = [read_at(context.instance, one.run_id, one.timestamp) for one in newest if one is not None]
    return min([clock.now(), *stamps])
