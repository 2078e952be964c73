"""Roll-ups of hours that have ended, from the events that are stored.

Belongs here: reading those events, and writing what they add to windows. Does not belong here: computing
(prism_core/events/rollups.py) and when (the asset).
A window is the sum of what each hour of acceptance adds to it, and that is computed from all events of the hour: a
late event has one hour read again, not the week in which others of its window may have come.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from prism_core.events.rollups import Counted, Grain, RollUp, fold, roll_ups
from prism_core.models.events import EventMark, hour_of
from prism_core.settings import Settings
from prism_resources.events.event_store import EventStore
from prism_resources.events.rollup_store import RollupStore
from prism_resources.events.schema_store import SchemaStore

_LAST_MINUTE: Final = timedelta(minutes=59)
_LAST_HOUR: Final = timedelta(hours=23)
_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Folded:
    """What a run computed: events read by type and by hour of acceptance, and windows written."""

    events: dict[str, int]
    windows: int
    hours: dict[datetime, int]


class Folding:
    """Roll-ups of a platform. Of a type's hour `at_once` events are in memory, without their data."""

    def __init__(self, settings: Settings, *, at_once: int = _AT_ONCE) -> None:
        self._at_once = at_once
        self._schemas, self._events = SchemaStore(settings), EventStore(settings)
        self._rollups = RollupStore(settings)

    def types(self) -> list[str]:
        """The types that there are: an event is stored under a schema or not at all."""
        return sorted({one.type for one in self._schemas.all()})

    def fold(self, hours: Sequence[datetime], now: datetime) -> Folded:
        """Compute what events accepted within these hours (their beginnings, UTC) add to their windows.

        Windows of the running hour wait for its end.
        """
        running = Grain.HOUR.start_of(now)
        counts: dict[str, int] = {}
        by_hour = dict.fromkeys(hours, 0)
        windows = 0
        for kind in self.types():
            days: set[datetime] = set()
            for hour in hours:
                number, added = self._computed(kind, hour, running)
                if not number:
                    continue
                by_hour[hour] += number
                counts[kind] = counts.get(kind, 0) + number
                self._write(kind, hour, added, now)
                windows += len(added)
                days |= {Grain.DAY.start_of(one.start) for one in added}
            windows += self._days(kind, days, now)
        return Folded(counts, windows, by_hour)

    def _computed(self, kind: str, hour: datetime, running: datetime) -> tuple[int, list[RollUp]]:
        """How many events were accepted within an hour, and what they add to windows that have ended."""
        events = map(counted, self._events.of_hour(kind, hour_of(hour)))
        number, added = 0, dict[tuple[Grain, datetime], RollUp]()
        while some := list(islice(events, self._at_once)):
            number += len(some)
            ended = [one for one in some if one.at < running]
            for grain in (Grain.MINUTE, Grain.HOUR):
                for (_, start), one in roll_ups(ended, grain).items():
                    known = added.get((grain, start))
                    added[grain, start] = one if known is None else known.merged(one)
        return number, list(added.values())

    def _write(self, kind: str, hour: datetime, added: Iterable[RollUp], now: datetime) -> None:
        """What all events accepted within an hour add, in place of what their packs did."""
        self._rollups.put_accepted(hour, added, now)
        for one in added:
            if one.grain is Grain.HOUR:
                self._rollups.drop_packs(kind, hour, one.start, one.start + _LAST_MINUTE)

    def _days(self, kind: str, days: Iterable[datetime], now: datetime) -> int:
        computed: list[RollUp] = []
        for day in sorted(days):
            computed += fold(self._rollups.read(kind, Grain.HOUR, day, day + _LAST_HOUR), Grain.DAY).values()
        self._rollups.put_whole(computed, now)
        return len(computed)


def counted(mark: EventMark) -> Counted:
    """What a roll-up needs of a stored event."""
    return Counted(
        mark.event_key,
        mark.type,
        mark.producer,
        mark.accepted_at,
        mark.stored_at,
        mark.time,
        None if mark.value is None else float(mark.value),
        mark.label,
    )
