"""The plan of an import: the one object that a dry run shows, a load carries out, and the marks come from.

Belongs here: rows with their outcome, the writes they lead to, and counting. Does not belong here: how a row is
judged (planning.py) and writing (prism_resources/tables/imports.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from prism_core.models.base import Versioned
from prism_core.tables import TableSpec
from prism_core.workbooks.reading import Problem, Sheet


class Outcome(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    REJECTED = "rejected"


BAD: Final = frozenset({Outcome.CONFLICT, Outcome.REJECTED})


@dataclass(frozen=True, slots=True)
class CellChange:
    """One field that a row changes, as plain JSON values; None where there is none."""

    cell: str | None
    column: str
    before: JsonValue
    after: JsonValue


@dataclass(slots=True)
class RowPlan:
    """One row of the workbook and what becomes of it. Built by the planner, then left alone."""

    sheet: str
    row: int
    table: str
    item_key: str | None
    outcome: Outcome = Outcome.UNCHANGED
    problems: list[Problem] = field(default_factory=list[Problem])
    changes: list[CellChange] = field(default_factory=list[CellChange])
    notes: list[str] = field(default_factory=list[str])

    def refuse(self, problem: Problem, outcome: Outcome = Outcome.REJECTED) -> None:
        """Say what is wrong; a conflict stays one whatever else is wrong."""
        self.problems.append(problem)
        self.changes.clear()
        if self.outcome is not Outcome.CONFLICT:
            self.outcome = outcome


@dataclass(frozen=True, slots=True)
class ItemWrite:
    """One item to write: at version 0 it must not exist yet."""

    spec: TableSpec
    item_key: str
    item: Versioned
    expected_version: int

    @property
    def outcome(self) -> Outcome:
        return Outcome.CHANGED if self.expected_version else Outcome.NEW


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a load does: the rows, the writes they lead to, and the sheets, read or not."""

    rows: tuple[RowPlan, ...]
    writes: tuple[ItemWrite, ...]
    sheets: tuple[Sheet, ...]

    @property
    def counts(self) -> dict[str, int]:
        """`read`, and the rows of each outcome, which sum to it."""
        counts = {"read": len(self.rows)} | {outcome.value: 0 for outcome in Outcome}
        for row in self.rows:
            counts[row.outcome.value] += 1
        return counts

    @property
    def bad_rows(self) -> tuple[RowPlan, ...]:
        return tuple(row for row in self.rows if row.outcome in BAD)

    @property
    def refused_sheets(self) -> tuple[Sheet, ...]:
        return tuple(sheet for sheet in self.sheets if sheet.problem is not None)

    @property
    def clean(self) -> bool:
        """Whether every row and every sheet was good."""
        return not self.refused_sheets and not self.bad_rows

    def with_losses(self, losses: Mapping[str, str]) -> "ImportPlan":
        """The plan after a load in which some writes lost: `losses` says why, by item key."""
        return self._without(losses, Outcome.CONFLICT)

    def without(self, refused: Mapping[str, str]) -> "ImportPlan":
        """The plan without some writes: `refused` says why, by item key."""
        return self._without(refused, Outcome.REJECTED) if refused else self

    def _without(self, why: Mapping[str, str], outcome: Outcome) -> "ImportPlan":
        rows = tuple(_left_out(row, why, outcome) for row in self.rows)
        return ImportPlan(rows, tuple(w for w in self.writes if w.item_key not in why), self.sheets)


def _left_out(row: RowPlan, why: Mapping[str, str], outcome: Outcome) -> RowPlan:
    if row.item_key not in why or row.outcome not in (Outcome.NEW, Outcome.CHANGED):
        return row
    problem = Problem(row.sheet, row.row, None, None, why[row.item_key or ""])
    return replace(row, outcome=outcome, problems=[*row.problems, problem], changes=[])
