"""Items through the API. Why real: versions, changes and lost races are decided by the tables."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_api.api import backend
from prism_core.calendar import Week
from prism_core.models.work import ThroughputDay, ThroughputWeek
from prism_core.models.workers import Worker
from prism_core.tables import WORKERS
from tests.integration.api_client import Api, every_page, known

ADMIN, LEAD = Api(), Api("[lead]", "sub-of-a-lead")
MEMBER = {
    "name": "Ada Example",
    "email": "ada@example.com",
    "time_zone": "Europe/Madrid",
    "hours": {"mon": 8, "tue": 6.5},
}


@pytest.fixture(autouse=True)
def _platform(platform: Platform) -> None:
    """Every test talks to the shared platform."""


def member(member_id: str, **changes: Any) -> dict[str, Any]:
    created = LEAD("POST", "/api/members", {**MEMBER, "member_id": member_id, **changes}, reason="new hire")
    assert created.status == 201, created.body
    return created.body


def test_a_created_item_is_answered_with_its_version_and_place() -> None:
    created = LEAD("POST", "/api/members", {**MEMBER, "member_id": "it-1"}, reason="new hire")

    assert created.status == 201
    assert (created.etag, created.headers["location"]) == ('"1"', "/api/members/it-1")
    assert created.body["hours"] == {"mon": "8.00", "tue": "6.50"}
    read = LEAD("GET", "/api/members/it-1")
    assert (read.status, read.body, read.etag) == (200, created.body, '"1"')


def test_a_location_whose_holidays_nobody_knows_is_refused() -> None:
    made = LEAD("POST", "/api/members", {**MEMBER, "member_id": "it-nowhere", "location": "ES-MAD"})
    here = member("it-here", location="ES-MD")
    moved = LEAD("PATCH", "/api/members/it-here", {"location": "EN"}, match=f'"{here["version"]}"')

    assert (made.status, moved.status) == (422, 422)
    assert "no public holidays are known for 'ES-MAD'" in str(made.body)
    assert LEAD("GET", "/api/members/it-here").body["location"] == "ES-MD"


def test_holidays_of_several_places_come_at_once_and_an_unknown_place_keeps_none_back() -> None:
    found = LEAD("GET", "/api/holidays", location=["US-NY", "ES-MD", "ZZ"], year=[2026, 2027])

    assert found.status == 200, found.body
    days = {(one["location"], one["date"]) for one in found.body["items"]}
    assert {("ES-MD", "2026-05-02"), ("US-NY", "2026-07-04"), ("US-NY", "2027-07-04")} <= days
    assert found.body["unknown"] == ["ZZ"]
    assert LEAD("GET", "/api/holidays", location="Madrid", year=2026).status == 422


def test_a_key_that_is_taken_is_a_conflict() -> None:
    member("it-2")

    again = LEAD("POST", "/api/members", {**MEMBER, "member_id": "it-2", "name": "Somebody else"})

    assert (again.status, again.headers["content-type"]) == (409, "application/problem+json")
    assert LEAD("GET", "/api/members/it-2").body["name"] == "Ada Example"


def test_a_write_without_the_version_that_was_read_is_refused() -> None:
    member("it-3")

    for method in ("PUT", "PATCH", "DELETE"):
        answer = LEAD(method, "/api/members/it-3", {"name": "Bo"} if method == "PATCH" else MEMBER)
        assert answer.status == 428, answer.body
        assert "If-Match" in answer.body["detail"]


def test_a_stale_write_answers_what_is_there_and_who_put_it_there() -> None:
    member("it-4")
    assert LEAD("PATCH", "/api/members/it-4", {"name": "Bo"}, match='"1"', reason="marriage").status == 200

    stale = ADMIN("PATCH", "/api/members/it-4", {"name": "Cy"}, match='"1"')

    assert stale.status == 412
    assert stale.body["current"]["name"] == "Bo"
    assert (stale.body["current"]["version"], stale.headers["etag"]) == (2, '"2"')
    assert (stale.body["changed_by"], stale.body["change_reason"]) == ("user:sub-of-a-lead", "marriage")


def test_a_patch_merges_objects_and_removes_with_null() -> None:
    member("it-5", team="lidar")

    answer = LEAD("PATCH", "/api/members/it-5", {"hours": {"tue": None, "wed": "7.25"}, "team": None}, match='"1"')

    assert answer.status == 200, answer.body
    assert answer.body["hours"] == {"mon": "8.00", "wed": "7.25"}
    assert answer.body["team"] is None


def test_a_put_sets_every_field() -> None:
    member("it-6", team="lidar", skills=[{"name": "lidar", "level": 3}])

    answer = LEAD("PUT", "/api/members/it-6", {**MEMBER, "name": "Only these"}, match='"1"')

    assert (answer.status, answer.body["name"], answer.body["skills"]) == (200, "Only these", [])


def test_a_deleted_item_is_gone_and_its_history_stays() -> None:
    member("it-7")

    assert LEAD("DELETE", "/api/members/it-7", match='"1"', reason="left").status == 204
    assert LEAD("GET", "/api/members/it-7").status == 404
    history = LEAD("GET", "/api/history/members/it-7").body["items"]
    assert [(one["operation"], one["version"], one["reason"]) for one in history] == [
        ("delete", 2, "left"),
        ("create", 1, "new hire"),
    ]


def test_a_change_is_reverted_and_one_with_later_changes_on_it_is_not() -> None:
    member("it-8")
    LEAD("PATCH", "/api/members/it-8", {"name": "Bo"}, match='"1"')
    LEAD("PATCH", "/api/members/it-8", {"time_zone": "UTC"}, match='"2"')
    newest, named, _ = LEAD("GET", "/api/history/members/it-8").body["items"]

    reverted = LEAD("POST", f"/api/changes/{named['id']}/revert", reason="wrong person")

    assert reverted.status == 200, reverted.body
    item = LEAD("GET", "/api/members/it-8").body
    assert (item["name"], item["time_zone"], item["version"]) == ("Ada Example", "UTC", 4)
    LEAD("PATCH", "/api/members/it-8", {"time_zone": "Asia/Tokyo"}, match='"4"')
    refused = LEAD("POST", f"/api/changes/{newest['id']}/revert")
    assert refused.status == 409
    assert "time_zone" in refused.body["detail"]
    assert refused.body["later"]["version"] == 5


def test_an_item_and_a_list_are_read_as_of_before() -> None:
    before = member("it-9", team="as-of-team")
    instant = LEAD("GET", "/api/history/members/it-9").body["items"][0]["instant"]
    LEAD("PATCH", "/api/members/it-9", {"name": "Later", "team": "other-team"}, match='"1"')
    member("it-9-later", team="as-of-team")

    item = LEAD("GET", "/api/members/it-9", as_of=instant)
    rows = every_page(LEAD, "/api/members", as_of=instant, team="as-of-team")

    assert (item.status, item.body) == (200, before)
    assert rows == [before]
    assert LEAD("GET", "/api/members/it-9-later", as_of=instant).status == 404
    assert LEAD("GET", "/api/members", as_of="2020-01-01T00:00:00Z").status == 422
    assert "prism as-of members" in LEAD("GET", "/api/members", as_of="2020-01-01T00:00:00Z").body["detail"]


def test_bulk_rows_answer_each_for_itself_and_a_dry_run_writes_nothing() -> None:
    member("it-10")
    rows = [
        {"operation": "create", "fields": {**MEMBER, "member_id": "it-11"}},
        {"operation": "update", "key": "it-10", "version": 1, "fields": {"name": "Bo"}},
        {"operation": "update", "key": "it-10", "version": 7, "fields": {"name": "Bo"}},
        {"operation": "create", "fields": {**MEMBER, "member_id": "it 12", "time_zone": "Mars/Base"}},
        {"operation": "delete", "key": "nobody", "version": 1},
        {"operation": "update", "fields": {}},
    ]

    dry = LEAD("POST", "/api/members/bulk", {"rows": rows, "dry_run": True})
    still = LEAD("GET", "/api/members/it-10").body["version"], LEAD("GET", "/api/members/it-11").status
    done = LEAD("POST", "/api/members/bulk", {"rows": rows})

    expected = [201, 200, 412, 422, 404, 422]
    assert [row["status"] for row in dry.body["rows"]] == expected
    assert [row["status"] for row in done.body["rows"]] == expected
    assert still == (1, 404)
    assert (done.body["written"], done.body["failed"]) == (2, 4)
    assert {error["path"] for error in done.body["rows"][3]["errors"]} == {"body.member_id", "body.time_zone"}


def test_more_than_200_rows_are_refused_before_any_is_written() -> None:
    row = {"operation": "create", "fields": {}}

    answer = LEAD("POST", "/api/members/bulk", {"rows": [row] * 201})

    assert (answer.status, answer.body["errors"][0]["path"]) == (422, "body.rows")


def test_hours_are_moved_to_somebody_else_in_one_transaction() -> None:
    known(["re-a", "re-b"], ["re-p"])
    week, days = "2019-W10", {"2019-03-04": 5, "2019-03-05": 3}
    base = {"week": week, "project_id": "re-p", "hours": days}
    first = LEAD("POST", "/api/allocations", {**base, "member_id": "re-a"}).body
    LEAD("POST", "/api/allocations", {**base, "member_id": "re-b", "hours": {"2019-03-04": 2}})
    rows = [
        {"key": first["key"], "version": 1, "to_member": "re-b"},
        {"key": first["key"], "version": 1, "to_member": "re-a"},
        {"key": "e30", "version": 1, "to_member": "re-a"},
    ]

    dry = LEAD("POST", "/api/allocations/reassign", {"rows": rows[:1], "dry_run": True})
    done = LEAD("POST", "/api/allocations/reassign", {"rows": rows})

    assert dry.body["rows"][0]["item"]["hours"] == {"2019-03-04": "7.00", "2019-03-05": "3.00"}
    assert [row["status"] for row in done.body["rows"]] == [200, 404, 404]
    left = every_page(LEAD, "/api/allocations", week=week)
    assert [(row["member_id"], row["hours"]) for row in left] == [
        ("re-b", {"2019-03-04": "7.00", "2019-03-05": "3.00"})
    ]


def test_moving_more_hours_than_a_day_has_is_refused() -> None:
    known(["re-c", "re-d"], ["re-p"])
    base = {"week": "2019-W11", "project_id": "re-p", "hours": {"2019-03-11": 13}}
    first = LEAD("POST", "/api/allocations", {**base, "member_id": "re-c"}).body
    LEAD("POST", "/api/allocations", {**base, "member_id": "re-d"})

    move = {"key": first["key"], "version": 1, "to_member": "re-d"}
    answer = LEAD("POST", "/api/allocations/reassign", {"rows": [move]})

    assert answer.body["rows"][0]["status"] == 422
    assert "26.00 hours" in answer.body["rows"][0]["detail"]


def test_a_screenshot_is_fetched_on_demand_and_is_a_picture() -> None:
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"x" * 30).decode()
    bug = {"title": "t", "description": "d", "severity": "low", "category": "screens", "screenshot": png}

    created = LEAD("POST", "/api/bugs", bug)
    shot = LEAD("GET", f"/api/bugs/{created.body['key']}/screenshot")

    assert (created.status, "screenshot" in created.body) == (201, False)
    assert (shot.status, shot.headers["content-type"]) == (200, "image/png")
    refused = LEAD("POST", "/api/bugs", {**bug, "screenshot": base64.b64encode(b"<svg onload=x>").decode()})
    assert (refused.status, refused.body["errors"][0]["path"]) == (422, "body.screenshot")
    # A past list and the log do without it, and an undo has it.
    (made,) = LEAD("GET", f"/api/history/bugs/{created.body['key']}").body["items"]
    gone = f"/api/bugs/{created.body['key']}"
    assert ADMIN("DELETE", gone, match="*").status == 204
    assert created.body in every_page(LEAD, "/api/bugs", as_of=made["instant"])
    deleted = LEAD("GET", f"/api/history/bugs/{created.body['key']}").body["items"][0]
    assert png not in str((made, deleted))
    restored = ADMIN("POST", f"/api/changes/{deleted['id']}/revert")
    assert (restored.status, png in str(restored.body)) == (200, False)
    assert LEAD("GET", f"{gone}/screenshot").body == shot.body
    # What the answers lack, nobody can send back: it stays, unless it is taken out by name.
    path, taken = f"/api/bugs/{created.body['key']}", {name: bug[name] for name in bug if name != "screenshot"}
    assert LEAD("PUT", path, {**taken, "title": "better"}, match="*").body["title"] == "better"
    assert LEAD("GET", f"{path}/screenshot").body == shot.body
    assert LEAD("PUT", path, {**taken, "screenshot": None}, match="*").status == 200
    assert LEAD("GET", f"{path}/screenshot").status == 404


def test_a_worker_is_resolved_from_a_day_on_and_the_period_before_ends_there() -> None:
    member("w-m1")
    member("w-m2")
    worker = Worker(worker_key="pool#w-1", pool="pool", sub="w-1", last_seen=datetime(2019, 3, 4, tzinfo=UTC))
    backend.store(WORKERS, Worker).create(worker, actor="test", reason="", request_id="w", now=datetime.now(UTC))
    (queued,) = [
        row for row in every_page(LEAD, "/api/workers", status="unresolved") if "w-1" in row["worker_key"]
    ]
    path = f"/api/workers/{queued['key']}/resolve"

    first = LEAD("POST", path, {"member": "w-m1", "valid_from": "2019-03-04"}, match='"1"')
    second = LEAD("POST", path, {"member": "w-m2", "valid_from": "2019-03-11"}, match='"2"')
    nobody = LEAD("POST", path, {"member": "w-m3", "valid_from": "2019-03-18"}, match='"3"')

    assert first.status == 200, first.body
    assert second.body["periods"] == [
        {"member": "w-m1", "from": "2019-03-04", "to": "2019-03-11"},
        {"member": "w-m2", "from": "2019-03-11", "to": None},
    ]
    assert (nobody.status, nobody.body["errors"][0]["path"]) == (422, "body.member")
    item = f"/api/workers/{queued['key']}"
    typo = LEAD("PATCH", item, {"periods": [{"member": "w-typo", "from": "2019-03-04"}]}, match='"3"')
    assert (typo.status, [one["path"] for one in typo.body["errors"]]) == (422, ["body.periods"])
    assert LEAD("PATCH", item, {"periods": second.body["periods"][1:]}, match='"3"').status == 200


def test_raw_categories_are_named_when_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "TAXONOMY_SECONDS", -1.0)
    fields = {"name": "p", "category": "raw-1", "demand_hours": 1}
    project = LEAD("POST", "/api/projects", {**fields, "project_id": "tax-p"}).body
    version = {
        "taxonomy_id": "tax-1",
        "title": "t",
        "effective": "2019-01-01",
        "status": "published",
        "entries": [
            {"raw": "raw-1", "category": "Old name", "valid_to": "2019-06-01"},
            {"raw": "raw-1", "category": "New name", "valid_from": "2019-06-01"},
        ],
    }
    rehearsed = LEAD("POST", "/api/taxonomy", {**version, "taxonomy_id": "tax-draft", "status": "draft"}).body

    rehearsal = LEAD("GET", f"/api/taxonomy/{rehearsed['key']}/rehearsal").body
    created = LEAD("POST", "/api/taxonomy", version)
    read = LEAD("GET", "/api/projects/tax-p").body
    mapped = LEAD("GET", "/api/taxonomy-map", raw=["raw-1", "raw,2"], day="2019-05-31").body

    assert (project["category_name"], created.status) == ("unmapped:raw-1", 201)
    assert (read["category"], read["category_name"]) == ("raw-1", "New name")
    assert [one["label"] for one in mapped["items"]] == ["Old name", "unmapped:raw,2"]
    assert "projects/tax-p" in [row["item"] for row in rehearsal["shown"]]
    edited = LEAD("PATCH", "/api/taxonomy/tax-1", {"entries": []}, match='"1"')
    assert (edited.status, "Make a new one" in edited.body["detail"]) == (409, True)


def test_a_job_in_the_queue_is_suggested_the_project_it_resembles() -> None:
    LEAD(
        "POST", "/api/projects", {"project_id": "birds", "name": "Birds 2024", "category": "c", "demand_hours": 1}
    )
    job = Worker(worker_key="job:birds-2024-batch-3", job="birds-2024-batch-3", last_seen=datetime.now(UTC))
    backend.store(WORKERS, Worker).create(job, actor="test", reason="", request_id="j", now=datetime.now(UTC))
    key = next(row["key"] for row in every_page(LEAD, "/api/workers") if row["worker_key"] == job.worker_key)

    found = LEAD("GET", f"/api/workers/{key}/suggestions")

    assert (found.status, found.body["items"][0]["candidate"]) == (200, "birds")
    assert "resembles its name" in found.body["items"][0]["why"]


def test_a_worker_is_suggested_the_member_who_was_planned_on_its_projects() -> None:
    now, week = datetime.now(UTC), Week.of(datetime.now(UTC))
    worker = Worker(worker_key="pool#sug", pool="pool", sub="sug", last_seen=now)
    backend.store(WORKERS, Worker).create(worker, actor="test", reason="", request_id="s", now=now)
    every_day = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 8)
    known(projects=["sug-p"])
    for name in ("sug-a", "sug-b"):
        member(name, hours=every_day)
    planned = {
        "member_id": "sug-a",
        "week": week.label,
        "project_id": "sug-p",
        "hours": {week.monday.isoformat(): 8},
    }
    assert LEAD("POST", "/api/allocations", planned).status == 201
    day = ThroughputDay(day=week.monday, tasks_submitted=9, wall_seconds=90)
    fact = ThroughputWeek(
        project_id="sug-p", week=week, member_id="worker:pool#sug", days=(day,), worker_resolved=False,
        project_resolved=True,
    )  # fmt: skip
    backend.throughput().replace(week, [fact], now=now)
    key = next(row["key"] for row in every_page(LEAD, "/api/workers") if row["worker_key"] == "pool#sug")

    found = LEAD("GET", f"/api/workers/{key}/suggestions").body["items"]

    assert found[0]["candidate"] == "sug-a"
    assert "planned on sug-p" in found[0]["why"]
    listed = LEAD("GET", "/api/throughput", resolved="false", project_id="sug-p").body["items"]
    assert [(row["member_id"], row["tasks_submitted"]) for row in listed] == [("worker:pool#sug", 9)]
    down = LEAD("GET", f"/api/throughput/{listed[0]['key']}")
    assert (down.status, down.body["days"][0]["tasks_submitted"]) == (200, 9)
