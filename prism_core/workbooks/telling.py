"""What an import is said to have done, as JSON values: for `--json` and for the API alike.

Belongs here: the facts of a plan by sheet and by row. Does not belong here: the plan (plan.py), how it is shown.
"""

from typing import Any

from prism_core.workbooks.plan import ImportPlan, Outcome, RowPlan


def worth_telling(plan: ImportPlan) -> list[RowPlan]:
    """The rows that something happens to, in the order of the workbook."""
    return [row for row in plan.rows if row.outcome is not Outcome.UNCHANGED or row.notes]


def sheet_facts(plan: ImportPlan) -> list[dict[str, Any]]:
    """Every sheet with its table, its counts, and why it was not read."""
    rows: list[dict[str, Any]] = []
    for sheet in plan.sheets:
        own = [row for row in plan.rows if row.sheet == sheet.name]
        counts = {outcome.value: sum(row.outcome is outcome for row in own) for outcome in Outcome}
        table = sheet.table.spec.name if sheet.table is not None else None
        facts = {"sheet": sheet.name, "table": table, "read": len(own), **counts}
        rows.append({**facts, "problem": sheet.problem, "note": sheet.note})
    return rows


def row_facts(row: RowPlan) -> dict[str, Any]:
    """One row with its outcome, what is wrong and what it changes."""
    return {
        "sheet": row.sheet,
        "row": row.row,
        "item": row.item_key,
        "outcome": row.outcome.value,
        "problems": [{"cell": problem.cell, "message": problem.message} for problem in row.problems],
        "changes": [
            {"cell": change.cell, "column": change.column, "before": change.before, "after": change.after}
            for change in row.changes
        ],
        "notes": row.notes,
    }
