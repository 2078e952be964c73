"""Events in packs that an execution of the state machine can carry.

Belongs here: how messages are put together, and what a pack looks like. Does not belong here: starting executions.
Step Functions ends an execution whose state is over 256 KiB, and all events of the pack with it; the embedded
one does not, so the bound is ours.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from prism_core.failures import PermanentFailure

STATE_LIMIT_BYTES: Final = 256 * 1024
PACK_LIMIT_BYTES: Final = 200 * 1024
# What the states add to a pack of events: outcomes, lookups, names of producers.
GROWTH_LIMIT_BYTES: Final = STATE_LIMIT_BYTES - PACK_LIMIT_BYTES
# An event over it travels as a reference: SQS takes 256 KiB, and a pack holds at least one event.
INLINE_LIMIT_BYTES: Final = 180 * 1024
MAX_EVENTS: Final = 100
# `until` is an instant in milliseconds of Unix time, of so many digits until the year 2286.
_HEAD, _TAIL = b'{"until":%013d,"events":[', b"]}"


def state_bytes(message: bytes) -> int:
    """At most so many bytes is a message (JSON without spaces) between the states: what a function returns has a
    space after each comma and colon."""
    return len(message) + message.count(b",") + message.count(b":")


def packs(messages: Sequence[bytes]) -> Iterator[range]:
    """The messages (JSON objects) of each pack, in their order: at most 200 KiB as functions write
    them and 100 events, none left out.

    Raises PermanentFailure for a message that fits into no pack.
    """
    around = state_bytes(_HEAD % 0) + len(_TAIL)
    start, size = 0, around
    for number, message in enumerate(messages):
        own = state_bytes(message)
        if around + own > PACK_LIMIT_BYTES:
            raise PermanentFailure(f"a message of {own:,} bytes fits into no pack; it travels as a reference")
        if number > start and (size + 2 + own > PACK_LIMIT_BYTES or number - start == MAX_EVENTS):
            yield range(start, number)
            start, size = number, around + own
        else:
            size += own + 2 * (number > start)
    if messages:
        yield range(start, len(messages))


def encode_pack(messages: Sequence[bytes], until: datetime) -> bytes:
    """The input of an execution. From `until` on its states judge and store nothing any more: others have these
    events in hand."""
    return _HEAD % round(until.timestamp() * 1_000) + b",".join(messages) + _TAIL
