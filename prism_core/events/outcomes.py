"""What becomes of an accepted event.

Belongs here: the outcomes, what the store's own item says of one more event with its key, and which messages of a
batch go back to the queue. Does not belong here: failed events as data (failed.py) and sums (conservation.py).
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """`conflict`: its key is taken by another payload; it is kept as a failed event. `retry`: not known yet."""

    STORED = "stored"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    RETRY = "retry"

    @property
    def is_final(self) -> bool:
        return self is not Outcome.RETRY


class StoredMark(msgspec.Struct, frozen=True):
    """What the store keeps of an event beside its body: the receipt that brought it, and its fingerprint."""

    receipt: str
    fingerprint: str


class Settled(msgspec.Struct, frozen=True):
    """The outcome of one message."""

    message_id: str
    receipt: str
    outcome: Outcome
    reason: str = ""


def outcome_of(stored: StoredMark | None, coming: StoredMark) -> Outcome:
    """What one more event is beside the item of its key, None before the first.

    A message that the queue delivers again finds what it stored itself: that is no duplicate, or the sums would
    count one accepted event twice.
    """
    if stored is None or stored == coming:
        return Outcome.STORED
    return Outcome.DUPLICATE if stored.fingerprint == coming.fingerprint else Outcome.CONFLICT


def settle(before: Outcome | None, now: Outcome) -> Outcome:
    """The outcome that a receipt keeps: the first final one, however often its message comes."""
    return before if before is not None and before.is_final else now


def batch_item_failures(message_ids: Sequence[str], settled: Iterable[Settled]) -> dict[str, list[dict[str, str]]]:
    """The answer to the queue: every message without a final outcome stays in it, in their order, each once.

    Ids that are not of the batch are left out: one of those would send the whole batch back.
    """
    done = {one.message_id for one in settled if one.outcome.is_final}
    left = [one for one in dict.fromkeys(message_ids) if one not in done]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in left]}
