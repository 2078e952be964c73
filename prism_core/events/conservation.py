"""Whether every accepted event is somewhere, by hour.

Belongs here: receipts, the balance of an hour, and what it shows to be wrong beside what the stores hold. Does not
belong here: reading them. Of receipts alone accepted = stored + failed + duplicate + in flight holds by the way
they are counted; the proof is that the stores, counted on their own, say the same.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from prism_core.events.outcomes import Outcome

# A message has been tried nine times by then, and is for three hours; what is in flight longer waits in the dead
# queue or is lost.
OVERDUE_AFTER: Final = timedelta(minutes=15)
# What SQS keeps of a message, from when it was first sent: both queues together (infra/templates/events.yaml).
KEPT_IN_QUEUES: Final = timedelta(days=14)
# How long one in doubt may be stored with its receipt not settled: it is tried for three hours, then the hourly
# run brings it to its end. A surplus in a store is no longer put down to it afterwards.
DOUBTED_FOR: Final = timedelta(days=1)


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """That an event was accepted, and what became of it (None: in flight).

    `refused`: the queue did not take it, and no receipt was given out. `doubtful`: none was given out either, and
    the queue may have it. `undeliverable`: it failed by our fault, out of the dead queue.
    """

    receipt: str
    producer: str
    accepted_at: datetime
    outcome: Outcome | None = None
    settled_at: datetime | None = None
    refused: bool = False
    undeliverable: bool = False
    replay_of: str | None = None
    doubtful: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is accepted: its producer was told so, or its event came through all the same."""
        return not (self.refused or self.doubtful)


@dataclass(frozen=True, slots=True)
class Balance:
    """The events that were accepted within an hour. A conflict is kept as a failed event and counts as one.

    `overdue` and `vanished` are of those in flight: for a quarter of an hour, and longer than queues have them.
    `in_doubt` are beside all of these: nobody was given a receipt, and what comes through is accepted then; of
    them `long_in_doubt` would have come through by now.
    """

    hour: datetime
    accepted: int
    stored: int
    failed: int
    duplicate: int
    in_flight: int
    overdue: int
    vanished: int = 0
    in_doubt: int = 0
    long_in_doubt: int = 0

    @property
    def holds(self) -> bool:
        """Accepted = stored + failed + duplicate + in flight."""
        return self.accepted == self.stored + self.failed + self.duplicate + self.in_flight


@dataclass(frozen=True, slots=True)
class Held:
    """What the stores hold of an hour, counted in them: events and failed events by the receipt's hour."""

    stored: int
    failed: int


def discrepancies(balance: Balance, held: Held, *, runs: bool = False) -> tuple[str, ...]:
    """What is wrong with an hour, as sentences; nothing: every accepted event is where its receipt says.

    What is in flight, or in doubt for less than a day, may have been stored and its receipt not yet settled: a
    store may hold that many more. While the hour still `runs` it may hold any number more: others post between the
    reading of receipts and the counting of stores.
    """
    found: list[str] = []
    open_ones = balance.in_flight + balance.in_doubt - balance.long_in_doubt
    if not balance.holds:
        found.append(f"{balance.accepted} were accepted, and the outcomes of their receipts have another sum")
    if balance.overdue:
        found.append(
            f"{balance.overdue} are in flight for longer than {OVERDUE_AFTER}; look into the dead queue too"
        )
    if gone := _gone(balance, held):
        found.append(f"{gone} are in no queue any more and in no store: they are lost")
    for name, told, counted in (
        ("stored", balance.stored, held.stored),
        ("failed", balance.failed, held.failed),
    ):
        if counted < told:
            found.append(f"{told} receipts say {name}, and the store holds {counted}: {told - counted} are lost")
        elif counted > told + open_ones and not runs:
            found.append(f"{told} receipts say {name}, and the store holds {counted}: more than were accepted")
    return tuple(found)


def lost(balance: Balance, held: Held) -> int:
    """How many events of an hour are in no store although their receipts say so, or no queue has them any more."""
    missing = max(0, balance.stored - held.stored) + max(0, balance.failed - held.failed)
    return missing + _gone(balance, held)


def _gone(balance: Balance, held: Held) -> int:
    """Those in flight that neither a queue nor a store has; what a store holds beyond the receipts is of them."""
    beyond = max(0, held.stored - balance.stored) + max(0, held.failed - balance.failed)
    return max(0, balance.vanished - beyond)
