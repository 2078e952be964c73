"""A clock that a test moves on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from prism_core.calendar import Week

# A Monday, of a half-year that no other test uses.
NOW = datetime(2020, 11, 16, 1, 0, tzinfo=UTC)
RUNNING = Week.of(NOW)
Write = Callable[..., Any]
_HOURS = count()


class Clock:
    """The clock of the platform; a test moves it on between two ticks."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        # An hour of its own for each test: the log is one, and a tick sees everybody's changes.
        self._patch, self.now = patch, NOW + timedelta(hours=next(_HOURS))
        self.forward(0)

    def forward(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
        self._patch.setenv("PRISM_NOW", self.now.isoformat())
