"""The cells of a worksheet, read in one streaming pass.

Belongs here: rows of values by column, merged areas, the shared texts and the formats that turn a number into a
date. Does not belong here: which row is the header and which column means what (reading.py).
Why no library: reading and marking must agree on every address, also where a program left addresses out; this
pass took about a third of the time of openpyxl (20,000 rows), which also costs a Lambda function 250 ms at import.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from prism_core.workbooks.cells import (
    FORMULA,
    CellError,
    CellValue,
    elapsed_of,
    format_kind,
    moment_of,
    number,
    position,
    unescaped,
)
from prism_core.workbooks.package import Limits, Package, SheetPart, WorkbookRefused, feed, local, parse, parser_of

_CHUNK: Final = 64 * 1024
_MAX_ROW: Final = 1_048_576
_MAX_COLUMN: Final = 16_384
_MERGED: Final = re.compile(rb"<(?:[\w.-]+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z]+[0-9]+):([A-Z]+[0-9]+)[\"']")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row that hold something, by column; A is 1."""

    number: int
    cells: dict[int, CellValue]


@dataclass(frozen=True, slots=True)
class Area:
    """A merged area, both corners included. Its value stands in the first cell."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Shared:
    """What the sheets of a workbook share: texts by number, and the kind of number format by style."""

    texts: list[str]
    kinds: list[str]


def shared_of(package: Package) -> Shared:
    """Read the shared parts once. Raises WorkbookRefused."""
    texts = _texts(package.read(package.strings), package.strings) if package.strings else []
    kinds = _kinds(package.read(package.styles), package.styles) if package.styles else []
    return Shared(texts, kinds)


def merged_areas(content: bytes) -> list[Area]:
    """The merged areas of a sheet. They stand behind the cells, where no text of a cell can look like one."""
    areas: list[Area] = []
    for first, last in _MERGED.findall(content, max(content.rfind(b"sheetData>"), content.rfind(b"sheetData/>"))):
        start, end = position(first.decode()), position(last.decode())
        if start and end:
            areas.append(Area(start[0], start[1], end[0], end[1]))
    return areas


def rows_of(package: Package, sheet: SheetPart, content: bytes, shared: Shared, limits: Limits) -> Iterator[Row]:
    """The rows that hold something, in the order of the file. Raises WorkbookRefused."""
    reader = _Reader(sheet, shared, limits, date_1904=package.date_1904)
    parser = parser_of(sheet.part)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    for at in range(0, len(content), _CHUNK):
        feed(parser, content[at : at + _CHUNK], sheet.part)
        if reader.done:
            yield from reader.done
            reader.done.clear()
    feed(parser, b"", sheet.part, last=True)
    yield from reader.done


class _Reader:
    """Collects rows while the parser walks. One instance a sheet."""

    def __init__(self, sheet: SheetPart, shared: Shared, limits: Limits, *, date_1904: bool) -> None:
        self.done: list[Row] = []
        self._sheet, self._shared, self._limits, self._date_1904 = sheet, shared, limits, date_1904
        self._inside = self._collecting = self._formula = False
        self._phonetic = 0
        self._row = self._column = self._rows = 0
        self._kind = self._style = ""
        self._text: list[str] = []
        self._cells: dict[int, CellValue] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = local(name) if ":" in name else name
        if tag == "sheetData":
            self._inside = True
        elif not self._inside:
            return
        elif tag == "c":
            self._start_cell(attributes)
        elif tag in ("v", "t"):
            self._collecting = not self._phonetic
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self._start_row(attributes.get("r"))
        elif tag == "rPh":
            self._phonetic += 1

    def characters(self, text: str) -> None:
        if self._collecting:
            self._text.append(text)

    def end(self, name: str) -> None:
        tag = local(name) if ":" in name else name
        if tag in ("v", "t"):
            self._collecting = False
        elif tag == "c" and self._inside:
            self._end_cell()
        elif tag == "row" and self._cells:
            self._rows += 1
            # Titles and a header stand above the rows; they are not what the limit is about.
            if self._rows > self._limits.rows + 100:
                raise WorkbookRefused(
                    f"the sheet {self._sheet.name!r} has more than {self._limits.rows:,} rows; split it"
                )
            self.done.append(Row(self._row, self._cells))
        elif tag == "sheetData":
            self._inside = False
        elif tag == "rPh":
            self._phonetic -= 1

    def _start_row(self, reference: str | None) -> None:
        if reference is None and self._row < _MAX_ROW:
            self._row += 1
        elif reference is None:
            raise WorkbookRefused(f"the sheet {self._sheet.name!r} is damaged: it has more than {_MAX_ROW:,} rows")
        elif reference.isascii() and reference.isdigit() and self._row < int(reference[:8]) <= _MAX_ROW:
            self._row = int(reference)
        else:
            raise WorkbookRefused(
                f"the sheet {self._sheet.name!r} is damaged: a row has the number {reference[:9]!r}"
            )
        self._column, self._cells = 0, {}

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None and self._column < _MAX_COLUMN:
            self._column += 1
        else:
            where = position(reference or "")
            if where is None or where[0] != self._row or not self._column < where[1] <= _MAX_COLUMN:
                raise WorkbookRefused(
                    f"the sheet {self._sheet.name!r} is damaged: cell {str(reference)[:20]!r} in row {self._row}"
                )
            self._column = where[1]
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
        self._formula = False
        self._text.clear()

    def _end_cell(self) -> None:
        if not self._formula and not self._text:
            return
        value = FORMULA if self._formula else self._value("".join(self._text))
        if value is None or value == "":
            return
        if self._column > self._limits.columns:
            raise WorkbookRefused(
                f"the sheet {self._sheet.name!r} has a value in column {self._column}; at most "
                f"{self._limits.columns} columns are read"
            )
        self._cells[self._column] = value

    def _value(self, text: str) -> CellValue | None:
        kind = self._kind
        if kind == "s":
            if not (text.strip().isascii() and text.strip().isdigit()) or int(text) >= len(self._shared.texts):
                raise WorkbookRefused(f"the sheet {self._sheet.name!r} is damaged: there is no text {text[:20]!r}")
            return self._shared.texts[int(text)]
        if kind in ("inlineStr", "str"):
            return unescaped(text)
        if kind == "b":
            return text.strip() in ("1", "true")
        if kind == "e":
            return CellError(text)
        if kind == "d":
            return _iso(text.strip())
        return self._numeric(text.strip())

    def _numeric(self, text: str) -> CellValue | None:
        value = number(text)
        if value is None:
            return CellError(text[:50]) if text else None
        style = self._style
        if style and style.isascii() and style.isdigit() and int(style) < len(self._shared.kinds):
            kind = self._shared.kinds[int(style)]
            if kind == "date":
                moment = moment_of(value, date_1904=self._date_1904)
                return value if moment is None else moment
            if kind == "elapsed":
                elapsed = elapsed_of(value)
                return value if elapsed is None else elapsed
        return value


def _iso(text: str) -> CellValue:
    try:
        return datetime.fromisoformat(text) if len(text) > len("2026-01-05") else date.fromisoformat(text)
    except ValueError:
        return text


def _texts(content: bytes, part: str) -> list[str]:
    texts: list[str] = []
    pieces: list[str] = []
    collecting = False
    phonetic = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal collecting, phonetic
        tag = local(name)
        if tag == "si":
            pieces.clear()
        elif tag == "t":
            collecting = not phonetic
        elif tag == "rPh":
            phonetic += 1

    def end(name: str) -> None:
        nonlocal collecting, phonetic
        tag = local(name)
        if tag == "si":
            texts.append(unescaped("".join(pieces)))
        elif tag == "t":
            collecting = False
        elif tag == "rPh":
            phonetic -= 1

    def text(characters: str) -> None:
        if collecting:
            pieces.append(characters)

    parse(content, part, start, end, text)
    return texts


def _kinds(content: bytes, part: str) -> list[str]:
    """The kind of number format of each cell style, in their order."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    inside = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        tag = local(name)
        if tag == "numFmt":
            codes[_whole(attributes.get("numFmtId", ""))] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            formats.append(_whole(attributes.get("numFmtId", "0")))

    def end(name: str) -> None:
        nonlocal inside
        if local(name) == "cellXfs":
            inside = False

    parse(content, part, start, end)
    return [format_kind(identity, codes.get(identity)) for identity in formats]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
