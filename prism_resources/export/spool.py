"""Rows on their way from pages to partitions, sorted by their item in bounded memory.

Belongs here: collecting batches, a folder that takes what is more than memory should hold, and the rows of a week,
or all, in order. Does not belong here: what is in a row.
A scan delivers rows of all weeks in no order. What was collected goes to a file, sorted, when it exceeds a limit;
these files are merged a slice at a time when they are read, so that no partition is ever held whole.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc

from prism_resources.lake_files import Slices, text_scalar
from prism_resources.scratch import Scratch

# Three tables are exported at once, and sorting takes as much again.
SPILL_BYTES: Final = 32 * 1024 * 1024
# What is read of a file at once: a table of ten gigabytes is three hundred files.
SLICE_BYTES: Final = 512 * 1024
_WHOLE: Final = ""


class _Part(NamedTuple):
    """Sorted rows in a file: its batches from `first` to before `end`."""

    path: Path
    first: int
    end: int

    def batches(self) -> Iterator[pa.RecordBatch]:
        # Not mapped into memory: what was read would count as ours until the system takes it back.
        with pa.OSFile(str(self.path), "rb") as file, pa.ipc.open_file(file) as reader:
            for number in range(self.first, self.end):
                yield reader.get_batch(number)


class Spool:
    """Batches of rows go in; the rows of a week, or all of them, come out. `weeks` are those that are wanted.

    `by` is the column that says the week; without one, all rows belong together. `key` is the column to sort by.
    """

    def __init__(
        self, key: str, by: str | None = None, weeks: Iterable[str] = (), *, spill_bytes: int = SPILL_BYTES
    ) -> None:
        self._key, self._by, self._weeks, self._limit = key, by, frozenset(weeks), spill_bytes
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._folder: Scratch | None = None
        self._parts: defaultdict[str, list[_Part]] = defaultdict(list)
        self._tables: dict[str, pa.Table] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep a batch; rows of weeks that are not wanted are dropped when it is written or read."""
        self._held.append(batch)
        self._held_bytes += batch.nbytes
        if self._held_bytes > self._limit:
            self._spill()

    def rows(self, week: str = _WHOLE) -> Slices:
        """The rows of a week in order, or all of them where they have none. After the last batch."""
        if self._held:
            if self._folder is None:
                self._tables, self._held = self._partitioned(), []
            else:
                self._spill()
        if week in self._tables:
            return [self._tables[week]]
        parts = self._parts.get(week)
        return [] if parts is None else _Merged(parts, self._key)

    def _partitioned(self) -> dict[str, pa.Table]:
        """What is held, by wanted week: one sort, and a slice a week."""
        table = pa.Table.from_batches(self._held)
        order: list[Any] = [(name, "ascending") for name in (self._by, self._key) if name is not None]
        table = table.take(pc.sort_indices(table, order))
        if self._by is None:
            return {_WHOLE: table}
        counted: Any = pc.value_counts(table[self._by])
        parts: dict[str, pa.Table] = {}
        start = 0
        for one in counted.to_pylist():  # in the order of their first row, which is that of the weeks
            if one["values"] in self._weeks:
                parts[one["values"]] = table.slice(start, one["counts"])
            start += one["counts"]
        return parts

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = Scratch("export")
        found, self._held, held_bytes, self._held_bytes = self._partitioned(), [], self._held_bytes, 0
        rows = sum(table.num_rows for table in found.values())
        if not rows:
            return
        path = self._folder.path / f"{len(list(self._folder.path.iterdir())):06d}"
        slice_rows = max(1, rows * SLICE_BYTES // max(held_bytes, 1))
        written = 0
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        schema = next(iter(found.values())).schema
        with pa.ipc.new_file(str(path), schema, options=options) as writer:
            for week, table in found.items():
                batches = table.combine_chunks().to_batches(max_chunksize=slice_rows)
                for batch in batches:
                    writer.write_batch(batch)
                self._parts[week].append(_Part(path, written, written + len(batches)))
                written += len(batches)


class _Merged:
    """Sorted parts as one, a slice at a time, as often as wanted and by several threads."""

    def __init__(self, parts: Sequence[_Part], key: str) -> None:
        self._parts, self._key = list(parts), key

    def __iter__(self) -> Iterator[pa.Table]:
        return merged([part.batches for part in self._parts], self._key)


def merged(runs: Sequence[Callable[[], Iterator[pa.RecordBatch]]], key: str) -> Iterator[pa.Table]:
    """The rows of several sorted runs, each key of which is in one of them, sorted; each slice is of any size.

    A slice goes up to the smallest last key of what was read of the runs: none of them has an earlier one to come.
    """
    waiting = [(run, head) for run in (start() for start in runs) if (head := _next(run)) is not None]
    while waiting:
        if len(waiting) == 1:
            run, head = waiting[0]
            yield pa.Table.from_batches([head])
            yield from (pa.Table.from_batches([batch]) for batch in run)
            return
        bound = text_scalar(min(_last(head, key) for _, head in waiting))
        ready: list[pa.RecordBatch] = []
        left: list[tuple[Iterator[pa.RecordBatch], pa.RecordBatch]] = []
        for run, head in waiting:
            earlier: Any = pc.less_equal(head.column(key), bound)
            rows = earlier.true_count
            ready.append(head.slice(0, rows))
            rest = head.slice(rows) if rows < head.num_rows else _next(run)
            left += [] if rest is None else [(run, rest)]
        waiting = left
        table = pa.Table.from_batches(ready)
        yield table.take(pc.sort_indices(table, [(key, "ascending")]))


def _next(run: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
    return next((batch for batch in run if batch.num_rows), None)


def _last(batch: pa.RecordBatch, key: str) -> str:
    return str(batch.column(key)[batch.num_rows - 1].as_py())
