"""Answers as they may be kept for a repeated call: personal values sealed with the keys of their persons.

Belongs here: finding the items in an answer, whatever route gave it. Does not belong here: where answers are kept
(idempotency.py) and sealing itself (prism_core/privacy.py).
Sealed field by field, not as a whole and not read again from the item: an answer of 200 rows is of 200 persons, of
whom each can be forgotten alone, and a repeated call must hear what the first one heard, not what is so now.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, cast

from pydantic import JsonValue

from prism_api.api import backend
from prism_api.api.calls import Call
from prism_core.privacy import is_sealed
from prism_core.tables import TABLES, Key, TableSpec

_PERSONAL: Final = tuple(spec for spec in TABLES.values() if spec.personal)
_IMPORTS: Final = "/api/imports"

Row = Mapping[str, JsonValue]
Turn = Callable[[TableSpec, Key, Row], Row]


def sealed(body: str, call: Call) -> str:
    """The body as it may be kept; the very same when it holds nothing personal."""
    found = _parsed(body)
    if call.path == _IMPORTS and isinstance(found, dict) and "rows" in found:
        # Cells of a workbook may name anybody, in any column. The answer may leave rows untold: it says how many.
        found |= {"rows": [], "more": found["more"] + len(found["rows"])}
        return _text(found)
    kept = _turned(found, lambda spec, key, row: _sealed_row(spec, key, row, call.now))
    return body if kept == found else _text(kept)


def unsealed(body: str) -> str:
    """The body as it was given; values of persons who are forgotten read `{"forgotten": true}`."""
    found = _parsed(body) if '"sealed"' in body else None
    return body if found is None else _text(_turned(found, backend.person_keys().unseal_row))


def _sealed_row(spec: TableSpec, key: Key, row: Row, now: datetime) -> Row:
    personal = {name: row[name] for name in spec.personal if row.get(name) not in (None, "")}
    return {**row, **backend.person_keys().seal_row(spec, key, personal, now=now)}


def _turned(value: Any, turn: Turn) -> Any:
    """With every object that has the key and a personal field of a table turned."""
    if isinstance(value, list):
        return [_turned(one, turn) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    row = {name: one if is_sealed(one) else _turned(one, turn) for name, one in fields.items()}
    for spec in _PERSONAL:
        parts = {part: row.get(part) for part in spec.key_parts}
        named = all(isinstance(one, str) and one for one in parts.values())
        if named and any(name in row for name in spec.personal):
            row = dict(turn(spec, spec.key(parts), row))
    return row


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
