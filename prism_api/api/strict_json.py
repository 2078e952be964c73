"""JSON as a strict reader takes it.

Belongs here: refusing what two readers could understand differently: names that occur twice, NaN, numbers that
no double holds, depth without end, control characters (RFC 8259 and I-JSON, RFC 7493).
Does not belong here: what a body means (the models).
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from prism_api.api.problems import FieldError, Problem, invalid

MAX_DEPTH = 20
MAX_SAFE_INTEGER = 2**53 - 1
MAX_INTEGER_DIGITS = 20
_ALLOWED_CONTROL = "\t\n\r"


class _Twice(ValueError):
    """A name that occurs more than once in an object."""


def read(body: bytes) -> Any:
    """Raises Problem 400 for what is no JSON text in UTF-8, 422 with the path for what is ambiguous."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(400, f"The body is not UTF-8: byte {error.start} is wrong.") from error
    if _deep(text):
        raise invalid((FieldError("body", f"nested deeper than {MAX_DEPTH} levels"),))
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise Problem(
            400, f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except _Twice as error:
        raise invalid((FieldError(f"body.{error}", "the name occurs twice in one object"),)) from error
    except (ValueError, RecursionError) as error:
        raise invalid((FieldError("body", str(error)),)) from error
    problems = list(_unsafe(value, "body"))
    if problems:
        raise invalid(tuple(problems))
    return value


def _deep(text: str) -> bool:
    """Whether brackets nest too deep; brackets inside texts do not count."""
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif character in "]}":
            depth -= 1
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(name)
        found[name] = value
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise ValueError(f"a whole number of {len(digits)} digits is too large")
    return int(digits)


def _unsafe(value: Any, path: str) -> Iterator[FieldError]:
    if isinstance(value, str):
        yield from _unsafe_text(value, path)
    elif isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER:
        yield FieldError(path, f"a whole number beyond {MAX_SAFE_INTEGER} is not exact in every reader")
    elif isinstance(value, float) and not math.isfinite(value):
        yield FieldError(path, "the number is too large")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _unsafe(one, f"{path}.{number}")
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _unsafe_text(name, f"{path}.{name!r}")
            yield from _unsafe(one, f"{path}.{name}")


def _unsafe_text(text: str, path: str) -> Iterator[FieldError]:
    if any((one < " " and one not in _ALLOWED_CONTROL) or one == "\x7f" for one in text):
        yield FieldError(path, "control characters are not taken")
    elif any("\ud800" <= one <= "\udfff" for one in text):
        yield FieldError(path, "half a surrogate pair is no character")
