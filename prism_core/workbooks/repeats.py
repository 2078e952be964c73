"""Rows of a workbook that name the same item.

Belongs here: duplicates, and rows of several days that disagree about their item. Does not belong here: what is
stored (planning.py). Of two rows that differ nobody can tell which one is right, so neither is loaded.
"""

from pydantic import JsonValue

from prism_core.workbooks.plan import RowPlan
from prism_core.workbooks.reading import Clear, DataRow, Problem

Entry = tuple[DataRow, RowPlan]
_NAMED = 5


def refuse_repeats(rows: list[Entry]) -> None:
    """All rows of one item, of which those that repeat or contradict another are refused."""
    by_day: dict[str | None, list[Entry]] = {}
    for entry in rows:
        by_day.setdefault(entry[0].day, []).append(entry)
    for same in by_day.values():
        if len(same) > 1:
            _refuse_duplicates(same)
    _refuse_contradictions([same[0] for same in by_day.values() if len(same) == 1])


def _refuse_duplicates(rows: list[Entry]) -> None:
    differ = any(row.values != rows[0][0].values or row.problems for row, _ in rows)
    for place, (row, plan) in enumerate(rows):
        if differ:
            _refuse(row, plan, f"has the same key as {_others(row, rows)} and other values; keep the right one")
        elif place:
            _refuse(row, plan, f"repeats {_where(rows[0][0], row)}; delete one of them")


def _refuse_contradictions(rows: list[Entry]) -> None:
    said: dict[str, list[tuple[JsonValue | Clear, Entry]]] = {}
    for entry in rows:
        for column_id, value in entry[0].values.items():
            said.setdefault(column_id, []).append((value, entry))
    for column_id, values in said.items():
        if any(value != values[0][0] for value, _ in values):
            entries = [entry for _, entry in values]
            for row, plan in entries:
                title = row.table.columns[column_id].title
                _refuse(row, plan, f"{title} contradicts {_others(row, entries)}, which is of the same item")


def _refuse(row: DataRow, plan: RowPlan, message: str) -> None:
    plan.refuse(Problem(row.sheet, row.number, None, None, message))


def _others(row: DataRow, rows: list[Entry]) -> str:
    return ", ".join([_where(other, row) for other, _ in rows if other is not row][:_NAMED])


def _where(other: DataRow, row: DataRow) -> str:
    return f"row {other.number}" + ("" if other.sheet == row.sheet else f" of {other.sheet}")
