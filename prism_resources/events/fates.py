"""What earlier deliveries of a message have left behind.

Belongs here: the outcomes of messages that came before, by their receipts and by the stores themselves, and
bringing to an end what was broken off. Does not belong here: judging (prism_api/events/steps.py).
An event is stored, or kept as failed, before its receipt is settled. When a delivery breaks off between the two,
the next one must not judge the event anew: by a version that was added meanwhile it would end both ways.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prism_core.events.failed import Failure, failed_id
from prism_core.events.messages import Accepted
from prism_core.events.outcomes import Outcome, StoredMark, outcome_of
from prism_core.models.events import StoredEvent
from prism_core.settings import Settings
from prism_core.tables import EVENTS, FAILED_EVENTS, RECEIPTS
from prism_resources.aws import client
from prism_resources.events.archive import archive
from prism_resources.events.event_store import EventStore, mark_of
from prism_resources.events.reading import read_many
from prism_resources.events.receipts import CALL_ATTEMPTS, Receipts, key_of
from prism_resources.tables.codec import decode_value


@dataclass(frozen=True, slots=True)
class Fates:
    """`outcomes` by receipt, of those that have one. Of them `ended` were brought to their end just now, `stored`
    are their events that stand in the store."""

    outcomes: dict[str, Outcome]
    ended: list[tuple[Accepted, Outcome]] = field(default_factory=list[tuple[Accepted, Outcome]])
    stored: list[StoredEvent] = field(default_factory=list[StoredEvent])


@dataclass(frozen=True, slots=True)
class _Left:
    """What the tables hold: outcomes by receipt, marks by the key of an event, failures by their ids."""

    settled: dict[str, Outcome]
    marks: dict[str, StoredMark]
    failures: dict[str, Failure]

    def fate(self, one: Accepted) -> Outcome | None:
        """How an open one had ended, or an equal event before it; None when it is to be judged."""
        mark = self.marks.get(one.event.key)
        found = None if mark is None else outcome_of(mark, StoredMark(one.receipt, one.fingerprint))
        if found is Outcome.STORED:
            return found
        failure = self.failures.get(failed_id(one.receipt))
        if failure is not None:
            return Outcome.CONFLICT if failure is Failure.CONFLICT else Outcome.FAILED
        return found if found is Outcome.DUPLICATE else None


class Earlier:
    """Earlier deliveries on a platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dynamodb = client(settings, "dynamodb", attempts=CALL_ATTEMPTS)
        self._receipts, self._events = Receipts(settings), EventStore(settings)

    def fates(self, accepted: Sequence[Accepted], now: datetime) -> Fates:
        """What is known of messages; what was broken off is archived and settled.

        Raises TransientFailure; some are settled then.
        """
        left = self._left(accepted)
        ended = [
            (one, fate)
            for one in accepted
            if one.receipt not in left.settled and (fate := left.fate(one)) is not None
        ]
        stored = list(self._stored(one for one, fate in ended if fate is Outcome.STORED))
        archive(self._settings, stored)
        ours = [pair for pair in ended if left.failures.get(failed_id(pair[0].receipt)) is Failure.UNDELIVERABLE]
        self._receipts.settle([pair for pair in ended if pair not in ours], now)
        self._receipts.settle(ours, now, undeliverable=True)
        return Fates(left.settled | {one.receipt: fate for one, fate in ended}, ended, stored)

    def _stored(self, accepted: Iterable[Accepted]) -> Iterable[StoredEvent]:
        found = (self._events.get(key) for key in dict.fromkeys(one.event.key for one in accepted))
        return (event for event in found if event is not None)

    def _left(self, accepted: Sequence[Accepted]) -> _Left:
        receipts, events, failures = (
            self._settings.table_name(spec.name) for spec in (RECEIPTS, EVENTS, FAILED_EVENTS)
        )
        fields = {
            receipts: ("receipt", "outcome"),
            events: ("event_key", "receipt", "fingerprint"),
            failures: ("failed_id", "failure"),
        }
        once = {one.receipt: one for one in accepted}
        keys = {
            receipts: [key_of(one) for one in once.values()],
            events: [{"event_key": {"S": key}} for key in {one.event.key for one in accepted}],
            failures: [{"failed_id": {"S": failed_id(receipt)}} for receipt in once],
        }
        left = _Left({}, {}, {})
        for table, row in read_many(self._dynamodb, keys, fields):
            if table == events:
                left.marks[decode_value(row["event_key"])] = mark_of(row)
            elif table == failures:
                left.failures[decode_value(row["failed_id"])] = Failure(decode_value(row["failure"]))
            elif "outcome" in row:
                left.settled[decode_value(row["receipt"])] = Outcome(decode_value(row["outcome"]))
        return left
