"""What stands in a cell, as values of Python, and the way between the two.

Belongs here: the types of values, addresses such as B7, day numbers, number formats that mean a date, and the
escapes of text. Does not belong here: which cell holds what (sheets.py) and what a value means (codecs.py).
A number is an int or a Decimal of the 15 digits that a spreadsheet shows: 0.1 + 0.2 is 0.3 there.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Final


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell whose value is an error such as #REF!."""

    text: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that computes. What it showed last is not what a person typed."""


CellValue = str | int | Decimal | bool | date | datetime | time | timedelta | CellError | Formula

FORMULA: Final = Formula()
MAX_TEXT: Final = 32_767  # of a cell
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
_LAST_SERIAL: Final = 2_958_466  # 9999-12-31 and its hours
_LEAP_BUG: Final = 60  # 1900 has a 29 February in a spreadsheet
_ADDRESS: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
# Control characters that XML cannot hold, surrogates, a carriage return (XML turns it into a line feed).
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_DATE_FORMATS: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_ELAPSED_FORMATS: Final = frozenset({46})
_LITERAL: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general', re.IGNORECASE)


@lru_cache(maxsize=4096)
def column_name(column: int) -> str:
    """`A` of 1, `AA` of 27."""
    name = ""
    while column:
        column, digit = divmod(column - 1, 26)
        name = chr(65 + digit) + name
    return name


@lru_cache(maxsize=4096)
def _column_number(name: str) -> int:
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - 64
    return number


def address(row: int, column: int) -> str:
    """`B7` of row 7 and column 2."""
    return f"{column_name(column)}{row}"


def position(reference: str) -> tuple[int, int] | None:
    """Row and column of `B7` (or `$B$7`); None when it is no address."""
    match = _ADDRESS.fullmatch(reference.replace("$", "").upper())
    return (int(match[2]), _column_number(match[1])) if match else None


def number(text: str) -> int | Decimal | None:
    """The number of a cell as it is written in the file; None when it is none or not finite."""
    if len(text) < 16 and text.isascii() and text.isdigit():
        return int(text)
    try:
        value = float(text)
    except ValueError:
        return None
    if not isfinite(value):
        return None
    exact = Decimal(f"{value:.15g}")
    return int(exact) if exact == exact.to_integral_value() and abs(exact) < Decimal(10**15) else exact


def serial_of(value: date) -> float | None:
    """The day number of a date or naive datetime; None before March 1900, which spreadsheets count wrong."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
    elapsed = moment - _EPOCH
    return (
        None
        if elapsed.days <= _LEAP_BUG
        else elapsed.days + elapsed.seconds / 86_400 + elapsed.microseconds / 8.64e10
    )


def moment_of(serial: int | Decimal, *, date_1904: bool) -> datetime | time | None:
    """The instant of a day number, to the millisecond; below one day the time of day; None when it is none."""
    if not 0 <= serial < _LAST_SERIAL:
        return None
    elapsed = timedelta(milliseconds=round(float(serial) * 86_400_000))
    if serial < 1:
        return (_EPOCH + elapsed).time()
    if date_1904:
        return _EPOCH_1904 + elapsed
    return _EPOCH + elapsed + (timedelta(days=1) if elapsed.days < _LEAP_BUG else timedelta())


def elapsed_of(serial: int | Decimal) -> timedelta | None:
    """The hours of a number in the format [h]:mm."""
    return timedelta(milliseconds=round(float(serial) * 86_400_000)) if abs(serial) < _LAST_SERIAL else None


def format_kind(identity: int, code: str | None) -> str:
    """`date`, `elapsed` or `number`, of a number format by its built-in id or its code."""
    if code is None:
        return "elapsed" if identity in _ELAPSED_FORMATS else "date" if identity in _DATE_FORMATS else "number"
    first = _LITERAL.sub("", code.partition(";")[0]).lower()
    if re.search(r"\[(h+|m+|s+)\]", first):
        return "elapsed"
    return "date" if re.search(r"[dmyhs]", first) else "number"


def unescaped(text: str) -> str:
    """`_x000D_` back into the character."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half a pair is no character


def escaped(text: str) -> str:
    """Text as the element of a cell may hold it, `&` and `<` included."""
    text = _UNWRITABLE.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
