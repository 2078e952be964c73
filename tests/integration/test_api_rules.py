"""What nobody may write, by whatever way. Why real: a rule that one way forgets is decided by what is stored."""

from typing import Any

import pytest

from infra.local.platform import Platform
from tests.integration.api_client import Answer, Api, every_page, known
from tests.integration.test_api_imports import book, imported

ADMIN, LEAD = Api("[admin]", "u-admin"), Api("[lead]", "u-lead")
MONDAY = {"2018-W50": "2018-12-10", "2018-W51": "2018-12-17", "2018-W52": "2018-12-24", "2019-W01": "2018-12-31"}


@pytest.fixture(scope="module", autouse=True)
def _world(platform: Platform) -> None:
    assert platform.owned
    known(["u-ann", "u-bob"], ["u-p", "u-q", "u-r"])


def planned(week: str, project: str = "u-p", hours: float = 8, member: str = "u-ann") -> dict[str, Any]:
    return {"member_id": member, "week": week, "project_id": project, "hours": {MONDAY[week]: hours}}


def made(week: str, project: str = "u-p", hours: float = 8, member: str = "u-ann") -> dict[str, Any]:
    answer = LEAD("POST", "/api/allocations", planned(week, project, hours, member))
    assert answer.status == 201, answer.body
    return answer.body


def paths(answer: Answer) -> list[str]:
    return [error["path"] for error in answer.body["errors"]]


@pytest.mark.parametrize(
    ("path", "fields", "wrong"),
    [
        ("/api/allocations", planned("2018-W50", "u-none"), ["body.project_id"]),
        (
            "/api/allocations",
            planned("2018-W50", "u-none", member="nobody"),
            ["body.member_id", "body.project_id"],
        ),
        (
            "/api/quality",
            {
                "member_id": "nobody", "week": "2018-W50", "project_id": "u-p", "category": "c", "reviewed": 1,
                "correct": 1,
            },
            ["body.member_id"],
        ),
        (
            "/api/requests",
            {"due_date": "2030-01-01", "hours": 1, "requester": "x", "reason": "y", "project_id": "u-none"},
            ["body.project_id"],
        ),
        ("/api/availability", {"member_id": "nobody", "date": "2018-12-10", "hours_off": 1}, ["body.member_id"]),
        (
            "/api/corrections",
            {"week": "2018-W50", "from_member": "worker:x#y", "to_member": "nobody", "reason": "r"},
            ["body.to_member"],
        ),
        (
            "/api/disputes",
            {
                "table": "throughput", "week": "2018-W50", "member_id": "nobody", "project_id": "job:unclaimed",
                "field": "tasks_submitted", "shown": "1", "reason": "r",
            },
            ["body.member_id"],
        ),
    ],
)  # fmt: skip
def test_an_item_names_only_members_and_projects_that_exist(
    path: str, fields: dict[str, Any], wrong: list[str]
) -> None:
    for who in (LEAD, ADMIN):
        answer = who("POST", path, fields)
        assert (answer.status, paths(answer)) == (422, wrong), answer.body
    assert "there is no" in answer.body["detail"]
    bulk = [one for one in ("allocations", "quality", "requests", "availability") if path.endswith(one)]
    for _ in bulk:
        row = {"operation": "create", "fields": fields}
        (result,) = LEAD("POST", f"{path}/bulk", {"rows": [row], "dry_run": True}).body["rows"]
        assert (result["status"], [error["path"] for error in result["errors"]]) == (422, wrong)


def test_hours_are_moved_to_nobody_who_does_not_exist() -> None:
    mine = made("2018-W50")
    row = {"key": mine["key"], "version": 1, "to_member": "nobody"}

    (result,) = LEAD("POST", "/api/allocations/reassign", {"rows": [row]}).body["rows"]

    assert (result["status"], "there is no member 'nobody'" in result["detail"]) == (422, True)
    assert LEAD("GET", f"/api/allocations/{mine['key']}").status == 200


def test_an_item_of_somebody_who_left_can_still_be_edited() -> None:
    known(["u-left"], [])
    theirs = made("2018-W50", member="u-left")
    assert ADMIN("DELETE", "/api/members/u-left", match="*").status == 204

    answer = LEAD("PATCH", f"/api/allocations/{theirs['key']}", {"pinned": True}, match='"1"')

    assert answer.status == 200, answer.body


def test_a_day_has_24_hours_over_all_projects_of_a_member() -> None:
    made("2018-W51", "u-p", 10)
    second = made("2018-W51", "u-q", 10)
    row = {"operation": "create", "fields": planned("2018-W51", "u-r", 5)}

    third = LEAD("POST", "/api/allocations", planned("2018-W51", "u-r", 5))
    (bulk,) = LEAD("POST", "/api/allocations/bulk", {"rows": [row]}).body["rows"]
    longer = LEAD("PATCH", f"/api/allocations/{second['key']}", {"hours": {"2018-12-17": 15}}, match='"1"')
    sheet = book({"Allocations": [["Member", "Project", "Week", "Mon"], ["u-ann", "u-r", "2018-W51", 5]]})
    loaded = imported(LEAD, sheet)
    fits = LEAD("POST", "/api/allocations", planned("2018-W51", "u-r", 4))

    words = "u-ann would work 25.00 hours on 2018-12-17: 5.00 here beside 10.00 for u-p, 10.00 for u-q"
    assert (third.status, paths(third)) == (422, ["body.hours.2018-12-17"])
    assert words in third.body["detail"]
    assert (bulk["status"], words in bulk["detail"], longer.status) == (422, True, 422)
    assert (loaded.body["counts"]["rejected"], words in str(loaded.body["rows"])) == (1, True)
    assert fits.status == 201, fits.body


def test_a_dry_run_of_many_rows_sees_what_the_rows_before_would_leave() -> None:
    rows = [
        {"operation": "create", "fields": planned("2018-W52", project, 9)} for project in ("u-p", "u-q", "u-r")
    ]

    dry = LEAD("POST", "/api/allocations/bulk", {"rows": rows, "dry_run": True})
    wet = LEAD("POST", "/api/allocations/bulk", {"rows": rows})
    moves = [{"key": row["key"], "version": 1, "to_member": "u-bob"} for row in wet.body["rows"][:2]]
    made("2018-W52", "u-r", 8, member="u-bob")
    dry_moves = LEAD("POST", "/api/allocations/reassign", {"rows": moves, "dry_run": True})
    wet_moves = LEAD("POST", "/api/allocations/reassign", {"rows": moves})

    assert [row["status"] for row in dry.body["rows"]] == [201, 201, 422]
    assert [row["detail"] for row in dry.body["rows"]] == [row["detail"] for row in wet.body["rows"]]
    assert [row["status"] for row in dry_moves.body["rows"]] == [200, 422]
    assert [row["detail"] for row in dry_moves.body["rows"]] == [row["detail"] for row in wet_moves.body["rows"]]


def test_rows_of_a_workbook_make_room_for_each_other_and_are_refused_together() -> None:
    made("2019-W01", "u-p", 20)
    swap = [["u-ann", "u-p", "2019-W01", 4], ["u-ann", "u-q", "2019-W01", 20]]
    much = [["u-bob", "u-p", "2019-W01", 13], ["u-bob", "u-q", "2019-W01", 12]]
    data = book({"Allocations": [["Member", "Project", "Week", "Mon"], *swap, *much]})

    dry, done = imported(LEAD, data, dry_run=True), imported(LEAD, data)

    counts = {"read": 4, "new": 1, "changed": 1, "unchanged": 0, "conflict": 0, "rejected": 2}
    assert (dry.body["counts"], done.body["counts"]) == (counts, counts), done.body
    left = every_page(LEAD, "/api/allocations", week="2019-W01")
    assert {(row["member_id"], row["project_id"], row["hours"]["2018-12-31"]) for row in left} == {
        ("u-ann", "u-p", "4.00"),
        ("u-ann", "u-q", "20.00"),
    }
