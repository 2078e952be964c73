"""The change log of a table as Arrow: what each change found before it, for StateIntervals.

Belongs here: which partitions of the log to read, reading them in parallel, their items as batches of texts.
Does not belong here: what is made of them (intervals.py), and changes as people read them (tables/history.py).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pyarrow as pa

from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.lake import Column
from prism_core.models.base import instant_text
from prism_core.settings import Settings
from prism_core.tables import AFTER_ALL, CHANGELOG, TableSpec
from prism_resources.history.text import ABSENT, ColumnText, FieldText, carried
from prism_resources.tables.history import SKEW, refuse_unlogged
from prism_resources.tables.raw import Page, RawTables

# A page is at most 1 MB, and twice as many pages as threads are held.
THREADS: Final = 8
_CONDITION = "#partition = :partition AND #place BETWEEN :low AND :high"
_FILTER = "begins_with(#partition, :table) AND #place BETWEEN :low AND :high"
# A log of this size is read whole in sixteen calls: fewer than a query a week and shard of half a year.
SCAN_BYTES: Final = 16 * 1024 * 1024
SCAN_PARTITIONS: Final = 200

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Part:
    """A partition of the log that is to be read, from its beginning or behind a page; None: the whole log."""

    partition: str | None
    start: msgspec.Raw | None = None


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
    progress: Progress | None = None,
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
    reader = _Reader(settings, spec.name, since - SKEW, until, page_size)
    parts = deque(reader.parts())
    total, done = len(parts), 0
    running: deque[Future[tuple[list[_Entry], _Part | None]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            while parts or running:
                while parts and len(running) < 2 * THREADS:
                    running.append(pool.submit(reader.page, parts.popleft()))
                items, following = running.popleft().result()
                if following is not None:
                    parts.appendleft(following)
                elif progress is not None:
                    done += 1
                    progress(done, total)
                if items:
                    yield _batch(items, texts)
        finally:
            for future in running:
                future.cancel()


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


class _Reader:
    """Pages of the log between two instants."""

    def __init__(
        self, settings: Settings, table: str, after: datetime, until: datetime, page_size: int | None
    ) -> None:
        self._of, self._page_size = table, page_size
        self._raw, self._decoder = RawTables(settings), msgspec.json.Decoder(Page[_Entry])
        self._table, self._shards = settings.table_name(CHANGELOG.name), settings.changelog_shards
        self._weeks = Week.of(after), Week.of(until)
        self._low, self._high = instant_text(after) + "#" + AFTER_ALL, instant_text(until) + "#" + AFTER_ALL

    def parts(self) -> list[_Part]:
        """A query a partition, or one scan where these are many and the log is small."""
        parts = [_Part(partition) for partition in self._partitions()]
        if len(parts) > SCAN_PARTITIONS and self._raw.bytes_of(self._table) <= SCAN_BYTES:
            return [_Part(None)]
        return parts

    def _partitions(self) -> Iterator[str]:
        first, last = self._weeks
        for number in range(last - first + 1):
            for shard in range(self._shards):
                partition = CHANGELOG.partition.text({"table": self._of, "week": first + number, "shard": shard})
                assert partition is not None  # noqa: S101 - all parts are given
                yield partition

    def page(self, part: _Part) -> tuple[list[_Entry], _Part | None]:
        place = CHANGELOG.sort
        assert place is not None  # noqa: S101 - the log is sorted by instant
        values = {":low": {"S": self._low}, ":high": {"S": self._high}}
        if part.partition is None:
            operation, condition = "Scan", {"FilterExpression": _FILTER}
            values[":table"] = {"S": f"{self._of}#"}
        else:
            operation, condition = "Query", {"KeyConditionExpression": _CONDITION}
            values[":partition"] = {"S": part.partition}
        request: dict[str, Any] = {
            "TableName": self._table,
            **condition,
            "ExpressionAttributeNames": {"#partition": CHANGELOG.partition.name, "#place": place.name},
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        request |= {"Limit": self._page_size} if self._page_size else {}
        request |= {"ExclusiveStartKey": part.start} if part.start is not None else {}
        body = self._raw.call(operation, request, self._table)
        try:
            page = self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise PermanentFailure(
                f"the change log holds an entry of another form in {part.partition or self._table}: {error}; it "
                "was written past the store or by another version of PRISM"
            ) from error
        following = page.LastEvaluatedKey
        return page.Items, _Part(part.partition, following) if bytes(following) else None


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
