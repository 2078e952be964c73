"""The original workbook comes back with everything that was in it, and only what is bad is marked."""

import io
import zipfile

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from prism_core.tables import ALLOCATIONS
from prism_core.workbooks.exporting import ExportFormat, export_rows
from prism_core.workbooks.marking import mark
from prism_core.workbooks.plan import ImportPlan
from tests.unit.workbook_samples import allocation, book, edited, loaded, outcomes, planned, saved, stored

HEADER = ("Member ID", "Week", "Project ID", "Mon", "Tue")
ROWS = [HEADER, ("M-1", "2026-W02", "P-1", 4), ("M-2", "2026-W02", "P-1", 25), ("M-3", "2026-W02", "P-1", "=1+1")]
MARK = "FFFFD9D3"


def marked(data: bytes) -> tuple[bytes, ImportPlan]:
    plan = planned(data)
    return mark(data, plan), plan


def fills(data: bytes, sheet: str) -> set[str]:
    """The addresses of the cells that carry a mark."""
    return {
        cell.coordinate
        for row in loaded(data)[sheet].iter_rows()
        for cell in row
        if cell.fill.fgColor.rgb == MARK and cell.fill.patternType == "solid"
    }


def text(data: bytes, sheet: str, place: str) -> str:
    return str(loaded(data)[sheet][place].value)


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_bad_rows_get_a_text_and_their_cells_a_fill_and_good_rows_nothing() -> None:
    after, _ = marked(book({"Allocations": ROWS}))

    errors = [text(after, "Allocations", f"F{row}") for row in range(1, 5)]
    assert errors[0] == "PRISM errors"
    assert errors[1] == "None"
    assert errors[2] == "rejected: D3 (Mon): Input should be less than or equal to 24"
    assert errors[3].startswith("rejected: D4 (Mon): the cell holds a formula")
    assert fills(after, "Allocations") == {"F1", "D3", "F3", "D4", "F4"}


def test_loading_the_marked_workbook_again_says_the_same() -> None:
    after, plan = marked(book({"Allocations": ROWS}))

    again, second = marked(after)

    assert outcomes(second) == outcomes(plan)
    assert [[p.text for p in row.problems] for row in second.rows] == [
        [p.text for p in r.problems] for r in plan.rows
    ]
    assert fills(again, "Allocations") == fills(after, "Allocations")
    assert loaded(again)["Allocations"].max_column == 6


def test_a_corrected_row_loses_its_marks() -> None:
    after, _ = marked(book({"Allocations": ROWS}))

    again, plan = marked(edited(after, "Allocations", {"D3": 8}))

    assert outcomes(plan) == ["new", "new", "rejected"]
    assert fills(again, "Allocations") == {"F1", "D4", "F4"}
    assert loaded(again)["Allocations"]["F3"].value is None
    clean, plan = marked(edited(again, "Allocations", {"D4": 8}))
    assert plan.clean
    assert fills(clean, "Allocations") == set()
    assert loaded(clean)["Allocations"]["F1"].value is None


def test_a_clean_workbook_comes_back_byte_for_byte() -> None:
    data = book({"Allocations": ROWS[:2]})

    after, plan = marked(data)

    assert plan.clean
    assert after == data


def test_formats_charts_validations_and_unknown_parts_are_kept() -> None:
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    sheet.title = "Allocations"
    for row in ROWS:
        sheet.append(row)
    sheet["D3"].font = Font(bold=True, color="FF0000FF")
    sheet["D2"].fill = PatternFill("solid", fgColor="FF00FF00")
    sheet.column_dimensions["A"].width = 33
    sheet.merge_cells("A8:C8")
    sheet.add_data_validation(DataValidation(type="whole", sqref="D2:D9"))
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=4, min_row=1, max_row=3))
    sheet.add_chart(chart, "H2")
    made.create_sheet("Notes")["A1"] = "kept"
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(made))) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("xl/vbaProject.bin", b"\x00macros\x00")
    data = target.getvalue()

    after, _ = marked(data)

    cell = loaded(after)["Allocations"]["D3"]
    assert (cell.font.bold, cell.font.color.rgb, cell.fill.fgColor.rgb) == (True, "FF0000FF", MARK)
    assert loaded(after)["Allocations"]["D2"].fill.fgColor.rgb == "FF00FF00"
    before, now = parts(data), parts(after)
    assert before.keys() == now.keys()
    changed = {name for name in before if before[name] != now[name]}
    assert changed == {"xl/worksheets/sheet1.xml", "xl/styles.xml"}
    for kept in (b"<drawing", b"<dataValidation", b"<mergeCell", b'width="33"'):
        assert kept in now["xl/worksheets/sheet1.xml"]


def test_a_missing_cell_is_filled_where_it_is_missing() -> None:
    header = ("Member ID", "Name", "Email", "Time zone")
    after, _ = marked(book({"Members": [header, ("M-7", None, "a@example.org", "UTC")]}))

    assert fills(after, "Members") == {"B2", "E1", "E2"}
    assert "B2 (Name): this field is required" in text(after, "Members", "E2")


def test_a_sheet_that_could_not_be_read_says_so_in_its_first_row_until_it_is_corrected() -> None:
    after, plan = marked(book({"Alocations": ROWS, "Allocations": [[], [], ["Mood"], ["good"]]}))

    assert not plan.clean
    assert text(after, "Alocations", "F1").startswith("PRISM errors: no table has a sheet of the name")
    assert text(after, "Allocations", "B1").startswith("PRISM errors: no header was found")
    again, second = marked(after)
    assert [sheet.problem for sheet in second.sheets] == [sheet.problem for sheet in plan.sheets]
    assert [loaded(again)[name].max_column for name in ("Alocations", "Allocations")] == [6, 2]
    corrected = loaded(again)
    corrected.remove(corrected["Allocations"])
    corrected["Alocations"].title = "Allocations"
    assert text(marked(saved(corrected))[0], "Allocations", "F1") == "PRISM errors"


def test_the_errors_of_an_export_stand_behind_its_hidden_columns() -> None:
    current = stored(("allocations", allocation()))
    data = edited(export_rows(ALLOCATIONS, current.values(), ExportFormat.XLSX), "Allocations", {"D2": "x"})

    plan = planned(data, current)
    after = mark(data, plan)

    sheet = loaded(after)["Allocations"]
    assert [sheet.cell(1, at).value for at in (15, 17)] == ["PRISM key", "PRISM errors"]
    assert outcomes(planned(after, current)) == ["rejected"]
    assert outcomes(planned(edited(after, "Allocations", {"D2": 8}), current)) == ["changed"]


def test_texts_of_any_kind_may_stand_in_a_message() -> None:
    rows = [
        HEADER,
        ("<b>&\"'", "2026-W02", "P-1", 4),
        ("=cmd()", "2026-W02", "P-1", "_x0041_\x07".replace("\x07", "")),
    ]

    after, _ = marked(book({"Allocations": rows}))

    assert "String should match" in text(after, "Allocations", "F2")
    assert loaded(after)["Allocations"]["F3"].data_type == "s"


@pytest.mark.parametrize("row", ['<row r="3"/>', '<row r="3" spans="1:4"></row>'])
def test_rows_of_any_form_take_a_mark(row: str) -> None:
    data = book({"Allocations": [*ROWS[:2], [], ["M-3"]]})
    sheet = parts(data)["xl/worksheets/sheet1.xml"]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts(data).items():
            changed = sheet.replace(b'<row r="4"', row.encode() + b'<row r="4"')
            archive.writestr(name, changed if name == "xl/worksheets/sheet1.xml" else content)

    after, plan = marked(target.getvalue())

    assert outcomes(plan) == ["new", "rejected"]
    assert text(after, "Allocations", "F4").startswith("rejected")
