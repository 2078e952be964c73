"""What loading a workbook would do: new, changed, unchanged, conflict or rejected, cell by cell."""

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from prism_core.models.base import Versioned
from prism_core.models.people import AvailabilityStatus
from prism_core.models.work import Allocation
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS, TABLES
from prism_core.workbooks.exporting import write_xlsx
from prism_core.workbooks.mapping import default_mapping
from prism_core.workbooks.plan import Outcome
from prism_core.workbooks.planning import plan_import
from prism_core.workbooks.reading import read_workbook
from tests.unit.workbook_samples import (
    KNOWN,
    NOW,
    WEEK,
    allocation,
    book,
    edited,
    loaded,
    member,
    one_of_each,
    outcomes,
    planned,
    said,
    saved,
    stored,
)

HEADER = ("Member ID", "Week", "Project ID", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Pinned")
BY_DAY = ("Member", "Date", "Project", "Hours", "Pinned")
KEY = ("M-1", "2026-W02", "P-1")


def exported(items: Mapping[str, Versioned]) -> bytes:
    """The items as a workbook, one sheet a table."""
    target = io.BytesIO()
    tables = dict.fromkeys(key.partition("/")[0] for key in items)
    sheets = [(TABLES[t], [i for key, i in items.items() if key.startswith(f"{t}/")], None) for t in tables]
    write_xlsx(sheets, target)
    return target.getvalue()


def cell(data: bytes, sheet: str, title: str, row: int = 2) -> str:
    """The address below a title."""
    titles = [one.value for one in loaded(data)[sheet][1]]
    return loaded(data)[sheet].cell(row, titles.index(title) + 1).coordinate


def edit(data: bytes, sheet: str, row: int = 2, **values: Any) -> bytes:
    """`Due_date=…` sets the cell below `Due date`."""
    return edited(data, sheet, {cell(data, sheet, title.replace("_", " "), row): v for title, v in values.items()})


# -- sheets without an export ---------------------------------------------------------------------------------


def test_a_row_of_a_key_that_is_not_stored_is_new() -> None:
    plan = planned(book({"Allocations": [HEADER, [*KEY, 7.5, None, "4"]]}))

    (write,) = plan.writes
    assert outcomes(plan) == ["new"]
    assert (write.expected_version, write.outcome) == (0, Outcome.NEW)
    assert write.item.plain() == {
        "version": 1,
        "member_id": "M-1",
        "week": "2026-W02",
        "project_id": "P-1",
        "hours": {"2026-01-05": "7.50", "2026-01-07": "4.00"},
        "pinned": False,
        "source": "import",
    }


def test_a_blank_cell_leaves_the_field_as_it_is_and_the_marker_clears_it() -> None:
    current = stored(("allocations", allocation(version=4)))

    plan = planned(book({"Allocations": [HEADER, [*KEY, None, "(Clear)", 2]]}), current)

    (write,) = plan.writes
    assert (outcomes(plan), write.expected_version) == (["changed"], 4)
    assert write.item.plain()["hours"] == {"2026-01-05": "7.50", "2026-01-07": "2.00"}


def test_equal_values_in_other_words_are_unchanged() -> None:
    current = stored(("allocations", allocation()))

    plan = planned(
        book({"Allocations": [HEADER, [*KEY, "7:30", "7,50 h", None, None, None, None, None, "no"]]}), current
    )

    assert outcomes(plan) == ["unchanged"]
    assert plan.writes == ()


def test_rows_by_day_make_one_item_a_week() -> None:
    rows = [
        BY_DAY,
        ["M-1", "2026-01-05", "P-1", 4],
        ["M-1", "2026-01-07", "P-1", 3],
        ["M-1", "2026-01-12", "P-1", 1],
    ]

    plan = planned(book({"Allocations": rows}))

    assert outcomes(plan) == ["new"] * 3
    hours = {write.item_key: write.item.plain()["hours"] for write in plan.writes}
    assert hours == {
        "allocations/M-1/2026-W02#P-1": {"2026-01-05": "4.00", "2026-01-07": "3.00"},
        "allocations/M-1/2026-W03#P-1": {"2026-01-12": "1.00"},
    }


def test_a_bad_day_does_not_stop_the_other_days_of_its_item() -> None:
    rows = [BY_DAY, ["M-1", "2026-01-05", "P-1", 4], ["M-1", "2026-01-06", "P-1", 25], ["M-1", "x", "P-1", 3]]

    plan = planned(book({"Allocations": rows}))

    assert outcomes(plan) == ["new", "rejected", "rejected"]
    assert said(plan.rows[1]).startswith("D3 (Hours): Input should be less than or equal to 24")
    assert plan.writes[0].item.plain()["hours"] == {"2026-01-05": "4.00"}


def test_days_that_disagree_about_their_item_are_refused() -> None:
    rows = [BY_DAY, ["M-1", "2026-01-05", "P-1", 4, "yes"], ["M-1", "2026-01-06", "P-1", 4, "no"]]

    plan = planned(book({"Allocations": rows}))

    assert outcomes(plan) == ["rejected"] * 2
    assert "Pinned contradicts row 3" in said(plan.rows[0])


def test_of_equal_rows_the_first_counts_and_of_different_ones_none() -> None:
    rows = [HEADER, [*KEY, 4], ["M-2", *KEY[1:], 4], [*KEY, "4.0"], ["M-2", *KEY[1:], 5]]

    plan = planned(book({"Allocations": rows, "Allocations 2": [HEADER, ["M-2", *KEY[1:], 4]]}))

    assert outcomes(plan) == ["new", "rejected", "rejected", "rejected", "rejected"]
    assert "repeats row 2" in said(plan.rows[2])
    assert "the same key as row 5, row 2 of Allocations 2 and other values" in said(plan.rows[1])


def test_the_validator_of_the_api_speaks_at_the_cell() -> None:
    header = ("Project ID", "Name", "Category", "Demand hours", "Priority", "Min people", "Max people", "Skills")
    good = ["P-7", "Boxes", "raw-7", 40, 3, 1, 2, "image-boxes:3"]
    bad = {
        "E3 (Priority): Input should be less than or equal to 5": {4: 9},
        "D3 (Demand hours): Decimal input should have no more than 2": {3: 1.234},
        "max_people 2 is below min_people 5": {5: 5},
        "H3 (Skills): a skill is written with its level": {7: "boxes"},
        "each skill once; repeated: a": {7: "a:1; a:2"},
        "B3 (Name): this field is required": {1: None},
        "B3 (Name): String should have at most 200": {1: "x" * 32_000},
        "B3 (Name): the text has a control character (U+0007)": {1: "bell _x0007_"},
    }
    for message, change in bad.items():
        row = ["P-8", *good[1:]]
        for at, value in change.items():
            row[at] = value

        plan = planned(book({"Projects": [header, good, row]}))

        assert outcomes(plan) == ["new", "rejected"], message
        assert message in said(plan.rows[1])


def test_a_field_that_is_needed_and_has_no_column_is_named_by_its_title() -> None:
    plan = planned(book({"Members": [("Member ID", "Name"), ("M-9", "Ana")]}))

    assert said(plan.rows[0]) == "Email: this field is required; Time zone: this field is required"


def test_rows_that_name_nobody_are_refused_unless_the_workbook_makes_them() -> None:
    sheets = {
        "Allocations": [HEADER, ["M-9", "2026-W02", "P-1", 4], ["M-8", "2026-W02", "P-9", 4]],
        "Members": [("Member ID", "Name", "Email", "Time zone"), ("M-9", "Ana", "a@example.org", "UTC")],
    }

    plan = planned(book(sheets))

    assert outcomes(plan) == ["new", "rejected", "new"]
    assert "A3 (Member ID): there is no member 'M-8'" in said(plan.rows[1])
    assert "C3 (Project ID): there is no project 'P-9'" in said(plan.rows[1])
    assert [write.spec.name for write in plan.writes] == ["members", "allocations"]


def test_a_default_of_the_mapping_fills_a_blank_cell_of_a_new_row_only() -> None:
    header = ("Request ID", "Due date", "Hours", "Requested by", "Reason")

    plan = planned(book({"Requests": [header, ("R-7", "2026-02-01", 12, "Ana", "more")]}))

    assert plan.writes[0].item.plain()["created"] == "2026-01-07T09:30:00.000000Z"


def test_decisions_are_not_taken_in_a_workbook() -> None:
    away = one_of_each()["availability/M-1/2026-01-09"]
    header = ("Member ID", "Date", "Hours off", "Status")
    rows = [header, ("M-1", "2026-01-09", 8, "approved"), ("M-2", "2026-01-09", 8, "approved")]

    plan = planned(book({"Availability": rows}), stored(("availability", away)))

    changed, made = (write.item.plain() for write in plan.writes)
    assert (changed["hours_off"], changed["status"]) == ("8.00", AvailabilityStatus.REQUESTED)
    assert made["status"] == AvailabilityStatus.APPROVED


# -- exports that come back ------------------------------------------------------------------------------------


def test_an_export_that_nobody_edited_is_unchanged() -> None:
    current = one_of_each()

    plan = planned(exported(current), current)

    assert plan.counts == {"read": 6, "new": 0, "changed": 0, "unchanged": 6, "conflict": 0, "rejected": 0}
    assert plan.writes == ()


def test_an_instant_is_read_in_the_zone_of_its_sheet_beside_a_stored_one_in_utc() -> None:
    mapping = default_mapping()
    madrid = replace(mapping, formats=replace(mapping.formats, zone=ZoneInfo("Europe/Madrid")))
    items = {key: item for key, item in one_of_each().items() if key.startswith("quality/")}  # reviewed 09:30Z
    data = exported(items)
    typed = book({"Quality": [("Member ID", "Week", "Project ID", "Review ID", "Reviewed at"),
                              ("M-1", "2026-W02", "P-1", "Q-1", datetime(2026, 1, 7, 9, 30))]})  # fmt: skip  # noqa: DTZ001
    at = cell(data, "Quality", "Reviewed at (UTC)")
    moved = edited(data, "Quality", {at: datetime(2026, 1, 7, 11, 0)})  # noqa: DTZ001

    corrected, unedited, mine = (planned(one, items, madrid) for one in (typed, data, moved))

    assert [outcomes(plan) for plan in (corrected, unedited, mine)] == [["changed"], ["unchanged"], ["changed"]]
    instants = [plan.writes[0].item.plain()["reviewed_at"] for plan in (corrected, mine)]
    assert instants == ["2026-01-07T08:30:00.000000Z", "2026-01-07T11:00:00.000000Z"]


def test_an_edited_cell_changes_its_field_alone() -> None:
    current = one_of_each()
    data = edit(exported(current), "Projects", Demand_hours="44,5", SLA_date=date(2026, 4, 1))

    plan = planned(data, current)

    (write,) = plan.writes
    before = current["projects/P-1"].plain()
    assert write.item.plain() == before | {"demand_hours": "44.50", "sla_date": "2026-04-01"}
    assert [(c.column, c.before, c.after) for row in plan.rows for c in row.changes] == [
        ("demand_hours", "40.00", "44.5"),
        ("sla_date", "2026-03-01", "2026-04-01"),
    ]


def test_cells_that_others_changed_since_the_export_merge_with_mine() -> None:
    data = edit(exported(stored(("allocations", allocation()))), "Allocations", Mon=4)
    theirs = allocation("M-1", "P-1", "7.50", "2.00", version=2)

    plan = planned(data, stored(("allocations", theirs)))

    (write,) = plan.writes
    assert (outcomes(plan), write.expected_version) == (["changed"], 2)
    assert write.item.plain()["hours"] == {"2026-01-05": "4.00", "2026-01-06": "2.00"}


def test_a_cell_that_both_changed_is_a_conflict_and_no_cell_of_the_row_is_loaded() -> None:
    data = edit(exported(stored(("allocations", allocation()))), "Allocations", Mon=4, Tue=5)
    theirs = allocation("M-1", "P-1", "6.00", version=2)
    theirs = theirs.model_copy(update={"hours": {**theirs.hours, WEEK.days[1]: Decimal("7.50")}})

    plan = planned(data, stored(("allocations", theirs)))

    assert outcomes(plan) == ["conflict"]
    assert plan.writes == ()
    assert said(plan.rows[0]).startswith("D2 (Mon): somebody else changed it since the export, to '6'")


def test_a_conflict_is_over_when_the_cell_says_what_is_stored() -> None:
    data = edit(exported(stored(("allocations", allocation()))), "Allocations", Mon=6, Tue=5)
    theirs = allocation("M-1", "P-1", "6.00", "7.50", version=2)

    plan = planned(data, stored(("allocations", theirs)))

    assert outcomes(plan) == ["changed"]
    assert plan.writes[0].item.plain()["hours"] == {"2026-01-05": "6.00", "2026-01-06": "5.00"}


def test_an_unedited_row_stays_unchanged_whatever_others_did() -> None:
    data = exported(stored(("allocations", allocation())))

    plan = planned(data, stored(("allocations", allocation("M-1", "P-1", "1", "2", "3", version=9))))

    assert outcomes(plan) == ["unchanged"]


def test_a_cell_that_was_emptied_stays_as_it_is_and_says_so() -> None:
    current = stored(("allocations", allocation()))

    plan = planned(edit(exported(current), "Allocations", Mon=None), current)

    assert outcomes(plan) == ["unchanged"]
    assert plan.rows[0].notes == ["D2 was emptied and stays as it is; (clear) clears it"]


def test_an_item_deleted_since_the_export_is_a_conflict_only_when_its_row_was_edited() -> None:
    data = exported(stored(("allocations", allocation())))

    left, changed = planned(data), planned(edit(data, "Allocations", Mon=1))

    assert (outcomes(left), outcomes(changed)) == (["unchanged"], ["conflict"])
    assert left.rows[0].notes == ["was deleted since the export and is not made again"]
    assert left.writes == changed.writes == ()


def test_a_copied_row_with_another_key_is_a_row_of_its_own() -> None:
    current = stored(("allocations", allocation()))
    made = loaded(exported(current))
    made["Allocations"].append(["M-2", *[one.value for one in made["Allocations"][2]][1:]])

    plan = planned(saved(made), current)

    assert outcomes(plan) == ["unchanged", "new"]
    assert plan.writes[0].item_key == "allocations/M-2/2026-W02#P-1"
    assert "was exported as M-1/2026-W02#P-1" in plan.rows[1].notes[0]


def test_columns_that_are_only_shown_cannot_be_edited_in_an_export() -> None:
    current = stored(("allocations", allocation()))

    plan = planned(edit(exported(current), "Allocations", Source="plan", Version=7), current)

    assert outcomes(plan) == ["rejected"]
    assert "(Source): this column cannot be changed" in said(plan.rows[0])


def test_sorting_leaving_out_columns_and_a_damaged_fingerprint_do_no_harm() -> None:
    current = stored(*(("allocations", allocation(f"M-{n}")) for n in (1, 2, 3)))
    made = loaded(exported(current))
    sheet = made["Allocations"]
    rows = [[one.value for one in row] for row in sheet.iter_rows(2, 4)]
    for at, row in enumerate(reversed(rows), start=2):
        for column, value in enumerate(row, start=1):
            sheet.cell(at, column, value)
    sheet.cell(2, sheet.max_column, "nonsense")
    sheet.delete_cols(5, 3)

    plan = planned(saved(made), current)

    assert outcomes(plan) == ["unchanged"] * 3
    assert "conflicts cannot be seen" in plan.rows[0].notes[0]


def test_a_clear_marker_that_is_a_stored_text_is_left_alone() -> None:
    current = stored(("members", member(name="(clear)")))

    assert outcomes(planned(exported(current), current)) == ["unchanged"]


def test_the_same_input_gives_the_same_plan() -> None:
    current = one_of_each()
    data = edit(exported(current), "Members", Name="Ana María", Mon="x")

    first, second = (plan_import(read_workbook(data), current, now=NOW, known=KNOWN) for _ in range(2))

    assert (first.rows, first.writes) == (second.rows, second.writes)


def test_a_write_that_lost_makes_its_rows_conflicts() -> None:
    plan = planned(book({"Allocations": [HEADER, [*KEY, 4], ["M-2", *KEY[1:], 4]]}))

    after = plan.with_losses({"allocations/M-1/2026-W02#P-1": "too late"})

    assert outcomes(after) == ["conflict", "new"]
    assert said(after.rows[0]) == "too late"
    assert [write.item_key for write in after.writes] == ["allocations/M-2/2026-W02#P-1"]


def test_what_planning_needs_is_what_the_rows_name() -> None:
    sheets = {
        "Allocations": [HEADER, [*KEY, 4], [*KEY, 5], ["bad id", *KEY[1:], 5]],
        "Requests": [("Request ID", "Due", "Hours", "Project"), ("R-1", "2026-02-01", 4, "P-7")],
    }

    read = read_workbook(book(sheets))

    assert read.keys() == {
        "allocations": [{"member_id": "M-1", "week_project": "2026-W02#P-1"}],
        "requests": [{"request_id": "R-1"}],
    }
    assert read.references() == {"members": {"M-1"}, "projects": {"P-1", "P-7"}}


@pytest.mark.parametrize("spec", [ALLOCATIONS, AVAILABILITY, MEMBERS], ids=lambda spec: spec.name)
def test_an_export_without_rows_is_a_workbook_without_rows(spec: Any) -> None:
    target = io.BytesIO()
    write_xlsx([(spec, [], None)], target)

    plan = planned(target.getvalue())

    assert plan.clean
    assert plan.counts["read"] == 0


def test_the_hours_of_a_new_row_are_needed() -> None:
    plan = planned(book({"Allocations": [HEADER, [*KEY]]}))

    assert said(plan.rows[0]) == "hours: this field is required"
    assert "hours" in Allocation.model_fields
