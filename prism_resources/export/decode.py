"""Stored items to columns of text, by the spec of their table.

Belongs here: the typed msgspec decoder of a table's items, and a page of them as one Arrow batch. Does not belong
here: fetching pages (tables/raw.py), the types of the lake (typed.py), states of the past (history/).
Every column is text at first, as DynamoDB writes it: Arrow casts a whole column at once, and the history compares
texts. Attributes that the lake does not hold are known and skipped; one that nobody knows is refused.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, get_args

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pydantic.fields import FieldInfo

from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.lake import Column, LakeTable
from prism_core.tables import ITEM_KEY_SEPARATOR, TABLES, TableSpec
from prism_resources.export.nested import json_text_of
from prism_resources.lake_files import text_array, text_scalar
from prism_resources.tables.codec import LAST_WRITE
from prism_resources.tables.raw import Page

# No column is called like that; the change log has an `item_key` of its own.
ITEM_KEY: Final = "_key"
WEEK: Final = "week"
RECORDED_LATE: Final = "recorded_late"
# The one fact without a week of its own belongs to that of an instant.
WEEK_OF_INSTANT: Final = {"deliveries": "claimed"}


class _Text(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    S: str | None


class _Number(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    N: str | None


class _Truth(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    BOOL: bool | None


_TRUTHS = {True: "true", False: "false", None: None}
# What an item that lacks the attribute has instead.
_ABSENT: Final[dict[Any, Any]] = {_Text: _Text(None), _Number: _Number(None), _Truth: _Truth(None)}
_OF_COLUMN: Final[dict[str, Any]] = {"bigint": _Number, "double": _Number, "boolean": _Truth}

Reader = Callable[[Sequence[Any]], list[str | None]]


class RowDecoder:
    """Items of one table, page by page, as batches of text: `_key`, `week` where rows belong to one, and the
    columns of the lake."""

    def __init__(self, table: LakeTable) -> None:
        self.table, self.spec = table, TABLES[table.name]
        self._columns = [column for column in table.columns if column.name != RECORDED_LATE]
        self._weeks: set[str | None] = set()  # those that were seen, and are weeks
        self._required = {name for name, field in self.spec.model.model_fields.items() if _must_have(field)}
        self._has_week = table.kind != "register" and table.name not in WEEK_OF_INSTANT
        kinds = self._kinds()
        item = msgspec.defstruct(
            f"stored_{table.name}",
            [(name, kind, _ABSENT.get(kind, msgspec.Raw())) for name, kind in kinds.items()],
            gc=False,
            forbid_unknown_fields=True,
        )
        self.pages: msgspec.json.Decoder[Page[Any]] = msgspec.json.Decoder(Page[item])
        wanted = self._wanted()
        self._take = attrgetter(*wanted)
        self._readers = [_reader(kinds[name], self._json_text(name)) for name in wanted]
        self.names = [ITEM_KEY, *([WEEK] if self._has_week else []), *(column.name for column in self._columns)]

    @property
    def fields(self) -> list[str]:
        """The attributes to ask for: all of them, except where a field is too large to be carried for nothing."""
        return list(dict.fromkeys(self._wanted())) if "screenshot" in self.spec.model.model_fields else []

    def batch(self, items: Sequence[Any]) -> pa.RecordBatch:
        """One page. Raises PermanentFailure for an item without its key, its week or a value that it must have."""
        by_attribute = zip(*map(self._take, items), strict=True)
        arrays = [text_array(read(values)) for read, values in zip(self._readers, by_attribute, strict=True)]
        keys = len(self.spec.key_attributes)
        key = self._item_key(arrays[:keys])
        self._refuse_without_week(key, arrays[keys:])
        self._refuse_incomplete(key, arrays[-len(self._columns) :])
        return pa.RecordBatch.from_arrays([key, *arrays[keys:]], self.names)

    def _refuse_without_week(self, keys: Any, arrays: list[Any]) -> None:
        """A row of no week would be in no partition, and nobody would miss it."""
        if self._has_week:
            place, name = 0, WEEK
        elif (name := WEEK_OF_INSTANT.get(self.table.name, "")) != "":
            place = [column.name for column in self._columns].index(name)
        else:
            return
        weeks = arrays[place].to_pylist()
        unknown = set(weeks) - self._weeks
        bad = {week for week in unknown if week is None or (name == WEEK and not _is_week(week))}
        if bad:
            at = next(number for number, week in enumerate(weeks) if week in bad)
            raise PermanentFailure(
                f"{keys[at].as_py()} has no {name} that says its week, but {weeks[at]!r}; no partition of the "
                "lake would hold it: correct the item, or restore it"
            )
        if name == WEEK:
            self._weeks |= unknown

    def _refuse_incomplete(self, keys: Any, arrays: list[Any]) -> None:
        """Null would stand in the lake for what every item has, and sums would be silently less."""
        for column, array in zip(self._columns, arrays, strict=True):
            if array.null_count and column.of_field in self._required:
                at = array.is_null().to_pylist().index(True)
                raise PermanentFailure(
                    f"{keys[at]} has no {column.of_field}, which every item of {self.spec.name} has; it was "
                    "written past the store: correct the item, or restore it"
                )

    def _wanted(self) -> list[str]:
        """The attributes that are read, in the order of the batch: keys, the week, columns."""
        week = [WEEK] if self._has_week else []
        return [*(a.name for a in self.spec.key_attributes), *week, *(c.of_field for c in self._columns)]

    def _kinds(self) -> dict[str, Any]:
        """Every attribute that an item may have, and how it is read."""
        spec = self.spec
        kinds: dict[str, Any] = dict.fromkeys(
            (*spec.model.model_fields, *spec.all_attributes, LAST_WRITE), msgspec.Raw
        )
        kinds |= {attribute.name: _Text for attribute in spec.key_attributes}
        kinds |= {WEEK: _Text} if self._has_week else {}
        return kinds | {c.of_field: _kind(c) for c in self._columns}

    def _json_text(self, name: str) -> Callable[[Any], str | None] | None:
        column = next((c for c in self._columns if c.of_field == name and c.json), None)
        return None if column is None else json_text_of(self.spec, column)

    def _item_key(self, parts: list[Any]) -> Any:
        separator = text_scalar(ITEM_KEY_SEPARATOR)
        key = pc.binary_join_element_wise(text_scalar(self.spec.name), *parts, separator)
        if key.null_count:
            raise PermanentFailure(
                f"{key.null_count} items of {self.spec.name} lack {' or '.join(_key_names(self.spec))}; "
                "the table was not written by PRISM"
            )
        return key


def _must_have(field: FieldInfo) -> bool:
    """Whether the model takes no item without a value in this field."""
    return field.is_required() and type(None) not in get_args(field.annotation)


def _is_week(text: str) -> bool:
    try:
        Week.parse(text)
    except (BadUsage, ValueError):
        return False
    return True


def _kind(column: Column) -> Any:
    return msgspec.Raw if column.json else _OF_COLUMN.get(column.type, _Text)


def _key_names(spec: TableSpec) -> list[str]:
    return [attribute.name for attribute in spec.key_attributes]


def _reader(kind: Any, json_text: Callable[[Any], str | None] | None) -> Reader:
    """How the values of one attribute become texts. A comprehension each: an attribute takes 0.1 µs an item."""
    if kind is _Text:
        return lambda values: [value.S for value in values]
    if kind is _Number:
        return lambda values: [value.N for value in values]
    if kind is _Truth:
        return lambda values: [_TRUTHS[value.BOOL] for value in values]
    if json_text is None:
        raise PermanentFailure("a column that is read as it lies has no way to be written")
    return lambda values: [json_text(value) for value in values]
