"""What is read from the spreadsheets that people make, and what is refused by name."""

import io
import zipfile
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from prism_core.failures import BadUsage
from prism_core.workbooks.cells import FORMULA, CellError, format_kind, moment_of, number, serial_of
from prism_core.workbooks.mapping import load_mapping
from prism_core.workbooks.package import Limits, WorkbookRefused, open_package
from prism_core.workbooks.reading import read_workbook
from prism_core.workbooks.sheets import rows_of, shared_of
from tests.unit.workbook_samples import book, loaded, outcomes, planned, said, saved

HEADER = ("Member ID", "Week", "Project ID", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_HEADER = ("Member", "Date", "Project", "Hours")
MEMBER_HEADER = ("Member ID", "Name", "Email", "Time zone", "Skills")


def cells_of(data: bytes) -> list[dict[int, Any]]:
    package = open_package(data, Limits())
    sheet = package.sheets[0]
    return [row.cells for row in rows_of(package, sheet, package.read(sheet.part), shared_of(package), Limits())]


def refusal(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(data, limits=limits or Limits())
    return str(caught.value)


def repacked(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """The workbook with some bytes of one part replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(target, "w") as after:
        assert part in before.namelist()
        for name in before.namelist():
            content = before.read(name)
            assert name != part or old in content
            after.writestr(name, content.replace(old, new) if name == part else content)
    return target.getvalue()


# -- cells ---------------------------------------------------------------------------------------------------


def test_every_kind_of_cell_is_read_as_openpyxl_wrote_it() -> None:
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    values = ["text", "  spaces  ", 7, 7.5, 0.1 + 0.2, True, False, date(2026, 1, 5), datetime(2026, 1, 5, 7, 30)]  # noqa: DTZ001
    sheet.append([*values, time(7, 30), timedelta(hours=30), "=1+1", "#REF!", "ñ 中 & <b>", -3])

    (cells,) = cells_of(saved(made))

    assert [cells[at] for at in range(1, 7)] == ["text", "  spaces  ", 7, number("7.5"), number("0.3"), True]
    assert cells[7] is False
    assert [cells[at] for at in (8, 9)] == [datetime(2026, 1, 5), datetime(2026, 1, 5, 7, 30)]  # noqa: DTZ001
    assert [cells[at] for at in (10, 11)] == [time(7, 30), timedelta(hours=30)]
    assert [cells[at] for at in (12, 13, 14, 15)] == [FORMULA, CellError("#REF!"), "ñ 中 & <b>", -3]


def test_rows_and_cells_without_an_address_follow_each_other() -> None:
    data = book({"A": [["a", "b"], ["c", "d"]]})
    for address in (b' r="A1"', b' r="B1"', b' r="A2"', b' r="B2"', b' r="1"', b' r="2"'):
        data = repacked(data, "xl/worksheets/sheet1.xml", address, b"")

    assert cells_of(data) == [{1: "a", 2: "b"}, {1: "c", 2: "d"}]


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def by_hand(sheet: str, strings: str) -> bytes:
    """A workbook as another program writes it: own prefixes, absolute targets, shared texts."""
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    )
    one = '<Relationship Id="{}" Type="' + OFFICE + '/{}" Target="{}"/>'
    external = (
        f'<Relationship Id="x" Type="{OFFICE}/externalLink" Target="file:///etc/passwd" TargetMode="External"/>'
    )
    parts = [one.format("a", "worksheet", "/xl/tab.xml"), one.format("b", "sharedStrings", "words.xml"), external]
    texts = {
        "_rels/.rels": relations.format(one.format("r", "officeDocument", "/xl/book.xml")),
        "xl/book.xml": f'<x:workbook xmlns:x="{MAIN}" xmlns:rel="{OFFICE}"><x:sheets>'
        '<x:sheet name="A" sheetId="1" rel:id="a"/></x:sheets></x:workbook>',
        "xl/_rels/book.xml.rels": relations.format("".join(parts)),
        "xl/words.xml": f'<x:sst xmlns:x="{MAIN}">{strings}</x:sst>',
        "xl/tab.xml": f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{sheet}</x:sheetData></x:worksheet>',
    }
    return archive_of({name: text.encode() for name, text in texts.items()})


def test_prefixes_shared_texts_and_rich_texts_of_other_programs_are_read() -> None:
    row = '<x:row r="2"><x:c r="A2" t="s"><x:v>1</x:v></x:c><x:c r="C2" t="s"><x:v>0</x:v></x:c></x:row>'
    plain = "<x:si><x:t>one</x:t></x:si>"
    rich = "<x:si><x:r><x:t>tw</x:t></x:r><x:r><x:t>o</x:t></x:r><x:rPh><x:t>no</x:t></x:rPh></x:si>"

    assert cells_of(by_hand(row, plain + rich)) == [{1: "two", 3: "one"}]


def test_escaped_characters_of_a_text_are_characters_again() -> None:
    text = "<x:si><x:t>_x0041__x000D__x005F_x0041__xD83D_</x:t></x:si>"

    assert cells_of(by_hand('<x:row><x:c t="s"><x:v>0</x:v></x:c></x:row>', text)) == [{1: "A\r_x0041_\ufffd"}]


@pytest.mark.parametrize(
    "row",
    [
        '<x:row r="0"/>',
        '<x:row r="2"/><x:row r="2"/>',
        '<x:row r="x"/>',
        '<x:row r="1"><x:c r="B1"/><x:c r="A1"/></x:row>',
        '<x:row r="1"><x:c r="A2"/></x:row>',
        '<x:row r="1"><x:c r="A1" t="s"><x:v>7</x:v></x:c></x:row>',
        '<x:row r="1"><x:c r="A1" t="s"><x:v>-1</x:v></x:c></x:row>',
        "<x:row>",
    ],
)
def test_a_sheet_that_contradicts_itself_is_damaged(row: str) -> None:
    assert "damaged" in refusal(by_hand(row, ""))


def test_a_format_means_a_date_exactly_when_openpyxl_says_so() -> None:
    codes = [
        "0.00",
        "yyyy-mm-dd",
        "[h]:mm",
        '"day" 0',
        "[Red]0.0",
        "d\\.m\\.yy",
        "General",
        "#,##0 [$€-C0A]",
        "mmss.0",
    ]

    found = [format_kind(999, code) for code in codes]

    expected = ["elapsed" if is_timedelta_format(c) else "date" if is_date_format(c) else "number" for c in codes]
    assert found == expected
    for identity, code in BUILTIN_FORMATS.items():
        assert (format_kind(identity, None) == "number") is not is_date_format(code), code


@pytest.mark.parametrize("day", [date(1900, 3, 1), date(1999, 12, 31), date(2026, 1, 5), date(2100, 2, 28)])
def test_a_day_survives_its_day_number(day: date) -> None:
    serial = serial_of(day)

    assert serial is not None
    moment = moment_of(number(repr(serial)) or 0, date_1904=False)
    assert isinstance(moment, datetime)
    assert moment.date() == day


def test_a_workbook_that_counts_from_1904_gives_the_same_days() -> None:
    made = loaded(book({"Time off": [["Member", "Date", "Hours off"], ["M-1", None, 4]]}))
    made.epoch = CALENDAR_MAC_1904
    made["Time off"]["B2"] = date(2026, 1, 5)

    (row,) = read_workbook(saved(made)).rows

    assert row.item_key == "availability/M-1/2026-01-05"


# -- what is refused as a whole ------------------------------------------------------------------------------


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (OLE + b"\x00" * 600 + "Workbook".encode("utf-16-le"), "old Excel file"),
        (OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"member,project\nM-1,P-1\n", "text (CSV?)"),
        (b"<html><table></table></html>", "web page"),
        (b"PK\x03\x04 and no more", "damaged or cut off"),
        (b"\x00\x01\x02", "no Excel workbook"),
    ],
)
def test_a_file_of_another_kind_is_named(data: bytes, says: str) -> None:
    assert says in refusal(data)


def archive_of(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_other_archives_are_named() -> None:
    assert "OpenDocument" in refusal(archive_of({"content.xml": b"<a/>"}))
    assert "no workbook" in refusal(archive_of({"word/document.xml": b"<a/>"}))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = archive_of({"xl/worksheets/sheet1.xml": b"0" * 300 * 1024 * 1024})

    assert len(bomb) < 1024 * 1024
    assert "unpacks to" in refusal(bomb)


def test_a_part_that_lies_about_its_size_is_damaged() -> None:
    data = book({"Members": [MEMBER_HEADER, *(["M-1"] * 5 for _ in range(50))]})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    assert "damaged" in refusal(data.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little")))


def test_a_workbook_that_declares_entities_is_refused() -> None:
    data = book({"Members": [MEMBER_HEADER]})
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet'

    assert "document type" in refusal(repacked(data, "xl/worksheets/sheet1.xml", b"<worksheet", bomb))


def test_too_many_rows_columns_sheets_and_bytes_are_refused() -> None:
    rows = book({"Time off": [["Member", "Date", "Hours"], *[["M-1", "2026-01-05", 4]] * 300]})
    wide = book({"Members": [["x"] * 301]})
    sheets = book({f"Members {number}": [] for number in range(4)})

    assert "more than 100 rows" in refusal(rows, Limits(rows=100))
    assert "300 columns" in refusal(wide)
    assert "4 sheets" in refusal(sheets, Limits(sheets=3))
    assert "at most 100 are read" in refusal(rows, Limits(file_bytes=100))


def test_more_than_a_hundred_thousand_rows_are_refused() -> None:
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet("Time off")
    sheet.append(["Member", "Date", "Hours"])
    for _ in range(100_101):
        sheet.append(["M-1"])

    assert "more than 100,000 rows" in refusal(saved(made))


def test_a_cell_at_the_far_end_of_a_sheet_costs_nothing() -> None:
    made = loaded(book({"Time off": [["Member", "Date", "Hours"], ["M-1", "2026-01-05", 4]]}))
    made["Time off"]["A1048576"] = "M-2"

    rows = list(read_workbook(saved(made)).rows)

    assert [row.number for row in rows] == [2, 1048576]


@pytest.mark.parametrize("at", range(40, 4000, 97))
def test_a_damaged_byte_is_a_refusal_or_another_value_but_never_a_crash(at: int) -> None:
    data = bytearray(book({"Members": [MEMBER_HEADER, ["M-1", "Ana", "a@b", "UTC", "x:1"]]}))
    data[at % len(data)] ^= 0xFF

    with suppress(WorkbookRefused):
        read_workbook(bytes(data))


# -- sheets and headers --------------------------------------------------------------------------------------


def test_a_messy_header_is_found_below_titles_in_merged_cells() -> None:
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    sheet.title = " allocation PLAN "
    sheet["A1"] = "Team plan, printed 3 January"
    sheet.merge_cells("A1:I1")
    sheet["A3"], sheet["B3"], sheet["C3"] = "Member\nID ", "  ISO week", "project id *"
    sheet["D3"] = "Hours"
    sheet.merge_cells("D3:J3")
    for column in "ABC":
        sheet.merge_cells(f"{column}3:{column}4")
    for column, day in zip("DEFGHIJ", ("Mon", "TUE ", "Wednesday", "Thurs", "Fri", "Sat", "Sun"), strict=True):
        sheet[f"{column}4"] = day
    sheet.append([" M-1 ", "2026-W2", "P-1", "7,5", "7:30", "7.5h", None, "8 hrs"])

    (read,) = read_workbook(saved(made)).sheets

    assert read.problem is None
    assert read.header is not None
    assert (read.header.first, read.header.last) == (4, 4)
    (row,) = read.rows
    assert row.item_key == "allocations/M-1/2026-W02#P-1"
    assert row.values == {"hours.mon": "7.5", "hours.tue": "7.5", "hours.wed": "7.5", "hours.fri": "8"}


def test_a_title_over_two_rows_is_a_header_of_two_rows() -> None:
    made = loaded(book({"Time off": [["Member", "Date", "Hours off"], [], ["M-1", "2026-01-05", 4]]}))
    for column in "ABC":
        made["Time off"].merge_cells(f"{column}1:{column}2")

    (row,) = read_workbook(saved(made)).rows

    assert (row.number, row.item_key) == (3, "availability/M-1/2026-01-05")


def test_a_member_merged_over_several_rows_names_them_all() -> None:
    rows = [
        DAY_HEADER,
        ["M-1", "2026-01-05", "P-1", 4],
        [None, "2026-01-06", "P-1", 4],
        ["M-2", "2026-01-06", "P-1", 1],
    ]
    made = loaded(book({"Allocations": rows}))
    made["Allocations"].merge_cells("A2:A3")

    keys = [row.parts["member_id"] for row in read_workbook(saved(made)).rows]

    assert keys == ["M-1", "M-1", "M-2"]


@pytest.mark.parametrize("title", ["Plan of 2026-W02", "KW 2/2026", "Week 2 2026, second draft"])
def test_a_week_may_stand_in_a_title_only(title: str) -> None:
    rows = [[title], [], ["Member", "Project", "Mon"], ["M-1", "P-1", 7.5]]

    (row,) = read_workbook(book({"Allocations": rows})).rows

    assert row.item_key == "allocations/M-1/2026-W02#P-1"


def test_a_header_repeated_on_every_page_is_no_row() -> None:
    rows = [DAY_HEADER, ["M-1", "2026-01-05", "P-1", 4], DAY_HEADER, ["M-1", "2026-01-06", "P-1", 4]]

    assert [row.number for row in read_workbook(book({"Allocations": rows})).rows] == [2, 4]


def test_a_wrong_sheet_name_is_named_with_the_nearest_and_the_valid_ones() -> None:
    (sheet,) = read_workbook(book({"Alocations": [HEADER, ["M-1", "2026-W02", "P-1", 8]]})).sheets

    assert sheet.rows == ()
    assert sheet.problem is not None
    assert "Did you mean 'Allocations'?" in sheet.problem
    assert "Members, Projects, Allocations" in sheet.problem


def test_hidden_empty_and_ignored_sheets_are_left_alone() -> None:
    made = loaded(
        book({"Members": [MEMBER_HEADER, ["M-1"]], "Notes 1": [["see"]], "Projects": [], "Team": [["x"]]})
    )
    made["Members"].sheet_state = "hidden"
    made["Team"].sheet_state = "veryHidden"

    read = read_workbook(saved(made))

    assert [sheet.problem for sheet in read.sheets] == [None] * 4
    assert list(read.rows) == []
    assert all(sheet.note for sheet in read.sheets)


def test_a_sheet_with_a_header_and_no_rows_is_fine() -> None:
    plan = planned(book({"Members": [MEMBER_HEADER]}))

    assert plan.clean
    assert plan.counts["read"] == 0


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (("Week", "Mon", "Tue"), "lacks Member ID, Project ID"),
        (("Person", "Annotator", "Week", "Project", "Mon"), "both are Member ID"),
        (("Member", "Project", "Date"), "lacks Hours"),
        (("colour", "shape"), "no header was found"),
    ],
)
def test_a_header_that_cannot_be_read_says_what_it_lacks(header: tuple[str, ...], says: str) -> None:
    (sheet,) = read_workbook(book({"Allocations": [header, ["x", "y", "z", "z", "z"]]})).sheets

    assert says in (sheet.problem or "")


def test_of_two_columns_of_one_meaning_the_exact_title_counts_and_unknown_ones_are_named() -> None:
    rows = [("Member ID", "Member", "Date", "Hours off", "Mood"), ("M-1", "Ana", "2026-01-05", 4, "good")]

    read = read_workbook(book({"Time off": rows}))

    assert next(read.rows).item_key == "availability/M-1/2026-01-05"
    assert read.sheets[0].note == "columns that were not read: Member, Mood"


# -- values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-01-05", "2026-01-05"),
        (" 5.1.2026 ", "2026-01-05"),
        ("5 January 2026", "2026-01-05"),
        ("05-Jan-2026", "2026-01-05"),
        ("Jan 5, 2026", "2026-01-05"),
        ("20260105", "2026-01-05"),
        ("2026-01-05 00:00:00", "2026-01-05"),
        (46027, "2026-01-05"),
        (date(2026, 1, 5), "2026-01-05"),
    ],
)
def test_a_day_may_be_written_in_many_ways(value: object, day: str) -> None:
    (row,) = read_workbook(book({"Time off": [["Member", "Date", "Hours"], ["M-1", value, 4]]})).rows

    assert row.item_key == f"availability/M-1/{day}"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("05/06/2026", "in a declared format (YYYY-MM-DD"),
        ("31.02.2026", "no day of the calendar"),
        ("soon", "no day in a declared format"),
        (12, "not the number 12"),
        (True, "not a truth value"),
        (datetime(2026, 1, 5, 7, 30), "not the instant"),  # noqa: DTZ001
    ],
)
def test_what_is_no_day_is_refused_at_its_cell(value: object, says: str) -> None:
    plan = planned(book({"Time off": [["Member", "Date", "Hours"], ["M-1", value, 4]]}))

    assert outcomes(plan) == ["rejected"]
    assert said(plan.rows[0]).startswith("B2 (Date): ")
    assert says in said(plan.rows[0])


@pytest.mark.parametrize(
    ("value", "hours"),
    [
        ("7,5", "7.5"), ("7:30", "7.5"), ("7.5h", "7.5"), ("7h30", "7.5"), ("7:20", "7.33"), (" 8 Std. ", "8"),
        (7.5, "7.5"), (0, "0"), (time(7, 30), "7.5"), (timedelta(hours=12), "12"), (0.1 + 0.2, "0.3"), ("+4", "4"),
    ],
)  # fmt: skip
def test_hours_may_be_written_in_many_ways(value: object, hours: str) -> None:
    (row,) = read_workbook(book({"Allocations": [HEADER, ["M-1", "2026-W02", "P-1", value]]})).rows

    assert row.values == {"hours.mon": hours}


@pytest.mark.parametrize("value", ["1,234", "eight", "7:75", "1.2.3", "1,23,456.0", "\u0667", "--4", "1e3"])
def test_hours_that_can_be_read_in_two_ways_or_none_are_refused(value: str) -> None:
    plan = planned(book({"Allocations": [HEADER, ["M-1", "2026-W02", "P-1", value]]}))

    assert outcomes(plan) == ["rejected"]
    assert said(plan.rows[0]).startswith("D2 (Mon): ")


@pytest.mark.parametrize(
    "value", ["2026-W02", "2026-W2", "W2/2026", "KW 02 2026", "2026 W02", date(2026, 1, 5), 46027]
)
def test_a_week_may_be_written_in_many_ways(value: object) -> None:
    (row,) = read_workbook(book({"Allocations": [HEADER, ["M-1", value, "P-1", 8]]})).rows

    assert row.item_key == "allocations/M-1/2026-W02#P-1"


@pytest.mark.parametrize(
    ("value", "says"),
    [("2026-W54", "weeks W01 to W53"), (date(2026, 1, 6), "is a Tuesday"), ("next", "a week is")],
)
def test_what_is_no_week_is_refused(value: object, says: str) -> None:
    plan = planned(book({"Allocations": [HEADER, ["M-1", value, "P-1", 8]]}))

    assert says in said(plan.rows[0])


def test_formulas_errors_and_wrong_types_are_refused_at_their_cells() -> None:
    rows = [HEADER, ["M-1", "2026-W02", "P-1", "=4+4", "#REF!", True, "8", None]]

    plan = planned(book({"Allocations": rows}))

    assert outcomes(plan) == ["rejected"]
    assert "D2 (Mon): the cell holds a formula" in said(plan.rows[0])
    assert "E2 (Tue): the cell shows the error #REF!" in said(plan.rows[0])
    assert "F2 (Wed): hours are expected" in said(plan.rows[0])
    assert "G2" not in said(plan.rows[0])


def test_a_formula_in_a_column_that_nobody_reads_does_no_harm() -> None:
    rows = [(*HEADER, "Total"), ["M-1", "2026-W02", "P-1", 4, 4, 0, 0, 0, 0, 0, "=SUM(D2:J2)"]]

    assert outcomes(planned(book({"Allocations": rows}))) == ["new"]


def test_numbers_typed_as_ids_are_texts_and_dates_are_not() -> None:
    rows = [
        MEMBER_HEADER,
        [1207, "Ana", "a@example.org", "UTC"],
        ["M-2", date(2026, 1, 5), "a@example.org", "UTC"],
    ]

    plan = planned(book({"Members": rows}))

    assert [row.item_key for row in plan.rows] == ["members/1207", "members/M-2"]
    assert outcomes(plan) == ["new", "rejected"]
    assert "B3 (Name): a text is expected" in said(plan.rows[1])


def test_rows_without_a_sound_key_are_refused() -> None:
    rows = [HEADER, [None, "2026-W02", "P-1", 8], ["a#b", "2026-W02", "P-1", 8], ["(clear)", "2026-W02", "P-1", 8]]

    plan = planned(book({"Allocations": rows}))

    assert outcomes(plan) == ["rejected"] * 3
    assert "A2 (Member ID): Member ID is missing" in said(plan.rows[0])
    assert "A3 (Member ID): String should match" in said(plan.rows[1])
    assert "a key cannot be cleared" in said(plan.rows[2])


def test_the_end_of_the_calendar_and_numbers_without_end_are_refused_not_crashed_on() -> None:
    days = planned(book({"Allocations": [DAY_HEADER, ["M-1", "9999-12-31", "P-1", 4]]}))
    weeks = planned(book({"Allocations": [HEADER, ["M-1", "9999-W52", "P-1", 4]]}))
    counts = planned(book({"Projects": [("Project ID", "Priority"), ("P-1", 1e300), ("P-2", "9" * 400)]}))

    assert outcomes(days) == outcomes(weeks) == ["rejected"]
    assert all("a whole number is expected" in said(row) for row in counts.rows)


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_a_part_in_another_encoding_is_read(encoding: str) -> None:
    data = book({"Members": [MEMBER_HEADER, ["M-1", "Núñez", "a@example.org", "UTC"]]})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'

    changed = repacked(data, "xl/worksheets/sheet1.xml", text.encode(), (head + text).encode(encoding))

    assert planned(changed).writes[0].item.plain()["name"] == "Núñez"


# -- the mapping file ----------------------------------------------------------------------------------------


def test_a_mapping_file_adds_names_and_replaces_formats() -> None:
    mapping = load_mapping(
        """
        [formats]
        dates = ["DD/MM/YYYY"]
        [tables.availability]
        sheets = ["Abwesend*"]
        columns = { member_id = ["Kürzel"], date = ["Tag"], hours_off = ["Std"], code = ["Grund"] }
        values = { code = { sick = ["krank"] } }
        """
    )
    rows = [["Kürzel", "Tag", "Std", "Grund"], ["M-1", "05/06/2026", 4, "Krank"]]

    plan = planned(book({"Abwesend März": rows}), mapping=mapping)

    (write,) = plan.writes
    assert write.item_key == "availability/M-1/2026-06-05"
    assert write.item.plain()["code"] == "sick"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tables = 3", "tables"),
        ("[tables", "is no TOML"),
        ("[tables.throughput]", "valid ones are members, projects"),
        ("[tables.members.columns]\nnom = ['x']", "members.nom; its columns are"),
        ("[tables.members.columns]\nname = ['x']\nemail = ['X ']", "'X ' for two columns"),
        ("[tables.members.values.name]\na = ['x']", "which is no choice"),
        ("[tables.members.values.status]\ngone = ['x']", "is one of active, inactive, not 'gone'"),
        ("[tables.members.defaults]\nnom = 'x'", "which is no field"),
        ("[formats]\ndates = ['YYYY']", "needs YYYY or YY"),
        ("[formats]\ntime_zone = 'Mars'", "time_zone"),
        ("colour = 1", "colour"),
    ],
)
def test_a_wrong_mapping_file_says_where(text: str, says: str) -> None:
    with pytest.raises(BadUsage) as caught:
        load_mapping(text)

    assert says in str(caught.value)
