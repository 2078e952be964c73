"""The promises of the pipeline, measured from the receipts of the last hours.

Belongs here: which receipts are looked at, and sending the figures. Does not belong here: what is
promised and what a figure is (prism_core/events/objectives.py), and alarms (infra/templates/events.yaml).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prism_core.events.conservation import Receipt
from prism_core.events.ledger import HOUR
from prism_core.events.objectives import BURN_WINDOWS, BurnWindow, Figures, burning, figures, measures
from prism_core.events.rollups import Grain
from prism_core.settings import Settings
from prism_resources.events.balancing import Balancing
from prism_resources.metrics import Metric, put_metrics

_LOOKS_BACK: Final = max(pair.long for pair in BURN_WINDOWS)


@dataclass(frozen=True, slots=True)
class Measured:
    """The last sixty minutes: `burns` are pairs of windows that somebody must be told of, `query_seconds` is what
    the slowest question about an hour took."""

    figures: Figures
    burns: tuple[BurnWindow, ...]
    query_seconds: float

    def metrics(self) -> list[Metric]:
        """As alarms look at them."""
        found = measures(self.figures, self.burns, self.query_seconds)
        return [Metric(name, value) for name, value in found.items()]


def measure(balancing: Balancing, now: datetime, lost: int) -> Measured:
    """By the receipts of the last six hours; `lost` are events that a balance of them missed in the stores."""
    receipts: list[Receipt] = []
    hour = Grain.HOUR.start_of(now - _LOOKS_BACK)
    while hour <= now:
        receipts += balancing.receipts(hour)
        hour += HOUR
    measured = figures(receipts, now - HOUR, now, lost)
    return Measured(measured, burning(receipts, now), balancing.slowest_seconds)


def send(settings: Settings, measured: Measured) -> None:
    """To CloudWatch, where the alarms are. Raises as put_metrics."""
    put_metrics(settings, measured.metrics())
