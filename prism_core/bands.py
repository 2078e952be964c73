"""Whether a week's volume is what the weeks before it were.

Belongs here: the band of a figure by its last weeks. Does not belong here: which figure, and who is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WEEKS: Final = 4
_FEWEST: Final = 2


@dataclass(frozen=True, slots=True)
class Band:
    """The mean of the weeks before, give or take a share of it. None of both: too few weeks to compare with."""

    value: float
    low: float | None
    high: float | None

    @property
    def holds(self) -> bool:
        return self.low is None or self.high is None or self.low <= self.value <= self.high

    def facts(self) -> dict[str, object]:
        """For the metadata of a check."""
        return {"value": round(self.value, 2), "low": self.low, "high": self.high}


def band(value: float, earlier: Sequence[float | None], tolerance: float) -> Band:
    """The band of `value` by up to four weeks before it (None: the week has no figure), the newest last.

    With fewer than two of them nothing is compared.
    """
    known = [one for one in earlier[-WEEKS:] if one is not None]
    if len(known) < _FEWEST:
        return Band(value, None, None)
    mean = sum(known) / len(known)
    return Band(value, round(mean * (1 - tolerance), 2), round(mean * (1 + tolerance), 2))
