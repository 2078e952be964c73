"""What receipts of an hour add up to, while they are read.

Belongs here: counters over receipts that come page by page. Does not belong here: what is wrong with the sums
(conservation.py), what is promised (objectives.py) and how an hour is kept (ledger.py). A busy hour has a million
receipts: none is held longer than its page. Each comes once, for it is the key of its row.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from prism_core.events.conservation import DOUBTED_FOR, KEPT_IN_QUEUES, OVERDUE_AFTER, Balance, Receipt
from prism_core.events.objectives import Figures, Meter
from prism_core.events.outcomes import Outcome


class ProducerHour(msgspec.Struct, frozen=True):
    """A producer's events of an hour; what was sent again counts as it ended first."""

    accepted: int
    stored: int
    failed: int
    duplicate: int


class Tally:
    """The receipts of the hour (UTC) that begins at `hour`, as they stand at `now`; figures also of the times from
    each of `since` on."""

    def __init__(self, hour: datetime, now: datetime, since: Sequence[datetime] = ()) -> None:
        self.hour, self.now = hour, now
        self._meter = Meter(now, [hour, *since])
        # By outcome (None: in flight), of each producer; those that were sent again on their own.
        self._first: defaultdict[str, Counter[Outcome | None]] = defaultdict(Counter)
        self._again: Counter[Outcome | None] = Counter()
        self._overdue = self._vanished = self._in_doubt = self._long_in_doubt = 0

    def add(self, receipts: Sequence[Receipt]) -> None:
        """One page of them."""
        self._meter.add(receipts)
        now = self.now
        for one in receipts:
            if one.doubtful:
                self._in_doubt += 1
                self._long_in_doubt += now - one.accepted_at > DOUBTED_FOR
            if not one.counts:
                continue
            outcome = one.outcome if one.outcome is not Outcome.RETRY else None
            (self._first[one.producer] if one.replay_of is None else self._again)[outcome] += 1
            if outcome is None:
                self._overdue += now - one.accepted_at > OVERDUE_AFTER
                self._vanished += now - one.accepted_at > KEPT_IN_QUEUES

    def figures(self, since: datetime) -> Figures:
        """Of those accepted from then on, one of the instants that the tally was made with, to before `now`."""
        return self._meter.figures(since)

    @property
    def balance(self) -> Balance:
        whole = self._again.copy()
        for of_producer in self._first.values():
            whole.update(of_producer)
        return Balance(
            self.hour,
            accepted=whole.total(),
            stored=whole[Outcome.STORED],
            failed=whole[Outcome.FAILED] + whole[Outcome.CONFLICT],
            duplicate=whole[Outcome.DUPLICATE],
            in_flight=whole[None],
            overdue=self._overdue,
            vanished=self._vanished,
            in_doubt=self._in_doubt,
            long_in_doubt=self._long_in_doubt,
        )

    @property
    def producers(self) -> dict[str, ProducerHour]:
        """By name."""
        return {
            name: ProducerHour(
                accepted=sums.total(),
                stored=sums[Outcome.STORED],
                failed=sums[Outcome.FAILED] + sums[Outcome.CONFLICT],
                duplicate=sums[Outcome.DUPLICATE],
            )
            for name, sums in sorted(self._first.items())
        }
