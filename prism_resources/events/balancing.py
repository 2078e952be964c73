"""The balance of an hour beside what the stores hold.

Belongs here: reading receipts, and the stores on their own, in an order that proves something. Does not belong
here: what they add up to and what is wrong with it (prism_core/events/conservation.py, ledger.py).
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from prism_core.events.conservation import lost
from prism_core.events.ledger import HourRecord, record
from prism_core.settings import Settings
from prism_resources.events.holding import Holding
from prism_resources.events.receipts import Receipts
from prism_resources.events.tallying import tally_of

# Most rows are in an index within a second; one that is not after these is missing for all who ask by it.
LAG_SECONDS: Final = 5.0


class Balancing:
    """Reads hours of a platform. `slowest_seconds` is what the slowest question about receipts of one took."""

    def __init__(self, settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._receipts, self._stores, self._sleep = Receipts(settings), Holding(settings), sleep
        self.slowest_seconds = 0.0

    def of_hour(self, hour: datetime, now: datetime) -> HourRecord:
        """The hour that begins then (UTC). Receipts are read first, and consistently; the stores are counted by
        indexes, which may not have yet what was stored just before its receipt was read. So an hour that lacks
        something is counted in them once more before that is told."""
        began = time.monotonic()
        tally = tally_of(self._receipts, hour, now)
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
        held = self._stores.of_hour(hour)
        if lost(tally.balance, held):
            self._sleep(LAG_SECONDS)
            held = self._stores.of_hour(hour)
        return record(tally, held)
