"""Lists of items as CSV and as a workbook that can be edited and loaded back.

Belongs here: the choice of columns, neutral text, the hidden columns of an export. Does not belong here: XML
(writing.py) and which items a person may see. Rows are streamed: a list of any length takes the memory of one row
and of the compressed file.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, Final

from pydantic import JsonValue

from prism_core.models.base import Model, Versioned, instant_text
from prism_core.tables import TableSpec
from prism_core.workbooks.cells import CellValue
from prism_core.workbooks.codecs import Formats
from prism_core.workbooks.columns import Column, columns_of
from prism_core.workbooks.dates import DateFormat
from prism_core.workbooks.fingerprint import KEY_HEADER, base_header, base_text, digest
from prism_core.workbooks.planning import seen
from prism_core.workbooks.writing import WorkbookWriter, WrittenColumn

BOM: Final = b"\xef\xbb\xbf"
# What a spreadsheet may take for a formula (OWASP, CSV injection), full-width forms included.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FORMATS: Final = Formats((DateFormat("YYYY-MM-DD"),))


class ExportFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


def export_rows(
    spec: TableSpec,
    rows: Iterable[Model],
    file_format: ExportFormat,
    *,
    model: type[Model] | None = None,
    without: Collection[str] = (),
    bom: bool = True,
) -> bytes:
    """A list of items of one table. `model` when the rows carry less than the table's own, such as BugSummary.

    `without` names fields that the reader may not see. `bom` is for CSV alone: Excel reads UTF-8 only with it.
    """
    target = io.BytesIO()
    if file_format is ExportFormat.CSV:
        write_csv(spec, rows, target, model=model, without=without, bom=bom)
    else:
        write_xlsx([(spec, rows, model)], target, without=without)
    return target.getvalue()


def write_csv(
    spec: TableSpec,
    rows: Iterable[Model],
    target: BinaryIO,
    *,
    model: type[Model] | None = None,
    without: Collection[str] = (),
    bom: bool = True,
) -> None:
    """RFC 4180 in UTF-8: CRLF, quotes where needed, ISO dates. Text that looks like a formula gets a `'` first."""
    columns = _columns(spec, model, without)
    if bom:
        target.write(BOM)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.title for column in columns])
    for row in rows:
        plain = row.plain()
        writer.writerow([_csv_text(value) for value in _shown(columns, plain)])
        if buffer.tell() > 64 * 1024:
            _flush(buffer, target)
    _flush(buffer, target)


def write_xlsx(
    sheets: Iterable[tuple[TableSpec, Iterable[Model], type[Model] | None]],
    target: BinaryIO,
    *,
    without: Collection[str] = (),
) -> None:
    """A workbook of one sheet a table, with a frozen header and, for versioned items, the hidden columns."""
    with WorkbookWriter(target) as book:
        for spec, rows, model in sheets:
            columns = _columns(spec, model, without)
            shown = [WrittenColumn(c.title, c.codec.style, max(c.codec.width, len(c.title) + 2)) for c in columns]
            if issubclass(model or spec.model, Versioned):
                ids = tuple(column.id for column in columns)
                shown += [WrittenColumn(title, "text", 8, hidden=True) for title in (KEY_HEADER, base_header(ids))]
            book.sheet(spec.name.replace("_", " ").capitalize(), shown, _cells(spec, columns, rows))


def neutral(text: str) -> str:
    """Text that no spreadsheet computes."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _columns(spec: TableSpec, model: type[Model] | None, without: Collection[str]) -> tuple[Column, ...]:
    return tuple(column for column in columns_of(model or spec.model) if column.field not in without)


def _cells(
    spec: TableSpec, columns: tuple[Column, ...], rows: Iterable[Model]
) -> Iterator[list[CellValue | None]]:
    for row in rows:
        plain = row.plain()
        cells = _shown(columns, plain)
        if isinstance(row, Versioned):
            key = spec.item_key(spec.key_of(row)).removeprefix(f"{spec.name}/")
            digests = tuple(digest(seen(column, plain, _FORMATS)) for column in columns)
            cells += [key, base_text(row.version, digests)]
        yield cells


def _shown(columns: tuple[Column, ...], plain: Mapping[str, JsonValue]) -> list[CellValue | None]:
    values = [column.value(plain) for column in columns]
    return [None if v is None else c.codec.show(v) for c, v in zip(columns, values, strict=True)]


def _csv_text(value: CellValue | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return neutral(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return instant_text(value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _flush(buffer: io.StringIO, target: BinaryIO) -> None:
    target.write(buffer.getvalue().encode())
    buffer.seek(0)
    buffer.truncate()
