"""What a view over the lake is, and words that several of them use.

Belongs here: the form of a view, and the day on which a week begins. Does not belong here: the views
(lake_views.py, lake_event_views.py).
"""

from dataclasses import dataclass
from typing import Final

from prism_core.lake import Column


@dataclass(frozen=True, slots=True)
class LakeView:
    """A view: its columns in order (`week` among them), one SELECT, and the tables that it reads."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    reads: tuple[str, ...]
    sql: str


# The Monday of an ISO week: 4 January always lies in the first week of its year. Right over years of 53 weeks,
# where adding one to the number of the week is not.
MONDAY: Final = (
    "CAST(date_trunc('week', CAST(substr(week, 1, 4) || '-01-04' AS date))"
    " + INTERVAL '7' DAY * (CAST(substr(week, 7, 2) AS bigint) - 1) AS date)"
)
WEEK: Final = Column("week", "string", "ISO week such as 2026-W01")
MONDAY_COLUMN: Final = Column("monday", "date", "first day of the week")


def one_line(text: str) -> str:
    """A Glue view holds its SQL in JSON, and a query that is wrong is shown to a person."""
    return " ".join(text.replace("MONDAY_OF_WEEK", MONDAY).split())
