"""The queue of workers and labelling jobs that nobody has resolved.

Belongs here: putting what a run has seen into the workers table, for a person to resolve, and keeping when it was
first and last seen. Does not belong here: resolving (a person does), and an item that a person has decided.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from prism_core import clock
from prism_core.calendar import Week
from prism_core.failures import StaleVersion
from prism_core.models.workers import Worker, WorkerStatus, worker_key
from prism_core.worker_activity.throughput import WeekThroughput
from prism_resources.tables.store import TableStore, Write

ACTOR = "throughput"
# A write costs a read and a transaction of two items. More than this in one run is no queue for people any more;
# what is left out is queued by the next run, when these are resolved.
MOST_A_RUN = 2_000
BATCH = 25
ATTEMPTS = 3


@dataclass(slots=True)
class Queued:
    """What became of the names of a run. `unusable` are names that no worker or job of the table can have."""

    new: int = 0
    seen_again: int = 0
    left: int = 0
    unusable: int = 0


class UnresolvedQueue:
    """Gathers the weeks of a run, and writes each name once."""

    def __init__(self, store: TableStore[Worker]) -> None:
        self._store = store
        self._seen: dict[Week, dict[str, tuple[date, date]]] = {}

    def see(self, result: WeekThroughput) -> None:
        """Remember what a week could not resolve, with its first and last day. Its last result counts."""
        spans = self._seen[result.week] = dict[str, tuple[date, date]]()
        found: dict[str, list[date]] = {}
        for row in result.rows:
            if not row.worker_resolved:
                found.setdefault(row.member_id.removeprefix("worker:"), []).append(row.day)
            if not row.project_resolved:
                found.setdefault(row.project_id, []).append(row.day)
        counts = result.counts
        for key in [*counts.unresolved_by_worker, *(worker_key(job=job) for job in counts.unresolved_by_job)]:
            # Work that a correction has moved is in no row of its own name, but its worker is still unresolved.
            days = found.get(key) or list(result.week.days)
            spans[key] = min(days), max(days)

    def flush(self, progress: Callable[[int, int], None]) -> Queued:
        """Write what was seen: new names as unresolved, known unresolved ones with a wider span.

        Repeating it writes nothing. An item that somebody resolved or ignored is never touched, also when that
        happens at this moment.
        """
        days = self._days()
        queued = Queued(left=max(0, len(days) - MOST_A_RUN))
        names = sorted(days)[:MOST_A_RUN]
        done = 0
        for part in _parts(names):
            self._write({key: days[key] for key in part}, queued)
            done += len(part)
            progress(done, len(names))
        self._seen.clear()
        return queued

    def _days(self) -> dict[str, tuple[date, date]]:
        """First and last day of each name over all weeks."""
        found: dict[str, tuple[date, date]] = {}
        for spans in self._seen.values():
            for key, (first, last) in spans.items():
                earliest, latest = found.get(key, (first, last))
                found[key] = min(earliest, first), max(latest, last)
        return found

    def _write(self, days: dict[str, tuple[date, date]], queued: Queued) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            wanted = (self._wanted(key, span, queued) for key, span in days.items())
            writes = [write for write in wanted if write is not None]
            try:
                self._store.transact(
                    writes,
                    actor=ACTOR,
                    reason=f"seen in {self._span()}, and nobody has said who or what it is",
                    request_id=f"{ACTOR}-{uuid4()}",
                    now=clock.now(),
                )
            except StaleVersion:  # a person decided one of them at this moment
                if attempt == ATTEMPTS:
                    raise
                continue
            new = sum(1 for write in writes if not write.expected_version)
            queued.new += new
            queued.seen_again += len(writes) - new
            return

    def _wanted(self, key: str, days: tuple[date, date], queued: Queued) -> Write[Worker] | None:
        first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days)
        found = self._store.get(worker_key=key)
        if found is None:
            try:
                return Write(Worker(**_identity(key), worker_key=key, first_seen=first, last_seen=last), 0)
            except ValidationError:
                queued.unusable += 1
                return None
        if found.status is not WorkerStatus.UNRESOLVED:
            return None
        wider = {"first_seen": min(found.first_seen or first, first), "last_seen": max(found.last_seen, last)}
        if (found.first_seen, found.last_seen) == tuple(wider.values()):
            return None
        return Write(found.model_copy(update=wider), found.version)

    def _span(self) -> str:
        first, last = min(self._seen), max(self._seen)
        return first.label if first == last else f"{first} to {last}"


def _identity(key: str) -> dict[str, Any]:
    if key.startswith("job:"):
        return {"job": key.removeprefix("job:")}
    pool, sharp, sub = key.partition("#")
    return {"pool": pool, "sub": sub} if sharp else {"worker_id": key}


def _parts(names: list[str]) -> Iterator[list[str]]:
    return (names[at : at + BATCH] for at in range(0, len(names), BATCH))
