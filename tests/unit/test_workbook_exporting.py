"""Lists as CSV and XLSX: neutral, typed, and unchanged when they are loaded back."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_core.models.base import Model, Versioned
from prism_core.models.bugs import BugSummary
from prism_core.models.work import AllocationSource
from prism_core.tables import ALLOCATIONS, AVAILABILITY, BUGS, MEMBERS, PROJECTS, TABLES
from prism_core.workbooks.exporting import ExportFormat, export_rows, neutral, write_xlsx
from prism_core.workbooks.mapping import default_mapping
from prism_core.workbooks.planning import plan_import
from prism_core.workbooks.reading import read_workbook
from tests.unit.test_models_round_trip import ITEMS
from tests.unit.workbook_samples import NOW, allocation, loaded, member, one_of_each

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", '=HYPERLINK("http://x","y")']


def rows_of_csv(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_text_becomes_a_formula(text: str) -> None:
    items = [member(name=text)]

    (_, row) = rows_of_csv(export_rows(MEMBERS, items, ExportFormat.CSV))
    cell = loaded(export_rows(MEMBERS, items, ExportFormat.XLSX))["Members"]["B2"]

    assert row[1] == f"'{text}"
    assert cell.data_type == "s"
    assert cell.value.lstrip("\t\r\n_x0D9").startswith(text.strip()[:1]) or cell.value == text
    assert cell.quotePrefix or not text.startswith(("=", "+", "-", "@"))


def test_ordinary_text_is_left_alone() -> None:
    assert [neutral(text) for text in ("a-b", "3", "", "o'=")] == ["a-b", "3", "", "o'="]


def test_csv_follows_the_rfc_and_starts_with_a_byte_order_mark_unless_told_otherwise() -> None:
    items = [member(name='Ana "la jefa", Ruiz\nlead')]

    data = export_rows(MEMBERS, items, ExportFormat.CSV)

    assert data.startswith(b"\xef\xbb\xbfMember ID,Name,")
    assert b'M-1,"Ana ""la jefa"", Ruiz\nlead",ana@example.org,active,image-boxes:3,7.5,' in data
    assert data.count(b"\r\n") == 2
    assert export_rows(MEMBERS, items, ExportFormat.CSV, bom=False) == data[3:]


def test_csv_writes_days_truth_and_numbers_plainly() -> None:
    current = one_of_each()

    header, row = rows_of_csv(export_rows(PROJECTS, [current["projects/P-1"]], ExportFormat.CSV))
    allocated = rows_of_csv(export_rows(ALLOCATIONS, [allocation()], ExportFormat.CSV))[1]

    shown = dict(zip(header, row, strict=True))
    assert (shown["SLA date"], shown["Demand hours"], shown["Quality target"]) == ("2026-03-01", "40", "0.95")
    assert allocated == [
        "M-1", "2026-W02", "P-1", "7.5", "7.5", "", "", "", "", "", "false", "person", "", "1",
    ]  # fmt: skip


def test_xlsx_has_real_dates_and_numbers_a_frozen_header_widths_and_hidden_columns() -> None:
    current = one_of_each()
    sheet = loaded(export_rows(AVAILABILITY, [current["availability/M-1/2026-01-09"]], ExportFormat.XLSX))[
        "Availability"
    ]
    book = loaded(export_rows(ALLOCATIONS, [allocation()], ExportFormat.XLSX))["Allocations"]

    assert (sheet["B2"].value, sheet["B2"].number_format) == (datetime(2026, 1, 9), "yyyy\\-mm\\-dd")  # noqa: DTZ001
    assert (book["D2"].value, book["D2"].number_format, book["B2"].value) == (7.5, "0.00", "2026-W02")
    assert book["K2"].value is False
    assert book.freeze_panes == "A2"
    assert book.auto_filter.ref == "A1:N2"
    assert book.column_dimensions["A"].width == 14
    assert [book.column_dimensions[name].hidden for name in "NOP"] == [False, True, True]


def test_fields_that_a_reader_may_not_see_are_left_out_everywhere() -> None:
    away = one_of_each()["availability/M-1/2026-01-09"]

    for file_format in ExportFormat:
        data = export_rows(AVAILABILITY, [away], file_format, without={"reason"})
        shown = (
            rows_of_csv(data)[0]
            if file_format is ExportFormat.CSV
            else [cell.value for cell in loaded(data)["Availability"][1]]
        )
        assert "Reason" not in shown
        assert not any("reason" in str(title) for title in shown)


def test_a_list_of_less_than_the_table_holds_is_exported_as_what_it_is() -> None:
    bug = BugSummary(
        bug_id="B-1",
        title="Wrong sum",
        description="",
        severity="high",  # type: ignore[arg-type]
        category="figures",
        reporter="M-1",
        created=NOW,
    )

    header, row = rows_of_csv(export_rows(BUGS, [bug], ExportFormat.CSV, model=BugSummary))

    assert "Screenshot" not in header
    assert row[:2] == ["B-1", "Wrong sum"]


def test_rows_are_taken_one_by_one() -> None:
    taken = 0

    def rows() -> Iterator[Model]:
        nonlocal taken
        for number in range(3):
            taken += 1
            yield member(f"M-{number}")

    target = io.BytesIO()
    write_xlsx([(MEMBERS, rows(), None)], target)

    assert taken == 3
    assert loaded(target.getvalue())["Members"].max_row == 4


@pytest.mark.parametrize("name", ITEMS)
@settings(max_examples=15)
@given(data=st.data())
def test_every_list_of_items_can_be_exported(name: str, data: st.DataObject) -> None:
    items = data.draw(st.lists(ITEMS[name], max_size=3))

    csv_rows = rows_of_csv(export_rows(TABLES[name], items, ExportFormat.CSV))
    sheet = loaded(export_rows(TABLES[name], items, ExportFormat.XLSX)).worksheets[0]

    assert len(csv_rows) == len(items) + 1
    assert len({len(row) for row in csv_rows}) == 1
    assert [cell.value for cell in sheet[1]][: len(csv_rows[0])] == csv_rows[0]


@pytest.mark.parametrize("name", default_mapping().tables)
@settings(max_examples=40)
@given(data=st.data())
def test_an_export_that_comes_back_is_unchanged_in_every_row(name: str, data: st.DataObject) -> None:
    spec = TABLES[name]
    items: list[Versioned] = data.draw(
        st.lists(ITEMS[name], max_size=4, unique_by=lambda item: str(spec.key_of(item)))
    )
    current = {spec.item_key(spec.key_of(item)): item for item in items}

    book = read_workbook(export_rows(spec, items, ExportFormat.XLSX))
    plan = plan_import(book, current, now=NOW, known={})

    assert [(row.outcome.value, row.problems, row.notes) for row in plan.rows] == [("unchanged", [], [])] * len(
        items
    )
    assert {row.item_key for row in plan.rows} == set(current)


@settings(max_examples=40)
@given(data=st.data())
def test_an_edited_export_changes_exactly_the_edited_field(data: st.DataObject) -> None:
    item: Any = data.draw(ITEMS["allocations"])
    hours = data.draw(st.decimals(0, 24, places=2))
    day = data.draw(st.integers(0, 6))
    exported = loaded(export_rows(ALLOCATIONS, [item], ExportFormat.XLSX))
    exported["Allocations"].cell(2, 4 + day, float(hours))
    target = io.BytesIO()
    exported.save(target)

    plan = plan_import(
        read_workbook(target.getvalue()), {ALLOCATIONS.item_key(ALLOCATIONS.key_of(item)): item}, now=NOW
    )

    wanted = {**item.hours, item.week.days[day]: hours}
    if wanted == item.hours:
        assert plan.writes == ()
    else:
        (write,) = plan.writes
        expected = item.model_copy(update={"hours": wanted, "source": AllocationSource.IMPORT})
        assert write.item.plain() == expected.plain()
    assert isinstance(hours, Decimal)
    assert isinstance(item.week.monday, date)
