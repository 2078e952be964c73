"""Rows of the tables and of the lake as the states that rules look at.

Belongs here: one function a table, over a row as plain values: JSON of a model (`plain`) or a row of the lake.
Does not belong here: reading rows (prism_resources/alerts) and the states (snapshot.py).
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from prism_core.alerts.snapshot import (
    MemberState,
    Planned,
    ProjectState,
    RequestState,
    Reviewed,
    TimeOff,
    Worked,
    WorkerState,
)
from prism_core.alerts.thresholds import ProjectLimits
from prism_core.availability import holidays_on
from prism_core.calendar import Week
from prism_core.models.base import HOURS_QUANTUM
from prism_core.models.people import AvailabilityStatus, MemberStatus, Weekday
from prism_core.models.projects import ProjectStatus, RequestStatus
from prism_core.models.work import ThroughputWeek
from prism_core.models.workers import WorkerStatus

Row = Mapping[str, Any]


def member_state(row: Row, days: Iterable[date]) -> MemberState:
    """A member, with the public holidays of the location on `days`: none where no holidays of it are known."""
    hours: dict[str, Any] = json_of(row.get("hours")) or {}
    return MemberState(
        row["member_id"],
        tuple(_hours(hours.get(day.value, 0)) for day in Weekday),
        _skills(row),
        row["status"] == MemberStatus.ACTIVE,
        row.get("team"),
        holidays_on(row.get("location"), days) or {},
    )


def project_state(row: Row, asked: Mapping[Week, Decimal]) -> ProjectState:
    """A project; `asked` are the hours of demand of the weeks in which it was active."""
    target, limits = row.get("quality_target"), json_of(row.get("alert_limits"))
    return ProjectState(
        row["project_id"],
        ProjectStatus(row["status"]),
        _hours(row["demand_hours"]),
        None if target is None else Decimal(str(target)),
        _day(row.get("sla_date")),
        asked,
        None if limits is None else ProjectLimits.from_plain(limits),
    )


def asked_of(row: Row) -> Decimal | None:
    """Hours that a project asked for in a week, by its row of that week; None unless it was active."""
    return _hours(row["demand_hours"]) if row["status"] == ProjectStatus.ACTIVE else None


def request_state(row: Row) -> RequestState:
    """A request; it is decided when it was approved."""
    status = RequestStatus(row["status"])
    return RequestState(
        row["request_id"],
        status,
        _known_day(row["due_date"]),
        _hours(row["hours"]),
        _skills(row),
        row.get("project_id"),
        _instant(row.get("decided")) if status is RequestStatus.APPROVED else None,
    )


def worker_state(row: Row) -> WorkerState:
    """A name of the labelling tool with the days on which it was somebody's."""
    periods = json_of(row.get("periods")) or ()
    return WorkerState(
        row["worker_key"],
        WorkerStatus(row["status"]),
        _instant(row.get("first_seen")),
        tuple((_known_day(one["from"]), _day(one.get("to"))) for one in periods),
    )


def time_off(row: Row) -> TimeOff:
    return TimeOff(
        row["member_id"], _known_day(row["date"]), _hours(row["hours_off"]), AvailabilityStatus(row["status"])
    )


def known_at(row: Row, instant: datetime) -> bool:
    """Whether an entry of time off stood as it stands now at an instant: made, and decided if it is."""
    said = [_instant(row.get(name)) for name in ("created", "decided")]
    return all(one is None or one <= instant for one in said)


def planned(row: Row, week: Week) -> Planned:
    hours = {_known_day(day): _hours(amount) for day, amount in json_of(row["hours"]).items()}
    return Planned(row["member_id"], week, row["project_id"], hours)


def worked(row: Row) -> Worked:
    """A row of the lake's throughput."""
    return Worked(
        row["project_id"], row["member_id"], _known_day(row["day"]), row["tasks_submitted"], row["wall_seconds"]
    )


def worked_of(item: ThroughputWeek) -> list[Worked]:
    """The days of an item of the table."""
    return [
        Worked(item.project_id, item.member_id, done.day, done.tasks_submitted, done.wall_seconds)
        for done in item.days
    ]


def reviewed(row: Row) -> Reviewed:
    """A row of the lake's quality scores: corrections are applied there."""
    return Reviewed(row["member_id"], row["project_id"], row["reviewed"], row["correct"])


def _skills(row: Row) -> dict[str, int]:
    return {skill["name"]: skill["level"] for skill in json_of(row.get("skills")) or ()}


def json_of(value: Any) -> Any:
    """The lake holds lists and objects as JSON text."""
    return json.loads(value) if isinstance(value, str) else value


def _hours(value: Any) -> Decimal:
    """The lake holds hours as doubles; two places are exact in their text."""
    return Decimal(str(value)).quantize(HOURS_QUANTUM)


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _known_day(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: Any) -> datetime | None:
    if value is None:
        return None
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
