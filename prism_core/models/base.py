"""What every model shares.

Belongs here: the one base class, and the field types that carry a rule (ids, days, instants, hours,
measures). Does not belong here: any model of the programme, and how a model is stored (prism_resources).
The base is strict, and every nested model inherits it: pydantic does not pass strictness down, and its lax
mode reads "3" and true as an int and a number as a date.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Annotated, Final, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    ValidationInfo,
)
from pydantic_core import PydanticKnownError

from prism_core.calendar import Week

T = TypeVar("T")

HOURS_QUANTUM = Decimal("0.01")
MEASURE_QUANTUM = Decimal("0.0001")
LAST_DEADLINE: Final = date(2199, 12, 31)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# The context in which stored items are read: a rule of a text that came later refuses what is written, and nothing
# that is there already, or one such text would keep every list with it from being read.
STORED: Final[Mapping[str, bool]] = {"stored": True}
# Entries of the zone folder that are not places: they follow the machine or change the clock's meaning.
_NOT_ZONES = ("localtime", "posixrules", "Factory", "posix/", "right/")


class Model(BaseModel):
    """Strict, immutable, and nothing unknown. Base of every model and of every nested one."""

    # Built at its first use (in pydantic under a lock): a process uses few of all models, a function a handful.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, serialize_by_alias=True, defer_build=True)

    def plain(self) -> dict[str, JsonValue]:
        """JSON values by field: Decimal, day, week and instant as text, an absent field left out.

        This is what the change log compares and what `from_plain` reads back.
        """
        return {name: value for name, value in self.model_dump(mode="json").items() if value is not None}

    @classmethod
    def from_plain(cls, values: dict[str, JsonValue]) -> Self:
        """The inverse of `plain`, for what is stored. Raises pydantic.ValidationError."""
        return cls.model_validate(values, context=STORED)


class Versioned(Model):
    """An operational item: each write raises `version` by one, conditional on the version that was read."""

    version: Annotated[int, Field(ge=1)] = 1


def text_of(value: object) -> str:
    """A value as it stands in a key: sorts as text in the order of the values (instants at fixed width)."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Week):
        return value.label
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"{value!r} cannot be part of a key")


def instant_text(instant: datetime) -> str:
    """`2026-01-05T07:00:00.000000Z`. Always six decimals: `…00Z` would sort after `…00.5Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _read_day(value: object) -> object:
    if isinstance(value, datetime):
        raise ValueError("a day is expected, not an instant")  # noqa: TRY004 (pydantic turns ValueError into its own)
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError("a day is written 2026-01-05")


def _read_instant(value: object) -> object:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"an instant is written 2026-01-05T07:00:00Z: {error}") from error
    if not isinstance(value, datetime):
        raise ValueError("an instant is written 2026-01-05T07:00:00Z")  # noqa: TRY004
    if value.tzinfo is None:
        raise ValueError("the instant has no time zone; add Z or +00:00")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the instant lies outside the years 1 to 9999 in UTC") from error


def exact(value: object) -> Decimal:
    """A number as it was written: Decimal, int or text. Raises ValueError."""
    if isinstance(value, Decimal):
        number = value
    elif (isinstance(value, int) and not isinstance(value, bool)) or isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation as error:
            raise ValueError(f"{value!r} is not a decimal number") from error
    else:
        raise ValueError("a decimal number is expected (a Decimal, a whole number or text; no float)")  # noqa: TRY004
    if not number.is_finite():
        raise ValueError("the number must be finite")
    return number


def _read_hours(value: object) -> Decimal:
    """As `exact`, and a float, since 7.5 in a JSON body is one: two decimals are exact in its text."""
    return exact(repr(value) if isinstance(value, float) else value)


def _to_hours(value: Decimal) -> Decimal:
    return value.quantize(HOURS_QUANTUM)


def measure(value: Decimal) -> Decimal:
    """A computed figure at four decimals: a division never ends, so it is rounded, not refused."""
    return value.quantize(MEASURE_QUANTUM, rounding=ROUND_HALF_EVEN)


def _read_measure(value: object) -> Decimal:
    number = exact(value)
    if abs(number) >= Decimal(10**15):
        raise ValueError("the figure must be below 10^15")
    return measure(number)


def _check_zone(name: str) -> str:
    if name.startswith(_NOT_ZONES):
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Madrid")
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # not found, malformed, or a folder such as "America"
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Madrid") from error
    return name


# `#` and `@` separate the parts of a key, `/` those of an item key, `~` marks control items: none may be in an id.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}$")]
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# One mailbox, as SES takes it: no list, no quotes, no name around it, nothing beyond ASCII.
_MAILBOX = rf"^{_ATOM}(\.{_ATOM})*@({_LABEL}\.)+{_LABEL}$"


def is_mailbox(address: str) -> bool:
    """Whether mail can be sent to it; what was stored before addresses were checked may be another text."""
    return re.fullmatch(_MAILBOX, address) is not None


def _check_email(address: str, info: ValidationInfo) -> str:
    if is_mailbox(address) or info.context is STORED:
        return address
    raise PydanticKnownError("string_pattern_mismatch", {"pattern": _MAILBOX})


Email = Annotated[
    str, Field(max_length=254, json_schema_extra={"pattern": _MAILBOX}), AfterValidator(_check_email)
]


def _check_deadline(day: date, info: ValidationInfo) -> date:
    if day <= LAST_DEADLINE or info.context is STORED:
        return day
    raise ValueError(f"{day} is no day that anybody plans for; the last one is {LAST_DEADLINE}")


Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=10_000)]
Day = Annotated[date, BeforeValidator(_read_day)]
# By which something is to be done: plans look at every week up to it, and the last week of 9999 has no end.
Deadline = Annotated[Day, AfterValidator(_check_deadline)]
Instant = Annotated[datetime, BeforeValidator(_read_instant), PlainSerializer(instant_text, str, when_used="json")]
# Exact in every JSON reader (2^53 is above it), and no number of tasks or seconds comes near.
Count = Annotated[int, Field(ge=0, lt=10**15)]
Level = Annotated[int, Field(ge=1, le=5)]
# What a person enters is refused with more than two decimals, never rounded behind their back.
Hours = Annotated[
    Decimal,
    BeforeValidator(_read_hours),
    Field(ge=0, le=1_000_000, decimal_places=2),
    AfterValidator(_to_hours),
]
DayHours = Annotated[Hours, Field(le=24)]
Measure = Annotated[Decimal, BeforeValidator(_read_measure)]
Share = Annotated[Decimal, BeforeValidator(_read_measure), Field(ge=0, le=1)]
Percent = Annotated[Measure, Field(ge=0, le=100)]
Zone = Annotated[str, AfterValidator(_check_zone)]
# A JSON array arrives as a list; its elements keep their own strictness.
Many = Annotated[tuple[T, ...], Field(strict=False)]
# A choice arrives as its text; an unknown one is refused with the list of valid ones.
Choice = Annotated[T, Field(strict=False)]
