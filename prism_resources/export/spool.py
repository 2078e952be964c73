"""Rows on their way from pages to partitions, kept by week in bounded memory.

Belongs here: collecting batches, and a folder that takes what is more than memory should hold. Does not belong
here: what is in a row.
A scan delivers rows of all weeks in no order. What was collected goes to a file a week when it exceeds a limit.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc

SPILL_BYTES: Final = 96 * 1024 * 1024
_WHOLE = "all"


class Spool:
    """Batches of rows go in; the rows of a week, or all of them, come out. `weeks` are those that are wanted.

    `by` is the column that says the week; without one, all rows belong together.
    """

    def __init__(self, by: str | None, weeks: Iterable[str] = (), *, spill_bytes: int = SPILL_BYTES) -> None:
        self._by, self._weeks, self._limit = by, sorted(weeks), spill_bytes
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._folder: Path | None = None
        self._writers: dict[str, pa.ipc.RecordBatchStreamWriter] = {}
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_files()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep a batch; rows of weeks that are not wanted are dropped when it is written or read."""
        self.rows += batch.num_rows
        self._held.append(batch)
        self._held_bytes += batch.nbytes
        if self._held_bytes > self._limit:
            self._spill()

    def by_week(self) -> Iterator[tuple[str, pa.Table | None]]:
        """The rows of each wanted week, in order; None for a week without any. After the last batch."""
        if self._by is None:
            raise ValueError("these rows belong to no week")
        parts = self._finish()
        for week in self._weeks:
            yield week, parts.pop(week, None) if self._folder is None else self._read(week)

    def whole(self) -> pa.Table | None:
        """Every row of wanted weeks; None when there was none. After the last batch."""
        parts = self._finish()
        names = [_WHOLE] if self._by is None else self._weeks
        found = [parts.get(name) if self._folder is None else self._read(name) for name in names]
        tables = [table for table in found if table is not None]
        return pa.concat_tables(tables) if tables else None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The same rows, a part at a time. After the last batch."""
        parts = self._finish()
        if self._folder is None:
            for table in parts.values():
                yield from table.to_batches()
            return
        for path in sorted(self._folder.iterdir()):
            with pa.ipc.open_stream(pa.memory_map(str(path))) as reader:
                yield from reader

    def _finish(self) -> dict[str, pa.Table]:
        """All rows in the folder, if there is one; else by week."""
        if self._folder is None:
            return self._partitioned()
        self._spill()
        self._close_files()
        return {}

    def _read(self, name: str) -> pa.Table | None:
        if self._folder is None or not (self._folder / name).exists():
            return None
        with pa.ipc.open_stream(pa.memory_map(str(self._folder / name))) as reader:
            return reader.read_all()

    def _partitioned(self) -> dict[str, pa.Table]:
        """What is held, by wanted week: one sort, and a slice a week."""
        if not self._held:
            return {}
        table = pa.Table.from_batches(self._held)
        if self._by is None:
            return {_WHOLE: table}
        table = table.take(pc.sort_indices(table, [(self._by, "ascending")]))
        counted: Any = pc.value_counts(table[self._by])
        parts: dict[str, pa.Table] = {}
        start = 0
        for one in counted.to_pylist():  # in the order of their first row, which is that of the weeks
            parts[str(one["values"])] = table.slice(start, one["counts"])
            start += one["counts"]
        return {week: parts[week] for week in self._weeks if week in parts}

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="prism-export-"))
        for week, table in self._partitioned().items():
            writer = self._writers.get(week)
            if writer is None:
                options = pa.ipc.IpcWriteOptions(compression="lz4")
                writer = pa.ipc.new_stream(str(self._folder / week), table.schema, options=options)
                self._writers[week] = writer
            writer.write_table(table)
        self._held, self._held_bytes = [], 0

    def _close_files(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
