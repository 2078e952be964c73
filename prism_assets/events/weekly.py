"""Weeks of events in the lake: the archive compacted, failed events, roll-ups by day and the scores of producers.

Belongs here: the assets and their checks. Does not belong here: columns (prism_core/lake_events.py) and rows
(prism_core/events/lake_rows.py), and what is done every hour (hourly.py), which these rest on.
None of them is a published figure: a week that is written again because an event came late is no restatement.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby, islice
from typing import Any, Final

import dagster as dg
import msgspec

from prism_assets.checking import counts_of, over_weeks
from prism_assets.computed import Reading, read_for, write_facts
from prism_assets.events.hourly import GROUP, OWNERS, ROLLUPS
from prism_assets.lake.assets import asset_name
from prism_assets.overtaking import reading_again
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core.calendar import Week
from prism_core.events.failed import FAILED_KEPT, FailedEvent, FailedFilter
from prism_core.events.lake_rows import day_row, failed_row, score_rows
from prism_core.events.ledger import by_producer
from prism_core.events.rollups import Grain
from prism_core.lake import RAW_EXPIRY_DAYS, LakeTable
from prism_core.lake_events import EVENT_DAYS, EVENT_SCORES, EVENTS, FAILED_EVENTS
from prism_core.models.base import instant_text
from prism_core.settings import Settings
from prism_resources.events import archive
from prism_resources.events.archive import Archived
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.ledger import Ledger
from prism_resources.events.rollup_store import RollupStore
from prism_resources.export.spool import Spool
from prism_resources.lake import PartitionWrite, RestsOn
from prism_resources.lake_files import Slices, arrow_rows, content_of

Make = Callable[[Settings, Week], AbstractContextManager[Slices]]
# Events that are rows in memory at once; the others of a week lie in a file.
_EVENTS_AT_ONCE: Final = 8_192
_DESCRIPTIONS: Final = {
    EVENTS: "The archive of the week as one Parquet file: events in the order of acceptance, each once. It "
    "expires after 90 days; a week that has begun before is left as it was compacted.",
    FAILED_EVENTS: "Failed events as they stand now: one that was sent again says so. They are deleted "
    "after 180 days; a week that has begun before is left as it was written.",
    EVENT_DAYS: "Roll-ups by type and day, of the hourly ones; a late event corrects its day for a week.",
    EVENT_SCORES: "The scorecard of a week: what the hourly run counted of producers, and the fields that fail.",
}
# How long that stays of which a table is made; the others rest on ledgers, and on days kept for years.
_KEPT: Final = {
    EVENTS: timedelta(days=RAW_EXPIRY_DAYS),
    FAILED_EVENTS: FAILED_KEPT,
    EVENT_SCORES: FAILED_KEPT,
}


def weekly_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """`event_archive` (the table `events`), `failed_events`, `event_days` and `event_scores`."""
    return [
        _asset(EVENTS, _events, weekly, {"s3", "parquet"}),
        _asset(FAILED_EVENTS, _failed_events, weekly, {"dynamodb", "parquet"}),
        _asset(EVENT_DAYS, _days, weekly, {"dynamodb", "parquet"}),
        _asset(EVENT_SCORES, _scores, weekly, {"s3", "dynamodb", "parquet"}),
    ]


def weekly_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """`archive_is_what_was_stored`: the archive holds what the hourly balances counted as stored."""

    @dg.asset_check(
        asset=asset_name(EVENTS),
        name="archive_is_what_was_stored",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "At least as many events in the week's file as the balances of its hours counted in the store; what "
            "was stored since the last count is in the file already."
        ),
    )
    def archive_is_what_was_stored(
        context: dg.AssetCheckExecutionContext, prism: PrismResource
    ) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _archived(prism, week), severity=dg.AssetCheckSeverity.WARN)

    return [archive_is_what_was_stored]


def _asset(
    table: LakeTable, make: Make, weekly: dg.WeeklyPartitionsDefinition, kinds: set[str]
) -> dg.AssetsDefinition:
    @dg.asset(
        name=asset_name(table),
        pool=f"lake_{table.name}",
        deps=[ROLLUPS],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds=kinds,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=f"{table.meaning} {_DESCRIPTIONS[table]} Lake table `{table.name}`.",
    )
    def written(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():

            def read(weeks: Sequence[Week]) -> Reading[None]:
                return read_for(prism, table, weeks, lambda _weeks, _now: None)

            weeks = weeks_of(context)
            first = read(weeks)
            for week in weeks:
                done = reading_again(week, first, read, partial(_write, prism, table, make, week))
                facts: dict[str, object] = {"week": week.label}
                if done is None:
                    facts["kept"] = "what it was made of has begun to expire"
                else:
                    facts |= {"dagster/row_count": done.manifest.rows, **write_facts(done)}
                context.add_asset_metadata(facts, partition_key=week.key)

    return written


def _write(
    prism: PrismResource, table: LakeTable, make: Make, week: Week, reading: Reading[None]
) -> PartitionWrite | None:
    """The week anew; None where that would lose what has expired since it was written."""
    kept = _KEPT.get(table)
    expired = kept is not None and week.start < reading.now - kept
    if expired and table.partition(week).manifest in reading.known:
        return None
    with make(prism.settings(), week) as rows:
        content = content_of(table, rows)
        rests_on = RestsOn({"rows": content.rows})
        return prism.lake().write_partition(
            table, week, content, now=reading.now, known=reading.known, rests_on=rests_on, sparse=True
        )


@contextmanager
def _events(settings: Settings, week: Week) -> Iterator[Slices]:
    """By receipt, whose first letters are its instant. An hour is read at a time, and what exceeds some memory
    goes to a file: a busy week has more than fits."""
    with Spool("receipt") as spool:
        for day in week.days:
            for _, keys in groupby(archive.keys_of_day(settings, day), lambda key: key.rpartition("/")[0]):
                events = archive.read(settings, keys)
                while chunk := list(islice(events, _EVENTS_AT_ONCE)):
                    for rows in arrow_rows(EVENTS, [_event_row(one) for one in chunk]).to_batches():
                        spool.add(rows)
        yield spool.rows()


def _event_row(one: Archived) -> dict[str, Any]:
    names = ("event_key", "type", "version", "producer", "source", "event_id", "subject", "label", "receipt")
    row = {name: getattr(one, name) for name in (*names, "accepted_at", "stored_at", "time")}
    told = {name: _json(getattr(one, name)) for name in ("added", "lookups", "missing", "data")}
    return row | told | {"value": None if one.value is None else float(one.value)}


def _failed_events(settings: Settings, week: Week) -> AbstractContextManager[Slices]:
    rows = sorted(_failed_of(settings, week), key=lambda one: (one.accepted_at, one.failed_id))
    return nullcontext([arrow_rows(FAILED_EVENTS, [failed_row(one) for one in rows])])


def _failed_of(settings: Settings, week: Week) -> Iterator[FailedEvent]:
    return FailedStore(settings).find(FailedFilter(since=week.start, until=week.end))


def _days(settings: Settings, week: Week) -> AbstractContextManager[Slices]:
    store = RollupStore(settings)
    days = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in week.days]
    rows = [day_row(one) for day in days for one in store.of_day(Grain.DAY, day)]
    return nullcontext([arrow_rows(EVENT_DAYS, rows)])


def _scores(settings: Settings, week: Week) -> AbstractContextManager[Slices]:
    hours = Ledger(settings).of_days(week.days[0], week.days[-1])
    return nullcontext([arrow_rows(EVENT_SCORES, score_rows(by_producer(hours), _failed_of(settings, week)))])


def _archived(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    counted = Ledger(prism.settings()).of_days(week.days[0], week.days[-1])
    held, rows = sum(one.held_stored for one in counted), counts_of(prism, EVENTS, week).get("rows", 0)
    until = instant_text(max((one.hour for one in counted), default=week.start))
    return held <= rows, {"archived": rows, "stored": held, "hours": len(counted), "until": until}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
