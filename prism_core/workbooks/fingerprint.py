"""What an exported row looked like, in a few hidden characters.

Belongs here: the hidden columns of an export and the digest of a value. Does not belong here: what follows from a
difference (planning.py). Digests instead of values: enough to tell whose cell changed, and no second copy of what
a person may have deleted from the sheet on purpose.
"""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from pydantic import JsonValue

KEY_HEADER: Final = "PRISM key"
BASE_HEADER: Final = "PRISM base 1: "
ERROR_HEADER: Final = "PRISM errors"
_BYTES: Final = 6  # one wrong "unedited" in 280 trillion edits
_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class Base:
    """An exported row: the version of its item, and the digest of each column, kept as short as it came."""

    version: int
    columns: tuple[str, ...]
    text: str

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each column."""
        starts = range(0, len(self.text), _LENGTH)
        return {name: self.text[at : at + _LENGTH] for name, at in zip(self.columns, starts, strict=True)}


def digest(value: JsonValue) -> str:
    """Eight characters of a plain value as a cell gives it back; None for a blank cell."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    mark = "s" if isinstance(value, str) else "j"
    return urlsafe_b64encode(blake2b((mark + text).encode(), digest_size=_BYTES).digest()).decode()


def base_header(columns: tuple[str, ...]) -> str:
    """The title of the hidden column: it names the columns that the digests stand for, in their order."""
    return BASE_HEADER + " ".join(columns)


def base_columns(title: str) -> tuple[str, ...] | None:
    """The columns of a hidden column; None when the title is another."""
    return tuple(title[len(BASE_HEADER) :].split()) if title.startswith(BASE_HEADER) else None


def base_text(version: int, digests: tuple[str, ...]) -> str:
    """The hidden cell of a row: `3:` and the digests without anything between."""
    return f"{version}:{''.join(digests)}"


def read_base(text: str, columns: tuple[str, ...]) -> Base | None:
    """The inverse; None when the cell was damaged."""
    version, colon, digests = text.strip().partition(":")
    if not colon or not (version.isascii() and version.isdigit()) or len(digests) != _LENGTH * len(columns):
        return None
    return Base(int(version), columns, digests)
