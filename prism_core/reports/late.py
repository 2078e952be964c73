"""A report that is due and not there: what its readers are told in its place.

Belongs here: the reasons, the words of the notice, and its form as a tag. Does not belong here: how the reason is
known (sensors), and that the notice goes once (delivery.py).
It holds no figure of a campaign and no words of a service: those go to who looks after the platform.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from prism_core.calendar import Week
from prism_core.failures import BadUsage


class Lateness(StrEnum):
    """Why there is no report yet."""

    ADS_UNREAD = "ads_unread"
    ADS_REFUSED = "ads_refused"
    BEING_MADE = "being_made"
    STOPPED = "stopped"


_SHORT: Final = {
    Lateness.ADS_UNREAD: "the ads are not read yet",
    Lateness.ADS_REFUSED: "somebody must mend something",
    Lateness.BEING_MADE: "it is still being made",
    Lateness.STOPPED: "it could not be made",
}
_LONG: Final = {
    Lateness.ADS_UNREAD: (
        "The ads of the week could not be read, or not whole. That is tried again by itself, at growing intervals "
        "until the next Monday."
    ),
    Lateness.ADS_REFUSED: (
        "The ads of the week cannot be read until a person has mended something. Who looks after PRISM has been "
        "told what to do."
    ),
    Lateness.BEING_MADE: "It is still being made.",
    Lateness.STOPPED: (
        "The run that makes it has failed, or somebody has stopped it. Who looks after PRISM can see why."
    ),
}


@dataclass(frozen=True, slots=True)
class Late:
    """The report of a week that was to be made and is not there."""

    week: Week
    why: Lateness

    def __str__(self) -> str:
        """As a tag of a run: `2023-W35 ads_unread`."""
        return f"{self.week} {self.why}"

    @classmethod
    def of(cls, tag: str | None) -> Self | None:
        """The inverse of `str`; None without a tag. Raises BadUsage for another text."""
        if tag is None:
            return None
        week, _, why = tag.partition(" ")
        try:
            return cls(Week.parse(week), Lateness(why))
        except ValueError as error:
            raise BadUsage(f"{tag!r} is no week with {', '.join(Lateness)}") from error

    @property
    def subject(self) -> str:
        return f"Campaign report {self.week} is late: {_SHORT[self.why]}"

    @property
    def text(self) -> str:
        return (
            f"The campaign report of {self.week} is not there yet.\n\n{_LONG[self.why]}\n\n"
            "If it is made before next Monday it comes by mail; there is nothing to do for you.\n"
        )
