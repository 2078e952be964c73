"""A row says the same of its item whether a table gave it or the lake."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prism_core.alerts import rows
from prism_core.alerts.snapshot import Planned, ProjectState, TimeOff, Worked, WorkerState
from prism_core.alerts.thresholds import ProjectLimits
from prism_core.calendar import Week
from prism_core.models.people import Availability, AvailabilityStatus, Member
from prism_core.models.projects import Project, ProjectStatus, Request, RequestStatus
from prism_core.models.work import Allocation
from prism_core.models.workers import Worker, WorkerStatus

WEEK = Week.parse("2026-W48")
MONDAY = WEEK.monday
NAIVE = datetime(2026, 11, 2, 9)  # noqa: DTZ001 - as a reader may hand it over
NINE = NAIVE.replace(tzinfo=UTC)


def lake(item: Any, *as_json: str, **typed: Any) -> dict[str, Any]:
    """The row that the lake has of an item: objects as JSON text, and the given typed values."""
    plain = item.plain()
    return plain | {name: json.dumps(plain[name]) for name in as_json} | typed


def test_a_member_has_contracted_hours_from_monday_skills_and_the_holidays_of_the_location() -> None:
    member = Member.from_plain(
        {
            "member_id": "M-1",
            "name": "Ana",
            "email": "ana@example.com",
            "hours": {"mon": "7.50", "fri": "4.00"},
            "skills": [{"name": "boxes", "level": 3}],
            "time_zone": "Europe/Madrid",
            "location": "ES",
            "team": "north",
        }
    )

    found = rows.member_state(member.plain(), [date(2026, 12, 8), date(2026, 12, 9)])

    assert found == rows.member_state(lake(member, "hours", "skills"), [date(2026, 12, 8)])
    assert [str(hours) for hours in found.hours] == ["7.50", "0.00", "0.00", "0.00", "4.00", "0.00", "0.00"]
    assert (found.skills, found.team, found.active) == ({"boxes": 3}, "north", True)
    assert set(found.holidays) == {date(2026, 12, 8)}


@pytest.mark.parametrize("location", ["ES-MAD", "EN", "US-NYC"])
def test_a_member_whose_location_nobody_knows_is_judged_without_holidays(location: str) -> None:
    row = {"member_id": "M-1", "status": "active", "hours": {"mon": "8.00"}, "location": location}

    found = rows.member_state(row, [date(2026, 12, 8)])

    assert (found.holidays, found.contracted(MONDAY)) == ({}, Decimal("8.00"))


def test_a_project_has_its_own_limits_and_what_it_asked_for() -> None:
    project = Project.from_plain(
        {
            "project_id": "P-1",
            "name": "Boxes",
            "category": "boxes",
            "demand_hours": "32.25",
            "quality_target": "0.9500",
            "sla_date": "2026-12-13",
            "alert_limits": {"shrinkage_limit": "0.2000"},
        }
    )
    asked = {WEEK: Decimal(1)}
    typed = {"demand_hours": 32.25, "quality_target": 0.95, "sla_date": date(2026, 12, 13)}

    found = rows.project_state(project.plain(), asked)

    assert found == rows.project_state(lake(project, "alert_limits", **typed), asked)
    assert found == ProjectState(
        "P-1",
        ProjectStatus.ACTIVE,
        Decimal("32.25"),
        Decimal("0.95"),
        date(2026, 12, 13),
        asked,
        ProjectLimits(shrinkage_limit=Decimal("0.2")),
    )
    assert rows.asked_of(project.plain()) == Decimal("32.25")
    assert rows.asked_of(project.plain() | {"status": "paused"}) is None


def test_a_request_is_decided_when_it_was_approved_and_only_then() -> None:
    plain: dict[str, Any] = {
        "request_id": "R-1",
        "status": "approved",
        "due_date": "2026-11-27",
        "hours": "10.50",
        "requester": "Bo",
        "reason": "more",
        "created": "2026-11-01T09:00:00Z",
        "decided": "2026-11-02T09:00:00Z",
    }
    request = Request.from_plain(plain)

    found = rows.request_state(request.plain())

    assert found == rows.request_state(lake(request, hours=10.5, due_date=date(2026, 11, 27), decided=NAIVE))
    assert (found.decided, found.hours, found.due_date) == (NINE, Decimal("10.50"), date(2026, 11, 27))
    declined = rows.request_state(plain | {"status": "declined"})
    assert (declined.status, declined.decided) == (RequestStatus.DECLINED, None)


def test_a_worker_has_the_days_on_which_it_was_somebodys() -> None:
    worker = Worker.from_plain(
        {
            "worker_key": "w-1",
            "worker_id": "w-1",
            "status": "resolved",
            "periods": [{"member": "M-1", "from": "2026-01-05", "to": "2026-02-02"}],
            "first_seen": "2026-11-02T09:00:00Z",
            "last_seen": "2026-11-02T09:00:00Z",
        }
    )

    found = rows.worker_state(worker.plain())

    assert found == rows.worker_state(lake(worker, "periods", first_seen=NAIVE))
    assert found == WorkerState("w-1", WorkerStatus.RESOLVED, NINE, ((date(2026, 1, 5), date(2026, 2, 2)),))
    assert [found.settled_on(date(2026, 2, day)) for day in (1, 2)] == [True, False]


def test_plans_time_off_and_work_are_of_their_days() -> None:
    plan = Allocation.from_plain(
        {"member_id": "M-1", "week": WEEK.label, "project_id": "P-1", "hours": {MONDAY.isoformat(): "7.50"}}
    )
    away = Availability.from_plain({"member_id": "M-1", "date": MONDAY.isoformat(), "hours_off": "4.00"})
    work = {"project_id": "P-1", "member_id": "M-1", "day": MONDAY, "tasks_submitted": 3, "wall_seconds": 90}

    assert rows.planned(plan.plain(), WEEK) == Planned("M-1", WEEK, "P-1", {MONDAY: Decimal("7.50")})
    assert rows.planned(lake(plan, "hours"), WEEK) == rows.planned(plan.plain(), WEEK)
    expected = TimeOff("M-1", MONDAY, Decimal("4.00"), AvailabilityStatus.REQUESTED)
    assert rows.time_off(away.plain()) == rows.time_off(lake(away, hours_off=4.0, date=MONDAY)) == expected
    assert rows.worked(work) == Worked("P-1", "M-1", MONDAY, 3, 90)


def test_an_entry_is_known_once_it_was_made_and_decided() -> None:
    entry = {"created": "2026-11-01T09:00:00Z", "decided": NAIVE}

    assert rows.known_at(entry, NINE)
    assert not rows.known_at(entry, NINE - timedelta(seconds=1))
    assert rows.known_at({}, NINE)
