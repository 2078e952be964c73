"""ISO weeks as a value.

Belongs here: everything that knows what a week is (label, Monday, ranges, rolling windows, parsing).
Does not belong here: Dagster partitions (prism_assets) and time zones of people (settings of the report).
A week runs Monday 00:00 UTC to the next Monday 00:00 UTC and is written `2026-W01`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from prism_core.failures import BadUsage

_LABEL = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_RANGE = ".."

# The week after it begins within the years that a date can hold.
_LAST_MONDAY = date(9999, 12, 20)


def weeks_in_year(iso_year: int) -> int:
    """52 or 53: 28 December always lies in the last ISO week of its year (ISO 8601)."""
    return date(iso_year, 12, 28).isocalendar().week


@dataclass(frozen=True, order=True, slots=True)
class Week:
    """One ISO week, identified by its Monday. Ordered, hashable, and usable as a pydantic field."""

    monday: date

    def __post_init__(self) -> None:
        if self.monday.isoweekday() != 1:
            raise BadUsage(f"{self.monday} is not a Monday; use Week.of({self.monday.isoformat()!r}) instead")
        if self.monday > _LAST_MONDAY:
            raise BadUsage(f"the week of {self.monday} has no end: dates stop with the year 9999")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2026-W01`, or a Monday such as `2025-12-29` (a Dagster partition key).

        Raises BadUsage that says what is wrong: the form, a week 00 or 54, week 53 of a year of 52, a
        date that is no Monday.
        """
        match = _LABEL.fullmatch(text)
        if match is None:
            return cls._parse_monday(text)
        year, number = int(match[1]), int(match[2])
        if year == 0:
            raise BadUsage(f"{text!r}: there is no year 0000")
        last = weeks_in_year(year)
        if not 1 <= number <= last:
            raise BadUsage(f"{text!r}: {year} has weeks W01 to W{last}")
        return cls(date.fromisocalendar(year, number, 1))

    @classmethod
    def _parse_monday(cls, text: str) -> Self:
        try:
            day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else None
        except ValueError as error:
            raise BadUsage(f"{text!r} is not a date: {error}") from error
        if day is None:
            raise BadUsage(f"{text!r} is not a week; write it as 2026-W01")
        if day.isoweekday() != 1:
            raise BadUsage(f"{text!r} is a {day:%A}; a week is named by its Monday or as {cls.of(day)}")
        return cls(day)

    @classmethod
    def of(cls, when: date | datetime | str) -> Self:
        """The week that holds a day, or an aware instant taken in UTC."""
        if isinstance(when, str):
            when = date.fromisoformat(when)
        if isinstance(when, datetime):
            if when.tzinfo is None:
                raise BadUsage(f"{when!r} has no time zone; a week can only be read off an aware instant")
            when = when.astimezone(UTC).date()
        return cls(when - timedelta(days=when.isoweekday() - 1))

    @property
    def label(self) -> str:
        """`2026-W01`."""
        year, number, _ = self.monday.isocalendar()
        return f"{year:04d}-W{number:02d}"

    @property
    def key(self) -> str:
        """The Dagster partition key: the Monday, `2025-12-29`."""
        return self.monday.isoformat()

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def start(self) -> datetime:
        """Monday 00:00 UTC, inclusive."""
        return datetime(self.monday.year, self.monday.month, self.monday.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The next Monday 00:00 UTC, exclusive."""
        return self.start + timedelta(days=7)

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.monday + timedelta(days=i) for i in range(7))

    def __add__(self, weeks: int) -> "Week":
        """So many weeks later. Raises BadUsage beyond the years that a date can hold."""
        try:
            return Week(self.monday + timedelta(weeks=weeks))
        except OverflowError as error:
            raise BadUsage(f"there is no week {weeks:+d} from {self}: dates have the years 1 to 9999") from error

    def __sub__(self, other: "Week") -> int:
        """Whole weeks from `other` to this one."""
        return (self.monday - other.monday).days // 7

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def __str__(self) -> str:
        return self.label

    def window(self, size: int) -> "WeekRange":
        """The `size` weeks that end with this one: a rolling window."""
        if size < 1:
            raise BadUsage(f"a window has at least one week, not {size}")
        return WeekRange(self + (1 - size), self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object) -> "Week":
            if isinstance(value, Week):
                return value
            if isinstance(value, str):
                try:
                    return cls.parse(value)
                except BadUsage as error:
                    raise ValueError(str(error)) from error
            raise ValueError(f"a week is written as text such as 2026-W01, not {value!r}")

        text = core_schema.str_schema()
        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=text),
            json_schema_input_schema=core_schema.str_schema(pattern=r"^\d{4}-W\d{2}$"),
        )


@dataclass(frozen=True, slots=True)
class WeekRange:
    """Weeks from `first` to `last`, both included."""

    first: Week
    last: Week

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BadUsage(f"the range {self.first}..{self.last} ends before it starts")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2018-W33..2018-W36`, or one week. Raises BadUsage."""
        first, dots, last = text.partition(_RANGE)
        if not dots:
            week = Week.parse(first)
            return cls(week, week)
        return cls(Week.parse(first), Week.parse(last))

    def __iter__(self) -> Iterator[Week]:
        return (self.first + i for i in range(len(self)))

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, week: Week) -> bool:
        return self.first <= week <= self.last

    def __str__(self) -> str:
        return self.first.label if self.first == self.last else f"{self.first}{_RANGE}{self.last}"
