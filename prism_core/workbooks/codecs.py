"""What a cell means, one codec a kind of field: text, day, instant, week, hours, number, choice, list.

Belongs here: reading what people type ("7,5", "7:30", "5.1.2026", a day number) into the plain JSON value that
models validate, and showing a plain value as a cell. Does not belong here: lists in one cell (lists.py), rules.
`show` and then `read` is what an unedited cell gives back: cells are compared in that form, never as stored.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final, Protocol

from pydantic import JsonValue

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.base import HOURS_QUANTUM, instant_text
from prism_core.workbooks.cells import MAX_TEXT, CellError, CellValue, Formula, moment_of, number
from prism_core.workbooks.dates import DateFormat

_SERIALS: Final = range(18_264, 91_313)  # 1950 to 2149: a number beyond is no day but a mistake
_HOURS_UNIT: Final = re.compile(r"\s*(?:hours|hour|hrs|hr|std|h)\.?$", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(\d{1,3})\s*(?::|h)\s*([0-5]\d)(?::[0-5]\d)?", re.IGNORECASE)
_WEEK: Final = re.compile(r"(\d{4})\s*[-/ ]?\s*(?:W|KW|CW|WK|WEEK)\s*(\d{1,2})", re.IGNORECASE)
_WEEK_FIRST: Final = re.compile(r"(?:W|KW|CW|WK|WEEK)\s*(\d{1,2})\s*[-/ ]\s*(\d{4})", re.IGNORECASE)
_SPACES: Final = re.compile(r"[\s\u200b\ufeff]+")
_WHOLE_BELOW: Final = 10**15  # beyond, a spreadsheet itself rounds
_CUT: Final = " …(cut: too long for a cell)"


@dataclass(frozen=True, slots=True)
class Formats:
    """How the people of a workbook write. `zone` is that of instants without one; `clear` empties a field."""

    dates: tuple[DateFormat, ...]
    clear: str = "(clear)"
    true: frozenset[str] = frozenset({"yes", "y", "true", "x", "1"})
    false: frozenset[str] = frozenset({"no", "n", "false", "0", "-"})
    zone: tzinfo = UTC
    date_1904: bool = False


class Codec(Protocol):
    """`style` names the cell format of an export, `width` the column's in characters."""

    @property
    def style(self) -> str: ...
    @property
    def width(self) -> int: ...

    def show(self, value: JsonValue) -> CellValue | None:
        """The cell of a plain value; None for a blank one."""
        ...

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        """The plain value of a cell that is not blank. Raises ValueError that says what was expected."""
        ...


def normal(text: str) -> str:
    """Words as they are compared: spaces, case, line breaks and punctuation left out."""
    return "".join(character for character in text.casefold() if character.isalnum())


def plain_number(value: Decimal) -> str:
    """`7.5` of 7.50: one text a number."""
    return format(value.normalize(), "f") if value else "0"


def _kind(value: CellValue) -> str:
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, CellError):
        return f"the error {value.text}"
    if isinstance(value, Formula):
        return "a formula"
    if isinstance(value, date | time | timedelta):
        return f"the date or time {value}"
    return repr(value) if isinstance(value, str) else f"the number {value}"


def _trimmed(value: CellValue) -> str | None:
    return value.strip() if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class TextCodec:
    """Text as it is, spaces around it left out."""

    style: str = "text"
    width: int = 22

    def show(self, value: JsonValue) -> CellValue | None:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if len(text) > MAX_TEXT:
            text = text[: MAX_TEXT - len(_CUT)] + _CUT
        return text if text.strip() else None

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        if isinstance(value, str):
            return value.strip().replace("\r\n", "\n")
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return plain_number(Decimal(value))  # an id such as 1207, typed without a thought of its type
        raise ValueError(f"a text is expected, not {_kind(value)}; format the column as text")


@dataclass(frozen=True, slots=True)
class WholeCodec:
    """A count or a level."""

    style: str = "number"
    width: int = 10

    def show(self, value: JsonValue) -> CellValue | None:
        return number(str(value)) if isinstance(value, int) else None

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        found = _decimal(value)
        if found is None or found != found.to_integral_value() or abs(found) >= _WHOLE_BELOW:
            raise ValueError(f"a whole number is expected, not {_kind(value)}")
        return int(found)


@dataclass(frozen=True, slots=True)
class NumberCodec:
    """A decimal number, or a share such as 95%."""

    style: str = "number"
    width: int = 10

    def show(self, value: JsonValue) -> CellValue | None:
        return number(str(value))

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        text = _trimmed(value)
        percent = text is not None and text.endswith("%")
        found = _decimal(text.removesuffix("%") if text is not None and percent else value)
        if found is None:
            raise ValueError(f"a number is expected, not {_kind(value)}")
        return plain_number(found / 100 if percent else found)


@dataclass(frozen=True, slots=True)
class HoursCodec:
    """Hours: 7.5, "7,5", "7.5h", "7:30", a cell formatted as time. A clock time is rounded to 0.01 hours."""

    style: str = "hours"
    width: int = 8

    def show(self, value: JsonValue) -> CellValue | None:
        return number(str(value))

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        if isinstance(value, time):
            value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
        if isinstance(value, timedelta):
            return _clock_hours(Decimal(str(value.total_seconds())) / 3600)
        text = _trimmed(value)
        if text is not None and (match := _CLOCK.fullmatch(text)):
            return _clock_hours(Decimal(match[1]) + Decimal(match[2]) / 60)
        found = _decimal(_HOURS_UNIT.sub("", text) if text is not None else value)
        if found is None:
            raise ValueError(f"hours are expected, such as 7.5 or 7:30, not {_kind(value)}")
        return plain_number(found)


@dataclass(frozen=True, slots=True)
class DayCodec:
    """A day: a date cell, a day number, or text in a declared format."""

    style: str = "day"
    width: int = 12

    def show(self, value: JsonValue) -> CellValue | None:
        return date.fromisoformat(str(value))

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        return day_of(value, formats).isoformat()


@dataclass(frozen=True, slots=True)
class InstantCodec:
    """An instant: a date-time cell or text; without a zone of its own it is one of the declared zone."""

    style: str = "instant"
    width: int = 20

    def show(self, value: JsonValue) -> CellValue | None:
        moment = datetime.fromisoformat(str(value)).astimezone(UTC).replace(tzinfo=None)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        moment = value if isinstance(value, datetime) else None
        text = _trimmed(value)
        if text is not None and len(text) > len("2026-01-05"):
            try:
                moment = datetime.fromisoformat(text.removesuffix("UTC").strip() + ("Z" * text.endswith("UTC")))
            except ValueError:
                moment = None
        if moment is None:
            day = day_of(value, formats)
            moment = datetime(day.year, day.month, day.day, tzinfo=formats.zone)
        try:
            return instant_text(moment if moment.tzinfo else moment.replace(tzinfo=formats.zone))
        except OverflowError as error:
            raise ValueError(f"{value} is no instant of the years 1 to 9999") from error


@dataclass(frozen=True, slots=True)
class WeekCodec:
    """A week: 2026-W01, 2026-W1, W1/2026, or its Monday."""

    style: str = "text"
    width: int = 11

    def show(self, value: JsonValue) -> CellValue | None:
        return str(value)

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        text = _trimmed(value)
        if text is not None:
            if match := _WEEK.fullmatch(text):
                return _week(f"{match[1]}-W{int(match[2]):02d}")
            if match := _WEEK_FIRST.fullmatch(text):
                return _week(f"{match[2]}-W{int(match[1]):02d}")
        try:
            day = day_of(value, formats)
        except ValueError:
            raise ValueError(f"a week is expected, such as 2026-W01 or its Monday, not {_kind(value)}") from None
        return _week(day.isoformat())


@dataclass(frozen=True, slots=True)
class TruthCodec:
    """Yes or no."""

    style: str = "truth"
    width: int = 9

    def show(self, value: JsonValue) -> CellValue | None:
        return bool(value)

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        if isinstance(value, bool):
            return value
        word = str(value).strip().casefold() if isinstance(value, str | int) else ""
        if word in formats.true or word in formats.false:
            return word in formats.true
        raise ValueError(f"yes or no is expected, not {_kind(value)}")


@dataclass(frozen=True, slots=True)
class ChoiceCodec:
    """One of a list. `synonyms` are other words for a value, in normal form."""

    values: tuple[str, ...]
    synonyms: Mapping[str, str] = field(default_factory=dict[str, str])
    style: str = "text"
    width: int = 13

    def show(self, value: JsonValue) -> CellValue | None:
        return str(value)

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        if isinstance(value, str):
            word = normal(value)
            for choice in self.values:
                if normal(choice) == word:
                    return choice
            if word in self.synonyms:
                return self.synonyms[word]
        raise ValueError(f"one of {', '.join(self.values)} is expected, not {_kind(value)}")


def words(value: CellValue) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a text is expected, not {_kind(value)}")  # noqa: TRY004 - one error type a codec
    return value


def _clock_hours(hours: Decimal) -> str:
    return plain_number(hours.quantize(HOURS_QUANTUM, rounding=ROUND_HALF_EVEN))


def _week(text: str) -> str:
    try:
        week = Week.parse(text)
        ends = week.sunday
    except (BadUsage, OverflowError) as error:  # the last days of the year 9999 are no whole week
        raise ValueError(str(error)) from error
    return Week.of(ends).label


def _decimal(value: CellValue) -> Decimal | None:
    """A number, or text with a decimal point or comma; 1.234,5 and 1,234.5 when the groups are whole."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        return None
    text = _SPACES.sub("", value)
    if "," in text and "." in text:
        point = max(text.rfind(","), text.rfind("."))
        group = "," if text[point] == "." else "."
        whole = text[:point].lstrip("+-").split(group)
        if text[point] in text[:point] or any(len(part) != 3 for part in whole[1:]):
            return None
        text = text[:point].replace(group, "") + "." + text[point + 1 :]
    elif re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
        raise ValueError(f"{value.strip()!r} may be thousands or decimals; write it as a number")
    else:
        text = text.replace(",", ".")
    if not re.fullmatch(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})", text, re.ASCII):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern above lets numbers through only
        return None


def day_of(value: CellValue, formats: Formats) -> date:
    if isinstance(value, datetime):
        if value.time() != time():
            raise ValueError(f"a day is expected, not the instant {value}")
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value in _SERIALS:
        moment = moment_of(value, date_1904=formats.date_1904)
        if isinstance(moment, datetime):
            return moment.date()
    if isinstance(value, str):
        text = _SPACES.sub(" ", value).strip().removesuffix(" 00:00:00").removesuffix("T00:00:00")
        for known in formats.dates:
            day = known.read(text)
            if day is not None:
                return day
        declared = ", ".join(known.pattern for known in formats.dates)
        raise ValueError(f"{text[:60]!r} is no day in a declared format ({declared})")
    raise ValueError(f"a day is expected, not {_kind(value)}")
