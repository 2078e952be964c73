"""Workbooks as people make them, built by openpyxl, which the code under test does not use."""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import openpyxl

from prism_core.calendar import Week
from prism_core.models.base import Versioned
from prism_core.models.people import Availability, Member, Skill, Weekday
from prism_core.models.projects import Project, Request
from prism_core.models.work import Allocation, QualityReview
from prism_core.tables import TABLES
from prism_core.workbooks.mapping import WorkbookMapping
from prism_core.workbooks.plan import ImportPlan, RowPlan
from prism_core.workbooks.planning import plan_import
from prism_core.workbooks.reading import read_workbook

NOW = datetime(2026, 1, 7, 9, 30, tzinfo=UTC)
WEEK = Week.parse("2026-W02")
KNOWN = {"members": {"M-1", "M-2", "M-3"}, "projects": {"P-1", "P-2"}}
Rows = Sequence[Sequence[Any]]


def book(sheets: Mapping[str, Rows]) -> bytes:
    """A workbook with these cells."""
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return saved(made)


def saved(made: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def loaded(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def edited(data: bytes, sheet: str, cells: Mapping[str, Any]) -> bytes:
    """The workbook after a person changed some cells."""
    made = loaded(data)
    for place, value in cells.items():
        made[sheet][place] = value
    return saved(made)


def stored(*items: tuple[str, Versioned]) -> dict[str, Versioned]:
    """Items by key, as planning is given them."""
    return {TABLES[table].item_key(TABLES[table].key_of(item)): item for table, item in items}


def planned(
    data: bytes, current: Mapping[str, Versioned] | None = None, mapping: WorkbookMapping | None = None
) -> ImportPlan:
    return plan_import(read_workbook(data, mapping), current or {}, now=NOW, known=KNOWN)


def outcomes(plan: ImportPlan) -> list[str]:
    return [row.outcome.value for row in plan.rows]


def said(row: RowPlan) -> str:
    """Everything that is wrong with a row."""
    return "; ".join(problem.text for problem in row.problems)


def allocation(member: str = "M-1", project: str = "P-1", *hours: str, version: int = 1) -> Allocation:
    """Hours from Monday on, 7.5 on Monday and Tuesday by default."""
    given = hours or ("7.50", "7.50")
    days = {day: Decimal(text) for day, text in zip(WEEK.days, given, strict=False) if text}
    return Allocation(member_id=member, week=WEEK, project_id=project, hours=days, version=version)


def member(member_id: str = "M-1", **fields: Any) -> Member:
    values: dict[str, Any] = {
        "name": "Ana Ruiz",
        "email": "ana@example.org",
        "time_zone": "Europe/Madrid",
        "skills": (Skill(name="image-boxes", level=3),),
        "hours": {Weekday.MON: Decimal("7.50")},
    }
    return Member(member_id=member_id, **(values | fields))


def one_of_each() -> dict[str, Versioned]:
    """A stored item of each table that a workbook usually holds."""
    project = Project(
        project_id="P-1",
        name="Boxes",
        category="raw-7",
        demand_hours=Decimal(40),
        quality_target=Decimal("0.95"),
        sla_date=date(2026, 3, 1),
    )
    request = Request(
        request_id="R-1", due_date=date(2026, 2, 1), hours=Decimal(12), requester="Ana", reason="more", created=NOW
    )
    review = QualityReview(
        member_id="M-1",
        week=WEEK,
        project_id="P-1",
        review_id="Q-1",
        category="raw-7",
        reviewed=10,
        correct=9,
        reviewer="Bo",
        reviewed_at=NOW,
    )
    away = Availability(member_id="M-1", date=date(2026, 1, 9), hours_off=Decimal(4), reason="dentist")
    return stored(
        ("members", member()),
        ("projects", project),
        ("allocations", allocation()),
        ("requests", request),
        ("quality", review),
        ("availability", away),
    )
