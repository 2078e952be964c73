"""An accepted event that failed, kept as data; finding such events and sending them again.

Belongs here: what a failed event says, the filter over them, and what is sent again as what. Does not belong here:
the store and the queue. Sending again is idempotent: the receipt of a second try follows from the failed event and
the version it is tried with, so that two runs over one filter send one event.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

import msgspec

from prism_core.events.problems import Problem
from prism_core.events.versions import SchemaVersion

# After it a failed event is deleted, from when it failed; the lake keeps its row, without payload.
FAILED_KEPT: Final = timedelta(days=180)
MAX_INLINE_BYTES: Final = 300_000  # an item has at most 400 KB; a larger payload lies in S3


class Failure(StrEnum):
    """Why an event was not stored. `undeliverable`: its message ended in the dead queue."""

    INVALID = "invalid"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VERSION = "unknown_version"
    CONFLICT = "conflict"
    UNDELIVERABLE = "undeliverable"


class FailedStatus(StrEnum):
    """`replayed`: sent again, and stored; `repeated`: another failure of an event whose first one stays open;
    `given_up`: somebody decided that it is not worth more."""

    OPEN = "open"
    REPLAYED = "replayed"
    REPEATED = "repeated"
    GIVEN_UP = "given_up"


class Replay(msgspec.Struct, frozen=True):
    """One time it was sent again: by which run, and with which versions of its schema before and now."""

    run: str
    at: datetime
    receipt: str
    old_version: str | None
    new_version: str | None


class FailedEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The record of a failure. `payload` is the event as accepted, addresses cut; None when it lies at `body`.

    `fingerprint` is that of the event as it came: sent again, it is still the event that its producer may repeat.
    """

    failed_id: str
    receipt: str
    failure: Failure
    producer: str
    source: str
    event_id: str
    type: str
    accepted_at: datetime
    failed_at: datetime
    component: str
    component_version: str
    version: str | None = None
    fingerprint: str | None = None
    problems: tuple[Problem, ...] = ()
    payload: Any = None
    body: str | None = None
    status: FailedStatus = FailedStatus.OPEN
    replays: tuple[Replay, ...] = ()


class FailedFilter(msgspec.Struct, frozen=True):
    """Which failed events are meant; what is None does not matter. `until` is exclusive, both by acceptance."""

    type: str | None = None
    producer: str | None = None
    failure: Failure | None = None
    version: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    path: str | None = None

    def takes(self, event: FailedEvent) -> bool:
        """Whether the event is one of them, whatever its status. `path` is one of a problem, `*` for an index."""
        pairs = (
            (self.type, event.type),
            (self.producer, event.producer),
            (self.failure, event.failure),
            (self.version, event.version),
        )
        if any(asked is not None and asked != found for asked, found in pairs):
            return False
        if (self.since and event.accepted_at < self.since) or (self.until and event.accepted_at >= self.until):
            return False
        return self.path is None or any(field_of(one.path) == field_of(self.path) for one in event.problems)


def failed_id(receipt: str) -> str:
    """32 hex digits: a message that comes twice fails as one event."""
    return blake2b(receipt.encode(), digest_size=16, person=b"failed").hexdigest()


def replay_receipt(event: FailedEvent, version: SchemaVersion | None, number: int = 0) -> str:
    """The receipt under which it is sent again with a version: the same for every run that tries this.

    `number` counts the tries with this version whose messages ended in the dead queue.
    """
    text = f"{event.failed_id}\0{version}" + (f"\0{number}" if number else "")
    return blake2b(text.encode(), digest_size=16, person=b"replay").hexdigest()


def version_to_try(
    named: str | None, known: Collection[SchemaVersion], asked: SchemaVersion | None = None
) -> SchemaVersion | None:
    """The version, of those of its type, that an event is sent again with: the one that is asked for; else the
    newest of the model that it names or was judged by; else the newest. None when there is none such: an event of
    a model that nobody knows is not stored as one of another."""
    if asked is not None:
        return asked if asked in known else None
    model = None if named is None else SchemaVersion.parse(named).model
    return max((one for one in known if model is None or one.model == model), default=None)


def to_replay(
    events: Iterable[FailedEvent], wanted: FailedFilter, newest: SchemaVersion | None
) -> Iterator[FailedEvent]:
    """The open ones that the filter takes and that have not been tried with this version, the oldest first.

    A conflict is never sent again: its key is taken, and it would be one once more.
    """
    due = [
        event
        for event in events
        if event.status is FailedStatus.OPEN
        and event.failure is not Failure.CONFLICT
        and wanted.takes(event)
        and all(one.receipt != replay_receipt(event, newest) for one in event.replays)
    ]
    yield from sorted(due, key=lambda event: (event.accepted_at, event.failed_id))


def replayed(
    event: FailedEvent, run: str, at: datetime, version: SchemaVersion | None, number: int = 0
) -> FailedEvent:
    """The record with this try; telling it twice changes nothing."""
    receipt = replay_receipt(event, version, number)
    if any(one.receipt == receipt for one in event.replays):
        return event
    told = Replay(run, at, receipt, event.version, str(version) if version else None)
    return msgspec.structs.replace(event, replays=(*event.replays, told))


def field_of(path: str) -> str:
    """A path without its places in lists: `/commits/3/id` is `/commits/*/id`, one field of a producer."""
    return "/".join("*" if part.isdigit() else part for part in path.split("/"))
