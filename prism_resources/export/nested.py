"""Nested attributes as the JSON text that the lake holds.

Belongs here: raw bytes of a map or list to compact JSON with sorted keys, and the changes of the log without what
is personal. Does not belong here: scalars (decode.py) and what is equal to what (prism_resources/history/text.py).
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from prism_core.lake import Column
from prism_core.privacy import is_sealed
from prism_core.tables import CHANGELOG, TableSpec
from prism_resources.history.text import ColumnText
from prism_resources.tables.codec import decode_value

# Skills, hours by day and the like repeat from item to item: 20 µs for the first of its kind, 0.1 for the others.
REMEMBERED: Final = 20_000
REMEMBERED_BYTES: Final = 4_096
# Fields that are not personal and still too large for a lake.
_LEFT_OUT: Final = frozenset({"screenshot"})

_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode
_decode = msgspec.json.decode


def json_text_of(spec: TableSpec, column: Column) -> Callable[[msgspec.Raw], str | None]:
    """The text of an attribute as it lies in a page; None for one that the item does not have."""
    if spec is CHANGELOG and column.name == "changes":
        return _changes
    texts = ColumnText(spec, column)
    remembered: dict[bytes, str | None] = {}

    def text(raw: msgspec.Raw) -> str | None:
        lying = bytes(raw)
        if not lying:
            return None
        found = remembered.get(lying)
        if found is None:
            found = texts.of_attribute(_decode(lying))
            if len(remembered) >= REMEMBERED:
                remembered.clear()
            if len(lying) <= REMEMBERED_BYTES:
                remembered[lying] = found
        return found

    return text


def _changes(raw: msgspec.Raw) -> str | None:
    """The changed fields of an entry without the personal ones, which stand sealed in the log, always."""
    lying = bytes(raw)
    if not lying:
        return None
    changes: dict[str, dict[str, Any]] = decode_value(_decode(lying))
    kept = {
        name: change
        for name, change in changes.items()
        if name not in _LEFT_OUT and not any(map(is_sealed, change.values()))
    }
    return _encode(kept).decode()
