"""Roll-ups of hours that have ended, from the events that are stored.

Belongs here: reading those events, and writing the windows that they touch. Does not belong here: computing
(prism_core/events/rollups.py) and when (the asset).
A window is computed from all of its events, however late they came, so that doing it again changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prism_core.events.envelope import AHEAD_AT_MOST, BEHIND_AT_MOST
from prism_core.events.rollups import Counted, Grain, RollUp, fold, roll_ups, touched
from prism_core.models.base import instant_text
from prism_core.models.events import EventMark
from prism_core.settings import Settings
from prism_resources.events.event_store import EventStore
from prism_resources.events.rollup_store import RollupStore
from prism_resources.events.schema_store import SchemaStore

_HOUR: Final = timedelta(hours=1)
_LAST_MINUTE: Final = timedelta(minutes=59)
_LAST_HOUR: Final = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Folded:
    """What a run computed: events read by type and by hour of acceptance, and windows written."""

    events: dict[str, int]
    windows: int
    hours: dict[datetime, int]


class Folding:
    """Roll-ups of a platform. For one run: what it has read it does not read again."""

    def __init__(self, settings: Settings) -> None:
        self._schemas, self._events = SchemaStore(settings), EventStore(settings)
        self._rollups = RollupStore(settings)
        self._read: dict[tuple[str, datetime], list[Counted]] = {}

    def types(self) -> list[str]:
        """The types that there are: an event is stored under a schema or not at all."""
        return sorted({one.type for one in self._schemas.all()})

    def fold(self, hours: Sequence[datetime], now: datetime) -> Folded:
        """Compute the windows that are touched by events accepted within these hours (their beginnings, UTC).

        Windows of the running hour wait for its end.
        """
        running = Grain.HOUR.start_of(now)
        counts: dict[str, int] = {}
        by_hour = dict.fromkeys(hours, 0)
        windows = 0
        for kind in self.types():
            new = [event for hour in hours for event in self._accepted(kind, hour)]
            for hour in hours:
                by_hour[hour] += len(self._accepted(kind, hour))
            if not new:
                continue
            counts[kind] = len(new)
            starts = sorted({start for _, start in touched(new, Grain.HOUR) if start < running})
            windows += sum(self._window(kind, start, running, now) for start in starts)
            windows += self._days(kind, {Grain.DAY.start_of(start) for start in starts}, now)
        return Folded(counts, windows, by_hour)

    def _window(self, kind: str, start: datetime, running: datetime, now: datetime) -> int:
        """An hour and its minutes, of all events that may be counted in it and were accepted before `running`."""
        first = Grain.HOUR.start_of(start - AHEAD_AT_MOST)
        last = min(running - _HOUR, start + _HOUR + BEHIND_AT_MOST)
        hours = int((last - first) / _HOUR) + 1
        events = [
            event
            for number in range(hours)
            for event in self._accepted(kind, first + number * _HOUR)
            if Grain.HOUR.start_of(event.at) == start
        ]
        computed: list[RollUp] = [*roll_ups(events, Grain.MINUTE).values(), *roll_ups(events, Grain.HOUR).values()]
        self._rollups.put_whole(computed, now)
        self._rollups.drop_packs(kind, Grain.MINUTE, start, start + _LAST_MINUTE)
        return len(computed)

    def _days(self, kind: str, days: Iterable[datetime], now: datetime) -> int:
        computed: list[RollUp] = []
        for day in sorted(days):
            computed += fold(self._rollups.read(kind, Grain.HOUR, day, day + _LAST_HOUR), Grain.DAY).values()
        self._rollups.put_whole(computed, now)
        return len(computed)

    def _accepted(self, kind: str, hour: datetime) -> list[Counted]:
        if (kind, hour) not in self._read:
            marks = self._events.of_hour(kind, instant_text(hour)[:13])
            self._read[kind, hour] = [counted(mark) for mark in marks]
        return self._read[kind, hour]


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
