"""The envelope of an event: CloudEvents 1.0.

Belongs here: the attributes that an event must and may have, their limits, and reading one from a decoded object.
Does not belong here: how it came over HTTP (arrivals.py) and whether its data fit a schema (validating.py).
Narrower than the standard on purpose: a type is part of keys, data are JSON, a time has a zone.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b, sha256
from typing import Any, Final, cast

import msgspec

from prism_core.events.rejections import EventRejected, Rejection, pointer
from prism_core.events.strict_json import canonical
from prism_core.events.versions import SchemaVersion

SPEC_VERSION: Final = "1.0"
MAX_ID, MAX_SOURCE, MAX_TEXT = 256, 512, 1_024  # characters
MAX_EXTENSIONS: Final = 20
# How far a producer's clock may be ahead of ours, and how old what it tells may be, before its time is not used.
AHEAD_AT_MOST: Final = timedelta(minutes=5)
BEHIND_AT_MOST: Final = timedelta(days=7)

_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
_URI: Final = re.compile(r"[!-~]+", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json(?:\s*;.*)?", re.IGNORECASE)
_INT32: Final = 2**31


class Clock(StrEnum):
    """What a producer's time is worth beside ours."""

    SOUND = "sound"
    ABSENT = "absent"
    AHEAD = "ahead"
    BEHIND = "behind"


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event as its producer told it. `time` is the producer's, in UTC; absent attributes are None."""

    id: str
    source: str
    type: str
    data: Any = None
    time: datetime | None = None
    subject: str | None = None
    dataschema: str | None = None
    extensions: dict[str, str | int | bool] = {}

    @property
    def key(self) -> str:
        """Its identity, 32 hex digits of source and id: both may have any characters and length."""
        return sha256(f"{self.source}\0{self.id}".encode()).hexdigest()[:32]

    @property
    def version(self) -> SchemaVersion | None:
        """The version that `dataschema` names; None: the newest that there is."""
        return SchemaVersion.of_uri(self.dataschema) if self.dataschema else None

    @property
    def fingerprint(self) -> str:
        """32 hex digits of what it says: type, subject and data, whatever the order of names.

        Time and extensions are left out: a producer that sends an event once more stamps and traces it anew.
        """
        return blake2b(canonical([self.type, self.subject, self.data]), digest_size=16).hexdigest()


def clock_of(time: datetime | None, accepted_at: datetime) -> Clock:
    """Whether an event may be counted at its own time. A time in 1970 or 2099 is kept and not used."""
    if time is None:
        return Clock.ABSENT
    if time > accepted_at + AHEAD_AT_MOST:
        return Clock.AHEAD
    return Clock.BEHIND if time < accepted_at - BEHIND_AT_MOST else Clock.SOUND


def counted_at(time: datetime | None, accepted_at: datetime) -> datetime:
    """The instant whose minute, hour and day count an event: its own when that is sound, else ours."""
    return time if time is not None and clock_of(time, accepted_at) is Clock.SOUND else accepted_at


def read_envelope(event: object) -> Envelope:
    """Check a decoded object in the JSON format of CloudEvents. Raises EventRejected with the path."""
    if not isinstance(event, dict):
        raise EventRejected(Rejection.ENVELOPE, f"an event is an object, not {_kind(event)}")
    attributes = {name: value for name, value in cast("dict[str, Any]", event).items() if value is not None}
    data = attributes.pop("data", None)
    if "data_base64" in attributes:
        raise EventRejected(Rejection.MEDIA_TYPE, "data are JSON here; binary data are not taken", "/data_base64")
    return checked(attributes, data, pointer)


def checked(attributes: Mapping[str, object], data: Any, place: Callable[[str], str]) -> Envelope:
    """The envelope of attributes by name; `place` says where the sender wrote one. Raises EventRejected."""
    found = dict(attributes)
    spec = found.pop("specversion", None)
    if spec != SPEC_VERSION:
        raise EventRejected(
            Rejection.ENVELOPE,
            f"specversion must be the text {SPEC_VERSION!r}, not {spec!r:.40}",
            place("specversion"),
        )
    kind = _text(found, "type", place, 200, required=True)
    if not _TYPE.fullmatch(kind or ""):
        raise EventRejected(
            Rejection.ENVELOPE,
            "a type has letters, digits and . _ : + - only, such as com.example.made",
            place("type"),
        )
    content = _text(found, "datacontenttype", place, 200)
    if content is not None and not _JSON.fullmatch(content):
        raise EventRejected(
            Rejection.MEDIA_TYPE, f"data are JSON here, not {content:.80}", place("datacontenttype")
        )
    known = Envelope(
        id=_text(found, "id", place, MAX_ID, required=True) or "",
        source=_text(found, "source", place, MAX_SOURCE, required=True, uri=True) or "",
        type=kind or "",
        data=data,
        time=_time(found, place),
        subject=_text(found, "subject", place, MAX_TEXT),
        dataschema=_text(found, "dataschema", place, MAX_TEXT, uri=True),
    )
    return msgspec.structs.replace(known, extensions=_extensions(found, place)) if found else known


def _text(
    found: dict[str, object],
    name: str,
    place: Callable[[str], str],
    longest: int,
    *,
    required: bool = False,
    uri: bool = False,
) -> str | None:
    value = found.pop(name, None)
    if value is None and not required:
        return None
    if value is None:
        raise EventRejected(Rejection.ENVELOPE, f"an event needs {name}", place(name))
    if not isinstance(value, str):
        raise EventRejected(Rejection.ENVELOPE, f"{name} is a text, not {_kind(value)}", place(name))
    if not 1 <= len(value) <= longest:
        raise EventRejected(
            Rejection.ENVELOPE, f"{name} has 1 to {longest} characters, not {len(value)}", place(name)
        )
    if not value.isprintable() or (uri and not _URI.fullmatch(value)):
        wanted = "is a URI of visible ASCII characters" if uri else "has no control characters"
        raise EventRejected(Rejection.ENVELOPE, f"{name} {wanted}", place(name))
    return value


def _time(found: dict[str, object], place: Callable[[str], str]) -> datetime | None:
    text = _text(found, "time", place, 40)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.upper() if _TIME.fullmatch(text) else "").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise EventRejected(
            Rejection.ENVELOPE, f"{text!r} is not a time such as 2026-01-05T07:00:00Z (RFC 3339)", place("time")
        ) from error


def _extensions(found: Mapping[str, object], place: Callable[[str], str]) -> dict[str, str | int | bool]:
    if len(found) > MAX_EXTENSIONS:
        raise EventRejected(Rejection.ENVELOPE, f"an event has at most {MAX_EXTENSIONS} attributes of its own")
    kept: dict[str, str | int | bool] = {}
    for name, value in found.items():
        if not _NAME.fullmatch(name):
            raise EventRejected(
                Rejection.ENVELOPE, "an attribute has 1 to 20 small letters and digits as its name", place(name)
            )
        if isinstance(value, str):
            kept[name] = _text({name: value}, name, place, MAX_TEXT) or ""
        elif isinstance(value, bool) or (isinstance(value, int) and -_INT32 <= value < _INT32):
            kept[name] = value
        else:
            raise EventRejected(
                Rejection.ENVELOPE,
                f"an attribute is a text, a truth value or a 32-bit number, not {_kind(value)}",
                place(name),
            )
    return kept


def _kind(value: object) -> str:
    names: dict[type, str] = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "a truth value",
        type(None): "null",
    }
    return names.get(type(value), "a number")
