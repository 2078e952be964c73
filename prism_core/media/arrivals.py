"""Events of S3 about originals, in whatever order and however often they come.

Belongs here: reading a message, which of two events is the newer, and what an event asks of an image as it is
known. Does not belong here: reading queues and objects.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote_plus, unquote_plus

import msgspec

from prism_core.failures import PermanentFailure
from prism_core.media.keys import OriginalKey, read_original
from prism_core.models.base import instant_text
from prism_core.models.images import Image, ImageState

# Whoever began an analysis is given so long before somebody else begins it again: the function ends after 30 s.
LEASE: Final = timedelta(seconds=35)
NO_VERSION: Final = "null"
# The time that S3 keeps of a version is cut to whole seconds.
_WITHIN: Final = timedelta(seconds=1)
_TEST_EVENT: Final = "s3:TestEvent"
# Not `gone`: a file that is there all the same is looked at.
_DONE: Final = (ImageState.ANALYSED, ImageState.REFUSED)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new version of an original. `at` is the event's own time; `sequencer` orders events about one key.

    Without one it is of the reconciliation, which found this version to be the newest while the row still had the
    one that it had `seen`, or none.
    """

    bucket: str
    key: str
    object_version: str
    at: datetime
    size: int
    sequencer: str | None = None
    seen: str | None = None

    @property
    def original(self) -> OriginalKey:
        """Whose image it is. Raises PermanentFailure for a key that PRISM did not hand out."""
        return read_original(self.key)


class Due(StrEnum):
    """What an event asks for. `busy`: another call is at it."""

    ANALYSE = "analyse"
    DONE = "done"
    OLDER = "older"
    BUSY = "busy"
    NOBODYS = "nobodys"


def read_arrivals(message: bytes | str) -> list[Arrival]:
    """The uploads that a message of the queue tells of; none for the test message of S3.

    Raises PermanentFailure for what is no event of S3.
    """
    try:
        told: Any = msgspec.json.decode(message)
        if told.get("Event") == _TEST_EVENT:
            return []
        return [_arrival(record) for record in told["Records"]]
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise PermanentFailure(f"the message is no event of S3 ({error!r})") from error


def _arrival(record: Any) -> Arrival:
    told = record["s3"]["object"]
    return Arrival(
        bucket=str(record["s3"]["bucket"]["name"]),
        key=unquote_plus(told["key"]),
        object_version=str(told.get("versionId") or NO_VERSION),
        at=datetime.fromisoformat(record["eventTime"]),
        size=int(told.get("size", 0)),
        sequencer=told.get("sequencer"),
        seen=record.get("prism", {}).get("seen"),
    )


def message_of(arrival: Arrival) -> bytes:
    """The message that S3 would send: what drives an image that got stuck once more."""
    told: dict[str, Any] = {
        "key": quote_plus(arrival.key, safe="/"),
        "size": arrival.size,
        "versionId": arrival.object_version,
    }
    if arrival.sequencer is not None:
        told["sequencer"] = arrival.sequencer
    record: dict[str, Any] = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Again",
        "eventTime": instant_text(arrival.at),
        "s3": {"bucket": {"name": arrival.bucket}, "object": told},
    }
    if arrival.seen is not None:
        record["prism"] = {"seen": arrival.seen}
    return msgspec.json.encode({"Records": [record]})


def is_newer(one: str, other: str) -> bool:
    """Whether a sequencer is behind another one of the same key: hexadecimal, the shorter padded on the right."""
    width = max(len(one), len(other))
    return one.upper().ljust(width, "0") > other.upper().ljust(width, "0")


def due(image: Image | None, arrival: Arrival, now: datetime) -> Due:
    """What is to be done about an event, given the image as it is stored."""
    if image is None:
        return Due.NOBODYS
    if image.object_version != arrival.object_version:
        return Due.OLDER if _is_older(image, arrival) else Due.ANALYSE
    if image.state in _DONE:
        return Due.DONE
    return Due.BUSY if lease_left(image, now) > 0 else Due.ANALYSE


def lease_left(image: Image, now: datetime) -> float:
    """Seconds for which the call that is at an image may still be; nothing when none is, or when it said so."""
    if image.state is not ImageState.ANALYSING or image.started is None:
        return 0.0
    return max(0.0, (LEASE - (now - image.started)).total_seconds())


def _is_older(image: Image, arrival: Arrival) -> bool:
    if image.object_version is None:
        return False
    if arrival.sequencer is None:  # a row that has moved on has heard of an upload that is newer still
        return image.object_version != arrival.seen
    if image.sequencer is not None:
        return not is_newer(arrival.sequencer, image.sequencer)
    # The reconciliation named the upload that the row has the newest minutes after it came: another one of the
    # same second is older.
    return image.uploaded is not None and arrival.at < image.uploaded + _WITHIN
