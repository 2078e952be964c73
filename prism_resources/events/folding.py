"""Roll-ups of hours that have ended, from the events that are stored.

Belongs here: reading those events, and writing what they add to windows. Does not belong here: computing
(prism_core/events/rollups.py) and when (the asset).
A window is the sum of what each hour of acceptance adds to it, and that is computed from all events of the hour: a
late event has one hour read again, not the week in which others of its window may have come.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prism_core.events.rollups import Counted, Grain, RollUp, fold, roll_ups
from prism_core.models.base import instant_text
from prism_core.models.events import EventMark
from prism_core.settings import Settings
from prism_resources.events.event_store import EventStore
from prism_resources.events.rollup_store import RollupStore
from prism_resources.events.schema_store import SchemaStore

_LAST_MINUTE: Final = timedelta(minutes=59)
_LAST_HOUR: Final = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Folded:
    """What a run computed: events read by type and by hour of acceptance, and windows written."""

    events: dict[str, int]
    windows: int
    hours: dict[datetime, int]


class Folding:
    """Roll-ups of a platform. Of one type's hour at a time the events lie in memory, without their data."""

    def __init__(self, settings: Settings) -> None:
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
                events = [counted(mark) for mark in self._events.of_hour(kind, instant_text(hour)[:13])]
                if not events:
                    continue
                by_hour[hour] += len(events)
                counts[kind] = counts.get(kind, 0) + len(events)
                added = self._hour(kind, hour, [one for one in events if one.at < running], now)
                windows += len(added)
                days |= {Grain.DAY.start_of(one.start) for one in added}
            windows += self._days(kind, days, now)
        return Folded(counts, windows, by_hour)

    def _hour(self, kind: str, hour: datetime, events: Sequence[Counted], now: datetime) -> list[RollUp]:
        """What all events accepted within an hour add to hours and minutes, in place of what their packs did."""
        of_hours = list(roll_ups(events, Grain.HOUR).values())
        added = [*roll_ups(events, Grain.MINUTE).values(), *of_hours]
        self._rollups.put_accepted(hour, added, now)
        for one in of_hours:
            self._rollups.drop_packs(kind, hour, one.start, one.start + _LAST_MINUTE)
        return added

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
