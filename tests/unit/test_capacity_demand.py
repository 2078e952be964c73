"""What a week asks for: projects, their skills, and the part of a request that falls into the week."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from prism_core.calendar import Week
from prism_core.capacity.demand import demanded, share_of
from prism_core.models.projects import Project, Request

W47, W48, W49, W50 = (Week.parse(f"2026-W{number}") for number in (47, 48, 49, 50))


def project(**fields: Any) -> Project:
    return Project.model_validate(
        {"project_id": "p-1", "name": "Lidar", "category": "raw-lidar", "demand_hours": "30.00"} | fields
    )


def request(**fields: Any) -> Request:
    return Request.model_validate(
        {
            "request_id": "r-1",
            "status": "approved",
            "due_date": "2026-12-10",
            "hours": "10.00",
            "project_id": "p-1",
            "requester": "Synthetic Requester",
            "reason": "more frames",
            "created": datetime(2026, 11, 16, tzinfo=UTC),
            "decided": datetime(2026, 11, 18, tzinfo=UTC),
        }
        | fields
    )


def test_demand_by_skill_is_taken_out_of_the_demand_and_needs_the_skill_too() -> None:
    found = demanded(
        W48,
        [
            project(
                skills=[{"name": "lidar", "level": 2}],
                demand_by_skill=[{"name": "german", "level": 3, "hours": "10.00"}],
            )
        ],
        [],
    )

    assert [(line.line_id, line.hours, line.skills, line.source) for line in found.lines] == [
        ("p-1", Decimal("20.00"), {"lidar": 2}, "project"),
        ("p-1/skill:german", Decimal("10.00"), {"lidar": 2, "german": 3}, "skill:german"),
    ]


def test_only_active_projects_ask_for_hours_and_none_asks_for_nothing() -> None:
    projects = [
        project(project_id=f"p-{status}", status=status) for status in ("planned", "active", "paused", "closed")
    ]
    assert [line.project_id for line in demanded(W48, [*projects, project(demand_hours="0.00")], []).lines] == [
        "p-active"
    ]


def test_an_sla_inside_the_week_ends_the_line_on_its_day() -> None:
    lines = demanded(W48, [project(sla_date="2026-11-25")], []).lines
    assert [line.until for line in lines] == [date(2026, 11, 25)]
    assert demanded(W49, [project(sla_date="2026-11-25")], []).lines[0].until is None


def test_a_request_is_spread_over_the_weeks_until_it_is_due_and_loses_no_hundredth() -> None:
    shares = [share_of(week, request()) for week in (W47, W48, W49, W50, W50 + 1)]
    assert shares == [Decimal(text) for text in ("0.00", "3.33", "3.33", "3.34", "0.00")]


def test_a_request_due_in_the_week_of_its_approval_falls_into_it_whole() -> None:
    assert share_of(W47, request(due_date="2026-11-20")) == Decimal("10.00")


@pytest.mark.parametrize("status", ["submitted", "triaged", "declined", "fulfilled"])
def test_a_request_that_is_not_approved_asks_for_nothing(status: str) -> None:
    assert share_of(W48, request(status=status)) == 0


def test_a_line_of_a_request_needs_the_higher_level_of_both_and_ends_when_it_is_due() -> None:
    lines = demanded(
        W50,
        [project(skills=[{"name": "lidar", "level": 2}])],
        [request(skills=[{"name": "lidar", "level": 4}, {"name": "text", "level": 1}])],
    ).lines
    assert [(line.line_id, line.hours, line.skills, line.until) for line in lines[1:]] == [
        ("p-1/request:r-1", Decimal("3.34"), {"lidar": 4, "text": 1}, date(2026, 12, 10))
    ]


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"project_id": None}, "names no project"), ({"project_id": "p-9"}, "p-9 is not active")],
    ids=["no-project", "unknown-project"],
)
def test_a_request_that_no_project_takes_up_is_named_and_not_dropped(fields: dict[str, Any], says: str) -> None:
    found = demanded(W48, [project()], [request(**fields)])
    assert len(found.lines) == 1
    assert says in found.unplaced["r-1"]


def test_an_approved_request_that_is_overdue_is_named_and_not_dropped() -> None:
    overdue = request(due_date="2026-11-18")

    assert demanded(W47, [project()], [overdue]).unplaced == {}
    found = demanded(
        W48, [project()], [overdue, request(request_id="r-2", due_date="2026-11-18", status="fulfilled")]
    )
    assert found.unplaced.keys() == {"r-1"}
    assert "its 10.00 h were due on 2026-11-18" in found.unplaced["r-1"]


@pytest.mark.parametrize(
    ("today", "named"),
    [
        pytest.param(date(2026, 11, 18), False, id="due today"),
        pytest.param(date(2026, 11, 19), True, id="due yesterday"),
        pytest.param(None, True, id="every day planned"),
    ],
)
def test_a_request_of_the_running_week_is_not_overdue_in_the_plan_of_the_next(
    today: date | None, *, named: bool
) -> None:
    found = demanded(W48, [project()], [request(due_date="2026-11-18")], today)

    assert ("r-1" in found.unplaced) is named
