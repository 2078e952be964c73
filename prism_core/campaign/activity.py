"""Whether leads came in a week, or nobody knows, in one word and one colour.

Belongs here: the status alone. Does not belong here: how good a week was (indicators.py).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prism_core.calendar import Week
from prism_core.campaign.metrics import History


class Activity(StrEnum):
    """`green`: a lead came in the week, by Meta or by the customer system. `yellow`: none did.

    `grey`: none that is known, of a week that was not read whole: some may have come.
    """

    GREEN = "green"
    YELLOW = "yellow"
    GREY = "grey"

    @property
    def word(self) -> str:
        return _WORDS[self]

    @property
    def colour(self) -> str:
        """Text on white, in a contrast of at least 4.5."""
        return _COLOURS[self]


_WORDS: Final = {Activity.GREEN: "ACTIVE", Activity.YELLOW: "NO LEADS", Activity.GREY: "NOT KNOWN"}
_COLOURS: Final = {Activity.GREEN: "#1d7f3f", Activity.YELLOW: "#8a5a00", Activity.GREY: "#545b64"}


@dataclass(frozen=True, slots=True)
class LeadActivity:
    """Leads of a week by source; `crm` None: that system was not read. `last`: the newest week with any.

    `whole`: whether what Meta counted is all of the week, as far as anybody knows.
    """

    week: Week
    meta: int
    crm: int | None
    last: Week | None
    whole: bool = True

    @property
    def status(self) -> Activity:
        if self.meta or self.crm:
            return Activity.GREEN
        return Activity.YELLOW if self.whole else Activity.GREY


def lead_activity(history: History, week: Week, crm: int | None) -> LeadActivity:
    """Raises BadUsage when the week was not read."""
    of_week = history.totals(week)
    counted = of_week.sums.leads
    seen = [one for one in history.weeks if one <= week and history.totals(one).sums.leads]
    return LeadActivity(week, counted, crm, week if crm else max(seen, default=None), of_week.every_row)
