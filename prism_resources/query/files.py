"""An answer as a file: CSV, JSON, a workbook, Parquet.

Belongs here: the form of every value there, written batch by batch, so that an answer of any length takes the
memory of one. Does not belong here: running the query (duckdb.py, athena.py), and the XML of a workbook
(prism_core/workbooks).
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from prism_core.failures import BadUsage
from prism_core.workbooks.cells import CellValue, number
from prism_core.workbooks.codecs import TextCodec
from prism_core.workbooks.exporting import neutral
from prism_core.workbooks.writing import WorkbookWriter, WrittenColumn
from prism_resources.query.result import QueryStream, Row, csv_pieces, json_pieces, json_value, refuse_repeated

# Of a sheet, header included (Excel specifications and limits).
SHEET_ROWS: Final = 1_048_576
SHEET_COLUMNS: Final = 16_384
_EXACT_BELOW: Final = 10**15  # beyond, a spreadsheet rounds: such a number is an id, and stays as it is as text
_DECIMAL: Final = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_STYLES: Final = {
    "date": ("day", 12),
    "timestamp": ("instant", 20),
    "boolean": ("truth", 8),
    "varchar": ("text", 24),
}
_ARROW: Final[dict[str, pa.DataType]] = {
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}


class FileFormat(StrEnum):
    """By the ending of the file's name as well."""

    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"
    PARQUET = "parquet"


def write_answer(
    answer: QueryStream,
    file_format: FileFormat,
    target: BinaryIO,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write all rows and say how many; `progress` is told after every batch. Raises BadUsage for what a form
    cannot hold, and whatever reading the answer raises."""
    rows = _Counted(answer.batches, progress)
    if file_format is FileFormat.CSV:
        target.writelines(piece.encode() for piece in csv_pieces(answer.columns, rows))
    elif file_format is FileFormat.JSON:
        target.writelines(piece.encode() for piece in json_pieces(answer.columns, rows))
    elif file_format is FileFormat.XLSX:
        _write_xlsx(answer, rows, target)
    else:
        _write_parquet(answer, rows, target)
    return rows.number


class _Counted:
    """Batches as they pass."""

    def __init__(self, batches: Iterator[Sequence[Row]], progress: Callable[[int], None]) -> None:
        self._batches, self._progress, self.number = batches, progress, 0

    def __iter__(self) -> Iterator[Sequence[Row]]:
        for batch in self._batches:
            yield batch
            self.number += len(batch)
            self._progress(self.number)


# --- a workbook --------------------------------------------------------------------------------------------


def _write_xlsx(answer: QueryStream, batches: Iterable[Sequence[Row]], target: BinaryIO) -> None:
    if len(answer.columns) > SHEET_COLUMNS:
        raise BadUsage(f"{len(answer.columns):,} columns are more than the {SHEET_COLUMNS:,} of a sheet")
    columns = [_sheet_column(name, kind) for name, kind in zip(answer.columns, answer.types, strict=True)]
    with WorkbookWriter(target) as book:
        book.sheet("Answer", columns, _sheet_rows(batches))


def _sheet_column(name: str, kind: str) -> WrittenColumn:
    style, width = _STYLES.get(kind.partition("(")[0].removesuffix(" with time zone"), ("number", 12))
    return WrittenColumn(neutral(name), style, max(width, min(len(name) + 3, 40)))


def _sheet_rows(batches: Iterable[Sequence[Row]]) -> Iterator[list[CellValue | None]]:
    written = 1
    for batch in batches:
        written += len(batch)
        if written > SHEET_ROWS:
            raise BadUsage(
                f"the answer has more rows than the {SHEET_ROWS - 1:,} of a sheet; narrow the weeks, or take csv "
                "or parquet"
            )
        for row in batch:
            yield [_cell(value) for value in row]


def _cell(value: Any) -> CellValue | None:
    """A value as a cell: text is cut where a cell ends, instants are in UTC."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _EXACT_BELOW else str(value)
    if isinstance(value, float):
        return number(repr(value)) if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, date | Decimal):
        return value
    return TextCodec().show(_nested(value))


# --- Parquet -----------------------------------------------------------------------------------------------


def _write_parquet(answer: QueryStream, batches: Iterable[Sequence[Row]], target: BinaryIO) -> None:
    refuse_repeated(answer.columns)
    schema = pa.schema(list(zip(answer.columns, map(_arrow_type, answer.types), strict=True)))
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(_arrow_batch(batch, schema))


def _arrow_type(kind: str) -> pa.DataType:
    if (found := _DECIMAL.fullmatch(kind)) is not None:
        return pa.decimal128(int(found[1]), int(found[2]))
    return _ARROW.get(kind, pa.string())


def _arrow_batch(batch: Sequence[Row], schema: pa.Schema) -> pa.RecordBatch:
    columns = list(zip(*batch, strict=True)) or [()] * len(schema)
    return pa.record_batch(
        [_arrow_array(values, field) for values, field in zip(columns, schema, strict=True)], schema=schema
    )


def _arrow_array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    if field.type == pa.string():
        values = [None if value is None else _nested(value) for value in values]
    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError) as error:
        raise BadUsage(f"column {field.name} holds what a {field.type} of Parquet cannot: {error}") from error


def _nested(value: Any) -> str:
    """Text, and what has no type of its own in a file as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, default=json_value, ensure_ascii=False, separators=(",", ":"))
    return str(value)
