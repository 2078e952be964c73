"""The export: operational tables to the weeks of the lake.

Belongs here: the order of things for one table (read, spool, type, write) and for many, and what became of them.
Does not belong here: what a partition holds in the past (states.py), encodings and objects (lake.py).
Nothing is kept between runs: one that was ended is started again, finds what it had written, and goes on.
Two at once are no harm: the objects are listed before the rows are read, and who finds another's week reads again.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyarrow as pa

from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage, PermanentFailure, PrismFailure, TransientFailure
from prism_core.lake import LakeTable
from prism_core.lake_tables import EXPORTED
from prism_core.settings import Settings
from prism_resources.export.decode import ITEM_KEY, WEEK, WEEK_OF_INSTANT, RowDecoder
from prism_resources.export.reading import pages_of
from prism_resources.export.spool import Spool
from prism_resources.export.states import states_of
from prism_resources.export.typed import typed, with_week_of
from prism_resources.lake import Lake, PartitionWrite, RestsOn, Stored, Superseded
from prism_resources.lake_files import Content, Slices, content_of
from prism_resources.tables.raw import RawTables

# Tables at once, and partitions of one that are being encoded and put. More of them only hold more memory.
TABLE_THREADS: Final = 3
WRITE_THREADS: Final = 4
# Of JSON Lines that are being put, of a table: beyond it, one partition after the other.
HELD_BYTES: Final = 16 * 1024 * 1024
# Times that a table is read, while another export writes the same weeks.
ATTEMPTS: Final = 3
# Fewer tables are listed each for itself, three formats: a listing of everything would be longer.
LISTED_ONE_BY_ONE: Final = 3

Progress = Callable[[str, int], None]


@dataclass(slots=True)
class TableOutcome:
    """What became of a table: items read, and of its weeks, rows, partitions written and left alone."""

    table: str
    items: int = 0
    rows: int = 0
    written: int = 0
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)
    partitions: dict[Week, PartitionWrite] = field(default_factory=dict)

    def count(self, week: Week, write: PartitionWrite) -> None:
        self.partitions[week] = write
        self.rows += write.manifest.rows
        self.written += write.written
        self.unchanged += not write.written
        self.notes += write.notes


class Export:
    """One export of some tables and weeks at an instant. `progress` is told a table and the items read of it.

    `finished` are the tables of the last run that are up to date, whatever became of the others.
    """

    def __init__(
        self,
        settings: Settings,
        lake: Lake,
        *,
        now: datetime,
        raw: RawTables | None = None,
        progress: Progress = lambda _table, _items: None,
    ) -> None:
        self._settings, self._lake, self._now, self._progress = settings, lake, now, progress
        # Arrow's own allocator keeps what was freed: 80 MB more at the peak of two hundred thousand items.
        pa.set_memory_pool(pa.system_memory_pool())
        self.raw = raw or RawTables(settings)
        self.finished: list[TableOutcome] = []
        self._telling = threading.Lock()
        self._listed: dict[str, Stored] | None = None

    def run(self, tables: Sequence[LakeTable], weeks: WeekRange) -> list[TableOutcome]:
        """Bring these weeks of these tables up to date, in the order given.

        Raises BadUsage for a week that is to come and for a table that is computed, and what a table fails with,
        after the others have ended: their partitions stand. Of several failures it raises one that names them all:
        TransientFailure when all of them are, else PermanentFailure.
        """
        self.finished = []
        refuse_future(weeks, self._now)
        if other := [table.name for table in tables if not table.exported]:
            raise BadUsage(
                f"{', '.join(other)}: computed by an asset of the same name; `prism materialize` does it. "
                f"The export writes {', '.join(EXPORTED)}"
            )
        if not tables:
            return []
        if len(tables) > LISTED_ONE_BY_ONE:
            self._listed = {found.key: found for found in self._lake.stored("lake/")}
        with ThreadPoolExecutor(min(TABLE_THREADS, len(tables))) as pool:
            futures = [pool.submit(self.table, table, weeks) for table in tables]
        failed = {
            table.name: error
            for table, future in zip(tables, futures, strict=True)
            if (error := future.exception())
        }
        self.finished = [future.result() for future in futures if future.exception() is None]
        if failed:
            raise _one_of(failed)
        return self.finished

    def table(self, table: LakeTable, weeks: WeekRange) -> TableOutcome:
        """One table. Raises Superseded when others wrote the same weeks each time that it was read."""
        known, wanted = self._listed, list(weeks)
        for attempt in range(ATTEMPTS):
            try:
                return self._table(table, wanted, self._lake.listed(table, wanted) if known is None else known)
            except Superseded:
                if attempt + 1 == ATTEMPTS:
                    raise
                known = None
        raise AssertionError("the last attempt answers or raises")

    def _table(self, table: LakeTable, wanted: Sequence[Week], known: Mapping[str, Stored]) -> TableOutcome:
        """`known` was listed before anything is read."""
        outcome, decoder = TableOutcome(table.name), RowDecoder(table)
        by = None if table.kind == "register" else WEEK
        with Spool(ITEM_KEY, by, [week.label for week in wanted]) as spool:
            for page in pages_of(self.raw, self._settings, decoder, wanted):
                outcome.items += len(page)
                spool.add(with_week_of(table, decoder.batch(page), WEEK_OF_INSTANT.get(table.name)))
                self._tell(table.name, outcome.items)
            self._write(table, wanted, spool, known, outcome)
        return outcome

    def _write(
        self,
        table: LakeTable,
        weeks: Sequence[Week],
        spool: Spool,
        known: Mapping[str, Stored],
        outcome: TableOutcome,
    ) -> None:
        """A few partitions at a time, and fewer of large ones: what is not yet put is held in memory."""

        def write(week: Week, content: Content) -> PartitionWrite:
            return self._lake.write_partition(
                table,
                week,
                content,
                now=self._now,
                known=known,
                sparse=True,
                rests_on=RestsOn({"rows": content.rows}),
            )

        running: deque[tuple[Week, int, Future[PartitionWrite]]] = deque()

        def end_first() -> None:
            week, _, future = running.popleft()
            outcome.count(week, future.result())

        with ThreadPoolExecutor(WRITE_THREADS) as pool:
            for week, content in self._contents(table, weeks, spool):
                running.append((week, len(content.lines), pool.submit(write, week, content)))
                while len(running) > WRITE_THREADS or sum(held for _, held, _ in running) > HELD_BYTES:
                    end_first()
            while running:
                end_first()

    def _contents(self, table: LakeTable, weeks: Sequence[Week], spool: Spool) -> Iterator[tuple[Week, Content]]:
        """Each week with its content; the same rows one after the other are encoded once."""
        last: tuple[Slices, Content] | None = None
        for week, rows in self._rows(table, weeks, spool):
            if last is None or last[0] is not rows:
                last = rows, content_of(table, rows)
            yield week, last[1]

    def _rows(self, table: LakeTable, weeks: Sequence[Week], spool: Spool) -> Iterator[tuple[Week, Slices]]:
        if table.kind in {"fact", "log"}:
            for week in weeks:
                yield week, typed(table, spool.rows(week.label))
        else:
            yield from states_of(self._settings, table, weeks, spool, self._now)

    def _tell(self, table: str, items: int) -> None:
        with self._telling:
            self._progress(table, items)


def refuse_future(weeks: WeekRange, now: datetime) -> None:
    """Raises BadUsage for a week that has not begun."""
    running = Week.of(now)
    if weeks.last > running:
        raise BadUsage(f"{weeks.last} is to come: {running} is the running week, and the last that has a state")


def _one_of(failed: Mapping[str, BaseException]) -> BaseException:
    """What many tables failed with. What is no failure of ours goes first: it ends as a traceback."""
    errors = list(failed.values())
    for error in errors:
        if len(errors) == 1 or not isinstance(error, PrismFailure):
            return error
    transient = all(isinstance(error, TransientFailure) for error in errors)
    told = "; ".join(f"{table}: {error}" for table, error in failed.items())
    return (TransientFailure if transient else PermanentFailure)(f"{len(failed)} tables failed. {told}")
