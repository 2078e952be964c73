"""The weeks of registers and weekly tables: as they stood at the end of each week.

Belongs here: which weeks the rows of now stand for, and which are asked of the history. Does not belong here:
undoing changes (prism_resources/history) and writing partitions (engine.py).
Most exports need no history: nothing has changed since the week ended, or the week is running.
"""

from collections.abc import Iterator, Sequence, Set
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from prism_core.calendar import Week
from prism_core.clock import SKEW
from prism_core.lake import Column, LakeTable
from prism_core.settings import Settings
from prism_core.tables import TABLES, TableSpec
from prism_resources.export.decode import ITEM_KEY, RECORDED_LATE, WEEK
from prism_resources.export.spool import Spool, merged
from prism_resources.export.typed import Lazily, in_schema, typed, typed_rows
from prism_resources.history.changes import change_batches, log_end
from prism_resources.history.intervals import StateIntervals
from prism_resources.history.text import ABSENT, escaped
from prism_resources.lake_files import Slices, text_array
from prism_resources.tables.settled import week_of_item_key

# The last instant of a week: changes of Monday 00:00:00 are those of the next one.
_MOMENT: Final = timedelta(microseconds=1)
# Of the states that are merged between the others, at once.
SLICE_ROWS: Final = 8_192
# Of the history; what is more lies in a folder.
MEMORY_LIMIT: Final = "128MB"
_HISTORY_KEY: Final = "item_key"
_WEEK_COLUMN: Final = Column(WEEK, "string", "week of the row")


def states_of(
    settings: Settings, table: LakeTable, weeks: Sequence[Week], spool: Spool, now: datetime
) -> Iterator[tuple[Week, Slices]]:
    """Each week and its rows, oldest first. `spool` holds the rows of now, all that will be; `now` is from before
    they were read.

    Raises TransientFailure when the table changes faster than it is read, PermanentFailure when its history has a
    gap.
    """
    running = Week.of(now)
    past = [week for week in weeks if week < running]
    changes: Iterator[pa.RecordBatch] = iter(())
    if past:
        changes = change_batches(settings, TABLES[table.name], _columns(table), _end(past[0]), log_end(now))
        if table.kind == "weekly":  # rows of other weeks are not in the spool
            changes = _of_weeks(changes, TABLES[table.name], past)
        changes = _since(changes, _end(past[0]))
    first = next(changes, None)
    if first is None:
        yield from _of_now(table, weeks, spool)
        return
    began = min(now, datetime.now(UTC)) - SKEW
    yield from _of_past(table, past, spool, chain([first], changes), began)
    present = [week for week in weeks if week >= running]
    yield from _of_now(table, present, spool) if present else ()


def _of_now(table: LakeTable, weeks: Sequence[Week], spool: Spool) -> Iterator[tuple[Week, Slices]]:
    """Rows of now stand for every week since the last change; those of a weekly table for their own week."""
    if table.kind == "register":
        rows = typed(table, spool.rows())
        yield from ((week, rows) for week in weeks)
    else:
        yield from ((week, typed(table, spool.rows(week.label))) for week in weeks)


def _of_past(
    table: LakeTable, weeks: Sequence[Week], spool: Spool, changes: Iterator[pa.RecordBatch], began: datetime
) -> Iterator[tuple[Week, Slices]]:
    """Only items that have changed are taken back, and held; the others go by, as they stand in the spool."""
    columns, by_week = _columns(table), table.kind == "weekly"
    with StateIntervals(columns, memory_limit=MEMORY_LIMIT, began=began) as history:
        changed = set[str]()
        for batch in changes:
            history.add_changes(batch)
            changed.update(map(str, batch.column(_HISTORY_KEY).to_pylist()))
        for label in [week.label for week in weeks] if by_week else [""]:
            for part in spool.rows(label):
                for batch in part.filter(_among(part, changed)).to_batches():
                    history.add_rows(_with_escapes(batch, columns))
        instants = {week.label: _end(week) for week in weeks}
        if by_week:
            found = history.of_week(instants, "date" if table.name == "availability" else WEEK)
        else:
            found = history.at(instants)
        for label, states in found:
            yield Week.parse(label), _beside(table, states, spool.rows(label if by_week else ""), changed)


def _beside(table: LakeTable, states: pa.Table, texts: Slices, changed: Set[str]) -> Slices:
    """States of the items that have changed, and between them all others, as they stand."""
    moved = in_schema(table, states).append_column(ITEM_KEY, states[_HISTORY_KEY]).combine_chunks()

    def others() -> Iterator[pa.RecordBatch]:
        for part in texts:
            left = part.filter(pc.invert(_among(part, changed)))
            rows = typed_rows(table, left).append_column(ITEM_KEY, left[ITEM_KEY])
            yield from rows.combine_chunks().to_batches()

    def together() -> Iterator[pa.Table]:
        for part in merged([lambda: iter(moved.to_batches(SLICE_ROWS)), others], ITEM_KEY):
            yield part.drop_columns([ITEM_KEY])

    return Lazily(together)


def _among(part: pa.Table, changed: Set[str]) -> Any:
    """Which rows are of these items. Arrow's `is_in` would hash all of them anew for each slice."""
    return pa.array([key in changed for key in part[ITEM_KEY].to_pylist()], pa.bool_())


def _columns(table: LakeTable) -> list[Column]:
    columns = [column for column in table.columns if column.name != RECORDED_LATE]
    return [*columns, _WEEK_COLUMN] if table.kind == "weekly" and table.name != "availability" else columns


def _end(week: Week) -> datetime:
    return week.end - _MOMENT


def _of_weeks(
    batches: Iterator[pa.RecordBatch], spec: TableSpec, weeks: Sequence[Week]
) -> Iterator[pa.RecordBatch]:
    """The changes of items of these weeks, whenever they were made: the key of an item says its week."""
    labels = {week.label for week in weeks}
    for batch in batches:
        keys = batch.column(_HISTORY_KEY).to_pylist()
        found = batch.filter(pa.array([week_of_item_key(spec, str(key)) in labels for key in keys], pa.bool_()))
        if found.num_rows:
            yield found


def _since(batches: Iterator[pa.RecordBatch], instant: datetime) -> Iterator[pa.RecordBatch]:
    """All batches if any of them holds a change later than the instant, else none.

    The log is read from a minute before: where the clocks of two writers differ, a change of that minute may have
    followed a later one, and without it the history would have a gap.
    """
    earlier: list[pa.RecordBatch] = []
    for batch in batches:
        earlier.append(batch)
        later = pc.greater(batch.column("instant"), pa.scalar(instant, pa.timestamp("us", tz="UTC")))
        if pc.any(later).as_py():
            yield from earlier
            yield from batches
            return


def _with_escapes(batch: pa.RecordBatch, columns: Sequence[Column]) -> pa.RecordBatch:
    """The rows as the history takes them: a version that is a number, and no text that reads as ABSENT."""
    arrays: dict[str, Any] = {name: batch.column(name) for name in batch.schema.names}
    for column in columns:
        array = arrays[column.name]
        if column.type == "string" and pc.any(pc.starts_with(array, ABSENT)).as_py():
            arrays[column.name] = text_array([t if t is None else escaped(t) for t in array.to_pylist()])
    arrays[_HISTORY_KEY] = arrays.pop(ITEM_KEY)
    arrays["version"] = arrays["version"].cast(pa.int64())
    return pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))
