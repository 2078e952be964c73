"""Calls that wrote and then failed, repeated. Why real: what was written is told by the item and its changes."""

import uuid
from typing import Any

import pytest

from infra.local.platform import Platform
from tests.integration.api_client import Answer, Api, known

LEAD, OTHER = Api("[lead]", "y-lead"), Api("[lead]", "y-other")


@pytest.fixture(scope="module", autouse=True)
def _world(platform: Platform) -> None:
    assert platform.owned
    known(["y-ann", "y-bob"], ["y-p", "y-q"])


@pytest.fixture
def key() -> dict[str, str]:
    return {"idempotency-key": uuid.uuid4().hex}


class Lost:
    """Calls whose answer fails after what they wrote."""

    def __init__(self, patch: pytest.MonkeyPatch, name: str) -> None:
        self._patch, self._name = patch, name

    def __call__(self, *asked: Any, **given: Any) -> None:
        LEAD("GET", asked[1].rpartition("/")[0])  # modules of routes are loaded at their first call
        with self._patch.context() as patch:
            patch.setattr(self._name, self._fail)
            assert LEAD(*asked, **given).status == 500

    @staticmethod
    def _fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the answer was lost")


def request() -> Answer:
    fields = {"due_date": "2033-01-01", "hours": 5, "requester": "Cleo", "reason": "again"}
    return LEAD("POST", "/api/requests", fields)


def versions(table: str, item: dict[str, Any]) -> list[int]:
    return [one["version"] for one in LEAD("GET", f"/api/history/{table}/{item['key']}").body["items"]]


@pytest.mark.parametrize("etag", ['"1"', "*"])
@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_verb_answers_what_it_had_written(
    key: dict[str, str], etag: str, monkeypatch: pytest.MonkeyPatch, *, meanwhile: bool
) -> None:
    made = request().body
    asked = ("POST", f"/api/requests/{made['key']}/decision", {"status": "triaged"})
    Lost(monkeypatch, "prism_api.api.actions.item_answer")(*asked, match=etag, headers=key)
    if meanwhile:
        assert OTHER("PATCH", f"/api/requests/{made['key']}", {"hours": 6}, match='"2"').status == 200

    again = LEAD(*asked, match=etag, headers=key)
    stale = OTHER(*asked, match='"1"')

    assert (again.status, again.etag, again.body["status"], again.body["hours"]) == (200, '"2"', "triaged", "5.00")
    assert versions("requests", made) == ([3, 2, 1] if meanwhile else [2, 1])
    assert stale.status == 412


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_move_answers_what_it_had_moved(
    key: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, meanwhile: bool
) -> None:
    week, day = ("2017-W33", "2017-08-14") if meanwhile else ("2017-W34", "2017-08-21")
    fields = {"member_id": "y-ann", "week": week, "project_id": "y-p", "hours": {day: 3}}
    mine = LEAD("POST", "/api/allocations", fields).body
    body = {"rows": [{"key": mine["key"], "version": 1, "to_member": "y-bob"}]}
    Lost(monkeypatch, "prism_api.api.routes.allocations.respond")(
        "POST", "/api/allocations/reassign", body, headers=key
    )
    (theirs,) = LEAD("GET", "/api/allocations", week=week).body["items"]
    if meanwhile:
        assert OTHER("DELETE", f"/api/allocations/{theirs['key']}", match='"1"').status == 204

    (again,) = LEAD("POST", "/api/allocations/reassign", body, headers=key).body["rows"]
    (fresh,) = LEAD("POST", "/api/allocations/reassign", body).body["rows"]

    assert (again["status"], again["key"], again["item"]) == (200, theirs["key"], theirs)
    assert (fresh["status"], versions("allocations", mine)) == (404, [2, 1])


def test_rows_of_many_answer_what_they_had_written(key: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    edited, deleted, touched = (request().body for _ in range(3))
    rows = [
        {"operation": "update", "key": edited["key"], "version": 1, "fields": {"hours": 7}},
        {"operation": "delete", "key": deleted["key"], "version": 1},
        {"operation": "update", "key": touched["key"], "version": 1, "fields": {"hours": 8}},
        {"operation": "update", "key": "none", "version": 1, "fields": {}},
    ]
    Lost(monkeypatch, "prism_api.api.crud.respond")("POST", "/api/requests/bulk", {"rows": rows}, headers=key)
    assert OTHER("DELETE", f"/api/requests/{touched['key']}", match='"2"').status == 204

    again = LEAD("POST", "/api/requests/bulk", {"rows": rows}, headers=key).body["rows"]

    assert [row["status"] for row in again] == [200, 204, 200, 404]
    assert [row["item"] and row["item"]["hours"] for row in again] == ["7.00", None, "8.00", None]
    assert (versions("requests", edited), versions("requests", deleted)) == ([2, 1], [2, 1])


def test_a_creation_answers_what_it_had_made_also_when_it_was_edited_since(
    key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"y-{uuid.uuid4().hex[:10]}"
    asked = ("POST", "/api/projects", {"project_id": name, "name": "N", "category": "c", "demand_hours": 1})
    Lost(monkeypatch, "prism_api.api.crud.item_answer")(*asked, headers=key)
    assert OTHER("PATCH", f"/api/projects/{name}", {"name": "M"}, match='"1"').status == 200

    again = LEAD(*asked, headers=key)
    fresh = LEAD(*asked)

    assert (again.status, again.etag, again.body["name"], fresh.status) == (201, '"1"', "N", 409)


def test_what_a_call_wrote_only_when_it_was_repeated_stands_in_the_log_at_that_moment(
    key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"y-{uuid.uuid4().hex[:10]}"
    asked = ("POST", "/api/projects", {"project_id": name, "name": "N", "category": "c", "demand_hours": 1})
    monkeypatch.setenv("PRISM_NOW", "2033-03-01T08:00:00Z")
    Lost(monkeypatch, "prism_resources.tables.store.TableStore.create")(*asked, headers=key)
    monkeypatch.setenv("PRISM_NOW", "2033-03-01T11:00:00Z")

    again = LEAD(*asked, headers=key)

    (change,) = LEAD("GET", f"/api/history/projects/{name}").body["items"]
    assert (again.status, change["instant"]) == (201, "2033-03-01T11:00:00.000000Z")
