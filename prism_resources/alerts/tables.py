"""The programme as it stands, for the rules that run today.

Belongs here: reading a snapshot from the tables, and from the lake what only it has (scores with corrections, the
demand of weeks that have ended). Does not belong here: past states (past.py).
Every read is a query; registers are read by status.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from prism_core.alerts import rows
from prism_core.alerts.snapshot import HISTORY_WEEKS, AlertSnapshot, WorkWeek, ended_by
from prism_core.calendar import Week
from prism_core.capacity.demand import demanded
from prism_core.lake_tables import PROJECTS as PROJECTS_LAKE
from prism_core.lake_tables import QUALITY_SCORES
from prism_core.models.base import Versioned
from prism_core.models.people import Availability, Member, MemberStatus
from prism_core.models.projects import Project, ProjectStatus, Request
from prism_core.models.work import Allocation, ThroughputWeek
from prism_core.models.workers import Worker, WorkerStatus
from prism_core.requests import WAITING
from prism_core.settings import Settings
from prism_core.tables import (
    ALLOCATIONS,
    AVAILABILITY,
    MEMBERS,
    PROJECTS,
    REQUESTS,
    THROUGHPUT,
    WORKERS,
    TableSpec,
)
from prism_resources.alerts.parts import asked_by_project, days_of, lake_rows, project_states, reviews
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.generations import Generations
from prism_resources.tables.reader import TableReader

M = TypeVar("M", bound=Versioned)


class SnapshotTables:
    """Snapshots of now."""

    def __init__(self, settings: Settings, lake: Lake) -> None:
        self._settings, self._lake, self._client = settings, lake, client(settings, "dynamodb")
        self._throughput = Generations(self._client, settings, THROUGHPUT, ThroughputWeek)

    def read(self, week: Week, now: datetime) -> AlertSnapshot:
        """What is known at `now`, to be judged for `week`. Raises TransientFailure while a week is replaced."""
        thresholds = self._settings.alert_thresholds
        ended = ended_by(week, now, timedelta(hours=self._settings.restatement_grace_hours))
        past = list(ended.window(HISTORY_WEEKS))
        plans = [week + number for number in range(thresholds.ahead_weeks + 1)]
        projects = self._register(PROJECTS, Project, ProjectStatus)
        requests = self._register(REQUESTS, Request, sorted(WAITING))
        away = sorted({*past[-1:], *plans, *self._until_due(requests, now)})
        return AlertSnapshot(
            as_of=now,
            week=week,
            ended=ended,
            thresholds=thresholds,
            members={
                one.member_id: rows.member_state(one.plain(), days_of(away))
                for one in self._register(MEMBERS, Member, MemberStatus)
            },
            projects=project_states((one.plain() for one in projects), self._asked(past)),
            requests=tuple(rows.request_state(one.plain()) for one in requests),
            workers={
                one.worker_key: rows.worker_state(one.plain())
                for one in self._register(WORKERS, Worker, WorkerStatus)
            },
            time_off={
                one: tuple(rows.time_off(entry.plain()) for entry in self._week(AVAILABILITY, Availability, one))
                for one in away
            },
            planned={
                one: tuple(rows.planned(plan.plain(), one) for plan in self._week(ALLOCATIONS, Allocation, one))
                for one in sorted({ended, *plans})
            },
            demand={one: demanded(one, projects, requests).lines for one in plans if one > week},
            work=self._work([*past, *(ended + number for number in range(1, week - ended + 1))]),
            quality={
                one: found
                for one in past
                if (found := reviews(lake_rows(self._lake, QUALITY_SCORES, one))) is not None
            },
        )

    def _register(self, spec: TableSpec, model: type[M], statuses: Iterable[StrEnum]) -> list[M]:
        reader = TableReader(self._client, self._settings, spec, model)
        return [item for status in statuses for item in reader.query("by_status", status=status)]

    def _week(self, spec: TableSpec, model: type[M], week: Week) -> Iterator[M]:
        return TableReader(self._client, self._settings, spec, model).query("by_week", week=week)

    def _work(self, weeks: list[Week]) -> dict[Week, WorkWeek]:
        """The published ones."""
        published = self._throughput.controls(weeks[0], weeks[-1])
        return {
            week: WorkWeek.of(row for item in self._throughput.week(week) for row in rows.worked_of(item))
            for week in weeks
            if week in published
        }

    def _asked(self, past: list[Week]) -> dict[str, dict[Week, Decimal]]:
        found = {week: lake_rows(self._lake, PROJECTS_LAKE, week) for week in past}
        return asked_by_project({week: of_week for week, of_week in found.items() if of_week is not None})

    def _until_due(self, requests: Iterable[Request], now: datetime) -> Iterator[Week]:
        """The weeks whose time off decides whether a request can be met."""
        this = Week.of(now)
        last = max((Week.of(one.due_date) for one in requests), default=this)
        return (this + number for number in range(min(max(last - this, 0), 13) + 1))
