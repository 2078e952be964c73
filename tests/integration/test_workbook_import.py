"""Workbooks into real tables and back. Why real: versions, conditions and change entries decide what is loaded."""

import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.models.changes import Change
from prism_core.models.people import Member
from prism_core.models.projects import Project
from prism_core.models.work import Allocation
from prism_core.tables import ALLOCATIONS, CHANGELOG, MEMBERS, PROJECTS
from prism_core.workbooks.exporting import ExportFormat, export_rows
from prism_core.workbooks.marking import mark
from prism_core.workbooks.plan import ImportPlan
from prism_core.workbooks.reading import read_workbook
from prism_resources.aws import client
from prism_resources.tables.imports import Author, batch_get, carry_out, plan_of
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore
from tests.integration.fresh import commands_at
from tests.integration.helpers import prism

NOW = datetime(2026, 1, 7, 9, tzinfo=UTC)
WEEK = Week.parse("2026-W02")
HEADER = ("Member\nID ", "ISO  week", "Project", "Mon", "Tue", "Wed", "Thu", "Fri")


class Programme:
    """Two members and a project of this test alone, and short ways to load and look."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.dynamodb = client(platform.settings, "dynamodb")
        self.store = TableStore(self.dynamodb, platform.settings, ALLOCATIONS, Allocation)
        tag = uuid.uuid4().hex[:8]
        self.ana, self.bo, self.boxes = f"ana-{tag}", f"bo-{tag}", f"boxes-{tag}"
        people = TableStore(self.dynamodb, platform.settings, MEMBERS, Member)
        for member_id in (self.ana, self.bo):
            self.write(people, Member(member_id=member_id, name="Ana", email="a@example.org", time_zone="UTC"))
        projects = TableStore(self.dynamodb, platform.settings, PROJECTS, Project)
        self.write(
            projects, Project(project_id=self.boxes, name="Boxes", category="raw-7", demand_hours=Decimal(40))
        )

    @staticmethod
    def write(store: TableStore[Any], item: Any, version: int = 0) -> Any:
        return store.put(
            item, expected_version=version, actor="test", reason="", request_id=uuid.uuid4().hex, now=NOW
        )

    def plan(self, data: bytes) -> ImportPlan:
        return plan_of(self.dynamodb, self.platform.settings, read_workbook(data), now=NOW)

    def load(self, data: bytes) -> ImportPlan:
        author = Author("workbook:plan.xlsx", "import", f"workbook-{uuid.uuid4().hex}")
        return carry_out(self.dynamodb, self.platform.settings, self.plan(data), author)

    def allocation(self, member_id: str) -> Allocation | None:
        return self.store.get(member_id=member_id, week=WEEK, project_id=self.boxes)

    def changes(self, member_id: str) -> list[Change]:
        key = ALLOCATIONS.key({"member_id": member_id, "week": WEEK, "project_id": self.boxes})
        log = TableReader(self.dynamodb, self.platform.settings, CHANGELOG, Change)
        return list(log.query("by_item", item_key=ALLOCATIONS.item_key(key)))

    def export(self) -> bytes:
        items = [one for member_id in (self.ana, self.bo) if (one := self.allocation(member_id)) is not None]
        return export_rows(ALLOCATIONS, items, ExportFormat.XLSX)

    def messy(self) -> bytes:
        """Merged headers, dates as text, trailing spaces, duplicate keys, a formula cell, a wrong sheet name."""
        made = openpyxl.Workbook()
        sheet = made.worksheets[0]
        sheet.title = " ALLOCATION plan"
        sheet.append(["Team plan, second week"])
        sheet.merge_cells("A1:H1")
        sheet.append([*HEADER[:3], "Hours"])
        sheet.append([None, None, None, *HEADER[3:]])
        sheet.merge_cells("D2:H2")
        for column in "ABC":
            sheet.merge_cells(f"{column}2:{column}3")
        sheet.append([f"{self.ana}  ", "05.01.2026", self.boxes, "7,5", "7:30"])
        sheet.append([self.bo, "2026-W3", f" {self.boxes}\u00a0", 4, "=D4"])
        sheet.append([self.bo, "2026-W2", self.boxes, 4])
        sheet.append([self.bo, "2026-W4", self.boxes, 4])
        sheet.append([self.bo, "2026-W04 ", self.boxes, 5])
        made.create_sheet("Alocations")["A1"] = "Member"
        return bytes_of(made)


def bytes_of(made: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def edited(data: bytes, sheet: str, cells: dict[str, Any]) -> bytes:
    made = openpyxl.load_workbook(io.BytesIO(data))
    for place, value in cells.items():
        made[sheet][place] = value
    return bytes_of(made)


def outcomes(plan: ImportPlan) -> list[str]:
    return [row.outcome.value for row in plan.rows]


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A load writes at the time it is: after what these tests write themselves."""
    monkeypatch.setenv("PRISM_NOW", NOW.isoformat())


@pytest.fixture
def programme(platform: Platform) -> Programme:
    return Programme(platform)


def test_a_messy_workbook_loads_its_good_rows_and_comes_back_with_the_bad_ones_marked(
    programme: Programme,
) -> None:
    data = programme.messy()

    plan = programme.load(data)

    assert outcomes(plan) == ["new", "rejected", "new", "rejected", "rejected"]
    assert [sheet.name for sheet in plan.refused_sheets] == ["Alocations"]
    ana = programme.allocation(programme.ana)
    assert ana is not None
    assert ana.plain()["hours"] == {"2026-01-05": "7.50", "2026-01-06": "7.50"}
    (change,) = programme.changes(programme.ana)
    assert (change.actor, change.reason, change.version) == ("workbook:plan.xlsx", "import", 1)
    sheet = openpyxl.load_workbook(io.BytesIO(mark(data, plan))).worksheets[0]
    errors = [sheet.cell(row, 9).value for row in range(3, 9)]
    assert errors[0] == "PRISM errors"
    assert [bool(error) for error in errors[1:]] == [False, True, False, True, True]


def test_loading_it_again_changes_nothing(programme: Programme) -> None:
    data = programme.messy()
    first = programme.load(data)

    again = programme.load(data)
    marked = programme.load(mark(data, first))

    assert outcomes(again) == outcomes(marked) == ["unchanged", "rejected", "unchanged", "rejected", "rejected"]
    assert again.writes == marked.writes == ()
    assert [len(programme.changes(one)) for one in (programme.ana, programme.bo)] == [1, 1]


def test_the_dry_run_says_what_the_load_does(programme: Programme) -> None:
    dry = programme.plan(programme.messy())

    loaded = programme.load(programme.messy())

    assert (dry.rows, dry.writes) == (loaded.rows, loaded.writes)


def test_an_edited_export_merges_with_what_others_did_and_tells_conflicts(programme: Programme) -> None:
    programme.load(programme.messy())
    exported = programme.export()
    for member_id, day in ((programme.ana, 3), (programme.bo, 0)):
        item = programme.allocation(member_id)
        assert item is not None
        changed = item.model_copy(update={"hours": {**item.hours, WEEK.days[day]: Decimal("1.00")}})
        programme.write(programme.store, changed, item.version)

    plan = programme.load(edited(exported, "Allocations", {"D2": 2, "D3": 3}))

    assert outcomes(plan) == ["changed", "conflict"]
    ana, bo = programme.allocation(programme.ana), programme.allocation(programme.bo)
    assert ana is not None
    assert bo is not None
    assert ana.plain()["hours"] == {"2026-01-05": "2.00", "2026-01-06": "7.50", "2026-01-08": "1.00"}
    assert (ana.version, bo.version) == (3, 2)
    assert bo.hours[WEEK.monday] == Decimal("1.00")
    assert "to '1'" in plan.rows[1].problems[0].message


def test_a_write_that_came_between_plan_and_load_is_a_conflict_and_stays(programme: Programme) -> None:
    programme.load(programme.messy())
    plan = programme.plan(edited(programme.export(), "Allocations", {"D2": 2, "D3": 3}))
    item = programme.allocation(programme.ana)
    assert item is not None
    programme.write(programme.store, item.model_copy(update={"pinned": True}), item.version)

    author = Author("workbook:late.xlsx", "", uuid.uuid4().hex)
    after = carry_out(programme.dynamodb, programme.platform.settings, plan, author)

    assert outcomes(after) == ["conflict", "changed"]
    assert "load the file again" in after.rows[0].problems[0].message
    stands = programme.allocation(programme.ana)
    assert stands is not None
    assert (stands.pinned, stands.hours[WEEK.monday]) == (True, Decimal("7.50"))


def test_more_items_than_one_call_can_read_are_found(programme: Programme) -> None:
    ids = [f"{programme.ana}-{number}" for number in range(120)]
    rows = "\n".join(ids)
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    sheet.title = "Members"
    sheet.append(["Member ID", "Name", "Email", "Time zone"])
    for member_id in rows.split():
        sheet.append([member_id, "Synthetic", "s@example.org", "UTC"])

    plan = programme.load(bytes_of(made))

    assert plan.counts["new"] == 120
    keys = [MEMBERS.key({"member_id": member_id}) for member_id in [*ids, "nobody"]]
    assert len(list(batch_get(programme.dynamodb, programme.platform.settings, MEMBERS, keys))) == 120
    assert programme.plan(bytes_of(made)).counts["unchanged"] == 120


# -- the command ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ready_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with commands_at(tmp_path_factory.mktemp("workbook")) as running:
        yield running.home.root


def team(path: Path, *, hours: object = 8) -> Path:
    made = openpyxl.Workbook()
    people, plan = made.worksheets[0], made.create_sheet("Allocations")
    people.title = "Team"
    people.append(["Member ID", "Name", "E-mail", "Time zone"])
    people.append(["M-1", "Ana", "a@example.org", "UTC"])
    projects = made.create_sheet("Projects")
    projects.append(["Project ID", "Name", "Category", "Demand"])
    projects.append(["P-1", "Boxes", "raw-7", 40])
    plan.append(["Member", "Week", "Project", "Mon", "Tue"])
    plan.append(["M-1", "2026-W02", "P-1", 8, hours])
    made.save(path)
    return path


def test_the_command_loads_marks_and_loads_again(ready_home: Path, tmp_path: Path) -> None:
    path = team(tmp_path / "Team plan.xlsx", hours=25)

    dry = prism(ready_home, "ingest", "workbook", str(path), "--dry-run", "--json")
    first = prism(ready_home, "ingest", "workbook", str(path), "--json")
    marked = Path(json.loads(first.stdout)["marked_workbook"])
    corrected = tmp_path / "corrected.xlsx"
    corrected.write_bytes(edited(marked.read_bytes(), "Allocations", {"E2": 5}))
    second = prism(ready_home, "ingest", "workbook", str(corrected))
    third = prism(ready_home, "ingest", "workbook", str(corrected), "--json", "--out", str(tmp_path / "o.xlsx"))

    counts = {"read": 3, "new": 2, "changed": 0, "unchanged": 0, "conflict": 0, "rejected": 1}
    assert (dry.returncode, first.returncode, second.returncode, third.returncode) == (1, 1, 0, 0)
    assert json.loads(dry.stdout)["total"] == json.loads(first.stdout)["total"] == counts
    assert str(marked) in first.stderr.replace("\n", "")
    assert marked.parent == ready_home / "rejects"
    assert json.loads(third.stdout)["total"]["unchanged"] == 3
    assert (tmp_path / "o.xlsx").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("nowhere.xlsx",), 2, "cannot be read"),
        (("{old}",), 1, "old Excel file"),
        (("{good}", "--mapping", "{bad_mapping}"), 2, "valid ones are members"),
        (("{good}", "--out", "{good}"), 2, "not over the original"),
    ],
)
def test_bad_input_of_the_command_says_what_is_wrong(
    ready_home: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    files = {
        "good": team(tmp_path / "good.xlsx"),
        "old": tmp_path / "old.xlsx",
        "bad_mapping": tmp_path / "m.toml",
    }
    files["old"].write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    files["bad_mapping"].write_text("[tables.people]\n")

    answer = prism(ready_home, "ingest", "workbook", *(word.format(**files) for word in arguments))

    assert (answer.returncode, says in answer.stderr.replace("\n", " ")) == (code, True), answer.stderr
