"""Weeks as the lake keeps them, for a backtest.

Belongs here: one snapshot a week, from the partitions that the export and the assets wrote. Does not belong here:
the present (tables.py), and replaying snapshots (prism_core/alerts/backtest.py).
A partition of plans and time off says what stood at the end of its week: what was mended within the week is not
seen, and of weeks ahead only the time off that was decided by then.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from prism_core import clock
from prism_core.alerts import rows
from prism_core.alerts.rows import Row
from prism_core.alerts.snapshot import HISTORY_WEEKS, AlertSnapshot, WorkWeek
from prism_core.calendar import Week
from prism_core.capacity.demand import demanded
from prism_core.failures import BadUsage
from prism_core.lake import LakeTable
from prism_core.lake_tables import ALLOCATIONS, AVAILABILITY, LAKE_TABLES, MEMBERS, PROJECTS, REQUESTS
from prism_core.lake_tables import QUALITY_SCORES as SCORES
from prism_core.lake_tables import THROUGHPUT as WORK
from prism_core.models.base import Model, instant_text
from prism_core.models.projects import Project, Request
from prism_core.settings import Settings
from prism_resources.alerts.parts import Weekly, asked_by_project, days_of, lake_rows, project_states, reviews
from prism_resources.lake import Lake

WORKERS = LAKE_TABLES["workers"]
_NEEDED = (PROJECTS, REQUESTS, MEMBERS, WORKERS, ALLOCATIONS)
# Personal values are not in the lake; no rule asks for them.
_LEFT_OUT = {"requester": "-"}


class SnapshotLake:
    """Snapshots of weeks that have ended."""

    def __init__(self, settings: Settings, lake: Lake) -> None:
        self._settings, self._lake = settings, lake
        self._work = Weekly(self._indexed, HISTORY_WEEKS + 1)
        self._scores = Weekly(lambda week: reviews(lake_rows(lake, SCORES, week)), HISTORY_WEEKS + 1)
        self._projects = Weekly(lambda week: lake_rows(lake, PROJECTS, week), HISTORY_WEEKS + 1)

    def weeks(self, weeks: Iterable[Week]) -> Iterator[AlertSnapshot]:
        """One snapshot a week, in order, each as of when the week's figures were complete.

        Raises BadUsage for a week that is not in the lake.
        """
        return (self.read(week) for week in weeks)

    def holds(self, week: Week) -> bool:
        """Whether every table is there that a snapshot of the week needs."""
        return all(self._lake.manifest(table.partition(week)) is not None for table in _NEEDED)

    def read(self, week: Week) -> AlertSnapshot:
        """A week as the lake keeps it. Raises BadUsage when it is not there."""
        as_of = due(self._settings, week)
        thresholds = self._settings.alert_thresholds
        past = list(week.window(HISTORY_WEEKS))
        plans = [week + number for number in range(thresholds.ahead_weeks + 1)]
        projects, requests = self._required(PROJECTS, week), self._required(REQUESTS, week)
        offered, asked = _models(Project, projects), _models(Request, requests)
        return AlertSnapshot(
            as_of=as_of,
            week=week,
            ended=week,
            thresholds=thresholds,
            members={
                row["member_id"]: rows.member_state(row, days_of(plans)) for row in self._required(MEMBERS, week)
            },
            projects=project_states(projects, asked_by_project(self._projects.of(past))),
            requests=tuple(rows.request_state(row) for row in requests),
            workers={row["worker_key"]: rows.worker_state(row) for row in self._required(WORKERS, week)},
            time_off={
                one: tuple(rows.time_off(row) for row in found if one == week or rows.known_at(row, as_of))
                for one in plans
                if (found := lake_rows(self._lake, AVAILABILITY, one)) is not None
            },
            planned={week: tuple(rows.planned(row, week) for row in self._required(ALLOCATIONS, week))},
            demand={one: demanded(one, offered, asked).lines for one in plans if one > week},
            work=self._work.of(past),
            quality=self._scores.of(past),
        )

    def _required(self, table: LakeTable, week: Week) -> list[Row]:
        found = lake_rows(self._lake, table, week)
        if found is None:
            at = due(self._settings, week)
            early = f"due at {at:%A %H:%M} UTC; before that, " if clock.now() < at else ""
            missing = f"the lake has no {table.name} of {week}"
            raise BadUsage(f"{missing}; {early}`prism export --weeks {week}` writes them")
        return found

    def _indexed(self, week: Week) -> WorkWeek | None:
        found = lake_rows(self._lake, WORK, week)
        return None if found is None else WorkWeek.of(rows.worked(row) for row in found)


def due(settings: Settings, week: Week) -> datetime:
    """When the figures of a week are complete: what is missing before is not late."""
    return week.end + timedelta(hours=settings.restatement_grace_hours)


def _models(model: type[Model], found: Iterable[Row]) -> list[Any]:
    """Rows of the lake as models."""
    fields = model.model_fields
    return [
        model.from_plain({name: value for name, value in _plain(row).items() if name in fields}) for row in found
    ]


def _plain(row: Row) -> dict[str, Any]:
    """As JSON has it: exact decimals and instants are text. What is absent in the lake stays absent."""
    columns = {name: rows.json_of(value) if name in _JSON else value for name, value in row.items()}
    return _LEFT_OUT | {name: _text(value) for name, value in columns.items() if value is not None}


_JSON = {column.name for table in (PROJECTS, REQUESTS) for column in table.columns if column.json}


def _text(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime):
        return instant_text(value if value.tzinfo else value.replace(tzinfo=UTC))
    return value.isoformat() if isinstance(value, date) else value
