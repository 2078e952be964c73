"""A workbook as rows of tables: which item each row names, and what it says of each field.

Belongs here: `read_workbook`, its answer, and what is wrong with a cell by itself. Does not belong here: comparing
with what is stored (planning.py), the container and the cells (package.py, sheets.py).
A blank cell says nothing and leaves the field as it is; the marker `(clear)` empties it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from pydantic import JsonValue, TypeAdapter, ValidationError

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.base import Model
from prism_core.references import REFERENCES
from prism_core.workbooks.cells import CellError, CellValue, Formula, address
from prism_core.workbooks.codecs import Formats, normal
from prism_core.workbooks.columns import DATE_PART, VALUE_PART, Column, days_of
from prism_core.workbooks.fingerprint import Base, read_base
from prism_core.workbooks.headers import SEARCHED_ROWS, Header, errors_at, find_header
from prism_core.workbooks.mapping import TableMapping, WorkbookMapping, default_mapping
from prism_core.workbooks.package import Limits, Package, SheetPart, WorkbookRefused, open_package
from prism_core.workbooks.sheets import Area, Row, Shared, merged_areas, rows_of, shared_of

STANDARD_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Clear:
    """The field is to be emptied. `text` is the marker as it stands in the cell."""

    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: a cell, a row without one, or a sheet without either."""

    sheet: str
    row: int | None
    cell: str | None
    column: str | None
    message: str

    @property
    def text(self) -> str:
        """`C7 (Hours): …`."""
        where = f"{self.cell} ({self.column}): " if self.cell and self.column else ""
        return f"{where}{self.message}"


@dataclass(slots=True)
class DataRow:
    """One row below the header. `key` and its `parts` are there when it is sound; `values` has no blank cells."""

    sheet: str
    number: int
    table: TableMapping
    key: dict[str, str] | None = None
    parts: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    day: str | None = None
    values: dict[str, JsonValue | Clear] = field(default_factory=dict[str, JsonValue | Clear])
    base: Base | None = None
    problems: list[Problem] = field(default_factory=list[Problem])
    notes: list[str] = field(default_factory=list[str])

    @property
    def item_key(self) -> str | None:
        """As the change log writes it: `allocations/M-1/2026-W01#P-12`."""
        return None if self.key is None else self.table.spec.item_key(self.key)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows when it was read, else why not (`problem`, or `note` when that is no mistake)."""

    name: str
    part: str
    header: Header | None = None
    table: TableMapping | None = None
    rows: tuple[DataRow, ...] = ()
    width: int = 0
    error_at: int | None = None
    problem: str | None = None
    note: str | None = None

    def column_at(self, column_id: str) -> int | None:
        """Where a column stands; a weekday of a sheet with a row a day stands in its hours."""
        if self.header is None:
            return None
        places = self.header.places
        return places.get(column_id, places.get(f"{column_id.partition('.')[0]}.{VALUE_PART}"))


@dataclass(frozen=True, slots=True)
class Workbook:
    """Everything that was read."""

    sheets: tuple[Sheet, ...]
    formats: Formats

    @property
    def rows(self) -> Iterator[DataRow]:
        return (row for sheet in self.sheets for row in sheet.rows)

    def keys(self) -> dict[str, list[dict[str, str]]]:
        """The primary keys that the rows name, each once, by table: what planning must be given."""
        found: dict[str, dict[str, dict[str, str]]] = {}
        for row in self.rows:
            if row.key is not None:
                found.setdefault(row.table.spec.name, {}).setdefault(row.item_key or "", row.key)
        return {table: [*keys.values()] for table, keys in found.items()}

    def references(self) -> dict[str, set[str]]:
        """The members and projects that rows of other tables name; whether they exist is to be looked up."""
        found: dict[str, set[str]] = {}
        for row in self.rows:
            for name, table in REFERENCES.items():
                value = row.parts.get(name, row.values.get(name))
                if row.table.spec.name != table and isinstance(value, str) and _is_sound(row.table, name, value):
                    found.setdefault(table, set()).add(value)
        return found


def read_workbook(
    data: bytes, mapping: WorkbookMapping | None = None, limits: Limits = STANDARD_LIMITS
) -> Workbook:
    """Read a workbook by a mapping, the default one when none is given.

    A sheet without a table, without a header or with a column twice is named in its `problem`; a cell that cannot
    be read is named in its row. Raises WorkbookRefused when the file as a whole cannot be read.
    """
    mapping = mapping or default_mapping()
    package = open_package(data, limits)
    shared = shared_of(package)
    formats = replace(mapping.formats, date_1904=package.date_1904)
    left = limits.rows
    sheets: list[Sheet] = []
    for part in package.sheets:
        sheet = _sheet(package, part, shared, replace(mapping, formats=formats), replace(limits, rows=left))
        left -= len(sheet.rows)
        if left < 0:
            raise WorkbookRefused(f"the workbook has more than {limits.rows:,} rows; split it")
        sheets.append(sheet)
    return Workbook(tuple(sheets), formats)


def _sheet(package: Package, part: SheetPart, shared: Shared, mapping: WorkbookMapping, limits: Limits) -> Sheet:
    if part.hidden:
        return Sheet(part.name, part.part, note="the sheet is hidden and was not read")
    if mapping.ignores(part.name):
        return Sheet(part.name, part.part, note="the mapping says to ignore the sheet")
    content = package.read(part.part)
    rows = rows_of(package, part, content, shared, limits)
    top: list[Row] = []
    for row in rows:
        top.append(row)
        if row.number > SEARCHED_ROWS:
            break
    if not top:
        return Sheet(part.name, part.part, note="the sheet is empty")
    width = max((max(row.cells) for row in top if row.number <= SEARCHED_ROWS), default=1)
    blank = Sheet(part.name, part.part, width=width, error_at=errors_at(top))
    table = mapping.table_of(part.name)
    if table is None:
        return replace(blank, problem=mapping.no_table(part.name))
    areas = merged_areas(content)
    header = find_header(part.name, top, areas, table)
    if isinstance(header, str):
        return replace(blank, table=table, problem=header)
    reader = _RowReader(part.name, table, header, mapping.formats, areas)
    read = [*reader.read(iter(top)), *reader.read(rows)]
    note = f"columns that were not read: {', '.join(header.ignored)}" if header.ignored else None
    width = max(width, reader.width)
    return replace(blank, header=header, table=table, rows=tuple(read), width=width, note=note)


class _RowReader:
    """Reads the rows below one header."""

    def __init__(
        self, sheet: str, table: TableMapping, header: Header, formats: Formats, areas: list[Area]
    ) -> None:
        self.width = 0
        self._sheet, self._table, self._header, self._formats = sheet, table, header, formats
        # An export writes its instants in UTC and says so; other sheets mean the zone of their people.
        self._utc = replace(formats, zone=Formats(()).zone)
        titles = header.titles.items()
        self._zone_of = {at: self._utc if normal(title).endswith("utc") else formats for at, title in titles}
        self._keys = {part: _at(header, part) for part in table.spec.key_parts}
        key_columns = {at for at in self._keys.values() if at is not None}
        # A member's cell merged over several rows names them all.
        self._merged = {(a.top, a.left): a.bottom for a in areas if a.bottom > a.top and a.left in key_columns}
        self._carried: dict[int, tuple[int, CellValue]] = {}

    def read(self, rows: Iterator[Row]) -> Iterator[DataRow]:
        for row in rows:
            if row.number <= self._header.last:
                continue
            for at in list(row.cells):
                if (row.number, at) in self._merged:
                    self._carried[at] = (self._merged[row.number, at], row.cells[at])
            if self._is_blank(row) or self._repeats_header(row):
                continue
            self.width = max(self.width, *row.cells)
            yield self._data_row(row)

    def _is_blank(self, row: Row) -> bool:
        return not any(
            at in self._header.columns and not (isinstance(value, str) and not value.strip())
            for at, value in row.cells.items()
        )

    def _repeats_header(self, row: Row) -> bool:
        """A list that was printed has its header on every page."""
        columns = self._header.columns
        return len(columns) > 1 and all(
            isinstance(text := row.cells.get(at), str) and normal(text) == normal(self._header.titles[at])
            for at in columns
        )

    def _data_row(self, row: Row) -> DataRow:
        data = DataRow(self._sheet, row.number, self._table)
        for at, (bottom, value) in self._carried.items():
            if row.number <= bottom:
                row.cells.setdefault(at, value)
        for at, column in self._header.columns.items():
            value = row.cells.get(at)
            if value is None or (isinstance(value, str) and not value.strip()):
                continue
            self._cell(data, at, column, value)
        data.values = dict(self._header.constants) | data.values
        self._by_day(data)
        self._key(data)
        self._base(data, row)
        return data

    def _cell(self, data: DataRow, at: int, column: Column, value: CellValue) -> None:
        if isinstance(value, Formula):
            return self._problem(data, at, "the cell holds a formula; only values are loaded, paste it as a value")
        if isinstance(value, CellError):
            return self._problem(data, at, f"the cell shows the error {value.text}")
        if isinstance(value, str) and value.strip().casefold() == self._formats.clear.casefold():
            data.values[column.id] = Clear(value.strip())
            return None
        try:
            data.values[column.id] = column.codec.read(value, self._zone_of.get(at, self._formats))
        except ValueError as error:
            self._problem(data, at, str(error))
        return None

    def _by_day(self, data: DataRow) -> None:
        """The date and hours of a row a day become the weekday of its week."""
        date_id = next((c.id for c in self._header.columns.values() if c.part == DATE_PART), None)
        if date_id is None:
            return
        field_name = date_id.partition(".")[0]
        day = data.values.pop(date_id, None)
        value = data.values.pop(f"{field_name}.{VALUE_PART}", None)
        if not isinstance(day, str):
            if not any(problem.row for problem in data.problems):
                self._problem(data, _at(self._header, date_id), "the date is missing")
            return
        try:
            week = Week.of(day).label
            days = days_of(week)
        except (BadUsage, OverflowError):  # the last days of the year 9999
            self._problem(data, _at(self._header, date_id), f"{day} lies in no whole week")
            return
        given = data.values.setdefault("week", week)
        if given != week:
            self._problem(data, _at(self._header, date_id), f"{day} lies in {week}, not in {given}")
        data.day = day
        if value is not None:
            weekday = days.index(day)
            part = [c.id for c in self._table.columns.values() if c.field == field_name and c.by_date][weekday]
            data.values[part] = value

    def _key(self, data: DataRow) -> None:
        parts: dict[str, JsonValue] = {}
        for part, at in self._keys.items():
            value = data.values.pop(part, None)
            title = self._table.columns[part].title
            if isinstance(value, Clear):
                self._problem(data, at, "a key cannot be cleared")
            elif value is None:
                if not any(problem.cell == self._cell_name(data, at) for problem in data.problems):
                    self._problem(data, at, f"{title} is missing")
            elif message := _unsound(self._table.spec.model, part, value):
                self._problem(data, at, message)
            else:
                parts[part] = value
        if len(parts) == len(self._keys):
            data.key, data.parts = self._table.spec.key(parts), parts

    def _base(self, data: DataRow, row: Row) -> None:
        """What was exported counts only for the row that it was exported for."""
        header = self._header
        if header.base_at is None or header.key_at is None or data.key is None:
            return
        key, base = row.cells.get(header.key_at), row.cells.get(header.base_at)
        if key is None and base is None:
            return
        if str(key) != (data.item_key or "").removeprefix(f"{self._table.spec.name}/"):
            data.notes.append(f"was exported as {key}, which stays as it is; the row stands for its own key now")
            return
        data.base = read_base(base, header.base_ids) if isinstance(base, str) else None
        if data.base is None:
            data.notes.append("the hidden column of the export was damaged: conflicts cannot be seen in this row")

    def _problem(self, data: DataRow, at: int | None, message: str) -> None:
        title = self._header.columns[at].title if at is not None and at in self._header.columns else None
        data.problems.append(Problem(self._sheet, data.number, self._cell_name(data, at), title, message))

    def _cell_name(self, data: DataRow, at: int | None) -> str | None:
        return None if at is None else address(data.number, at)


def _at(header: Header, column_id: str) -> int | None:
    return next((at for at, column in header.columns.items() if column.id == column_id), None)


def _is_sound(table: TableMapping, name: str, value: str) -> bool:
    return name in table.spec.model.model_fields and _unsound(table.spec.model, name, value) is None


def _unsound(model: type[Model], name: str, value: JsonValue) -> str | None:
    """What the model has against a value of one field; the key of an item is looked up before it is validated."""
    try:
        _adapter(model, name).validate_python(value)
    except (ValidationError, BadUsage) as error:
        return error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return None


@lru_cache(maxsize=256)
def _adapter(model: type[Model], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(model.model_fields[name].rebuild_annotation())
