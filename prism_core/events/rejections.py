"""Why something that was posted is no event.

Belongs here: the kinds of rejection at the edge and the failure that carries one. Does not belong here: an event
that was accepted and failed later, which is kept as data (failed.py).
"""

from enum import StrEnum

from prism_core.failures import PermanentFailure


class Rejection(StrEnum):
    """What is wrong with it; `status` is the HTTP status when it is all that was posted."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    DUPLICATE_NAME = "duplicate_name"
    UNSAFE_NUMBER = "unsafe_number"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    EMPTY = "empty"
    MEDIA_TYPE = "media_type"
    ENVELOPE = "envelope"

    @property
    def status(self) -> int:
        if self in {Rejection.TOO_LARGE, Rejection.TOO_MANY}:
            return 413
        if self is Rejection.MEDIA_TYPE:
            return 415
        return 400 if self in {Rejection.NOT_UTF8, Rejection.NOT_JSON} else 422


class EventRejected(PermanentFailure):
    """`path` is a JSON pointer into what was posted (empty: all of it) or `header NAME`; `reason` a sentence."""

    def __init__(self, kind: Rejection, reason: str, path: str = "") -> None:
        self.kind, self.reason, self.path = kind, reason, path
        super().__init__(f"{path}: {reason}" if path else reason)


def pointer(*parts: str | int) -> str:
    """The JSON pointer (RFC 6901) of a place: `/data/commits/0`."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)
