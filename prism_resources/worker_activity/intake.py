"""New records on their way into the lake, whether they come from files or from the log.

Belongs here: which records of a week are new, the claim of a week at the moment something lands in it, and
landing in batches. Does not belong here: reading files (ingest.py) or the log (log.py).
"""

from collections.abc import Callable
from enum import Enum
from typing import Generic, TypeVar

from prism_core.calendar import Week
from prism_core.settings import ActivitySource
from prism_resources.worker_activity.landing import Landing, OtherSource

# Records a raw object: about 2 MB compressed. Bounds memory, and what a killed ingest has to repeat.
BATCH_RECORDS = 50_000
# Bytes that wait, of all weeks: a record may have 256 KiB, and a file may hold many weeks in no order.
BATCH_BYTES = 256 * 1024 * 1024

P = TypeVar("P")
Refuse = Callable[[Week, P, str], None]


class Outcome(Enum):
    """What became of one record."""

    LOADED = "loaded"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Intake(Generic[P]):
    """Remembers what the lake holds and what it has put there itself. `P` is a record's place at its source."""

    def __init__(self, landing: Landing, source: ActivitySource) -> None:
        self._landing, self._source = landing, source
        self._known: dict[Week, set[str]] = {}
        self._foreign: dict[Week, str] = {}
        self._pending: dict[Week, list[tuple[P, bytes]]] = {}
        self._waiting_bytes = 0

    def judge(self, week: Week, identity: str) -> tuple[Outcome, str]:
        """Whether a record is new, with the reason when its week belongs to the other source.

        A record that is new counts as known from here on: hand it to `keep`.
        """
        if week not in self._known:
            self._known[week] = self._landing.ids(week)
            holder = self._landing.source(week)
            if holder is not None and holder != self._source.value:
                self._foreign[week] = str(OtherSource(week, holder, self._source))
        if week in self._foreign:
            return Outcome.REFUSED, self._foreign[week]
        known = self._known[week]
        if identity in known:
            return Outcome.DUPLICATE, ""
        known.add(identity)
        return Outcome.LOADED, ""

    def keep(self, week: Week, place: P, line: bytes, refuse: Refuse[P]) -> None:
        """Land a new record with the next batch of its week.

        `refuse` is called for records that were said to be new when, between the two, the other source came
        first into their week.
        """
        waiting = self._pending.setdefault(week, [])
        waiting.append((place, line))
        self._waiting_bytes += len(line)
        if self._waiting_bytes >= BATCH_BYTES:
            self.finish(refuse)
        elif len(waiting) >= BATCH_RECORDS:
            self._land(week, waiting, refuse)

    def finish(self, refuse: Refuse[P]) -> None:
        """Land what is waiting."""
        for week, waiting in self._pending.items():
            if waiting:
                self._land(week, waiting, refuse)

    def _land(self, week: Week, waiting: list[tuple[P, bytes]], refuse: Refuse[P]) -> None:
        try:
            self._landing.claim(week, self._source)
        except OtherSource as error:
            self._foreign[week] = str(error)
            for place, _ in waiting:
                refuse(week, place, str(error))
        else:
            self._landing.land(week, self._source, (line for _, line in waiting))
        self._waiting_bytes -= sum(len(line) for _, line in waiting)
        waiting.clear()
