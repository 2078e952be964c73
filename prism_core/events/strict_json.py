"""JSON in which two readers cannot see two things.

Belongs here: refusing invalid UTF-8, NaN and numbers that no double holds, names that occur twice, and depth
without end, each with its place; the canonical text of a value. Does not belong here: what an event must have.
Speed: passes in C over the text; a pass in Python over values or names only where those do not settle it.
"""

import json
from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec

from prism_core.events.rejections import EventRejected, Rejection, pointer

# jsonschema-rs takes 255 levels; nobody's payload has more than a dozen.
MAX_DEPTH: Final = 64

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
canonical = msgspec.json.Encoder(order="sorted").encode
"""The text of a value in which names are sorted and no spaces stand."""


def read(text: bytes | memoryview) -> Any:
    """The value of a JSON text. Whole numbers of any length stay exact.

    Raises EventRejected with the kind and, where one is known, the place.
    """
    raw = bytes(text)
    value = _decoded(raw)
    form = _encode(value)
    braces = MAX_DEPTH  # not known yet
    if form != raw:
        # Each name has one colon outside texts, and what stands in texts stays, but for colons that only decoding
        # shows. Most senders write JSON as it is written here: what comes out equal has lost no name.
        braces = form.count(b":")
        if raw.count(b":") != braces or b"\\u003a" in raw or b"\\u003A" in raw:
            _refuse_duplicates(raw)
    brackets = raw.count(b"[")
    # An object within another stands behind a colon, so that braces need not be counted in most short texts.
    if brackets + braces >= MAX_DEPTH and brackets + raw.count(b"{") > MAX_DEPTH:
        _refuse_depth(value)
    return value


def _decoded(raw: bytes) -> Any:
    try:
        return _decode(raw)
    except msgspec.ValidationError as error:
        raise EventRejected(Rejection.UNSAFE_NUMBER, "a number is larger than any double") from error
    except msgspec.DecodeError as error:
        raise EventRejected(Rejection.NOT_JSON, f"this is not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise EventRejected(Rejection.NOT_UTF8, "a text in it is not UTF-8") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:  # Python's limit of digits
        raise EventRejected(Rejection.UNSAFE_NUMBER, "a whole number has too many digits") from error


def _too_deep() -> EventRejected:
    return EventRejected(Rejection.TOO_DEEP, f"it is nested deeper than {MAX_DEPTH} levels")


def _refuse_depth(value: Any) -> None:
    """Level by level, looking at containers alone."""
    level: list[Any] = [value] if type(value) in (dict, list) else []
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        level = [
            inner
            for outer in level
            for inner in (cast("dict[str, Any]", outer).values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]


class _Members(list[tuple[str, Any]]):
    """The members of an object as they were written, the repeated ones too."""


def _refuse_duplicates(text: bytes) -> None:
    try:
        value = json.loads(text, object_pairs_hook=_Members, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise _too_deep() from error
    for path in _repeated(value, ()):
        raise EventRejected(Rejection.DUPLICATE_NAME, "the name occurs twice in one object", pointer(*path))


def _repeated(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, _Members):
        seen: set[str] = set()
        for name, inner in value:
            if name in seen:
                yield (*path, name)
            seen.add(name)
            yield from _repeated(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(cast("list[Any]", value)):
            yield from _repeated(inner, (*path, number))
