"""The balance of an hour beside what the stores hold.

Belongs here: reading receipts, events and failed events of an hour, each on its own; receipts once a run. Does not
belong here: what they add up to and what is wrong with it (prism_core/events/conservation.py, ledger.py).
"""

import time
from datetime import datetime
from typing import Final

from prism_core.events.conservation import Balance, Held, Receipt, balances
from prism_core.events.failed import FailedFilter
from prism_core.events.ledger import HOUR, HourRecord, record
from prism_core.models.base import instant_text
from prism_core.settings import Settings
from prism_resources.events.event_store import EventStore
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore

# A run that makes up for an outage goes through a week: it keeps the hours that are asked for again.
_KEPT_HOURS: Final = 8


class Balancing:
    """Reads hours of a platform, for one run: what it has read of receipts it does not read again."""

    def __init__(self, settings: Settings) -> None:
        self._receipts, self._events = Receipts(settings), EventStore(settings)
        self._failed, self._schemas = FailedStore(settings), SchemaStore(settings)
        self._read: dict[datetime, list[Receipt]] = {}
        self.slowest_seconds = 0.0

    def receipts(self, hour: datetime) -> list[Receipt]:
        """Those of the hour that begins then (UTC). `slowest_seconds` is what the slowest such question took."""
        if hour not in self._read:
            began = time.monotonic()
            found = list(self._receipts.of_hour(hour))
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
            while len(self._read) >= _KEPT_HOURS:
                del self._read[min(self._read)]
            self._read[hour] = found
        return self._read[hour]

    def of_hour(self, hour: datetime, now: datetime) -> HourRecord:
        """The hour that begins then. Receipts are read first: a store may know more by then, not less."""
        receipts = self.receipts(hour)
        balance = balances(receipts, now).get(hour, Balance(hour, 0, 0, 0, 0, 0, 0))
        label = instant_text(hour)[:13]
        types = {one.type for one in self._schemas.all()}
        stored = sum(1 for kind in types for _ in self._events.of_hour(kind, label))
        failed = sum(1 for _ in self._failed.find(FailedFilter(since=hour, until=hour + HOUR)))
        return record(balance, Held(stored, failed), receipts, now)
