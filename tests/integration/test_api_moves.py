"""Taking back a move of hours. Why real: both of its changes go in one transaction, or none does."""

from decimal import Decimal
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_api.api import backend
from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.work import Allocation
from prism_core.tables import ALLOCATIONS
from prism_resources.tables.store import Write
from tests.integration.api_client import Api, known

LEAD, ADMIN = Api("[lead]", "z-lead"), Api("[admin]", "z-admin")


@pytest.fixture(scope="module", autouse=True)
def _world(platform: Platform) -> None:
    assert platform.owned
    known(["z-ann", "z-bob", "z-cy"], ["z-p", "z-q"])


class Move:
    """Hours of a Monday that went from the one to the other, who had `there` already."""

    def __init__(self, week: str, day: str, there: int = 0) -> None:
        self.week, self.day = week, day
        base = {"week": week, "project_id": "z-p"}
        mine = LEAD("POST", "/api/allocations", {**base, "member_id": "z-ann", "hours": {day: 5}}).body
        if there:
            LEAD("POST", "/api/allocations", {**base, "member_id": "z-bob", "hours": {day: there}})
        body = {"rows": [{"key": mine["key"], "version": 1, "to_member": "z-bob"}]}
        (moved,) = LEAD("POST", "/api/allocations/reassign", body).body["rows"]
        assert moved["status"] == 200, moved
        self.source, self.target = mine["key"], moved["key"]

    def change(self, key: str) -> str:
        return LEAD("GET", f"/api/history/allocations/{key}").body["items"][0]["id"]

    def hours(self) -> dict[str, str]:
        rows = LEAD("GET", "/api/allocations", week=self.week).body["items"]
        return {row["member_id"]: row["hours"][self.day] for row in rows}


def left(answer: dict[str, Any]) -> dict[str, Any]:
    """Hours by member of what a revert answers, None where it deleted."""
    return {
        one["item_key"].split("/")[1]: None if one["deleted"] else next(iter(one["item"]["hours"].values()))
        for one in (answer, *answer["also"])
    }


@pytest.mark.parametrize(("there", "by", "week", "day"), [
    (0, "source", "2017-W40", "2017-10-02"),
    (0, "target", "2017-W41", "2017-10-09"),
    (2, "source", "2017-W42", "2017-10-16"),
    (2, "target", "2017-W43", "2017-10-23"),
])  # fmt: skip
def test_either_change_takes_back_the_whole_move(there: int, by: str, week: str, day: str) -> None:
    move = Move(week, day, there)
    path = f"/api/changes/{move.change(getattr(move, by))}/revert"
    before = {"z-ann": "5.00"} | ({"z-bob": "2.00"} if there else {})

    dry = LEAD("POST", path, dry_run="true")
    still = move.hours()
    done = LEAD("POST", path, reason="the wrong person")
    again = LEAD("POST", path)

    expected = {"z-ann": "5.00", "z-bob": "2.00" if there else None}
    assert (dry.status, dry.body["dry_run"], left(dry.body)) == (200, True, expected), dry.body
    assert still == {"z-bob": f"{5 + there}.00"}
    assert (done.status, done.body["dry_run"], left(done.body)) == (200, False, expected), done.body
    assert {**dry.body, "dry_run": False} == done.body
    assert (move.hours(), again.status) == (before, 409)
    logs = [LEAD("GET", f"/api/history/allocations/{key}").body["items"][0] for key in (move.source, move.target)]
    assert len({(one["request_id"], one["instant"], one["reason"]) for one in logs}) == 1


def test_a_move_with_a_later_change_on_one_side_is_taken_back_on_neither() -> None:
    move = Move("2017-W44", "2017-10-30")
    change = move.change(move.source)
    assert LEAD("PATCH", f"/api/allocations/{move.target}", {"hours": {move.day: 4}}, match="*").status == 200

    refused = LEAD("POST", f"/api/changes/{change}/revert")

    assert (refused.status, "hours" in refused.body["detail"], move.hours()) == (409, True, {"z-bob": "4.00"})


def test_a_revert_fills_no_day_beyond_its_24_hours_whoever_asks() -> None:
    move = Move("2017-W45", "2017-11-06")
    full = {"member_id": "z-ann", "week": move.week, "project_id": "z-q", "hours": {move.day: 20}}
    assert LEAD("POST", "/api/allocations", full).status == 201

    refused = ADMIN("POST", f"/api/changes/{move.change(move.target)}/revert")

    assert (refused.status, "25.00 hours" in refused.body["detail"]) == (422, True)
    assert move.hours()["z-bob"] == "5.00"


@pytest.mark.parametrize(("week", "others"), [("2017-W47", ("z-bob", "z-cy")), ("2017-W48", ("z-bob",))])
def test_a_row_of_a_published_plan_is_taken_back_alone(week: str, others: tuple[str, ...]) -> None:
    """A publication writes all of its rows under one request, at one instant."""
    monday = Week.parse(week).monday
    row = {"week": week, "project_id": "z-p", "hours": {monday.isoformat(): 8}}
    gone = LEAD("POST", "/api/allocations", {**row, "member_id": "z-ann"}).body
    store = backend.store(ALLOCATIONS, Allocation)
    mine = store.get(member_id="z-ann", week=Week.parse(week), project_id="z-p")
    assert mine is not None
    # One of two gets all that was taken away; who alone gets something gets less.
    hours = {monday: Decimal("8.00" if len(others) > 1 else "6.00")}
    made = [mine.model_copy(update={"member_id": one, "hours": hours}) for one in others]
    writes = [Write(mine, mine.version, delete=True), *(Write(one, 0) for one in made)]
    store.transact(writes, actor="z-lead", reason="", request_id=f"publication of {week}", now=clock.now())
    change = LEAD("GET", f"/api/history/allocations/{gone['key']}").body["items"][0]["id"]

    done = LEAD("POST", f"/api/changes/{change}/revert")

    assert (done.status, left(done.body)) == (200, {"z-ann": "8.00"}), done.body
    rows = LEAD("GET", "/api/allocations", week=week).body["items"]
    assert {one["member_id"] for one in rows} == {"z-ann", *others}


def test_a_change_of_one_item_is_taken_back_alone() -> None:
    base = {"week": "2017-W46", "project_id": "z-p", "hours": {"2017-11-13": 1}}
    rows = [{"operation": "create", "fields": {**base, "member_id": one}} for one in ("z-ann", "z-bob")]
    keys = [row["key"] for row in LEAD("POST", "/api/allocations/bulk", {"rows": rows}).body["rows"]]
    change = LEAD("GET", f"/api/history/allocations/{keys[0]}").body["items"][0]["id"]

    done = LEAD("POST", f"/api/changes/{change}/revert")

    assert (done.status, done.body["deleted"], done.body["also"]) == (200, True, [])
    assert LEAD("GET", f"/api/allocations/{keys[1]}").status == 200
