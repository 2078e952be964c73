"""How long a walk through somebody's pages may wait, who may end it, and who is told how far it is.

Belongs here: waiting, cancelling and progress, the same for every service. Does not belong here: when to wait,
which a service's own table of errors says.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prism_core.failures import PermanentFailure, TransientFailure

# A walk that waits longer than this in all has lost its Monday morning: whoever started it decides what then.
MOST_WAITED_SECONDS: Final = 3600.0


class Cancelled(PermanentFailure):
    """Somebody has ended the walk. What was read so far is in the archive, and counts as not read."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a walk is. `share` is 0 to 1 where the service says it, None where nobody knows the end."""

    what: str
    rows: int
    share: float | None = None


Tell = Callable[[Progress], None]


def tell_nobody(_: Progress) -> None:
    """For walks that nobody watches."""


class Patience:
    """One for each walk. `cancelled` may be set from any thread; `wait` is what lets `seconds` pass."""

    def __init__(
        self,
        *,
        most_seconds: float = MOST_WAITED_SECONDS,
        cancelled: threading.Event | None = None,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._cancelled = cancelled or threading.Event()
        self._wait = wait or self._cancelled.wait  # ends at once when the walk is cancelled
        self._left = most_seconds

    def check(self) -> None:
        """Raises Cancelled when somebody has ended the walk."""
        if self._cancelled.is_set():
            raise Cancelled("the reading was cancelled")

    def wait(self, seconds: float, why: str) -> None:
        """Let time pass. Raises Cancelled, and TransientFailure with `why` when that is more than is left."""
        self.check()
        if seconds > self._left:
            raise TransientFailure(f"{why}; try again in {_spoken(seconds)}")
        self._left -= seconds
        self._wait(seconds)
        self.check()


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
