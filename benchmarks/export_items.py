"""Synthetic items of ten tables for the benchmarks of the export, as the store writes them.

Belongs here: items that look like a programme's, encoded once by our own codec. Does not belong here: what is
measured with them.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.history.changes import change_of
from prism_core.models.base import Model
from prism_core.models.bugs import Bug
from prism_core.models.changes import Changes, Operation
from prism_core.models.disputes import Dispute
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project, Request
from prism_core.models.work import Allocation, QualityReview
from prism_core.models.workers import Worker
from prism_core.tables import TABLES
from prism_resources.tables.codec import LAST_WRITE, Item, encode

MEMBERS, PROJECTS = 790, 880
_LIDAR = {"name": "lidar", "level": 3}
_HOURS = {"mon": 8, "tue": 8, "wed": 8, "thu": 8, "fri": "6.50"}


def items_of(table: str, number: int, week: Week) -> Iterator[Item]:
    """So many items of a table in a week, as they are stored."""
    beside: Item = {LAST_WRITE: {"S": "benchmark-0001"}}
    spec, make = TABLES[table], MAKERS[table]
    return (encode(spec, make(one, week), beside=beside) for one in range(number))


def _member(one: int, _: Week) -> Model:
    return Member.model_validate(
        {
            "member_id": f"M-{one:06d}",
            "name": f"Member {one} of a Benchmark",
            "email": f"member.{one}@benchmark.example",
            "skills": [_LIDAR, {"name": "text", "level": 1 + one % 5}],
            "hours": _HOURS,
            "time_zone": "Europe/Madrid",
            "team": f"T-{one % 9}",
            "location": "ES-MD",
            "cognito_sub": f"sub-of-{one}",
        }
    )


def _project(one: int, week: Week) -> Model:
    return Project.model_validate(
        {
            "project_id": f"P-{one:06d}",
            "name": f"Project {one}",
            "category": f"category-{one % 40}",
            "priority": 1 + one % 5,
            "demand_hours": f"{one % 200}.50",
            "quality_target": "0.9500",
            "sla_date": week.sunday,
            "skills": [_LIDAR],
            "labeling_jobs": [{"job": f"job-{one}*", "valid_from": week.monday}],
        }
    )


def _request(one: int, week: Week) -> Model:
    return Request(
        request_id=f"Q-{one:06d}", due_date=week.sunday, hours=Decimal(one % 80), project_id=f"P-{one % PROJECTS}",
        requester="Somebody", reason="more boxes than planned", created=_instant(one, week),
    )  # fmt: skip


def _allocation(one: int, week: Week) -> Model:
    hours = {day: Decimal(one % 8) for day in week.days[:5]}
    return Allocation(member_id=f"M-{one % MEMBERS}", week=week, project_id=f"P-{one:06d}", hours=hours)


def _review(one: int, week: Week) -> Model:
    return QualityReview(
        member_id=f"M-{one % MEMBERS}", week=week, project_id=f"P-{one % PROJECTS}", review_id=f"R-{one:07d}",
        category=f"category-{one % 40}", reviewed=20 + one % 30, correct=15 + one % 5, reviewer=f"lead-{one % 7}",
        reviewed_at=_instant(one, week), notes="two boxes overlap, one label is wrong" if one % 3 else "",
    )  # fmt: skip


def _availability(one: int, week: Week) -> Model:
    return Availability(
        member_id=f"M-{one:06d}", date=week.days[one % 7], hours_off=Decimal(8), reason="away",
        created=_instant(one, week),
    )  # fmt: skip


def _worker(one: int, week: Week) -> Model:
    return Worker(
        worker_key=f"pool#sub-{one:06d}", pool="pool", sub=f"sub-{one:06d}", last_seen=_instant(one, week)
    )


def _bug(one: int, week: Week) -> Model:
    return Bug.model_validate(
        {
            "bug_id": f"B-{one:06d}",
            "title": f"The list of week {one % 52} is cut off",
            "description": "the last row is half under the footer",
            "severity": "low",
            "category": "screens",
            "reporter": f"M-{one % MEMBERS}",
            "created": _instant(one, week),
        }
    )


def _dispute(one: int, week: Week) -> Model:
    return Dispute.model_validate(
        {
            "dispute_id": f"D-{one:06d}",
            "table": "throughput",
            "week": week,
            "member_id": f"M-{one % MEMBERS}",
            "field": "tasks_submitted",
            "shown": str(one % 400),
            "reason": "one morning is missing",
            "opened": _instant(one, week),
            "opened_by": f"M-{one % MEMBERS}",
        }
    )


def _change(one: int, week: Week) -> Model:
    changes: Changes = {
        "status": {"before": "active", "after": "inactive"},
        "priority": {"before": 3, "after": 1 + one % 5},
    }
    return change_of(
        table="projects", item_key=f"projects/P-{one:06d}", operation=Operation.UPDATE, version=2,
        changes=changes, now=_instant(one, week), actor="user:lead",
        reason="weekly review", request_id=f"request-{one}", shards=4,
    )  # fmt: skip


def _instant(one: int, week: Week) -> datetime:
    return week.start + timedelta(seconds=one % 80_000)


MAKERS: Final[dict[str, Callable[[int, Week], Any]]] = {
    "members": _member,
    "projects": _project,
    "requests": _request,
    "allocations": _allocation,
    "quality": _review,
    "availability": _availability,
    "workers": _worker,
    "bugs": _bug,
    "disputes": _dispute,
    "changelog": _change,
}
