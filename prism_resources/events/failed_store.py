"""Failed events: kept as data, found by index, settled when they were sent again.

Belongs here: the rows of failed events and their payloads. Does not belong here: what is sent again as what
(prism_core/events/failed.py) and sending it (replaying.py).
A list carries no payload: a row has up to 300 kB of it, and a longer one lies in S3.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from prism_core.events.failed import (
    FAILED_KEPT,
    MAX_INLINE_BYTES,
    FailedEvent,
    FailedFilter,
    FailedStatus,
    Failure,
    Replay,
)
from prism_core.events.problems import Problem
from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.models.base import instant_text
from prism_core.models.events import FAILED_SHARDS, FailedItem, FailedMark
from prism_core.settings import Settings
from prism_core.tables import FAILED_EVENTS
from prism_resources.aws import client
from prism_resources.events import objects
from prism_resources.events.writing import put_new
from prism_resources.failures import calling, error_code
from prism_resources.tables.codec import encode, encode_key, encode_value
from prism_resources.tables.reader import TableReader

PAYLOADS: Final = "events/failed/"
# A name in the data may be of any length, and so may what a schema says of it.
_MOST_PATH, _MOST_REASON = 1_024, 1_000
ATTEMPTS: Final = 5
_WRITERS: Final = 8
# An instant with all of its digits ends a range of texts: `until` is exclusive.
_JUST_BEFORE: Final = timedelta(microseconds=1)
# Up to here the days are asked one by one, each in its shards; a longer time is asked of each status at once.
_DAY_BY_DAY: Final = timedelta(days=31)

# Producer, type, failure and status.
Kind = tuple[str, str, str, str]


class FailedStore:
    """The table of failed events."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dynamodb = client(settings, "dynamodb")
        self._reader = TableReader(self._dynamodb, settings, FAILED_EVENTS, FailedItem)

    def add(self, events: Sequence[FailedEvent]) -> int:
        """Keep them; answers how many were not there yet. One that is there stays as it is, replayed or not."""
        stood = put_new(self._settings, FAILED_EVENTS, [encode(FAILED_EVENTS, self._row(one)) for one in events])
        return sum(one is None for one in stood)

    def get(self, failed_id: str) -> FailedEvent | None:
        """One with its payload, wherever that lies."""
        found = self._reader.get(failed_id=failed_id)
        return None if found is None else self._whole(found)

    def find(self, wanted: FailedFilter, status: FailedStatus | None = None) -> Iterator[FailedEvent]:
        """Those that the filter takes, without payload; of every status when none is named.

        By the narrowest index that it has a value for: type, producer, status, else each day. In the order of
        acceptance where that is one query.
        """
        for mark in self._marks(wanted, status):
            event = _event(mark)
            if (status is None or event.status is status) and wanted.takes(event):
                yield event

    def counts(self, wanted: FailedFilter, status: FailedStatus | None = None) -> Counter[Kind]:
        """How many there are by producer, type, failure and status."""
        return Counter((one.producer, one.type, one.failure, one.status) for one in self.find(wanted, status))

    def note(self, failed_id: str, replay: Replay) -> None:
        """Add a time it was sent again; noting the same receipt twice changes nothing."""
        self._change(failed_id, lambda mark: _noted(mark, replay))

    def settle(self, failed_id: str, status: FailedStatus) -> None:
        """`replayed` when what was sent again is stored; `given_up`, of an open one, when somebody decided so or
        its key is taken."""
        self._change(failed_id, lambda mark: _settled(mark, status))

    def give_up(self, wanted: FailedFilter) -> int:
        """Close the open ones that the filter takes; answers how many there were."""
        found = list(self.find(wanted, FailedStatus.OPEN))
        with ThreadPoolExecutor(_WRITERS) as pool:
            for _ in pool.map(lambda one: self.settle(one.failed_id, FailedStatus.GIVEN_UP), found):
                pass
        return len(found)

    def failure(self, failed_id: str) -> Failure | None:
        """Why it failed, without its payload; None when there is no such failed event."""
        found = self._reader.get(failed_id=failed_id)
        return None if found is None else found.failure

    def _row(self, event: FailedEvent) -> FailedItem:
        payload = None if event.payload is None else msgspec.json.encode(event.payload)
        body = event.body
        if payload is not None and len(payload) > MAX_INLINE_BYTES:
            body = f"{PAYLOADS}{event.failed_id}.json"
            objects.put(self._settings, body, payload, objects.JSON)
            payload = None
        said = msgspec.to_builtins(event, builtin_types=(datetime,))
        said["problems"] = [
            {"path": one.path[:_MOST_PATH], "rule": one.rule, "reason": one.reason[:_MOST_REASON]}
            for one in event.problems
        ]
        text = None if payload is None else payload.decode()
        expires_at = int((event.failed_at + FAILED_KEPT).timestamp())
        return FailedItem.model_validate(said | {"payload": text, "body": body, "expires_at": expires_at})

    def _whole(self, found: FailedItem) -> FailedEvent:
        text = found.payload
        if text is None and found.body is not None:
            text = objects.get(self._settings, found.body).decode()
        event = _event(found)
        return event if text is None else msgspec.structs.replace(event, payload=msgspec.json.decode(text))

    def _marks(self, wanted: FailedFilter, status: FailedStatus | None) -> Iterator[FailedMark]:
        until = None if wanted.until is None else wanted.until - _JUST_BEFORE
        named: list[tuple[str, dict[str, Any]]] = [
            (f"by_{name}", {name: value})
            for name, value in (("type", wanted.type), ("producer", wanted.producer), ("status", status))
            if value is not None
        ]
        if named:
            way, parts = named[0]
            yield from self._reader.query_as(FailedMark, way, first=wanted.since, last=until, **parts)
        elif wanted.since is not None and wanted.until is not None and wanted.until - wanted.since <= _DAY_BY_DAY:
            yield from self._of_days(wanted.since, wanted.until)
        else:
            for one in FailedStatus:
                yield from self._reader.query_as(
                    FailedMark, "by_status", first=wanted.since, last=until, status=one
                )

    def _of_days(self, since: datetime, until: datetime) -> Iterator[FailedMark]:
        day = since
        while instant_text(day)[:10] <= instant_text(until)[:10]:
            for shard in range(FAILED_SHARDS):
                yield from self._reader.query_as(FailedMark, "by_day", day=instant_text(day)[:10], shard=shard)
            day += timedelta(days=1)

    def _change(self, failed_id: str, change: Callable[[FailedItem], FailedItem]) -> None:
        """The row as `change` makes it of what stands, whoever else changes it meanwhile."""
        for _ in range(ATTEMPTS):
            found = self._reader.get(failed_id=failed_id)
            if found is None:
                raise PermanentFailure(f"there is no failed event {failed_id}")
            after = change(found)
            if after == found or self._replace(found, after):
                return
        raise TransientFailure(f"failed event {failed_id} is changed by somebody else all the time; try again")

    def _replace(self, before: FailedItem, after: FailedItem) -> bool:
        """Status and replays alone; False when another process was first."""
        values = {
            ":status": after.status.value, ":replays": [one.model_dump() for one in after.replays],
            ":was": before.status.value, ":had": [one.model_dump() for one in before.replays],
        }  # fmt: skip
        with calling(FAILED_EVENTS.name, "write"):
            try:
                self._dynamodb.update_item(
                    TableName=self._reader.table,
                    Key=encode_key(FAILED_EVENTS.key_of(before)),
                    UpdateExpression="SET #status = :status, #replays = :replays",
                    ConditionExpression="#status = :was AND #replays = :had",
                    ExpressionAttributeNames={"#status": "status", "#replays": "replays"},
                    ExpressionAttributeValues={name: encode_value(value) for name, value in values.items()},
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True


def _settled(mark: FailedItem, status: FailedStatus) -> FailedItem:
    if status is FailedStatus.GIVEN_UP and mark.status is not FailedStatus.OPEN:
        return mark
    return mark.model_copy(update={"status": status})


def _noted(mark: FailedItem, replay: Replay) -> FailedItem:
    if any(one.receipt == replay.receipt for one in mark.replays):
        return mark
    told = msgspec.to_builtins(replay, builtin_types=(datetime,))
    return FailedItem.model_validate(mark.model_dump() | {"replays": [*mark.model_dump()["replays"], told]})


def _event(mark: FailedMark) -> FailedEvent:
    said: dict[str, Any] = {name: getattr(mark, name) for name in FailedMark.model_fields}
    said["problems"] = tuple(Problem(one.path, one.rule, one.reason) for one in mark.problems)
    said["replays"] = tuple(
        Replay(one.run, one.at, one.receipt, one.old_version, one.new_version) for one in mark.replays
    )
    if isinstance(mark, FailedItem):
        said |= {"body": mark.body, "fingerprint": mark.fingerprint}
    return FailedEvent(**said)
