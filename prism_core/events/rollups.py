"""Events by minute, hour and day.

Belongs here: windows of time, the roll-up of a window, merging roll-ups, and which windows late events touch.
Does not belong here: the summaries inside (sketches.py) and where roll-ups are kept.
A roll-up is computed from stored events, never incremented: computing it again gives the same one.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from prism_core.events.envelope import counted_at
from prism_core.events.sketches import Percentiles, TopValues


class Grain(StrEnum):
    """The length of a window."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> timedelta:
        return _LENGTHS[self]

    def start_of(self, instant: datetime) -> datetime:
        """When the window of an aware instant begins, in UTC."""
        utc = instant.astimezone(UTC)
        return utc - (utc - _EPOCH) % self.length


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTHS: Final = {
    Grain.MINUTE: timedelta(minutes=1),
    Grain.HOUR: timedelta(hours=1),
    Grain.DAY: timedelta(days=1),
}


class Counted(msgspec.Struct, frozen=True):
    """What a roll-up needs of a stored event. `value` is the measure of its type, where it has one."""

    key: str
    type: str
    producer: str
    accepted_at: datetime
    stored_at: datetime
    time: datetime | None = None
    value: float | None = None
    label: str | None = None

    @property
    def at(self) -> datetime:
        """The instant it is counted at."""
        return counted_at(self.time, self.accepted_at)


class RollUp(msgspec.Struct, frozen=True):
    """The events of a type in a window. Delays are milliseconds from accepted to stored."""

    type: str
    grain: Grain
    start: datetime
    count: int = 0
    late: int = 0
    delays_ms: Percentiles = Percentiles()
    values: Percentiles = Percentiles()
    producers: TopValues = TopValues()
    labels: TopValues = TopValues()

    def merged(self, other: "RollUp") -> "RollUp":
        """The roll-up of both, of parts that share no event. Of the same type, grain and window only."""
        if (self.type, self.grain, self.start) != (other.type, other.grain, other.start):
            raise ValueError("roll-ups of two windows have no sum")
        return RollUp(
            self.type,
            self.grain,
            self.start,
            self.count + other.count,
            self.late + other.late,
            self.delays_ms.merged(other.delays_ms),
            self.values.merged(other.values),
            self.producers.merged(other.producers),
            self.labels.merged(other.labels),
        )

    def coarser(self, grain: Grain) -> "RollUp":
        """As a part of the longer window that holds it."""
        return msgspec.structs.replace(self, grain=grain, start=grain.start_of(self.start))


def roll_ups(events: Iterable[Counted], grain: Grain) -> dict[tuple[str, datetime], RollUp]:
    """The roll-ups by type and start of window. An event that comes twice (by its key) is counted once."""
    windows: dict[tuple[str, datetime], dict[str, Counted]] = {}
    for event in events:
        windows.setdefault((event.type, grain.start_of(event.at)), {})[event.key] = event
    return {
        (kind, start): _of(kind, grain, start, list(found.values()))
        for (kind, start), found in sorted(windows.items())
    }


def fold(parts: Iterable[RollUp], grain: Grain) -> dict[tuple[str, datetime], RollUp]:
    """Longer windows from shorter ones that share no event."""
    found: dict[tuple[str, datetime], RollUp] = {}
    for part in parts:
        one = part.coarser(grain)
        before = found.get((one.type, one.start))
        found[one.type, one.start] = one if before is None else before.merged(one)
    return found


def touched(stored: Iterable[Counted], grain: Grain) -> Iterator[tuple[str, datetime]]:
    """Type and start of the windows that newly stored events are counted in: those to compute again, each once."""
    yield from sorted({(event.type, grain.start_of(event.at)) for event in stored})


def _of(kind: str, grain: Grain, start: datetime, events: list[Counted]) -> RollUp:
    end = start + grain.length
    return RollUp(
        kind,
        grain,
        start,
        count=len(events),
        late=sum(event.accepted_at >= end for event in events),
        delays_ms=Percentiles.of(
            max(0.0, (event.stored_at - event.accepted_at) / timedelta(milliseconds=1)) for event in events
        ),
        values=Percentiles.of(event.value for event in events if event.value is not None),
        producers=TopValues.of(event.producer for event in events),
        labels=TopValues.of(event.label for event in events if event.label is not None),
    )
