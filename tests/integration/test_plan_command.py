"""`prism plan` on a platform with a few items: what it prints, what it answers machines, and what it refuses."""

import json
from pathlib import Path
from typing import Any

from infra.local.platform import Platform
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project, Request
from prism_core.models.work import Allocation
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS, PROJECTS, REQUESTS, TableSpec
from prism_resources.aws import client
from prism_resources.tables.bulk import batch_write, put_request
from prism_resources.tables.codec import encode
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import prism

platform = commands_of_this_file()
WEEK = "2026-W48"
# The Friday before.
NOW = "2026-11-20T08:00:00Z"
DAYS = ("mon", "tue", "wed", "thu", "fri")
ITEMS: list[tuple[TableSpec, Any]] = [
    *(
        (
            MEMBERS,
            Member.model_validate(
                {
                    "member_id": f"m-{number}",
                    "name": f"Synthetic Member {number}",
                    "email": f"m-{number}@example.com",
                    "hours": dict.fromkeys(DAYS, "8.00"),
                    "skills": [{"name": "lidar", "level": number}],
                    "time_zone": "UTC",
                }
            ),
        )
        for number in (1, 3)
    ),
    (
        PROJECTS,
        Project.model_validate(
            {
                "project_id": "p-1",
                "name": "Synthetic lidar",
                "category": "raw-lidar",
                "demand_hours": "50.00",
                "skills": [{"name": "lidar", "level": 2}],
            }
        ),
    ),
    (
        REQUESTS,
        Request.model_validate(
            {
                "request_id": "r-1",
                "status": "approved",
                "due_date": "2026-11-27",
                "hours": "6.00",
                "requester": "Synthetic Requester",
                "reason": "more",
                "created": "2026-11-02T08:00:00Z",
                "decided": "2026-11-18T08:00:00Z",
            }
        ),
    ),
    (
        AVAILABILITY,
        Availability.model_validate(
            {"member_id": "m-3", "date": "2026-11-26", "hours_off": "8.00", "status": "approved"}
        ),
    ),
]


def put(platform: Platform, items: list[tuple[TableSpec, Any]]) -> None:
    for spec, item in items:
        batch_write(
            client(platform.settings, "dynamodb"),
            platform.settings.table_name(spec.name),
            [put_request(encode(spec, item))],
        )


def plan(platform: Platform, *words: str, now: str = NOW) -> Any:
    first = platform.settings.first_week.label
    return prism(platform.settings.home, "plan", *words, first_week=first, PRISM_NOW=now)


def test_a_week_is_planned_around_time_off_and_says_what_stays_open(platform: Platform) -> None:
    put(platform, ITEMS)

    answer = plan(platform, WEEK, "--json")

    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert [(one["member_id"], one["project_id"], one["hours"]) for one in found["assignments"]] == [
        ("m-3", "p-1", "32.00")
    ]
    assert "2026-11-26" not in found["assignments"][0]["by_day"]
    assert found["unmet"] == [{"line": "p-1", "project_id": "p-1", "hours": "18.00"}]
    assert (found["state"], found["gap"], found["objective"]) == ("optimum", 0.0, found["bound"])
    assert "names no project" in found["unplaced"]["r-1"]

    told = plan(platform, WEEK)
    assert told.returncode == 0, told.stderr
    for text in ("32.00 h planned, 18.00 h open", "gap 0.0000%", "optimum: the best plan there is", "Mon 8.00"):
        assert text in told.stdout
    assert "request r-1" in told.stderr


def test_on_its_wednesday_a_week_is_planned_for_the_days_that_are_left(platform: Platform) -> None:
    put(platform, ITEMS)

    answer = plan(platform, WEEK, "--json", now="2026-11-25T08:00:00Z")

    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["assignments"][0]["by_day"] == {"2026-11-25": "8.00", "2026-11-27": "8.00"}
    assert any("the days before 2026-11-25 have passed" in note for note in found["notes"])


def test_an_explanation_says_what_binds_and_a_scenario_what_it_changes(platform: Platform, tmp_path: Path) -> None:
    put(platform, ITEMS)
    scenario = tmp_path / "what-if.json"
    scenario.write_text(json.dumps({"name": "more hours", "overtime": [{"hours": "4.00"}]}))

    answer = plan(platform, WEEK, "--explain", "--scenario", str(scenario))

    assert answer.returncode == 0, answer.stderr
    for text in (
        "36.00 h planned, 14.00 h open",
        "The plan of 2026-W48 changes by",
        "m-3 on p-1: 32 hours become 36 hours.",
        "14 hours of p-1 on p-1 stay open",
        "m-3 works 36 hours on p-1",
    ):
        assert text in answer.stdout

    scenario.write_text(json.dumps({"name": "gone", "leave": ["m-9"]}))
    refused = plan(platform, WEEK, "--scenario", str(scenario))
    assert refused.returncode == 2
    assert "m-9" in refused.stderr


def test_a_pin_on_a_day_off_ends_it_with_the_member_the_project_and_what_to_do(platform: Platform) -> None:
    pinned = {
        "member_id": "m-3",
        "week": WEEK,
        "project_id": "p-1",
        "hours": {"2026-11-26": "4.00"},
        "pinned": True,
    }
    put(platform, [*ITEMS, (ALLOCATIONS, Allocation.model_validate(pinned))])

    answer = plan(platform, WEEK)

    assert answer.returncode == 1
    for text in ("m-3", "p-1", "2026-11-26", "off"):
        assert text in answer.stderr


def test_a_week_that_is_none_is_bad_usage_and_one_without_items_is_an_empty_plan(platform: Platform) -> None:
    assert plan(platform, "2026-W60").returncode == 2
    before = plan(platform, "1999-W01")
    assert (before.returncode, "the first week of the settings" in before.stderr) == (2, True)
    empty = plan(platform, "2025-W02", "--json")
    assert empty.returncode == 0, empty.stderr
