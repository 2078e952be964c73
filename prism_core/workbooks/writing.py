"""The XML of a new workbook, written as a stream.

Belongs here: the parts of the container, styles, one sheet after the other. Does not belong here: which columns
(exporting.py). Why no library: openpyxl streams through temporary files, and is no quicker (10,000 rows a second).
A text is a text cell, never a formula; one that starts like a formula carries the mark that a spreadsheet itself
uses for text (quotePrefix), so that editing the cell does not turn it into one.
"""

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Final, Self
from xml.sax.saxutils import quoteattr

from prism_core.workbooks.cells import CellValue, column_name, escaped, serial_of

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Cell formats by name, in the order of cellXfs below.
_STYLES: Final = {
    "general": 0, "header": 1, "text": 2, "number": 3, "hours": 4, "day": 5, "instant": 6, "truth": 7, "quoted": 8,
}  # fmt: skip
_STYLE_PART: Final = (
    f'<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="9">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" quotePrefix="1"/>'
    "</cellXfs>"
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_FORMULA_STARTS: Final = ("=", "+", "-", "@")
_CHUNK_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class WrittenColumn:
    """A column of a new sheet. `style` is one of text, number, hours, day, instant, truth."""

    title: str
    style: str
    width: int
    hidden: bool = False


class WorkbookWriter:
    """Writes sheets into one container; the parts that list them come last."""

    def __init__(self, target: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=5)
        self._names: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._finish()
        self._zip.close()

    def sheet(
        self, name: str, columns: Sequence[WrittenColumn], rows: Iterable[Sequence[CellValue | None]]
    ) -> None:
        """One sheet: a frozen header with a filter, then the rows."""
        self._names.append(name)
        letters = [column_name(number) for number in range(1, len(columns) + 1)]
        styles = [_STYLES[column.style] for column in columns]
        # A member of the archive, not a file: nothing is touched but the stream that was given.
        with zipfile.ZipFile.open(self._zip, f"xl/worksheets/sheet{len(self._names)}.xml", "w") as part:
            part.write(_sheet_start(columns).encode())
            part.write(_header(columns, letters).encode())
            pieces: list[str] = []
            number = 1
            for number, row in enumerate(rows, start=2):
                pieces.append(_row(number, row, letters, styles))
                if len(pieces) == _CHUNK_ROWS:
                    part.write("".join(pieces).encode())
                    pieces.clear()
            shown = sum(not column.hidden for column in columns)
            area = f"A1:{column_name(shown)}{number}"
            part.write(f'{"".join(pieces)}</sheetData><autoFilter ref="{area}"/></worksheet>'.encode())

    def _finish(self) -> None:
        sheets = list(enumerate(self._names, start=1))
        listed = "".join(f'<sheet name={quoteattr(name)} sheetId="{at}" r:id="rId{at}"/>' for at, name in sheets)
        relations = "".join(_relation(f"rId{at}", "worksheet", f"worksheets/sheet{at}.xml") for at, _ in sheets)
        relations += _relation(f"rId{len(sheets) + 1}", "styles", "styles.xml")
        types = [(f"worksheets/sheet{at}", "worksheet") for at, _ in sheets]
        overrides = "".join(
            f'<Override PartName="/xl/{name}.xml" ContentType="{_CONTENT}.{kind}+xml"/>'
            for name, kind in (("workbook", "sheet.main"), ("styles", "styles"), *types)
        )
        book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        self._part("xl/styles.xml", _STYLE_PART)
        self._part("xl/workbook.xml", book)
        self._part("xl/_rels/workbook.xml.rels", _relations(relations))
        self._part("_rels/.rels", _relations(_relation("rId1", "officeDocument", "xl/workbook.xml")))
        self._part(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
        )

    def _part(self, name: str, text: str) -> None:
        self._zip.writestr(name, _HEAD + text)


def _relations(relations: str) -> str:
    return f'<Relationships xmlns="{_RELATIONS}">{relations}</Relationships>'


def _relation(identity: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{identity}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _sheet_start(columns: Sequence[WrittenColumn]) -> str:
    widths = "".join(
        f'<col min="{at}" max="{at}" width="{column.width}" style="{_STYLES[column.style]}" customWidth="1"'
        f"{' hidden=' + chr(34) + '1' + chr(34) if column.hidden else ''}/>"
        for at, column in enumerate(columns, start=1)
    )
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{widths}</cols><sheetData>"
    )


def _header(columns: Sequence[WrittenColumn], letters: Sequence[str]) -> str:
    cells = "".join(
        f'<c r="{letter}1" s="1" t="inlineStr"><is><t>{escaped(column.title)}</t></is></c>'
        for letter, column in zip(letters, columns, strict=True)
    )
    return f'<row r="1">{cells}</row>'


def _row(number: int, row: Sequence[CellValue | None], letters: Sequence[str], styles: Sequence[int]) -> str:
    cells = [
        _cell(f"{letter}{number}", value, style)
        for letter, value, style in zip(letters, row, styles, strict=True)
        if value is not None
    ]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(place: str, value: CellValue, style: int) -> str:
    if isinstance(value, str):
        style = _STYLES["quoted"] if value.startswith(_FORMULA_STARTS) else _STYLES["text"]
        text = f'<is><t xml:space="preserve">{escaped(value)}</t></is>'
        return f'<c r="{place}" s="{style}" t="inlineStr">{text}</c>'
    if isinstance(value, bool):
        return f'<c r="{place}" s="{style}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | Decimal):
        number = value if isinstance(value, int) else format(value, "f")
        return f'<c r="{place}" s="{style}"><v>{number}</v></c>'
    serial = serial_of(value) if isinstance(value, date) else None
    if serial is None:
        return _cell(place, str(value), style)
    return f'<c r="{place}" s="{style}"><v>{serial!r}</v></c>'
