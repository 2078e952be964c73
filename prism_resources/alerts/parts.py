"""A snapshot from its weeks, wherever they were read.

Belongs here: the rows of the weeks, each read and indexed once, and putting a snapshot together from those in its
window. Does not belong here: where rows come from (tables.py, past.py) and what they mean (prism_core/alerts).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar

from prism_core.alerts.rows import Row, asked_of, project_state, reviewed
from prism_core.alerts.snapshot import ProjectState, Reviewed
from prism_core.calendar import Week
from prism_core.lake import LakeTable
from prism_resources.lake import Lake

T = TypeVar("T")


class Weekly(Generic[T]):
    """What a week is read as, once: None where there is nothing to read. Only the newest weeks are kept."""

    def __init__(self, read: Callable[[Week], T | None], keep: int) -> None:
        self._read, self._keep, self._known = read, keep, dict[Week, T | None]()

    def of(self, weeks: Iterable[Week]) -> dict[Week, T]:
        """The weeks that could be read."""
        return {week: found for week in weeks if (found := self.one(week)) is not None}

    def one(self, week: Week) -> T | None:
        if week not in self._known:
            self._known[week] = self._read(week)
            for old in sorted(self._known)[: -self._keep]:
                del self._known[old]
        return self._known.get(week)


def lake_rows(lake: Lake, table: LakeTable, week: Week) -> list[Row] | None:
    """The rows of a week, None where it was never written; a week that never had a row is written too."""
    found = lake.read_partition(table, week)
    if found is not None:
        return list[Row](found.to_pylist())
    return None if lake.manifest(table.partition(week)) is None else []


def reviews(rows: Iterable[Row] | None) -> tuple[Reviewed, ...] | None:
    return None if rows is None else tuple(reviewed(row) for row in rows)


def asked_by_project(weeks: Mapping[Week, Iterable[Row]]) -> dict[str, dict[Week, Decimal]]:
    """Hours of demand by project and week, from the register as it stood at the end of each week."""
    found: dict[str, dict[Week, Decimal]] = {}
    for week, rows in weeks.items():
        for row in rows:
            hours = asked_of(row)
            if hours is not None:
                found.setdefault(row["project_id"], {})[week] = hours
    return found


def project_states(rows: Iterable[Row], asked: Mapping[str, Mapping[Week, Decimal]]) -> dict[str, ProjectState]:
    return {row["project_id"]: project_state(row, asked.get(row["project_id"], {})) for row in rows}


def days_of(weeks: Iterable[Week]) -> list[date]:
    return [day for week in weeks for day in week.days]
