"""Columns of text to the types of the lake.

Belongs here: casting a slice at a time, and naming the item whose value does not fit. Does not belong here:
decoding (decode.py) and encoding (lake_files.py).
"""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from prism_core.failures import PermanentFailure
from prism_core.lake import Column, LakeTable
from prism_resources.export.decode import ITEM_KEY, RECORDED_LATE, WEEK
from prism_resources.lake_files import ARROW_TYPES, Slices, arrow_schema, text_scalar

_SHOWN = 80


class Lazily:
    """Slices that are made anew whenever they are gone through: none is held."""

    def __init__(self, make: Callable[[], Iterator[pa.Table]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[pa.Table]:
        return self._make()


def typed(table: LakeTable, texts: Slices) -> Slices:
    """Rows as the lake holds them, in the order they come: cast at once where they are in memory."""
    if isinstance(texts, list):
        return [typed_rows(table, part) for part in texts]
    return Lazily(lambda: (typed_rows(table, part) for part in texts))


def typed_rows(table: LakeTable, texts: pa.Table) -> pa.Table:
    """A slice as the lake holds it. Raises PermanentFailure for a value of no use."""
    keys = texts.column(ITEM_KEY)
    columns = [
        _all_false(len(keys)) if column.name == RECORDED_LATE else _cast(table, column, texts[column.name], keys)
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=arrow_schema(table))


def in_schema(table: LakeTable, rows: pa.Table) -> pa.Table:
    """Rows that are typed already, with the columns of the table alone."""
    schema = arrow_schema(table)
    chosen = rows.select(schema.names)
    return pa.Table.from_arrays([chosen[f.name].cast(f.type) for f in schema], schema=schema)


def with_week_of(table: LakeTable, batch: pa.RecordBatch, instant: str | None) -> pa.RecordBatch:
    """The batch with the ISO week of a column of instants, for a table whose rows have no week of their own."""
    if instant is None:
        return batch
    texts = batch.column(instant)
    try:
        places = pc.call_function("iso_calendar", [texts.cast(ARROW_TYPES["timestamp"])])
    except pa.ArrowInvalid as error:
        culprit = _culprit(texts, batch.column(ITEM_KEY), ARROW_TYPES["timestamp"])
        raise PermanentFailure(f"{culprit} is no instant, so {table.name} has no week for it") from error
    year, week = (pc.struct_field(places, number).cast(pa.string()) for number in (0, 1))
    label = pc.binary_join_element_wise(year, pc.utf8_lpad(week, 2, "0"), text_scalar("-W"))
    return batch.append_column(WEEK, label)


def _all_false(rows: int) -> Any:
    return pc.is_valid(pa.nulls(rows))


def _cast(table: LakeTable, column: Column, texts: Any, keys: Any) -> Any:
    kind = ARROW_TYPES[column.type]
    if column.type == "string":
        return texts
    try:
        return texts.cast(kind)
    except pa.ArrowInvalid as error:
        raise PermanentFailure(
            f"{_culprit(texts, keys, kind)} is no {column.type}, as {column.name} of lake table {table.name} is; "
            "correct the item, or restore it"
        ) from error


def _culprit(texts: Any, keys: Any, kind: pa.DataType) -> str:
    """The first item whose value cannot be cast."""
    for key, text in zip(keys.to_pylist(), texts.to_pylist(), strict=True):
        try:
            pa.array([text], pa.string()).cast(kind)
        except pa.ArrowInvalid:
            return f"{str(text)[:_SHOWN]!r} of {key}"
    return "a value"
