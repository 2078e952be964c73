"""States of a table at many instants from the rows of now and the changes since, by sets.

Belongs here: the DuckDB that holds both, what it refuses, and handing out one table an instant or a week.
Does not belong here: its SQL (interval_sql.py), reading the log (changes.py), what a week of the lake holds.
The reference is prism_core/history/snapshots.py; a property test holds the two equal.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import duckdb
import numpy as np
import pyarrow as pa

from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.history.rebuild import lives
from prism_core.lake import Column
from prism_core.models.base import instant_text
from prism_core.models.changes import Operation
from prism_resources.history import interval_sql as sql
from prism_resources.history.text import RECORDED_LATE, VERSION, carried
from prism_resources.lake import ARROW_TYPES
from prism_resources.scratch import Scratch

MEMORY_LIMIT: Final = "1GB"
_THREADS: Final = 2
_BATCH_ROWS = 50_000
_INSERT_ROWS = 250_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StateIntervals:
    """Rows of now and changes go in, the states at any instants come out.

    All rows are added before the first question, all changes after the rows were read: at least every change
    that is later than the earliest instant asked for. A change that its row does not know came after the row was
    read, if it was not made before `began`: when the rows began to be read, less what clocks may differ; without
    it, whenever it was made. Memory is bounded; what is more lies in a folder that goes
    with this object. Columns are those of the lake; texts are those of text.py.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        key: str = "item_key",
        memory_limit: str = MEMORY_LIMIT,
        *,
        began: datetime | None = None,
    ) -> None:
        self._columns = tuple(column for column in carried(columns) if column.name != key)
        self._key, self._began_us = key, _microseconds(began or _EPOCH)
        self._folder = Scratch("history")
        self._database = duckdb.connect(":memory:")
        self._database.execute(f"SET memory_limit = '{memory_limit}'")
        self._database.execute(f"SET temp_directory = '{self._folder.path}'")
        self._database.execute("SET preserve_insertion_order = false")
        self._rows: list[pa.RecordBatch] = []
        self._changes: list[pa.RecordBatch] = []
        self._numbered = False
        for statement in sql.create_tables(self._columns):
            self._database.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()
        self._folder.close()

    def add_rows(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Rows of now: key, `version` and the text of each column, null where the item has no value."""
        self._rows += _batches(batch)
        if sum(map(len, self._rows)) >= _INSERT_ROWS or self._numbered:
            self._arrived(self._rows, sql.insert_rows(self._key, self._columns))

    def add_changes(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Changes: key, `version`, `instant`, `ulid`, `operation`, and for each column the text before.

        Null where the change did not touch the column, ABSENT where the item had no value before.
        """
        self._changes += _batches(batch)
        if sum(map(len, self._changes)) >= _INSERT_ROWS or self._numbered:
            self._arrived(self._changes, sql.insert_changes(self._key, self._columns))

    def at(self, instants: Mapping[str, datetime]) -> Iterator[tuple[str, pa.Table]]:
        """Every item that stood at each instant, oldest instant first, sorted by key.

        Raises TransientFailure when a row is newer than the changes, PermanentFailure when one is missing.
        """
        if not instants:
            return
        labels = self._between(instants)
        started = _Slices(
            self._stream("SELECT * EXCLUDE (odd) FROM intervals ORDER BY from_slot, id"), "from_slot"
        )
        live = started.empty
        with ThreadPoolExecutor(_THREADS) as threads:
            for slot, label in enumerate(labels):
                live = _alive(live, started.take(slot), slot, threads)
                yield label, self._shown(live)

    def of_week(
        self, instants: Mapping[str, datetime], week_column: str = "week"
    ) -> Iterator[tuple[str, pa.Table]]:
        """The items of each week as they stood at its instant, oldest first, sorted by key.

        One that did not stand then and does now is there as it is now, with `recorded_late` true. The labels of
        the instants are weeks; `week_column` is a text with the label, or a date within the week, and never
        changes. Raises as `at` does.
        """
        if not instants:
            return
        week = next((column for column in self._columns if column.name == week_column), None)
        if week is None or week.type not in {"string", "date"}:
            raise BadUsage(f"{week_column!r} is no column that says the week: a text or a date is expected")
        name = sql.names(self._columns)[self._columns.index(week)]
        labels = self._between(instants)
        asked = pa.table(
            {"label": pa.array(labels, pa.string()), "slot": pa.array(range(len(labels)), pa.int32())}
        )
        with self._seeing("asked", asked):
            found = _Slices(self._stream(sql.of_weeks(name, week.type, len(labels))), "slot")
            for slot, label in enumerate(labels):
                yield label, self._shown(found.take(slot))

    def _arrived(self, batches: list[pa.RecordBatch], statement: str) -> None:
        """Into DuckDB, many rows at once: a million by 250,000 took a third of the time of 120,000 at once."""
        if self._numbered:
            raise BadUsage("rows and changes are added before the first question")
        if batches:
            with _in_room(), self._seeing("arriving", pa.Table.from_batches(batches)):
                self._database.execute(statement)
            batches.clear()

    def _between(self, instants: Mapping[str, datetime]) -> list[str]:
        """Make the table `intervals`; answers the labels by instant."""
        labels = sorted(instants, key=lambda label: instants[label])
        with _in_room():
            if not self._numbered:
                self._put_in_order()
            self._find([_microseconds(instants[label]) for label in labels])
        return labels

    def _find(self, instants_us: Sequence[int]) -> None:
        self._database.execute(sql.number_days(instants_us))
        statement = sql.intervals(self._columns, instants_us)
        try:
            self._database.execute(statement)
            if self._database.execute(sql.ODD).fetchone() is not None:
                self._leave_out_newer()
                self._database.execute(statement)
                self._refuse_gaps()
        except duckdb.ConversionException as error:
            said = str(error).splitlines()[0]
            raise PermanentFailure(
                f"a value of now or of the change log does not fit its column: {said}; it was written past the "
                "store or by another version of PRISM"
            ) from error

    def _put_in_order(self) -> None:
        self._arrived(self._rows, sql.insert_rows(self._key, self._columns))
        self._arrived(self._changes, sql.insert_changes(self._key, self._columns))
        self._database.execute(sql.RESTARTED)
        restarted = [_Restarted.of(row) for row in self._database.execute(sql.CHANGES_OF_RESTARTED).fetchall()]
        if restarted:
            with self._seeing("lives", _numbered_lives(restarted)):
                self._database.execute(sql.MOVE_LATER_LIVES)
        self._database.execute(sql.NUMBER_ITEMS)
        self._items = self._database.sql(sql.ITEMS).to_arrow_table().column("item").combine_chunks()
        self._numbered = True

    def _leave_out_newer(self) -> None:
        """Changes that came after their row was read."""
        self._database.execute(sql.ENDS)
        self._database.execute(sql.CUTS)
        ahead = self._database.execute(sql.ROWS_TOO_NEW).fetchone()
        if ahead is not None:
            raise TransientFailure(
                f"{ahead[0]} is at version {ahead[1]}, its changes end at {ahead[2]}: it changed while it was "
                "read; read again"
            )
        old = self._database.execute(sql.cut_too_old(self._began_us)).fetchone()
        if old is not None:
            item, version, instant_us, row_version = old
            stands = "the item is not there" if row_version is None else f"the item is at version {row_version}"
            raise PermanentFailure(
                f"the history of {item} has a gap behind version {version} of "
                f"{instant_text(_instant(instant_us))}: {stands}; it was written past the change log"
            )
        self._database.execute(sql.CUT)

    def _refuse_gaps(self) -> None:
        odd = self._database.execute(sql.ODD).fetchone()
        if odd is None:
            return
        gap = self._database.execute(sql.GAPS).fetchone()
        if gap is None:
            raise PermanentFailure(
                f"the history of {odd[0]} does not end where the item stands; it was written past the change log"
            )
        item, version, instant_us, operation = gap
        raise PermanentFailure(
            f"the history of {item} has a gap at version {version} of {instant_text(_instant(instant_us))}: "
            f"the change before this {operation} is missing; the item was written past the change log"
        )

    def _stream(self, statement: str) -> pa.RecordBatchReader:
        with _in_room():  # sorted before the first row comes
            return self._database.sql(statement).to_arrow_reader(_BATCH_ROWS)

    def _shown(self, table: pa.Table) -> pa.Table:
        """Keys for numbers, the types of the lake, and none of our own columns."""
        shown = {self._key: self._items.take(table.column("id")), VERSION: table.column(VERSION)}
        for name, column in zip(sql.names(self._columns), self._columns, strict=True):
            shown[column.name] = table.column(name).cast(ARROW_TYPES[column.type])
        if RECORDED_LATE in table.column_names:
            shown[RECORDED_LATE] = table.column(RECORDED_LATE)
        return pa.table(shown)

    @contextmanager
    def _seeing(self, name: str, table: pa.RecordBatch | pa.Table) -> Iterator[None]:
        """DuckDB reads it under a name, without a copy."""
        self._database.register(name, table)
        try:
            yield
        finally:
            self._database.unregister(name)


@contextmanager
def _in_room() -> Iterator[None]:
    """Says what to do when memory or the folder beside it is full."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        said = str(error).splitlines()[0]
        raise PermanentFailure(
            f"rows and changes take more than there is: {said}; make room in the folder for temporary files, "
            f"{tempfile.gettempdir()}, or ask for fewer weeks"
        ) from error


def _batches(arrived: pa.RecordBatch | pa.Table) -> list[pa.RecordBatch]:
    return arrived.to_batches() if isinstance(arrived, pa.Table) else [arrived]


class _Slices:
    """A stream that is sorted by a number, cut into one table a number."""

    def __init__(self, stream: pa.RecordBatchReader, by: str) -> None:
        self._stream, self._by = stream, by
        self._waiting: list[pa.RecordBatch] = []
        self.empty = pa.Table.from_batches([], stream.schema)

    def take(self, number: int) -> pa.Table:
        """The rows up to a number that were not taken before."""
        found: list[pa.RecordBatch] = []
        while (batch := self._next()) is not None:
            numbers = batch.column(self._by).to_numpy()
            end = int(np.searchsorted(numbers, number, side="right"))
            found.append(batch.slice(0, end))
            if end < batch.num_rows:
                self._waiting.append(batch.slice(end))
                break
        return pa.Table.from_batches(found, self._stream.schema)

    def _next(self) -> pa.RecordBatch | None:
        return self._waiting.pop() if self._waiting else next(self._stream, None)


def _alive(live: pa.Table, started: pa.Table, slot: int, threads: Executor) -> pa.Table:
    """What stood before and still stands, with what began to stand, sorted by item."""
    both = pa.concat_tables([live, started])
    standing = np.flatnonzero(both.column("to_slot").to_numpy() > slot)
    ids = both.column("id").to_numpy()[standing]
    places = pa.array(standing[np.argsort(ids, kind="stable")], pa.int64())
    # Copying is most of a week's work. Arrow does it without the interpreter's lock, but column after column.
    halves = [range(number, both.num_columns, _THREADS) for number in range(_THREADS)]
    moved: list[Any] = [None] * both.num_columns
    for half, part in zip(halves, threads.map(lambda half: both.select(half).take(places), halves), strict=True):
        for number, column in zip(half, part.combine_chunks().columns, strict=True):
            moved[number] = column
    return pa.Table.from_arrays(moved, schema=both.schema)


class _Restarted(NamedTuple):
    """A change of an item that began again at an old version."""

    item: str
    version: int
    instant: datetime
    ulid: str
    operation: Operation

    @classmethod
    def of(cls, row: tuple[str, int, int, str, str]) -> Self:
        item, version, instant_us, ulid, operation = row
        return cls(item, version, _instant(instant_us), ulid, Operation(operation))


def _numbered_lives(changes: Sequence[_Restarted]) -> pa.Table:
    of_items: defaultdict[str, list[_Restarted]] = defaultdict(list)
    for change in changes:
        of_items[change.item].append(change)
    placed = [
        (change.item, change.ulid, number)
        for of_item in of_items.values()
        for number, life in enumerate(lives(of_item))
        for change in life
    ]
    items, ulids, numbers = zip(*placed, strict=True)
    return pa.table({"item": pa.array(items), "ulid": pa.array(ulids), "life": pa.array(numbers, pa.int64())})


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
