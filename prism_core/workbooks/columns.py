"""The columns of a model: one a field, seven for hours by weekday, derived from the model's own types.

Belongs here: the codec of a field, its title, where its value stands in an item, what a workbook may not change.
Does not belong here: synonyms of titles (mapping.py) and the codecs.
"""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue

from prism_core.calendar import Week
from prism_core.models.base import Model
from prism_core.models.people import Skill, Weekday
from prism_core.models.projects import LabelingJob
from prism_core.workbooks.codecs import (
    ChoiceCodec,
    Codec,
    DayCodec,
    HoursCodec,
    InstantCodec,
    NumberCodec,
    TextCodec,
    TruthCodec,
    WeekCodec,
    WholeCodec,
)
from prism_core.workbooks.lists import JobsCodec, JsonCodec, ListCodec, SkillsCodec

DATE_PART: Final = "date"
VALUE_PART: Final = "value"
_WEEKDAYS: Final = tuple(day.value for day in Weekday)
_SHORT_WORDS: Final = {"id": "ID", "sla": "SLA", "url": "URL"}
_NEVER_SHOWN: Final = frozenset({"screenshot"})  # 100 kB of base64 in a cell helps nobody


class Lock(StrEnum):
    """What a workbook may do with a column: anything, set it in a new row only, or nothing."""

    OPEN = "open"
    NEW = "new"
    CLOSED = "closed"


# Decisions and their instants belong to the decision; the identity of a person and a version to the platform.
_LOCKS: Final[Mapping[str, Mapping[str, Lock]]] = {
    "Member": {"cognito_sub": Lock.CLOSED},
    "Allocation": {"source": Lock.CLOSED, "plan_id": Lock.CLOSED},
    "Request": {
        "status": Lock.NEW, "created": Lock.NEW, "triaged": Lock.CLOSED, "decided": Lock.CLOSED,
        "decided_by": Lock.CLOSED, "decision": Lock.CLOSED, "fulfilled": Lock.CLOSED,
    },
    "Availability": {
        "status": Lock.NEW, "created": Lock.NEW, "decided": Lock.CLOSED, "decided_by": Lock.CLOSED,
        "answer": Lock.CLOSED,
    },
}  # fmt: skip


_NO_LOCKS: Final[Mapping[str, Lock]] = {}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `id` is the field, or `hours.mon` for a part of it, or `hours.date` in rows by day."""

    id: str
    field: str
    part: str
    title: str
    codec: Codec
    lock: Lock = Lock.OPEN
    by_date: bool = False

    def value(self, plain: Mapping[str, JsonValue]) -> JsonValue:
        """The plain value of an item, None where it has none."""
        whole = plain.get(self.field)
        if not self.part:
            return whole
        if isinstance(whole, dict):
            return whole.get(self.key_in(plain))
        if isinstance(whole, list):  # days of facts: their sum
            numbers = [day.get(self.part) for day in whole if isinstance(day, dict)]
            return sum(number for number in numbers if isinstance(number, int)) if any(numbers) else None
        return None

    def key_in(self, plain: Mapping[str, JsonValue]) -> str:
        """The key of this part in the item's own dictionary: `mon`, or the Monday of the item's week."""
        return days_of(str(plain["week"]))[_WEEKDAYS.index(self.part)] if self.by_date else self.part


@lru_cache(maxsize=1024)
def days_of(week: str) -> tuple[str, ...]:
    """The seven days of a week as text."""
    return tuple(day.isoformat() for day in Week.parse(week).days)


@lru_cache(maxsize=64)
def columns_of(model: type[Model]) -> tuple[Column, ...]:
    """What an export shows, in the order of the fields; `version` comes last."""
    found = [column for name in model.model_fields for column in _columns(model, name)]
    return (*(c for c in found if c.id != "version"), *(c for c in found if c.id == "version"))


@lru_cache(maxsize=64)
def row_by_day_columns(model: type[Model]) -> tuple[Column, ...]:
    """The two columns of a sheet with a row a day, for a model with hours by date; else none."""
    return tuple(
        column
        for name, field in model.model_fields.items()
        if (inner := _inner(field.annotation)) and _key_type(inner) is date
        for column in (
            Column(f"{name}.{DATE_PART}", name, DATE_PART, "Date", DayCodec()),
            Column(f"{name}.{VALUE_PART}", name, VALUE_PART, _title(name), HoursCodec()),
        )
    )


def _columns(model: type[Model], name: str) -> list[Column]:
    if name in _NEVER_SHOWN:
        return []
    lock = Lock.CLOSED if name == "version" else _locks(model).get(name, Lock.OPEN)
    inner = _inner(model.model_fields[name].annotation)
    if _key_type(inner) in (date, Weekday):
        return [
            Column(
                f"{name}.{day}", name, day, day.capitalize(), HoursCodec(), lock, by_date=_key_type(inner) is date
            )
            for day in _WEEKDAYS
        ]
    element = _element(inner)
    if isinstance(element, type) and issubclass(element, BaseModel) and "day" in element.model_fields:
        counted = [part for part, field in element.model_fields.items() if _inner(field.annotation) is int]
        return [Column(f"{name}.{part}", name, part, _title(part), WholeCodec(), Lock.CLOSED) for part in counted]
    title = _title(name) + (" (UTC)" if inner is datetime else "")
    return [Column(name, name, "", title, _codec(name, inner, element), lock)]


def _locks(model: type[Model]) -> Mapping[str, Lock]:
    named = [_LOCKS[base.__name__] for base in model.__mro__ if base.__name__ in _LOCKS]
    return named[0] if named else _NO_LOCKS


def _codec(name: str, inner: Any, element: Any) -> Codec:
    simple: dict[Any, Codec] = {
        str: TextCodec(width=14 if name.endswith("_id") else 22),
        bool: TruthCodec(),
        int: WholeCodec(),
        date: DayCodec(),
        datetime: InstantCodec(),
        Week: WeekCodec(),
        Decimal: HoursCodec() if "hours" in name else NumberCodec(),
    }
    lists: dict[Any, Codec] = {str: ListCodec(), Skill: SkillsCodec(), LabelingJob: JobsCodec()}
    if isinstance(inner, type) and issubclass(inner, Enum):
        return ChoiceCodec(tuple(str(choice.value) for choice in inner))
    return simple.get(inner) or lists.get(element) or JsonCodec()


def _inner(annotation: Any) -> Any:
    """The type below Annotated and `| None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            choices = [choice for choice in get_args(annotation) if choice is not type(None)]
            if len(choices) != 1:
                return annotation
            annotation = choices[0]
        else:
            return annotation


def _element(inner: Any) -> Any:
    return _inner(get_args(inner)[0]) if get_origin(inner) in (tuple, list) and get_args(inner) else None


def _key_type(inner: Any) -> Any:
    return _inner(get_args(inner)[0]) if get_origin(inner) is dict else None


def _title(name: str) -> str:
    words = [_SHORT_WORDS.get(word, word) for word in name.strip("_").split("_")]
    return words[0][:1].upper() + words[0][1:] + "".join(f" {word}" for word in words[1:])
