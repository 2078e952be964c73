"""Stored events: one for a source and id, whatever comes how often.

Belongs here: storing events, and reading one or an hour of a type. Does not belong here: their archive
(archive.py) and what becomes of the receipt.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prism_core.events.outcomes import Outcome, StoredMark, outcome_of
from prism_core.models.events import EVENT_SHARDS, EventMark, StoredEvent
from prism_core.settings import Settings
from prism_core.tables import EVENTS
from prism_resources.aws import client
from prism_resources.events.writing import put_new
from prism_resources.tables.codec import Attribute, decode, encode
from prism_resources.tables.reader import TableReader


class Put(NamedTuple):
    """What one became, and where it is stored its row as it stands: a retry of its pack had other stamps."""

    outcome: Outcome
    event: StoredEvent


class EventStore:
    """The table of events."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader = TableReader(client(settings, "dynamodb"), settings, EVENTS, StoredEvent)

    def store(self, events: Sequence[StoredEvent]) -> list[Put]:
        """What each is, in their order: stored (also when its own receipt had brought it before), duplicate, or
        conflict, when its key is taken by another payload. Raises TransientFailure; storing them again is safe.
        """
        stood = put_new(self._settings, EVENTS, [encode(EVENTS, event) for event in events])
        return [
            Put(Outcome.STORED, event) if found is None else _beside(event, found)
            for event, found in zip(events, stood, strict=True)
        ]

    def get(self, event_key: str) -> StoredEvent | None:
        return self._reader.get(event_key=event_key)

    def of_hour(self, kind: str, hour: str) -> Iterator[EventMark]:
        """The events of a type that were accepted within an hour (`2026-01-05T07`, UTC), without their data."""
        for shard in range(EVENT_SHARDS):
            yield from self._reader.query_as(EventMark, "by_type_hour", type=kind, hour=hour, shard=shard)


def _beside(event: StoredEvent, found: Attribute) -> Put:
    outcome = outcome_of(mark_of(found), StoredMark(event.receipt, event.fingerprint))
    return Put(outcome, decode(EVENTS, StoredEvent, found) if outcome is Outcome.STORED else event)


def mark_of(found: Attribute) -> StoredMark:
    """Of a row, or of the part of one that was read."""
    return StoredMark(found["receipt"]["S"], found["fingerprint"]["S"])
