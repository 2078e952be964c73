"""What an hour of events came to, as it is kept when the hour has ended.

Belongs here: the record of an hour with its producers, made from its receipts and from what the stores hold, and
sums over hours. Does not belong here: where records lie (prism_resources/events/ledger.py). Receipts expire after
some weeks, and a busy hour has a hundred thousand of them: who asks later asks this.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from prism_core.events.conservation import Balance, Held, discrepancies, lost
from prism_core.events.envelope import BEHIND_AT_MOST
from prism_core.events.objectives import Figures, total
from prism_core.events.sketches import Percentiles
from prism_core.events.tally import ProducerHour, Tally

HOUR: Final = timedelta(hours=1)
# The promises are looked at over these. Those of up to an hour are measured from receipts, others from records.
WINDOWS: Final = (
    timedelta(minutes=5), timedelta(minutes=30), HOUR, timedelta(hours=6), timedelta(days=1), timedelta(days=28),
)  # fmt: skip
OF_RECEIPTS: Final = tuple(one for one in WINDOWS if one <= HOUR)


class HourRecord(msgspec.Struct, frozen=True):
    """The events that were accepted within an hour (UTC): outcomes by their receipts, what the stores hold, what
    is wrong between the two, and how many were slow, came to no end or are lost; `in_doubt` beside them."""

    hour: datetime
    accepted: int
    stored: int
    failed: int
    duplicate: int
    in_flight: int
    overdue: int
    held_stored: int
    held_failed: int
    wrong: tuple[str, ...]
    slow: int
    unserved: int
    lost: int
    p95_ms: float | None
    counted_at: datetime
    producers: dict[str, ProducerHour] = {}
    in_doubt: int = 0
    delays_ms: Percentiles = Percentiles()

    @property
    def balance(self) -> Balance:
        return Balance(
            self.hour, self.accepted, self.stored, self.failed, self.duplicate, self.in_flight, self.overdue
        )

    @property
    def holds(self) -> bool:
        """Nothing is missing: the sums agree, and the stores hold what receipts say."""
        return not self.wrong

    @property
    def only_waits(self) -> bool:
        """Nothing is wrong but that something is in flight for too long, as after a crash before its message."""
        return self.overdue > 0 and len(self.wrong) == 1


def record(tally: Tally, held: Held) -> HourRecord:
    """The record of an hour whose receipts and stores were read, when its tally says."""
    balance, found = tally.balance, tally.figures(tally.hour)
    return HourRecord(
        hour=balance.hour,
        accepted=balance.accepted,
        stored=balance.stored,
        failed=balance.failed,
        duplicate=balance.duplicate,
        in_flight=balance.in_flight,
        overdue=balance.overdue,
        held_stored=held.stored,
        held_failed=held.failed,
        wrong=discrepancies(balance, held, runs=tally.now < balance.hour + HOUR),
        slow=found.slow,
        unserved=found.unserved,
        lost=lost(balance, held),
        p95_ms=found.p95_ms,
        counted_at=tally.now,
        producers=tally.producers,
        in_doubt=balance.in_doubt,
        delays_ms=found.delays_ms,
    )


def running(tally: Tally) -> HourRecord:
    """The hour that runs, by its receipts alone: what the stores hold of it is counted when it has ended."""
    balance = tally.balance
    return record(tally, Held(balance.stored, balance.failed))


def to_count_again(records: Iterable[HourRecord], folded: Mapping[datetime, int]) -> list[datetime]:
    """The hours that the next run looks at once more: something is in flight; or, for a week, something is in
    doubt, the hour is wrong and may be put right, or its windows were computed from another number of events
    (`folded`) than its balance had found stored."""
    return [one.hour for one in records if one.in_flight or _is_to_be_mended(one, folded)]


def _is_to_be_mended(one: HourRecord, folded: Mapping[datetime, int]) -> bool:
    if one.counted_at - one.hour > BEHIND_AT_MOST:
        return False
    return bool(one.wrong or one.in_doubt) or folded.get(one.hour, one.held_stored) != one.held_stored


def over_windows(
    recent: Mapping[timedelta, Figures], records: Iterable[HourRecord], now: datetime
) -> dict[timedelta, Figures]:
    """The figures of each of WINDOWS up to now: `recent` are those of receipts, `records` the hours of the longest
    one, with that which runs."""
    known = list(records)
    found = dict(recent)
    for one in WINDOWS:
        if one not in found:
            found[one] = total(_figures(each) for each in known if each.hour >= now - one)
    return found


def _figures(one: HourRecord) -> Figures:
    ended = one.accepted - one.in_flight + one.overdue
    return Figures(ended, one.slow, one.unserved, one.delays_ms, one.lost)


def by_producer(records: Iterable[HourRecord]) -> Mapping[str, ProducerHour]:
    """The sums of producers over hours, by name."""
    found: dict[str, ProducerHour] = {}
    for one in records:
        for name, hour in one.producers.items():
            had = found.get(name, ProducerHour(0, 0, 0, 0))
            found[name] = ProducerHour(
                had.accepted + hour.accepted,
                had.stored + hour.stored,
                had.failed + hour.failed,
                had.duplicate + hour.duplicate,
            )
    return dict(sorted(found.items()))
