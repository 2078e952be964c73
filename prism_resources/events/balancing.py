"""The balance of an hour beside what the stores hold.

Belongs here: reading receipts, events and failed events of an hour, each on its own. Does not belong here: what
they add up to and what is wrong with it (prism_core/events/conservation.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prism_core.events.conservation import Balance, Held, balances, discrepancies, lost
from prism_core.events.failed import FailedFilter
from prism_core.models.base import instant_text
from prism_core.settings import Settings
from prism_resources.events.event_store import EventStore
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Balanced:
    """An hour of acceptance: its balance, what the stores hold, and what is wrong as sentences."""

    balance: Balance
    held: Held
    wrong: tuple[str, ...]

    @property
    def lost(self) -> int:
        """Events that are in no store although their receipts say so."""
        return lost(self.balance, self.held)

    @property
    def only_waits(self) -> bool:
        """Nothing is wrong but that something is in flight for too long, as after a crash before its message."""
        return self.balance.overdue > 0 and len(self.wrong) == 1


class Balancing:
    """Reads hours of a platform."""

    def __init__(self, settings: Settings) -> None:
        self._receipts, self._events = Receipts(settings), EventStore(settings)
        self._failed, self._schemas = FailedStore(settings), SchemaStore(settings)

    def of_hour(self, hour: datetime, now: datetime) -> Balanced:
        """The hour that begins then (UTC). Receipts are read first: a store may know more by then, not less."""
        found = balances(self._receipts.of_hour(hour), now).get(hour, Balance(hour, 0, 0, 0, 0, 0, 0))
        label = instant_text(hour)[:13]
        types = {one.type for one in self._schemas.all()}
        stored = sum(1 for kind in types for _ in self._events.of_hour(kind, label))
        failed = sum(1 for _ in self._failed.find(FailedFilter(since=hour, until=hour + _HOUR)))
        held = Held(stored, failed)
        return Balanced(found, held, discrepancies(found, held))
