"""What the pipeline promises, and how fast it uses up what it may miss.

Belongs here: the objectives, their figures from each event's own stamps, and burn rates. Does not belong here:
where metrics go and who is woken. An event that its producer made wrong and that was kept as failed is a success.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Final

import msgspec

from prism_core.events.conservation import OVERDUE_AFTER, Receipt
from prism_core.events.outcomes import Outcome
from prism_core.events.sketches import Percentiles

P95_MS: Final = 500.0
SUCCESS_SHARE: Final = 0.995
LOSS_SHARE: Final = 0.0001
QUERY_SECONDS: Final = 2.0
MILLION: Final = 1_000_000
_P95: Final = 0.95
_MS: Final = timedelta(milliseconds=1)
# Of fewer the 95th percentile is the slowest one, which after a quiet hour or a deployment is a cold start.
FEWEST_FOR_SPEED: Final = 20


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """Somebody is told when both windows burn faster than `rate`: the short one says that it still does."""

    long: timedelta
    short: timedelta
    rate: float


# Two hundredths of a month's budget within an hour, five within six (the Site Reliability Workbook, chapter 5).
BURN_WINDOWS: Final = (
    BurnWindow(timedelta(hours=1), timedelta(minutes=5), 14.4),
    BurnWindow(timedelta(hours=6), timedelta(minutes=30), 6.0),
)


class Figures(msgspec.Struct, frozen=True):
    """Of the events accepted within a window. Shares are of 0 to 1, None of no events. `slow` of the `accepted`
    missed their time; `delays_ms` are of those that came to an end."""

    accepted: int = 0
    slow: int = 0
    unserved: int = 0
    delays_ms: Percentiles = Percentiles()
    lost: int = 0

    @property
    def p95_ms(self) -> float | None:
        """Within 1 %, on the side of the promise where the slow ones, which are counted, put it."""
        found = self.delays_ms.quantile(_P95)
        if found is None:
            return None
        return min(found, P95_MS - 1) if self._few_are_slow else max(found, P95_MS)

    @property
    def success(self) -> float | None:
        """The share that came to an end, and by no fault of ours to a failed one."""
        return None if not self.accepted else 1 - self.unserved / self.accepted

    @property
    def loss(self) -> float | None:
        """The share that is in no store although its receipt says so, or in no queue any more."""
        return None if not self.accepted else self.lost / self.accepted

    @property
    def burn(self) -> float:
        """How many times faster than allowed events miss their end or their time: 1 uses the budget up exactly."""
        if not self.accepted:
            return 0.0
        speed = self.slow / self.accepted / (1 - _P95)
        return max(speed, self.unserved / self.accepted / (1 - SUCCESS_SHARE))

    @property
    def tells_speed(self) -> bool:
        """Whether there are enough events to say anything of their speed."""
        return self.accepted >= FEWEST_FOR_SPEED

    @property
    def holds(self) -> bool:
        fast = self._few_are_slow or not self.tells_speed
        return fast and (self.success is None or self.success >= SUCCESS_SHARE) and (self.loss or 0) < LOSS_SHARE

    @property
    def _few_are_slow(self) -> bool:
        """What p95 < P95_MS means, exactly."""
        return self.slow <= self.accepted * (1 - _P95)


class Meter:
    """Figures of receipts that come page by page, as they stand at `now`, of the times from each of `since` until
    then. What is in flight and not overdue waits."""

    def __init__(self, now: datetime, since: Iterable[datetime]) -> None:
        self._now = now
        # Between one bound and the next; what was accepted before the first one, or after `now`, is in none.
        self._bounds = sorted({*since, now})
        self._between = [Figures() for _ in self._bounds[1:]]

    def add(self, receipts: Iterable[Receipt]) -> None:
        """One page of them; each receipt once."""
        delays: list[list[float]] = [[] for _ in self._between]
        overdue, undeliverable = [0] * len(delays), [0] * len(delays)
        first, now, bounds = self._bounds[0], self._now, self._bounds
        for one in receipts:
            if not first <= one.accepted_at < now or one.refused or one.doubtful:
                continue
            place = bisect_right(bounds, one.accepted_at) - 1
            if one.outcome is not None and one.outcome is not Outcome.RETRY and one.settled_at is not None:
                delays[place].append(max(0.0, (one.settled_at - one.accepted_at) / _MS))
                undeliverable[place] += one.undeliverable
            elif now - one.accepted_at > OVERDUE_AFTER:
                overdue[place] += 1
        for place, found in enumerate(delays):
            late = overdue[place]
            slow = sum(delay >= P95_MS for delay in found) + late
            new = Figures(len(found) + late, slow, late + undeliverable[place], Percentiles.of(found))
            self._between[place] = total([self._between[place], new])

    def figures(self, since: datetime) -> Figures:
        """From one of the instants that the meter was made with to before `now`."""
        return total(self._between[self._bounds.index(since) :])


def total(parts: Iterable[Figures]) -> Figures:
    """Of windows that share no event."""
    known = list(parts)
    return Figures(
        sum(one.accepted for one in known),
        sum(one.slow for one in known),
        sum(one.unserved for one in known),
        reduce(Percentiles.merged, (one.delays_ms for one in known), Percentiles()),
        sum(one.lost for one in known),
    )


def burning(windows: Mapping[timedelta, Figures]) -> tuple[BurnWindow, ...]:
    """The pairs of windows that somebody must be told of, by the figures of each; none of a long one with hardly
    an event. The alarm and whoever looks at the promises ask this, so that they agree."""
    return tuple(
        pair
        for pair in BURN_WINDOWS
        if windows[pair.long].tells_speed and min(windows[pair.long].burn, windows[pair.short].burn) > pair.rate
    )


def measures(found: Figures, told: Sequence[BurnWindow], query_seconds: float | None = None) -> dict[str, int]:
    """What alarms look at, whole numbers by name; nothing is told of what there is not.

    Shares are of a million: an alarm needs no arithmetic of its own. One event is never rounded to none.
    """
    shares = {
        "EventsUnservedOfMillion": None if found.success is None else 1 - found.success,
        "EventsLostOfMillion": found.loss,
    }
    times = {
        "EventsP95Ms": found.p95_ms if found.tells_speed else None,
        "EventsQueryMs": None if query_seconds is None else query_seconds * 1_000,
    }
    return {
        "EventsAccepted": found.accepted,
        "EventsBurning": len(told),
        "EventsLost": found.lost,
        **{name: math.ceil(share * MILLION) for name, share in shares.items() if share is not None},
        **{name: int(value) for name, value in times.items() if value is not None},
    }


def nearest_rank(values: Iterable[float], share: float) -> float | None:
    """The exact percentile of a share of 0 to 1; None of nothing."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(share * len(ordered))) - 1] if ordered else None
