"""What the event pipeline keeps of an event, and of what it is judged by.

Belongs here: the items of its six tables. Does not belong here: what happens to an event (prism_core/events), and
the rules of a schema or a lookup. These items are none that people edit: they have no version and no change log.
Data and payloads are one JSON text each, since DynamoDB would take every number of them apart.
"""

from datetime import UTC
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Final

from pydantic import Field

from prism_core.events.enrichment import Kind
from prism_core.events.failed import FailedStatus, Failure
from prism_core.events.outcomes import Outcome
from prism_core.events.rollups import Grain
from prism_core.events.versions import SchemaVersion
from prism_core.models.base import Choice, Count, Day, Id, Instant, Many, Measure, Model, Name, Text, instant_text
from prism_core.models.reports import ObjectKey

# Partitions of an hour, so that no single one takes all its writes; everybody who reads an hour asks each.
RECEIPT_SHARDS: Final = 16
EVENT_SHARDS: Final = 8
FAILED_SHARDS: Final = 4
# Of an item's 400 kB; a longer body lies in S3.
BODY_MAX_BYTES: Final = 300_000

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
EventType = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}$")]
Version = Annotated[str, Field(pattern=r"^[1-9]\d{0,5}-(0|[1-9]\d{0,5})-(0|[1-9]\d{0,5})$")]
ReceiptId = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{26,32}$")]
_Pointer = Annotated[str, Field(pattern=r"^(/.*)?$", max_length=1_024)]
_Attribute = Annotated[str, Field(min_length=1, max_length=1_024)]


def hour_of(instant: Instant) -> str:
    """The hour of an aware instant in UTC, `2026-01-05T07`: a part of keys."""
    return instant_text(instant)[:13]


def shard_of(text: str, shards: int) -> int:
    """Which of so many partitions a text falls into; the same at any time and place."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) % shards


class EventMark(Model):
    """What roll-ups and counts need of a stored event: all but its data. `value` and `label` are those that its
    schema names (the measure and the text that are counted), `version` the schema's."""

    event_key: Digest
    receipt: ReceiptId
    producer: Id
    source: _Attribute
    event_id: _Attribute
    type: EventType
    version: Version
    accepted_at: Instant
    stored_at: Instant
    time: Instant | None = None
    value: Measure | None = None
    label: Annotated[str, Field(max_length=200)] | None = None

    @property
    def hour(self) -> str:
        """Of its acceptance, as of its receipt: what conservation compares."""
        return hour_of(self.accepted_at)

    @property
    def shard(self) -> int:
        return shard_of(self.event_key, EVENT_SHARDS)


class StoredEvent(EventMark):
    """An event, once for its source and id. Found by `event_key`; a type's hour by `by_type_hour`, 8 queries.

    `data` is a JSON text, or lies in S3 as `body` where it is long. `lookups` are the versions that `added` came
    from, `missing` what they did not know. `fingerprint` tells one more delivery from another payload.
    """

    fingerprint: Digest
    subject: Annotated[str, Field(max_length=1_024)] | None = None
    dataschema: Annotated[str, Field(max_length=1_024)] | None = None
    extensions: dict[str, str | int | bool] = Field(default_factory=dict[str, str | int | bool])
    data: str | None = None
    body: ObjectKey | None = None
    lookups: dict[str, int] = Field(default_factory=dict[str, int])
    added: dict[str, str] = Field(default_factory=dict[str, str])
    missing: Many[str] = ()
    expires_at: Count


class FailedProblem(Model):
    """One thing that did not fit: a JSON pointer into the data, the keyword that refused it, and why."""

    path: Annotated[str, Field(max_length=1_024)]  # any text: it is made of names that a stranger chose
    rule: Name
    reason: Annotated[str, Field(max_length=1_000)]


class FailedReplay(Model):
    """One time it was sent again, by which run and with which versions of its schema before and now."""

    run: Name
    at: Instant
    receipt: ReceiptId
    old_version: Version | None = None
    new_version: Version | None = None


class FailedMark(Model):
    """A failed event without its payload: what lists, counts and scores need."""

    failed_id: Digest
    receipt: ReceiptId
    failure: Choice[Failure]
    producer: Id
    source: _Attribute
    event_id: _Attribute
    type: EventType
    accepted_at: Instant
    failed_at: Instant
    component: Name
    component_version: Name
    version: Version | None = None
    problems: Many[FailedProblem] = ()
    status: Choice[FailedStatus] = FailedStatus.OPEN
    replays: Many[FailedReplay] = ()

    @property
    def day(self) -> str:
        """Of its acceptance."""
        return instant_text(self.accepted_at)[:10]

    @property
    def shard(self) -> int:
        return shard_of(self.failed_id, FAILED_SHARDS)


class FailedItem(FailedMark):
    """An accepted event that was not stored. Found by `failed_id`; lists by day, producer, type and status carry
    no payload. The payload is the event as accepted, addresses cut: a JSON text, or in S3 as `body`. `fingerprint`
    is that of the event as it came."""

    fingerprint: Digest | None = None
    payload: str | None = None
    body: ObjectKey | None = None
    # Without the field a row stays: the service leaves alone what has expired for more than five years.
    expires_at: Count = 0


class RegistryStatus(StrEnum):
    """A version is never taken back; the index by status lists all of them."""

    ACTIVE = "active"


class EnrichmentRule(Model):
    """Look up what stands at `path` of the data and add it as `into` (prism_core/events/enrichment.py)."""

    kind: Choice[Kind]
    path: _Pointer
    into: Id
    lookup: Id | None = None
    beside: _Pointer | None = None


class SchemaItem(Model):
    """A version of a type's schema; written once. All of a type are one query, all active ones by `by_status`.

    The schema itself lies in S3 as `body`. `value_at` and `label_at` point at what roll-ups measure and count;
    `owner` is the recipient who is told when a producer's field starts failing.
    """

    type: EventType
    version: Version
    status: Choice[RegistryStatus] = RegistryStatus.ACTIVE
    body: ObjectKey
    sha256: Sha256
    rules: Many[EnrichmentRule] = ()
    value_at: _Pointer | None = None
    label_at: _Pointer | None = None
    owner: Id | None = None
    added_at: Instant
    added_by: Name
    note: Text = ""

    @property
    def version_key(self) -> str:
        """Sorts as the version does."""
        return SchemaVersion.parse(self.version).key


class LookupForm(StrEnum):
    """What a lookup holds (prism_core/events/lookups.py)."""

    TEXTS = "texts"
    PREFIXES = "prefixes"
    RATES = "rates"


class LookupItem(Model):
    """A version of a lookup; written once. All of a name are one query, the newest the last of it; the names are
    those of `by_status`. The entries lie in S3 as `body`; `base` is the currency of rates."""

    name: Id
    version: Annotated[int, Field(ge=1, lt=10**6)]
    status: Choice[RegistryStatus] = RegistryStatus.ACTIVE
    form: Choice[LookupForm]
    body: ObjectKey
    sha256: Sha256
    entries: Count
    base: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    added_at: Instant
    added_by: Name


class ReceiptItem(Model):
    """That an event was accepted, and what became of it; written before the queue has it, settled once.

    Found by its id and hour; all of an hour are 16 queries. `refused`: the queue did not take it and no receipt
    was given out; `doubtful`: nor was one, and the queue may have it. `undeliverable`: it failed by our fault.
    `event_key` says where its event is.
    """

    receipt: ReceiptId
    producer: Id
    type: EventType
    event_key: Digest
    accepted_at: Instant
    outcome: Choice[Outcome] | None = None
    settled_at: Instant | None = None
    refused: bool = False
    doubtful: bool = False
    undeliverable: bool = False
    replay_of: Digest | None = None
    expires_at: Count

    @property
    def hour(self) -> str:
        return hour_of(self.accepted_at)

    @property
    def shard(self) -> int:
        return shard_of(self.receipt, RECEIPT_SHARDS)


class RollupItem(Model):
    """The events of a type in a window of time. A range of windows is one query, a day by `by_day`.

    A window is the sum of its parts: `part` is the hour of acceptance whose events it counts, or a pack of that
    hour until it is computed; empty for a day, which is whole. `body` is the JSON text of a RollUp.
    """

    type: EventType
    grain: Choice[Grain]
    start: Instant
    part: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{0,64}$")] = ""
    count: Count
    late: Count = 0
    body: Annotated[str, Field(max_length=BODY_MAX_BYTES)]
    computed_at: Instant
    expires_at: Count = 0  # as of a failed event

    @property
    def day(self) -> Day:
        return self.start.astimezone(UTC).date()
