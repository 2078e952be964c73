"""The change log of a table as Arrow: what each change found before it, for StateIntervals.

Belongs here: which partitions of the log to read, reading them in parallel, their items as batches of texts.
Does not belong here: what is made of them (intervals.py), and changes as people read them (tables/history.py).
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from prism_core.calendar import Week
from prism_core.lake import Column
from prism_core.models.base import instant_text
from prism_core.settings import Settings
from prism_core.tables import AFTER_ALL, CHANGELOG, TableSpec
from prism_resources.aws import client
from prism_resources.failures import calling
from prism_resources.history.text import ABSENT, ColumnText, carried
from prism_resources.tables.history import SKEW, refuse_unlogged

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# A page is at most 1 MB, and twice as many pages as threads are held.
THREADS: Final = 8
_CONDITION = "#partition = :partition AND #place BETWEEN :low AND :high"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Part:
    """A partition of the log that is to be read, from its beginning or behind a page."""

    partition: str
    start: Mapping[str, Any] | None = None


def change_batches(
    settings: Settings,
    spec: TableSpec,
    columns: Sequence[Column],
    since: datetime,
    until: datetime,
    *,
    progress: Progress | None = None,
) -> Iterator[pa.RecordBatch]:
    """Every change of a table that may be later than `since`, up to `until`, in no order.

    Reads a minute more on the early side: writers' clocks differ. Read the rows of now first, then the changes
    until a minute after, so that none is missed. Columns are fields of the model; `version` comes of itself.
    `progress` is told the partitions of the log (a week and shard each) that are done, and all of them.
    """
    refuse_unlogged(spec)
    texts = [ColumnText(spec, column) for column in carried(columns)]
    reader = _Reader(settings, since - SKEW, until)
    parts = deque(_Part(partition) for partition in reader.partitions(spec.name))
    total, done = len(parts), 0
    running: deque[Future[tuple[list[Any], _Part | None]]] = deque()
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


class _Reader:
    """Pages of the log between two instants."""

    def __init__(self, settings: Settings, after: datetime, until: datetime) -> None:
        self._dynamodb: DynamoDBClient = client(settings, "dynamodb")
        self._table, self._shards = settings.table_name(CHANGELOG.name), settings.changelog_shards
        self._weeks = Week.of(after), Week.of(until)
        self._low, self._high = instant_text(after) + "#" + AFTER_ALL, instant_text(until) + "#" + AFTER_ALL

    def partitions(self, table: str) -> Iterator[str]:
        first, last = self._weeks
        for number in range(last - first + 1):
            for shard in range(self._shards):
                partition = CHANGELOG.partition.text({"table": table, "week": first + number, "shard": shard})
                assert partition is not None  # noqa: S101 - all parts are given
                yield partition

    def page(self, part: _Part) -> tuple[list[Any], _Part | None]:
        place = CHANGELOG.sort
        assert place is not None  # noqa: S101 - the log is sorted by instant
        values = {":partition": {"S": part.partition}, ":low": {"S": self._low}, ":high": {"S": self._high}}
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": _CONDITION,
            "ExpressionAttributeNames": {"#partition": CHANGELOG.partition.name, "#place": place.name},
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        if part.start is not None:
            request["ExclusiveStartKey"] = part.start
        with calling(self._table, "query"):
            answer = self._dynamodb.query(**request)
        following = answer.get("LastEvaluatedKey")
        return answer["Items"], None if following is None else _Part(part.partition, following)


def _batch(items: Sequence[Any], texts: Sequence[ColumnText]) -> pa.RecordBatch:
    changes = [item["changes"]["M"] for item in items]
    found: dict[str, Any] = {
        "item_key": pa.array([item["item_key"]["S"] for item in items], pa.string()),
        "version": pa.array([int(item["version"]["N"]) for item in items], pa.int64()),
        "instant": pa.array([item["instant"]["S"] for item in items], pa.string()).cast(pa.timestamp("us", "UTC")),
        "ulid": pa.array([item["ulid"]["S"] for item in items], pa.string()),
        "operation": pa.array([item["operation"]["S"] for item in items], pa.string()),
    }
    for text in texts:
        found[text.name] = pa.array([_before(text, change.get(text.field)) for change in changes], pa.string())
    return pa.RecordBatch.from_pydict(found)


def _before(text: ColumnText, change: Mapping[str, Any] | None) -> str | None:
    """None where the change did not touch the field."""
    if change is None:
        return None
    before = text.of_attribute(change["M"].get("before"))
    return ABSENT if before is None else before
