"""Judging the rows of a workbook beside the stored items, cell by cell.

Belongs here: `plan_import`: what changed, what is in conflict, what the validator says. Does not belong here:
reading cells (reading.py), duplicates (repeats.py), writing (prism_resources/tables/imports.py).
An edited cell differs from what was exported; a conflict is an edited cell that somebody else changed as well.
A row is loaded whole or not at all: hours moved from Monday to Tuesday must not arrive on Tuesday only.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, cast

from pydantic import JsonValue, ValidationError

from prism_core.models.base import Versioned, instant_text
from prism_core.references import REFERENCES, newly_named
from prism_core.workbooks.cells import address
from prism_core.workbooks.codecs import Formats
from prism_core.workbooks.columns import Column, Lock
from prism_core.workbooks.fingerprint import digest
from prism_core.workbooks.mapping import NOW
from prism_core.workbooks.plan import BAD, CellChange, ImportPlan, ItemWrite, Outcome, RowPlan
from prism_core.workbooks.reading import Clear, DataRow, Problem, Workbook
from prism_core.workbooks.repeats import Entry, refuse_repeats

Plain = dict[str, JsonValue]
_BLANK: Final = digest(None)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SOURCE: Final = {"source": "import"}


def plan_import(
    workbook: Workbook,
    current: Mapping[str, Versioned],
    *,
    now: datetime,
    known: Mapping[str, Collection[str]] | None = None,
) -> ImportPlan:
    """Judge every row. A pure function: the same workbook, items and `now` give the same plan.

    `current` are the stored items of `workbook.keys()` by item key. `known` are the ids of members and projects
    that exist, of those in `workbook.references()`; without it references are not checked.
    """
    groups: dict[str, list[Entry]] = {}
    plans: list[RowPlan] = []
    for row in workbook.rows:
        plan = RowPlan(row.sheet, row.number, row.table.spec.name, row.item_key, notes=list(row.notes))
        plans.append(plan)
        for problem in row.problems:
            plan.refuse(problem)
        if row.item_key is not None:
            groups.setdefault(row.item_key, []).append((row, plan))
    planner = _Planner(workbook, current, now, known)
    first = [*REFERENCES.values()]  # other rows may name new members and projects
    for rows in sorted(groups.values(), key=lambda rows: rows[0][1].table not in first):
        planner.judge(rows)
    return ImportPlan(tuple(plans), tuple(planner.writes), workbook.sheets)


def seen(column: Column, plain: Mapping[str, JsonValue], formats: Formats) -> JsonValue:
    """What an unedited cell of an item gives back; None for a blank one."""
    value = column.value(plain)
    shown = None if value is None else column.codec.show(value)
    return None if shown is None else column.codec.read(shown, formats)


class _Planner:
    """Judges the items of one workbook, one after the other."""

    def __init__(
        self,
        workbook: Workbook,
        current: Mapping[str, Versioned],
        now: datetime,
        known: Mapping[str, Collection[str]] | None,
    ) -> None:
        self.writes: list[ItemWrite] = []
        self._ids = None if known is None else {table: set(ids) for table, ids in known.items()}
        self._sheets = {sheet.name: sheet for sheet in workbook.sheets}
        self._current, self._formats, self._now = current, workbook.formats, now
        # What is stored is shown in UTC, whatever zone the cells of a sheet are in.
        self._shown = replace(workbook.formats, zone=UTC)

    def judge(self, rows: list[Entry]) -> None:
        """Decide on all rows of one item."""
        refuse_repeats(rows)
        stored = self._current.get(rows[0][0].item_key or "")
        before = {} if stored is None else stored.plain()
        for row, plan in _good(rows):
            self._compare(row, plan, stored, before)
        made = stored is None
        active = [(row, plan) for row, plan in _good(rows) if plan.changes or (made and row.base is None)]
        while active:
            item = self._item(active, stored, before)
            active = _good(active)
            if item is not None:
                self._write(active, item, stored, before)
                return

    def _compare(self, row: DataRow, plan: RowPlan, stored: Versioned | None, before: Plain) -> None:
        """The fields that a row changes, and its conflicts."""
        base = {} if row.base is None else row.base.digests
        plain = {**before, **row.parts}
        for column_id, value in row.values.items():
            exported = base.get(column_id)
            if exported is not None and _digest(value) == exported:
                continue  # nobody edited this cell
            column = row.table.columns[column_id]
            stands = seen(column, plain, self._shown)
            if (stands is None) if isinstance(value, Clear) else _same(value, stands):
                continue  # it says what is stored
            locked = column.lock is Lock.CLOSED or (column.lock is Lock.NEW and stored is not None)
            if locked and exported is None:
                continue  # a sheet of their own shows it for information
            changed_since = exported is not None and stored is not None and digest(stands) != exported
            if locked:
                self._refuse(row, plan, column, "this column cannot be changed in a workbook; undo the edit")
            elif changed_since:
                self._refuse(row, plan, column, _conflict(stands), Outcome.CONFLICT)
            elif isinstance(value, str) and (match := _CONTROL.search(value)):
                name = f"U+{ord(match[0]):04X}"
                self._refuse(row, plan, column, f"the text has a control character ({name}); type it again")
            elif not plan.problems:
                after = None if isinstance(value, Clear) else value
                plan.changes.append(CellChange(self._cell(row, column_id), column_id, column.value(plain), after))
        self._note_emptied(row, plan, base)
        if stored is None and row.base is not None and not plan.problems:
            self._deleted_since(row, plan)

    def _note_emptied(self, row: DataRow, plan: RowPlan, base: Mapping[str, str]) -> None:
        for column_id, exported in base.items():
            if exported != _BLANK and column_id not in row.values and column_id not in row.parts:
                cell = self._cell(row, column_id)
                if cell is not None:
                    plan.notes.append(f"{cell} was emptied and stays as it is; {self._formats.clear} clears it")

    def _deleted_since(self, row: DataRow, plan: RowPlan) -> None:
        if plan.changes:
            message = "somebody else deleted it since the export"
            plan.refuse(Problem(row.sheet, row.number, None, None, message), Outcome.CONFLICT)
        else:
            plan.notes.append("was deleted since the export and is not made again")

    def _item(self, rows: list[Entry], stored: Versioned | None, before: Plain) -> Versioned | None:
        """The item with the changes of all rows; None when some were found bad, which their plans then say."""
        table = rows[0][0].table
        plain = {**before, **rows[0][0].parts}
        if stored is None:
            plain |= {name: self._default(value) for name, value in table.defaults.items()}
        if table.spec.name == "allocations":
            plain |= _SOURCE
        for row, plan in rows:
            for change in plan.changes:
                _set(plain, row.table.columns[change.column], change.after)
        try:
            item = cast("Versioned", table.spec.model.model_validate(plain))
        except ValidationError as error:
            self._blame(rows, error, plain)
            return None
        return None if self._names_nobody(rows, plain, before) else item

    def _write(self, rows: list[Entry], item: Versioned, stored: Versioned | None, before: Plain) -> None:
        row = rows[0][0]
        spec = row.table.spec
        if stored is not None and {**item.plain(), "source": None} == {**before, "source": None}:
            for _, plan in rows:  # other words for the same value
                plan.changes.clear()
            return
        write = ItemWrite(spec, row.item_key or "", item, 0 if stored is None else stored.version)
        for _, plan in rows:
            plan.outcome = write.outcome
        self.writes.append(write)
        if self._ids is not None and spec.name in REFERENCES.values():
            self._ids.setdefault(spec.name, set()).add(str(row.parts[spec.key_parts[0]]))

    def _default(self, value: JsonValue) -> JsonValue:
        return instant_text(self._now) if value == NOW else value

    def _names_nobody(self, rows: list[Entry], plain: Plain, before: Plain) -> bool:
        """Refuse the rows when they newly name a member or project that does not exist."""
        if self._ids is None:
            return False
        for named in newly_named(rows[0][1].table, before, plain):
            if named.key not in self._ids.get(named.table, ()):
                for row, plan in rows:
                    self._refuse(row, plan, row.table.columns.get(named.field), named.missing)
        return not _good(rows)

    def _blame(self, rows: list[Entry], error: ValidationError, plain: Plain) -> None:
        """Put each complaint of the validator at its cell, or at every row when no single one is to blame."""
        for one in error.errors():
            place = [str(part) for part in one["loc"]]
            column = _column_of(rows[0][0], place, plain)
            message = "this field is required" if one["type"] == "missing" else _plainly(one["msg"])
            if column is None and place:
                message = f"{'.'.join(place)}: {message}"
            guilty = [e for e in rows if column is not None and any(c.column == column.id for c in e[1].changes)]
            for row, plan in guilty or rows:
                self._complain(row, plan, column, message)
        for _, plan in rows:
            if plan.problems:
                plan.refuse(plan.problems.pop())

    def _complain(self, row: DataRow, plan: RowPlan, column: Column | None, message: str) -> None:
        """Without touching the changes: the next complaint is looked up in them."""
        cell = None if column is None else self._cell(row, column.id)
        if column is not None and cell is None:
            message = f"{column.title}: {message}"
        title = self._title(row, column) if column is not None and cell else None
        plan.problems.append(Problem(row.sheet, row.number, cell, title, message))

    def _refuse(
        self,
        row: DataRow,
        plan: RowPlan,
        column: Column | None,
        message: str,
        outcome: Outcome = Outcome.REJECTED,
    ) -> None:
        self._complain(row, plan, column, message)
        plan.refuse(plan.problems.pop(), outcome)

    def _title(self, row: DataRow, column: Column) -> str:
        """Of the column as it stands in the sheet: in rows by day, the hours of a Tuesday stand below Hours."""
        sheet = self._sheets[row.sheet]
        at = sheet.column_at(column.id)
        return sheet.header.columns[at].title if sheet.header is not None and at is not None else column.title

    def _cell(self, row: DataRow, column_id: str) -> str | None:
        at = self._sheets[row.sheet].column_at(column_id)
        return None if at is None else address(row.number, at)


def _good(rows: list[Entry]) -> list[Entry]:
    return [entry for entry in rows if not entry[1].problems and entry[1].outcome not in BAD]


def _conflict(stands: JsonValue) -> str:
    shown = "empty" if stands is None else repr(stands)
    return f"somebody else changed it since the export, to {shown}; enter that, or edit a new export"


def _same(left: JsonValue, right: JsonValue) -> bool:
    return left == right and isinstance(left, bool) is isinstance(right, bool)


def _digest(value: JsonValue | Clear) -> str:
    return digest(value.text if isinstance(value, Clear) else value)


def _set(plain: Plain, column: Column, value: JsonValue) -> None:
    whole = plain.get(column.field)
    place = plain if not column.part else (dict(whole) if isinstance(whole, dict) else {})
    key = column.key_in(plain) if column.part else column.field
    if value is None:
        place.pop(key, None)
    else:
        place[key] = value
    if column.part:
        plain[column.field] = place


def _column_of(row: DataRow, place: list[str], plain: Plain) -> Column | None:
    """The column of a complaint, by the field and, for hours, by the day."""
    for column in row.table.columns.values():
        if place and column.field == place[0]:
            if not column.part:
                return column
            key = column.key_in(plain) if column.by_date else column.part
            if len(place) > 1 and key == place[1]:
                return column
    return None


def _plainly(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
