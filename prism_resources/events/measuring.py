"""The promises of the pipeline, as they are sent to the alarms.

Belongs here: what of them is sent. Does not belong here: what is promised and what a figure is
(prism_core/events/objectives.py), reading (tallying.py), and alarms (infra/templates/events.yaml).
"""

import time
from dataclasses import dataclass
from datetime import datetime

import msgspec

from prism_core.events.ledger import HOUR
from prism_core.events.objectives import BurnWindow, Figures, burning, measures
from prism_core.settings import Settings
from prism_resources.events.ledger import Ledger
from prism_resources.events.receipts import Receipts
from prism_resources.events.tallying import windows_of
from prism_resources.metrics import Metric, put_metrics


@dataclass(frozen=True, slots=True)
class Measured:
    """The last sixty minutes: `burns` are pairs of windows that somebody must be told of, `query_seconds` is what
    the slowest question about receipts took."""

    figures: Figures
    burns: tuple[BurnWindow, ...]
    query_seconds: float

    def metrics(self) -> list[Metric]:
        """As alarms look at them."""
        found = measures(self.figures, self.burns, self.query_seconds)
        return [Metric(name, value) for name, value in found.items()]


def measure(settings: Settings, now: datetime, lost: int, slowest_seconds: float = 0.0) -> Measured:
    """By receipts and the ledger, as the API answers it; `lost` are events that a balance missed in the stores,
    `slowest_seconds` what the slowest question of the run has taken so far."""
    began = time.monotonic()
    windows = windows_of(Receipts(settings), Ledger(settings), now)
    slowest = max(slowest_seconds, time.monotonic() - began)
    return Measured(msgspec.structs.replace(windows[HOUR], lost=lost), burning(windows), slowest)


def send(settings: Settings, measured: Measured) -> None:
    """To CloudWatch, where the alarms are. Raises as put_metrics."""
    put_metrics(settings, measured.metrics())
