"""The change log of a table as Arrow: what each change found before it, for StateIntervals.

Belongs here: which partitions of the log to read, reading them in parallel, their items as batches of texts.
Does not belong here: what is made of them (intervals.py), and changes as people read them (tables/history.py).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pyarrow as pa

from prism_core.calendar import Week, WeekRange
from prism_core.clock import SKEW
from prism_core.lake import Column
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, TableSpec
from prism_resources.history.text import ABSENT, ColumnText, FieldText, carried
from prism_resources.tables.history import refuse_unlogged
from prism_resources.tables.log import Span, log_conditions, span
from prism_resources.tables.raw import Ended, Page, RawTables
from prism_resources.tables.reader import query_of

# A page is at most 1 MB, and twice as many pages as threads are held.
THREADS: Final = 8
# A log of this size is read whole in sixteen calls: fewer than a query a week and shard of half a year.
SCAN_BYTES: Final = 16 * 1024 * 1024
SCAN_PARTITIONS: Final = 200


def log_end(now: datetime) -> datetime:
    """Until when the log is read, asked when the last row has been read: no row of then has a later change.

    Not from `now` alone: that is from before the rows were read, and a fixed clock stands still.
    """
    return max(now, datetime.now(UTC)) + SKEW


def change_batches(
    settings: Settings,
    spec: TableSpec,
    columns: Sequence[Column],
    since: datetime,
    until: datetime,
    *,
    texts: Sequence[FieldText] | None = None,
    page_size: int | None = None,
    progress: Ended = lambda _done, _all: None,
) -> Iterator[pa.RecordBatch]:
    """Every change of a table that may be later than `since`, up to `until`, in no order.

    Reads a minute more on the early side: writers' clocks differ. Read the rows of now first, then the changes
    until `log_end`, so that none is missed. Columns are fields of the model; `version` comes of itself.
    `texts`, where given, stand for other columns than those of the lake.
    `progress` is told the partitions of the log (a week and shard each) that are done, and all of them; a small
    log is read as one.
    """
    refuse_unlogged(spec)
    texts = [ColumnText(spec, column) for column in carried(columns)] if texts is None else texts
    raw, log, since = RawTables(settings), settings.table_name(CHANGELOG.name), since - SKEW
    weeks, within = WeekRange(Week.of(since), Week.of(until)), span(since, until)
    requests = [query_of(log, one) for one in log_conditions(settings, [spec.name], weeks, within)]
    operation = "Query"
    if len(requests) > SCAN_PARTITIONS and raw.bytes_of(log) <= SCAN_BYTES:
        operation, requests = "Scan", [_scan(log, spec, within)]
    limit = {"Limit": page_size} if page_size else {}
    pages = raw.pages(operation, [one | limit for one in requests], _PAGES, threads=THREADS, ended=progress)
    return (_batch(page, texts) for page in pages)


class _Text(msgspec.Struct):
    S: str


class _Number(msgspec.Struct):
    N: str


class _Sides(msgspec.Struct):
    before: msgspec.Raw = msgspec.Raw(b"")  # empty where there was none


class _Touched(msgspec.Struct):
    M: _Sides


class _Fields(msgspec.Struct):
    M: dict[str, _Touched]


class _Entry(msgspec.Struct):
    """A stored change as far as it is needed: what was after it is the `before` of a later one."""

    item_key: _Text
    version: _Number
    instant: _Text
    ulid: _Text
    operation: _Text
    changes: _Fields


_PAGES = msgspec.json.Decoder(Page[_Entry])


def _scan(log: str, spec: TableSpec, within: Span) -> dict[str, Any]:
    """The changes of a table out of the whole log."""
    (low, high), (partition, place) = within, CHANGELOG.key_attributes
    return {
        "TableName": log,
        "FilterExpression": "begins_with(#p, :p) AND #s BETWEEN :low AND :high",
        "ExpressionAttributeNames": {"#p": partition.name, "#s": place.name},
        "ExpressionAttributeValues": {":p": {"S": f"{spec.name}#"}, ":low": {"S": low}, ":high": {"S": high}},
        "ConsistentRead": True,
    }


def _batch(entries: Sequence[_Entry], texts: Sequence[FieldText]) -> pa.RecordBatch:
    instants = pa.array([entry.instant.S for entry in entries], pa.string())
    found: dict[str, Any] = {
        "item_key": pa.array([entry.item_key.S for entry in entries], pa.string()),
        "version": pa.array([int(entry.version.N) for entry in entries], pa.int64()),
        "instant": instants.cast(pa.timestamp("us", tz="UTC")),
        "ulid": pa.array([entry.ulid.S for entry in entries], pa.string()),
        "operation": pa.array([entry.operation.S for entry in entries], pa.string()),
    }
    for text in texts:
        befores = [_before(text, entry.changes.M.get(text.field)) for entry in entries]
        found[text.name] = pa.array(befores, pa.string())
    return pa.RecordBatch.from_pydict(found)


def _before(text: FieldText, touched: _Touched | None) -> str | None:
    """None where the change did not touch the field."""
    if touched is None:
        return None
    before = bytes(touched.M.before)
    told = text.of_attribute(msgspec.json.decode(before)) if before else None
    return ABSENT if told is None else told
