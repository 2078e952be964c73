"""Reports that somebody waits for: due where they are for so long that they miss them.

Belongs here: which reports are mailed on Mondays, which weeks of them are overdue, where those of a week are kept.
Does not belong here: the hour itself (hours.py), who reads what (prism_resources/recipients.py), and looking
whether a report is there.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from prism_core.calendar import Week
from prism_core.lake import REPORTS as SHELF
from prism_core.models.reports import ReportKind
from prism_core.reports.hours import last_due

REPORTS: Final = (ReportKind.CAMPAIGN, ReportKind.OPERATIONS)
# A report that is not there so long after its hour is missed by somebody.
MISSING_AFTER: Final = timedelta(hours=2)


def overdue(now: datetime, zones: Iterable[str], at: time, first: Week) -> list[Week]:
    """The weeks from the first one on whose report is due since two hours where its readers are."""
    due = {last_due(now - MISSING_AFTER, ZoneInfo(zone), at) for zone in set(zones)}
    return sorted(week for week in due if week >= first)


def kept_below(kind: ReportKind, week: Week) -> str:
    """What the keys of the reports of a week begin with."""
    return f"{SHELF}{kind}/week={week}/"
