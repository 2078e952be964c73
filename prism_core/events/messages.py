"""An accepted event on its way: the message in the queue.

Belongs here: what travels with an event, and its text. Does not belong here: packs of messages (packing.py).
The text is read back without looking into the data, which are judged once, where they are validated.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from prism_core.events.envelope import Envelope
from prism_core.events.packing import INLINE_LIMIT_BYTES, state_bytes
from prism_core.failures import PermanentFailure


class Body(msgspec.Struct, frozen=True):
    """Where the data of a large event lie: an object of S3, its version and size in bytes."""

    bucket: str
    key: str
    object_version: str
    size: int


class Accepted(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event with its receipt, by whom it was posted and when it was accepted.

    Data that lie elsewhere (`body`) are None in the event. `replay_of` is the failed event that is tried again.
    """

    receipt: str
    producer: str
    accepted_at: datetime
    event: Envelope
    fingerprint: str
    body: Body | None = None
    replay_of: str | None = None


# SQS refuses a whole batch for a character that XML 1.0 has not. Of those JSON escapes the ones below a space, and
# halves of surrogates are no UTF-8; these two are left, and can only stand in a text.
_REFUSED: Final = {"\ufffe".encode(): b"\\ufffe", "\uffff".encode(): b"\\uffff"}
_REFUSED_LEAD: Final = b"\xef\xbf"
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Accepted).decode


def encode(accepted: Accepted) -> bytes:
    """The text of a message, one JSON object, in the characters that SQS takes."""
    text = _encode(accepted)
    if _REFUSED_LEAD in text:
        for character, escaped in _REFUSED.items():
            text = text.replace(character, escaped)
    return text


def decode(text: bytes | str) -> Accepted:
    """The inverse. Raises PermanentFailure: nobody but the ingest function puts messages into the queue."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PermanentFailure(f"this is no message of an accepted event: {error}") from error


def is_large(text: bytes) -> bool:
    """Whether the data must travel as a reference."""
    return state_bytes(text) > INLINE_LIMIT_BYTES


def apart(accepted: Accepted, body: Body) -> tuple[Accepted, Any]:
    """The message without its data, and the data."""
    without = msgspec.structs.replace(accepted.event, data=None)
    return msgspec.structs.replace(accepted, event=without, body=body), accepted.event.data
