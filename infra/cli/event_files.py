"""Files of events: one value, a list, or one a line.

Belongs here: where the text of one event ends and the next begins, and reading each. Does not belong here: what a
value must have to be an event (prism_core/events) and sending it (send_events.py).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from prism_core.events.rejections import EventRejected
from prism_core.events.strict_json import read
from prism_core.failures import BadUsage

# Takes more than an event may have: a number that no double holds, a name twice, half a surrogate.
_READER: Final = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def values(path: Path) -> Iterator[Any]:
    """The values of a file, in their order. One that is JSON and no event can be is the EventRejected that says
    so: it is wrong alone. Raises BadUsage where the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadUsage(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadUsage(f"{path} is not UTF-8") from error
    for part in _parts(path, text):
        try:
            yield read(part.encode())
        except EventRejected as rejected:
            yield rejected


def _parts(path: Path, text: str) -> list[str]:
    """The texts of the values."""
    try:
        return list(_elements(text))
    except ValueError:
        lines = {number: line for number, line in enumerate(text.split("\n"), start=1) if line.strip()}
    for number, line in lines.items():
        try:
            _READER.decode(line)
        except RecursionError:
            continue  # too deep for an event as well
        except ValueError as error:
            raise BadUsage(f"{path}, line {number}: this is not JSON: {error}") from error
    return list(lines.values())


def _elements(text: str) -> Iterator[str]:
    """Those of a list, or one value. Raises ValueError for anything else."""
    at = _past_space(text, 0)
    if not text.startswith("[", at):
        if (end := _past_space(text, _end(text, at))) < len(text):
            raise ValueError(text[end : end + 1])
        yield text
        return
    at = _past_space(text, at + 1)
    more = not text.startswith("]", at)
    while more:
        end = _end(text, at)
        yield text[at:end]
        at = _past_space(text, end)
        if more := text.startswith(",", at):
            at = _past_space(text, at + 1)
    if not text.startswith("]", at) or _past_space(text, at + 1) < len(text):
        raise ValueError(text[at : at + 1])


def _end(text: str, at: int) -> int:
    """Where a value ends. One that is too deep for the reader, and for an event, ends with its last bracket."""
    try:
        return _READER.raw_decode(text, at)[1]
    except RecursionError:
        depth = 0
    for found in _BRACKET.finditer(text, at):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    raise ValueError(text[at : at + 1])


def _past_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
