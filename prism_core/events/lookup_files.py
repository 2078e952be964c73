"""Files that a version of a lookup is made of.

Belongs here: reading a table of two columns (CSV), and what is wrong with one, with its line. Does not belong
here: answering from a table (lookups.py) and where versions are kept.
The header says what a table is: `text,value`, `network,country`, or `currency,EUR` with the base currency.
"""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from prism_core.events.lookups import Lookup, Prefixes, Rates, Texts
from prism_core.failures import PermanentFailure

MAX_LOOKUP_BYTES: Final = 20_000_000
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


def read_lookup(version: int, text: bytes) -> Lookup:
    """The table of a CSV file. Raises PermanentFailure with the line of what is wrong."""
    rows = _rows(text)
    header = next(rows, (0, ("", "")))[1]
    if header == ("text", "value"):
        return Texts(version, _each_once(rows))
    if header == ("network", "country"):
        return Prefixes.of(version, _each_once(rows).items())
    if header[0] == "currency" and _CURRENCY.fullmatch(header[1]):
        return Rates(version, header[1], {name: _rate(name, rate) for name, rate in _each_once(rows).items()})
    raise PermanentFailure(
        f"the first line is {','.join(header)!r:.80}; it says what the table is: `text,value`, `network,country` "
        "or `currency,EUR` with the base currency"
    )


def entries_of(lookup: Lookup) -> int:
    """How many rows a table has."""
    if isinstance(lookup, Prefixes):
        return sum(len(networks) for found in lookup.by_family.values() for _, networks in found)
    return len(lookup.entries)


def _rows(text: bytes) -> Iterator[tuple[int, tuple[str, str]]]:
    """The lines by number, of two columns each."""
    try:
        lines = csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""), strict=True)
        for row in lines:
            if not row:
                continue
            if len(row) != 2:
                raise PermanentFailure(f"line {lines.line_num} has {len(row)} columns instead of two")
            yield lines.line_num, (row[0].strip(), row[1].strip())
    except UnicodeDecodeError as error:
        raise PermanentFailure(f"the file is not UTF-8: {error}") from error
    except csv.Error as error:
        raise PermanentFailure(f"the file is no CSV: {error}") from error


def _each_once(rows: Iterator[tuple[int, tuple[str, str]]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, (name, value) in rows:
        if not name or not value:
            raise PermanentFailure(f"line {number} has an empty column")
        if name in found:
            raise PermanentFailure(f"line {number} says {name!r:.60} once more")
        found[name] = value
    return found


def _rate(currency: str, text: str) -> Decimal:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal("NaN")
    if not _CURRENCY.fullmatch(currency) or not rate.is_finite() or rate <= 0:
        raise PermanentFailure(f"{currency:.20},{text:.40} is no currency such as USD with a rate above 0")
    return rate
