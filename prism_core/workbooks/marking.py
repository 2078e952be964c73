"""The original workbook back, with a column of errors and the bad cells marked.

Belongs here: `mark`, which rewrites the bytes of the bad rows and copies every other byte. Does not belong here:
what is wrong (planning.py). Why not load and save with a library: that loses pictures, shapes and whatever else it
does not know, and takes the memory of the whole sheet. A mark is a fill and a text, never colour alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from prism_core.workbooks.cells import MAX_TEXT, address, escaped, position
from prism_core.workbooks.fingerprint import ERROR_HEADER
from prism_core.workbooks.package import Limits, feed, local, open_package, parser_of
from prism_core.workbooks.places import closed, tag_end
from prism_core.workbooks.plan import ImportPlan
from prism_core.workbooks.styles import Styles

_READ_ALREADY: Final = Limits(10**12, 10**12, 10**9, 10**9, 10**9, 10**9)
_CHUNK: Final = 256 * 1024
_WIDTH: Final = 60  # characters of the error column
_SPANS: Final = re.compile(rb"\sspans\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_STYLE: Final = re.compile(rb"\ss\s*=\s*(?:\"[^\"]*\"|'[^']*')")


@dataclass(slots=True)
class _Marks:
    """What one sheet is to show: texts of the error column by row, and columns to fill by row."""

    column: int
    texts: dict[int, str] = field(default_factory=dict[int, str])
    filled: dict[int, set[int]] = field(default_factory=dict[int, set[int]])


@dataclass(frozen=True, slots=True)
class _Cell:
    start: int
    inner: int
    end: int
    column: int
    style: str


@dataclass(frozen=True, slots=True)
class _Row:
    start: int
    inner: int
    end: int
    number: int
    cells: tuple[_Cell, ...] = ()


def mark(data: bytes, plan: ImportPlan) -> bytes:
    """The workbook with an error column in every sheet that has bad rows, or could not be read at all.

    Marks of an earlier load are replaced: what is good now is no longer marked.
    """
    wanted = _marks(plan)
    if not wanted:
        return data
    package = open_package(data, _READ_ALREADY)
    styles = Styles.of(package.read(package.styles) if package.styles else None)
    parts = {part: _marked(package.read(part), part, marks, styles) for part, marks in wanted.items()}
    if package.styles:
        parts[package.styles] = styles.content()
    return package.replaced(parts)


def _marks(plan: ImportPlan) -> dict[str, _Marks]:
    """Marks by part; a sheet that was marked before is looked at again even when all is good now."""
    found: dict[str, _Marks] = {}
    for sheet in plan.sheets:
        header = sheet.header
        before = sheet.error_at
        bad = [row for row in plan.bad_rows if row.sheet == sheet.name]
        if not bad and before is None and sheet.problem is None:
            continue
        marks = found[sheet.part] = _Marks(before or sheet.width + 1)
        if sheet.problem is not None:
            marks.texts[1] = f"{ERROR_HEADER}: {sheet.problem}"
        elif header is not None and bad:
            marks.texts[header.last] = ERROR_HEADER
        for row in bad:
            marks.texts[row.row] = "; ".join(f"{row.outcome.value}: {problem.text}" for problem in row.problems)
            cells = [position(problem.cell) for problem in row.problems if problem.cell]
            marks.filled[row.row] = {where[1] for where in cells if where is not None}
    return found


def _marked(content: bytes, part: str, marks: _Marks, styles: Styles) -> bytes:
    """The sheet with its marks. Edits are collected first, then the bytes between them are copied."""
    finder = _Finder(content, marks, styles)
    finder.walk(part)
    edits = finder.edits + [(row.start, row.end, _rebuilt(content, row, finder, styles)) for row in finder.rows]
    for number in sorted(marks.texts.keys() - {row.number for row in finder.rows}):
        row = _Row(0, 0, 0, number)
        at = finder.behind(number)
        edits.append((at, at, _rebuilt(content, row, finder, styles)))
    pieces: list[bytes] = []
    at = 0
    for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
        pieces += [content[at:start], text]
        at = end
    return b"".join([*pieces, content[at:]])


class _Finder:
    """Finds the rows that are to be changed, as places in the bytes."""

    def __init__(self, content: bytes, marks: _Marks, styles: Styles) -> None:
        self.content, self.marks, self.styles = content, marks, styles
        self.rows: list[_Row] = []
        self.edits: list[tuple[int, int, bytes]] = []
        self.prefix = ""
        self._ends: list[tuple[int, int]] = []  # number of each row and the byte behind it
        self._row_at = self._cell_at = -1
        self._number = self._column = 0
        self._style = ""
        self._cells: list[_Cell] = []
        self._columns_end: int | None = None
        self._widths_to = 0

    def walk(self, part: str) -> None:
        parser = parser_of(part)

        def start(name: str, attributes: dict[str, str]) -> None:
            self._start(local(name), name, attributes, parser.CurrentByteIndex)

        def end(name: str) -> None:
            self._end(local(name), parser.CurrentByteIndex)

        parser.StartElementHandler = start
        parser.EndElementHandler = end
        for at in range(0, len(self.content), _CHUNK):
            feed(parser, self.content[at : at + _CHUNK], part)
        feed(parser, b"", part, last=True)

    def behind(self, number: int) -> int:
        """Where a row of this number is to be inserted."""
        return [end for row, end in self._ends if row < number][-1]

    def _start(self, tag: str, name: str, attributes: Mapping[str, str], at: int) -> None:
        if tag == "c" and self._row_at >= 0:
            where = position(attributes.get("r", ""))
            self._column = where[1] if where else self._column + 1
            self._cell_at, self._style = at, attributes.get("s", "")
        elif tag == "row":
            self._number = int(attributes["r"]) if "r" in attributes else self._number + 1
            self._row_at, self._column, self._cells = at, 0, []
        elif tag == "col":
            last = attributes.get("max", "")
            self._widths_to = max(self._widths_to, int(last) if last.isascii() and last.isdigit() else 0)
        elif tag == "dimension":
            self._extend(attributes.get("ref", ""), at)
        elif tag == "sheetData":
            self.prefix = name[: -len(tag)]
            self._ends.append((0, tag_end(self.content, at)))
            self._widen(at)

    def _end(self, tag: str, at: int) -> None:
        if tag == "c" and self._cell_at >= 0:
            in_bad_row = self._number in self.marks.texts
            stale = self._column == self.marks.column or self.styles.is_mark(self._style)
            if in_bad_row or stale:
                inner = tag_end(self.content, self._cell_at)
                end = closed(self.content, inner, at)
                cell = _Cell(self._cell_at, inner, end, self._column, self._style)
                self._cells.append(cell)
                if not in_bad_row:
                    self.edits.append((cell.start, cell.end, self._unmarked(cell)))
            self._cell_at = -1
        elif tag == "row" and self._row_at >= 0:
            inner = tag_end(self.content, self._row_at)
            end = closed(self.content, inner, at)
            self._ends.append((self._number, end))
            if self._number in self.marks.texts:
                self.rows.append(_Row(self._row_at, inner, end, self._number, tuple(self._cells)))
            self._row_at = -1
        elif tag == "cols":
            self._columns_end = at

    def _unmarked(self, cell: _Cell) -> bytes:
        """A cell that an earlier load had marked, in a row that is good now."""
        if cell.column == self.marks.column:
            return b""
        return _styled(self.content, cell, self.styles.unmarked(cell.style))

    def _widen(self, at: int) -> None:
        """A width for the error column, unless widths are declared over it."""
        column, prefix = self.marks.column, self.prefix
        text = f'<{prefix}col min="{column}" max="{column}" width="{_WIDTH}" customWidth="1"/>'
        if self._widths_to >= column:
            return
        if self._columns_end is not None:
            self.edits.append((self._columns_end, self._columns_end, text.encode()))
        else:
            self.edits.append((at, at, f"<{prefix}cols>{text}</{prefix}cols>".encode()))

    def _extend(self, reference: str, at: int) -> None:
        """Programs that trust the declared size of a sheet would not see the errors."""
        first, _, last = reference.partition(":")
        start, end = position(first), position(last or first)
        if start is None or end is None:
            return
        column = max(end[1], self.marks.column)
        whole = f'ref="{first}:{address(max([end[0], *self.marks.texts]), column)}"'.encode()
        inner = tag_end(self.content, at)
        old = self.content[at:inner]
        self.edits.append((at, inner, re.sub(rb"ref\s*=\s*(?:\"[^\"]*\"|'[^']*')", whole, old, count=1)))


def _rebuilt(content: bytes, row: _Row, finder: _Finder, styles: Styles) -> bytes:
    """The row with its marks: its cells in order, new ones among them."""
    marks, prefix = finder.marks, finder.prefix
    filled = marks.filled.get(row.number, set())
    mark_style = _s(styles.marked(""))
    kept = [cell for cell in row.cells if cell.column != marks.column]
    cells = [(cell.column, _restyled(content, cell, filled, styles)) for cell in kept]
    for column in filled - {cell.column for cell in kept}:  # nothing stands where something is missing
        cells += [(column, f'<{prefix}c r="{address(row.number, column)}"{mark_style}/>'.encode())]
    text = marks.texts.get(row.number)
    if text is not None:
        place = address(row.number, marks.column)
        words = f'<{prefix}t xml:space="preserve">{escaped(text[:MAX_TEXT])}</{prefix}t>'
        cell = f'<{prefix}c r="{place}"{mark_style} t="inlineStr"><{prefix}is>{words}</{prefix}is></{prefix}c>'
        cells.append((marks.column, cell.encode()))
    return _row_bytes(content, row, prefix, b"".join(one for _, one in sorted(cells, key=lambda pair: pair[0])))


def _restyled(content: bytes, cell: _Cell, filled: set[int], styles: Styles) -> bytes:
    """A cell of a bad row: filled when it is to blame, without the fill of an earlier load when it is not."""
    marked = styles.is_mark(cell.style)
    if (cell.column in filled) is marked:
        return content[cell.start : cell.end]
    return _styled(content, cell, styles.unmarked(cell.style) if marked else styles.marked(cell.style))


def _row_bytes(content: bytes, row: _Row, prefix: str, cells: bytes) -> bytes:
    if row.end == 0:  # a row that the sheet does not have
        return f'<{prefix}row r="{row.number}">'.encode() + cells + f"</{prefix}row>".encode()
    tag = _SPANS.sub(b"", content[row.start : row.inner])
    if row.inner == row.end:  # <row r="5"/>
        return tag.removesuffix(b"/>").rstrip() + b">" + cells + f"</{prefix}row>".encode()
    tail = row.cells[-1].end if row.cells else row.inner
    return tag + cells + content[tail : row.end]


def _styled(content: bytes, cell: _Cell, style: str) -> bytes:
    tag = _STYLE.sub(b"", content[cell.start : cell.inner])
    ending = b"/>" if tag.endswith(b"/>") else b">"
    return tag.removesuffix(ending).rstrip() + f"{_s(style)}".encode() + ending + content[cell.inner : cell.end]


def _s(style: str) -> str:
    return f' s="{style}"' if style else ""
