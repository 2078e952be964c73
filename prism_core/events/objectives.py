"""What the pipeline promises, and how fast it uses up what it may miss.

Belongs here: the objectives, their figures from each event's own stamps, and burn rates. Does not belong here:
where metrics go and who is woken. An event that its producer made wrong and that was kept as failed is a success.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prism_core.events.conservation import OVERDUE_AFTER, Receipt

P95_MS: Final = 500.0
SUCCESS_SHARE: Final = 0.995
LOSS_SHARE: Final = 0.0001
QUERY_SECONDS: Final = 2.0
MILLION: Final = 1_000_000
_P95: Final = 0.95
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


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the events accepted within a window. Shares are of 0 to 1, None of no events."""

    accepted: int
    slow: int
    unserved: int
    p95_ms: float | None
    lost: int = 0

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
    def holds(self) -> bool:
        fast = self.p95_ms is None or self.p95_ms < P95_MS
        return fast and (self.success is None or self.success >= SUCCESS_SHARE) and (self.loss or 0) < LOSS_SHARE


def figures(
    receipts: Iterable[Receipt],
    since: datetime,
    until: datetime,
    lost: int = 0,
    *,
    judged_at: datetime | None = None,
) -> Figures:
    """Of the receipts accepted from `since` to before `until`, as they stand at `judged_at` (`until` by default).
    What is in flight and not overdue waits."""
    now = judged_at or until
    delays: list[float] = []
    overdue = undeliverable = 0
    for one in receipts:
        if not one.counts or not since <= one.accepted_at < until:
            continue
        if one.outcome is not None and one.outcome.is_final and one.settled_at is not None:
            delays.append((one.settled_at - one.accepted_at) / timedelta(milliseconds=1))
            undeliverable += one.undeliverable
        elif now - one.accepted_at > OVERDUE_AFTER:
            overdue += 1
    slow = sum(delay >= P95_MS for delay in delays) + overdue
    return Figures(len(delays) + overdue, slow, overdue + undeliverable, nearest_rank(delays, _P95), lost)


def burning(receipts: Sequence[Receipt], now: datetime) -> tuple[BurnWindow, ...]:
    """The pairs of windows that somebody must be told of; none of a long one with hardly an event."""
    found = {w: figures(receipts, now - w, now) for pair in BURN_WINDOWS for w in (pair.long, pair.short)}
    return tuple(
        pair
        for pair in BURN_WINDOWS
        if found[pair.long].accepted >= FEWEST_FOR_SPEED
        and min(found[pair.long].burn, found[pair.short].burn) > pair.rate
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
        "EventsP95Ms": found.p95_ms if found.accepted >= FEWEST_FOR_SPEED else None,
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
