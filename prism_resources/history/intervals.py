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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, NamedTuple, NoReturn, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.history.rebuild import lives
from prism_core.lake import Column
from prism_core.models.base import instant_text
from prism_core.models.changes import Operation
from prism_resources.history import interval_sql as sql
from prism_resources.history.states import Codes, ColumnTexts, Events, Longs, Spans, spans
from prism_resources.history.text import RECORDED_LATE, VERSION, carried
from prism_resources.scratch import Scratch

MEMORY_LIMIT: Final = "1GB"
_THREADS: Final = 2
_INSERT_ROWS = 250_000
_MADE = (VERSION, "instant", "ulid", "operation")
_NO_SLOT: Final = -1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StateIntervals:
    """Rows of now and changes go in, the states at any instants come out.

    All rows are added before the first question, all changes after the rows were read: at least every change
    that is later than the earliest instant asked for. A change that its row does not know came after the row was
    read, if it was not made before `began`: when the rows began to be read, less what clocks may differ; without
    it, whenever it was made. Putting a log in order is bounded in memory, and what is more lies in a folder that
    goes with this object; the texts that changes touched are held. Columns are those of the lake; texts are those
    of text.py.
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
        self._texts = [ColumnTexts(column) for column in self._columns]
        self._key, self._began_us = key, _microseconds(began or _EPOCH)
        self._folder = Scratch("history")
        self._database = duckdb.connect(":memory:")
        self._database.execute(f"SET memory_limit = '{memory_limit}'")
        self._database.execute(f"SET temp_directory = '{self._folder.path}'")
        self._database.execute("SET preserve_insertion_order = false")
        self._database.execute(sql.CREATE_TABLES)
        self._rows: list[pa.RecordBatch] = []
        self._changes: list[pa.RecordBatch] = []
        self._arrived_events = 0
        self._in_order: tuple[Events, pa.Array] | None = None

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
        if sum(map(len, self._rows)) >= _INSERT_ROWS or self._in_order is not None:
            self._arrived(self._rows, sql.insert_rows(self._key))

    def add_changes(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Changes: key, `version`, `instant`, `ulid`, `operation`, and for each column the text before.

        Null where the change did not touch the column, ABSENT where the item had no value before.
        """
        self._changes += _batches(batch)
        if sum(map(len, self._changes)) >= _INSERT_ROWS or self._in_order is not None:
            self._arrived(self._changes, sql.insert_changes(self._key))

    def at(self, instants: Mapping[str, datetime]) -> Iterator[tuple[str, pa.Table]]:
        """Every item that stood at each instant, oldest instant first, sorted by key.

        Raises TransientFailure when a row is newer than the changes, PermanentFailure when one is missing.
        """
        if not instants:
            return
        labels, states = self._between(instants)
        begin = np.searchsorted(states.spans.from_slots, np.arange(len(labels) + 1))
        items = len(states.items)
        until, versions = np.zeros(items, np.int32), np.zeros(items, np.int64)
        codes = [np.zeros(items, of.dtype) for of in states.codes]
        with ThreadPoolExecutor(_THREADS) as threads:
            for slot, label in enumerate(labels):
                begun = slice(begin[slot], begin[slot + 1])
                ids = states.spans.ids[begun]
                until[ids], versions[ids] = states.spans.to_slots[begun], states.spans.versions[begun]
                for standing, starting in zip(codes, states.codes, strict=True):
                    standing[ids] = starting[begun]
                alive = np.flatnonzero(until > slot)
                yield label, self._shown(states, alive, versions[alive], codes, alive, threads)

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
        week = next((n for n, column in enumerate(self._columns) if column.name == week_column), None)
        if week is None or self._columns[week].type not in {"string", "date"}:
            raise BadUsage(f"{week_column!r} is no column that says the week: a text or a date is expected")
        labels, states = self._between(instants)
        spans, said = states.spans, states.values[week]
        said = pc.strftime(said, "%G-W%V") if self._columns[week].type == "date" else said
        slots = pc.index_in(said, pa.array(labels, pa.string())).fill_null(_NO_SLOT).to_numpy()[states.codes[week]]
        stood = (spans.from_slots <= slots) & (slots < spans.to_slots)
        stands = (slots != _NO_SLOT) & (spans.to_slots == len(labels) + 1)
        late = stands & ~np.isin(spans.ids, spans.ids[stood])
        found = np.flatnonzero(stood | late)
        found = found[np.lexsort((spans.ids[found], slots[found]))]
        begin = np.searchsorted(slots[found], np.arange(len(labels) + 1))
        with ThreadPoolExecutor(_THREADS) as threads:
            for slot, label in enumerate(labels):
                chosen = found[begin[slot] : begin[slot + 1]]
                ids, versions = spans.ids[chosen], spans.versions[chosen]
                table = self._shown(states, ids, versions, states.codes, chosen, threads)
                yield label, table.append_column(RECORDED_LATE, pa.array(late[chosen]))

    def _arrived(self, batches: list[pa.RecordBatch], statement: str) -> None:
        """The order into DuckDB, many rows at once, the texts of the columns beside it."""
        if self._in_order is not None:
            raise BadUsage("rows and changes are added before the first question")
        if not batches:
            return
        table, first = pa.Table.from_batches(batches), self._arrived_events
        batches.clear()
        self._arrived_events += len(table)
        for column, texts in zip(self._columns, self._texts, strict=True):
            texts.add(first, table.column(column.name))
        made = table.select([name for name in (self._key, *_MADE) if name in table.column_names])
        numbers = pa.array(np.arange(first, self._arrived_events, dtype=np.int32))
        with _in_room(), self._seeing("arriving", made.append_column("number", numbers)):
            self._database.execute(statement)

    def _between(self, instants: Mapping[str, datetime]) -> tuple[list[str], "_States"]:
        """The labels by instant, and every state that held at one of these or holds now."""
        labels = sorted(instants, key=lambda label: instants[label])
        with _in_room():
            if self._in_order is None:
                self._in_order = self._put_in_order()
        events, items = self._in_order
        found = spans(events, [_microseconds(instants[label]) for label in labels])
        with ThreadPoolExecutor(_THREADS) as threads:
            try:
                held = list(threads.map(lambda texts: texts.held(events, found.places), self._texts))
            except pa.ArrowInvalid as error:
                said = str(error).splitlines()[0]
                raise PermanentFailure(
                    f"a value of now or of the change log does not fit its column: {said}; it was written past "
                    "the store or by another version of PRISM"
                ) from error
        return labels, _States(items, found, [codes for codes, _ in held], [values for _, values in held])

    def _put_in_order(self) -> tuple[Events, pa.Array]:
        """Every event in order, and the keys of the items."""
        self._arrived(self._rows, sql.insert_rows(self._key))
        self._arrived(self._changes, sql.insert_changes(self._key))
        self._database.execute(sql.RESTARTED)
        restarted = [_Restarted.of(row) for row in self._database.execute(sql.CHANGES_OF_RESTARTED).fetchall()]
        if restarted:
            with self._seeing("lives", _numbered_lives(restarted)):
                self._database.execute(sql.MOVE_LATER_LIVES)
        self._database.execute(sql.NUMBER_ITEMS)
        items = self._database.sql(sql.ITEMS).to_arrow_table().column("item").combine_chunks()
        events = self._events()
        if events.odd() is not None:
            self._leave_out_newer()
            events = self._events()
            odd = events.odd()
            if odd is not None:
                self._refuse_gap(items[odd].as_py())
        self._database.close()
        return events, items

    def _events(self) -> Events:
        found: dict[str, Any] = self._database.execute(sql.EVENTS).fetchnumpy()
        return Events(
            ids=found["id"],
            versions=found["version"],
            instants_us=found["us"],
            operations=found["operation"],
            numbers=found["number"],
            arrived=self._arrived_events,
        )

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

    def _refuse_gap(self, odd_item: str) -> NoReturn:
        gap = self._database.execute(sql.GAPS).fetchone()
        if gap is None:
            raise PermanentFailure(
                f"the history of {odd_item} does not end where the item stands; it was written past the change log"
            )
        item, version, instant_us, operation = gap
        raise PermanentFailure(
            f"the history of {item} has a gap at version {version} of {instant_text(_instant(instant_us))}: "
            f"the change before this {operation} is missing; the item was written past the change log"
        )

    def _shown(
        self,
        states: "_States",
        ids: npt.NDArray[Any],
        versions: Longs,
        codes: Sequence[Codes],
        chosen: npt.NDArray[np.intp],
        threads: Executor,
    ) -> pa.Table:
        """A row an item: its key, its version, and of each column the value whose number was chosen."""
        # Copying is most of the work. Arrow does it without the interpreter's lock, but column after column.
        takes = [(states.items, ids), *((v, of[chosen]) for v, of in zip(states.values, codes, strict=True))]
        halves = [takes[number::_THREADS] for number in range(_THREADS)]
        taken: list[Any] = [None] * len(takes)
        for number, half in enumerate(threads.map(_taken, halves)):
            taken[number::_THREADS] = half
        names = [self._key, VERSION, *(column.name for column in self._columns)]
        return pa.table([taken[0], pa.array(versions), *taken[1:]], names)

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


@dataclass(frozen=True, slots=True)
class _States:
    """Spans, the keys of their items, and what each state held: by column the values and their numbers."""

    items: pa.Array
    spans: Spans
    codes: list[Codes]
    values: list[pa.Array]


def _taken(takes: Sequence[tuple[Any, npt.NDArray[Any]]]) -> list[pa.Array]:
    chosen: list[tuple[Any, Any]] = [(values, pa.array(numbers)) for values, numbers in takes]
    return [pc.take(values, numbers, boundscheck=False) for values, numbers in chosen]


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
