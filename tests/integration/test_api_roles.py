"""Every route for every role. Why real: whose rows are seen is decided by rows."""

import re
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_api.api import backend
from prism_api.api.apps import app_of
from prism_api.api.calls import Access, Caller, Role
from prism_api.api.matrix import OPERATIONS, PUBLIC, Operation
from prism_api.public.handler import handler as of_the_public
from prism_core.settings import LeadScope
from tests.integration.api_client import Api, every_page, known
from tests.unit.api_events import event

CELLS = [(operation, role) for operation in OPERATIONS for role in Role]
HELD = {"404", "409", "412", "415", "422", "428", "200", "201", "204"}


@pytest.fixture(autouse=True)
def _platform(platform: Platform) -> None:
    """Every test talks to the shared platform."""


def path_of(operation: Operation) -> str:
    return re.sub(r"\{[a-z_]+\}", "none", operation.path).replace("/history/none", "/history/members")


@pytest.mark.parametrize(("operation", "role"), CELLS, ids=lambda cell: getattr(cell, "name", None) or str(cell))
def test_a_role_reaches_an_operation_exactly_when_the_matrix_says_so(operation: Operation, role: Role) -> None:
    answer = Api(f"[{role}]", f"nobody-{role}")(operation.method, path_of(operation))

    open_to = operation.access(Caller("s", frozenset({role})))
    assert (answer.status == 403) is (open_to is Access.NONE), answer.body
    assert answer.status == 403 or str(answer.status) in HELD


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize(("groups", "status"), [(None, 401), ("[]", 403), ("[producer]", 403), ("", 403)])
def test_without_a_token_or_a_role_nothing_is_open(operation: Operation, groups: str | None, status: int) -> None:
    assert Api(groups)(operation.method, path_of(operation), {"x": 1}).status == status


@pytest.mark.parametrize("operation", PUBLIC, ids=lambda operation: operation.name)
@pytest.mark.parametrize("groups", [None, "[]", *(f"[{role}]" for role in Role)])
def test_what_is_public_is_open_to_everybody_at_its_own_function_alone(
    operation: Operation, groups: str | None
) -> None:
    asked = event(operation.method, path_of(operation), groups=groups)

    assert of_the_public(asked, None)["statusCode"] in {200, 404}
    assert Api(groups)(operation.method, path_of(operation)).status in {401, 403, 404}


def test_the_matrix_and_the_routes_are_the_same_operations() -> None:
    whole: Any = app_of(None).get_openapi_schema(title="t", version="1")
    schema = whole.model_dump(by_alias=True, exclude_none=True)
    served = {
        f"{method.upper()} {path}"
        for path, item in schema["paths"].items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    }

    assert served == {operation.name for operation in OPERATIONS}
    assert len(served) >= 40


class World:
    """Two members with rows each, and who they are."""

    lead, admin, analyst = Api("[lead]", "w-lead"), Api("[admin]", "w-admin"), Api("[analyst]", "w-analyst")
    ann, bob = Api("[annotator]", "w-sub-ann"), Api("[annotator]", "w-sub-bob")


@pytest.fixture(scope="module")
def world(platform: Platform) -> World:
    assert platform.owned
    known(projects=["w-p"])
    for name in ("ann", "bob"):
        fields = {
            "member_id": f"w-{name}",
            "name": f"{name} Example",
            "email": f"{name}@example.com",
            "time_zone": "UTC",
            "hours": {"mon": 8, "tue": 8},
            "cognito_sub": f"w-sub-{name}",
        }
        created = World.admin("POST", "/api/members", fields)
        assert created.status == 201, created.body
        planned = {"member_id": f"w-{name}", "week": "2019-W20", "project_id": "w-p", "hours": {"2019-05-13": 4}}
        assert World.admin("POST", "/api/allocations", planned).status == 201
        review = {
            "member_id": f"w-{name}", "week": "2019-W20", "project_id": "w-p", "category": "c", "reviewed": 9,
            "correct": 8,
        }  # fmt: skip
        assert World.admin("POST", "/api/quality", review).status == 201
    return World()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/members", {}),
        ("/api/members", {"member_id": ["w-bob", "w-ann"]}),
        ("/api/members", {"status": "active", "sort": "-name"}),
        ("/api/allocations", {"week": "2019-W20"}),
        ("/api/allocations", {"project_id": "w-p"}),
        ("/api/allocations", {"member_id": ["w-ann", "w-bob"], "week_from": "2019-W01", "week_to": "2019-W30"}),
        ("/api/quality", {"week": "2019-W20", "sort": "member_id"}),
    ],
)
def test_no_filter_widens_what_an_annotator_sees(world: World, path: str, query: dict[str, Any]) -> None:
    mine = world.ann("GET", path, **query)
    # Other files of this process have members here, too: more than a page of them.
    all_of_them = every_page(world.lead, path, limit=200, **query)

    assert [row["member_id"] for row in mine.body["items"]] == ["w-ann"]
    assert {"w-ann", "w-bob"} <= {row["member_id"] for row in all_of_them}
    assert world.ann("GET", path, member_id="w-bob").body["items"] == []


def test_an_annotator_reads_no_item_and_no_history_of_somebody_else(world: World) -> None:
    theirs = world.lead("GET", "/api/allocations", week="2019-W20", member_id="w-bob").body["items"][0]["key"]
    before = world.lead("GET", "/api/members/w-bob").body

    assert world.ann("GET", "/api/members/w-bob").status == 404
    assert world.ann("GET", "/api/members/w-bob", as_of="2999-01-01T00:00:00Z").status in {404, 422}
    assert world.ann("GET", f"/api/allocations/{theirs}").status == 404
    assert world.ann("GET", "/api/history/members/w-bob").status == 404
    assert world.ann("GET", f"/api/history/allocations/{theirs}").status == 404
    assert world.ann("GET", "/api/history/members/w-ann").status == 200
    assert world.bob("GET", "/api/members/w-bob").body == before


def test_time_off_is_asked_for_by_the_member_and_decided_by_a_lead(world: World) -> None:
    asked = world.ann(
        "POST",
        "/api/availability",
        {"member_id": "w-ann", "date": "2031-01-06", "hours_off": 8, "reason": "surgery", "code": "sick"},
    )
    assert asked.status == 201, asked.body
    key = asked.body["key"]
    decide = f"/api/availability/{key}/decision"

    for_bob = world.ann("POST", "/api/availability", {"member_id": "w-bob", "date": "2031-01-06", "hours_off": 8})
    by_herself = world.ann("POST", decide, {"status": "approved"}, match='"1"')
    silently = world.lead("POST", decide, {"status": "declined"}, match='"1"')
    approved = world.lead("POST", decide, {"status": "approved"}, match='"1"')
    edited = world.ann("PATCH", f"/api/availability/{key}", {"hours_off": 1}, match='"2"')
    cancelled = world.ann("POST", decide, {"status": "cancelled"}, match='"2"')

    assert (for_bob.status, by_herself.status, silently.status) == (403, 409, 422)
    assert by_herself.body["allowed"] == ["cancelled"]
    assert (approved.status, approved.body["status"], approved.body["decided_by"]) == (
        200,
        "approved",
        "user:w-lead",
    )
    assert (edited.status, cancelled.body["status"]) == (409, "cancelled")


def test_the_reason_for_time_off_is_read_by_the_member_and_an_admin_only(world: World) -> None:
    fields = {"member_id": "w-bob", "date": "2031-01-07", "hours_off": 4, "reason": "private matter"}
    key = world.bob("POST", "/api/availability", fields).body["key"]
    path = f"/api/availability/{key}"

    assert [world.bob("GET", path).body["reason"], world.admin("GET", path).body["reason"]] == [
        "private matter"
    ] * 2
    for who in (world.lead, world.analyst):
        assert "private matter" not in str(who("GET", path).body)
        assert "private matter" not in str(
            who("GET", "/api/availability", member_id="w-bob", week="2031-W02").body
        )
        assert "private matter" not in str(who("GET", f"/api/history/availability/{key}").body)
        assert "private matter" not in str(who("GET", "/api/changes", table="availability").body)
    stale = world.lead("PATCH", path, {"hours_off": 2}, match='"9"')
    assert (stale.status, "private matter" in str(stale.body)) == (412, False)


def test_more_time_off_than_the_day_has_hours_is_refused(world: World) -> None:
    for day, hours, says in (("2031-01-06", 9, "exceed"), ("2031-01-08", 1, "does not work")):
        fields = {"member_id": "w-bob", "date": day, "hours_off": hours}
        answer = world.bob("POST", "/api/availability", fields)
        assert answer.status == 422, answer.body
        assert says in answer.body["detail"]


def test_a_dispute_is_opened_by_its_member_and_answered_by_somebody_else(world: World) -> None:
    figure = {
        "table": "throughput",
        "week": "2019-W20",
        "project_id": "w-p",
        "field": "tasks_submitted",
        "shown": "3",
    }
    opened = world.ann("POST", "/api/disputes", {**figure, "member_id": "w-ann", "reason": "one is missing"})
    path = f"/api/disputes/{opened.body['key']}"

    assert (opened.status, opened.body["opened_by"]) == (201, "w-ann")
    assert world.bob("GET", path).status == 404
    assert world.bob("POST", f"{path}/withdraw", match='"1"').status == 404
    assert world.ann("POST", f"{path}/decline", {"answer": "x"}, match='"1"').status == 403
    wrong = world.lead("POST", f"{path}/correct", {"correction_id": "c-none"}, match='"1"')
    assert (wrong.status, wrong.body["errors"][0]["path"]) == (422, "body.correction_id")
    fix = {"week": "2019-W20", "from_member": "w-bob", "to_member": "w-ann", "reason": "wrong account"}
    correction = world.lead("POST", "/api/corrections", fix)
    assert correction.status == 201, correction.body
    done = world.lead("POST", f"{path}/correct", {"correction_id": correction.body["correction_id"]}, match='"1"')
    assert (done.status, done.body["status"]) == (200, "corrected")
    again = world.lead("POST", f"{path}/decline", {"answer": "no"}, match='"2"')
    assert (again.status, "final" in again.body["detail"]) == (409, True)
    nothing = world.ann(
        "POST", "/api/disputes", {**figure, "field": "happiness", "member_id": "w-ann", "reason": "?"}
    )
    assert (nothing.status, "valid ones are" in nothing.body["detail"]) == (422, True)


def test_a_request_takes_its_steps_in_order_and_says_which_are_open(world: World) -> None:
    fields = {"due_date": "2020-01-01", "hours": 10, "requester": "Cleo", "reason": "more"}
    request = world.lead("POST", "/api/requests", fields).body
    path = f"/api/requests/{request['key']}"

    too_far = world.lead("POST", f"{path}/decision", {"status": "approved"}, match='"1"')
    world.lead("POST", f"{path}/decision", {"status": "triaged"}, match='"1"')
    wordless = world.lead("POST", f"{path}/decision", {"status": "declined"}, match='"2"')
    late = world.lead("GET", f"{path}/lateness").body
    overdue = world.lead("GET", f"{path}/demand").body
    world.lead("POST", f"{path}/decision", {"status": "approved"}, match='"2"')
    by_patch = world.lead("PATCH", path, {"status": "fulfilled"}, match='"3"')

    assert (too_far.status, too_far.body["allowed"]) == (409, ["triaged"])
    assert (wordless.status, by_patch.status) == (422, 422)
    assert (late["late"], late["waiting_for"], late["allowed"]) == (True, "approved", ["approved", "declined"])
    assert overdue == {"items": []}
    assert world.lead("GET", path).body["status"] == "approved"


def test_a_private_view_is_its_owners_and_a_shared_one_is_changed_by_its_owner_only(world: World) -> None:
    fields = {"screen": "team", "name": "mine", "state": {"team": ["a", "b"]}}
    private = world.ann("POST", "/api/saved-views", fields).body
    shared = world.ann("POST", "/api/saved-views", {**fields, "name": "ours", "visibility": "shared"}).body

    assert world.bob("GET", f"/api/saved-views/{private['key']}").status == 404
    names = [row["name"] for row in world.bob("GET", "/api/saved-views", owner="w-ann").body["items"]]
    assert names == ["ours"]
    theirs = world.bob("PATCH", f"/api/saved-views/{shared['key']}", {"name": "hijacked"}, match='"1"')
    assert theirs.status == 403
    assert world.ann("PATCH", f"/api/saved-views/{shared['key']}", {"name": "x"}, match='"1"').status == 200


def test_an_annotator_reports_a_bug_and_sees_their_own_only(world: World) -> None:
    bug = {"title": "t", "description": "d", "severity": "low", "category": "screens"}
    mine = world.ann("POST", "/api/bugs", bug).body

    assert mine["reporter"] == "w-ann"
    assert [row["bug_id"] for row in world.ann("GET", "/api/bugs").body["items"]] == [mine["bug_id"]]
    assert world.bob("GET", f"/api/bugs/{mine['key']}").status == 404


def test_my_own_page_shows_the_numbers_that_the_lead_sees(world: World) -> None:
    me = world.ann("GET", "/api/me")

    assert me.status == 200, me.body
    assert me.body["member"]["member_id"] == "w-ann"
    assert len(me.body["weeks"]) == 4
    assert world.lead("GET", "/api/me").status == 404


def test_a_lead_of_one_team_neither_sees_nor_touches_another_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, team in (("red", "t-red"), ("blue", "t-blue")):
        fields = {
            "member_id": f"t-{name}",
            "name": name,
            "email": "a@example.com",
            "time_zone": "UTC",
            "team": team,
        }
        assert world.admin("POST", "/api/members", {**fields, "cognito_sub": f"t-sub-{name}"}).status == 201
    planned = {"member_id": "t-blue", "week": "2019-W21", "project_id": "w-p", "hours": {"2019-05-20": 4}}
    theirs = world.admin("POST", "/api/allocations", planned).body["key"]
    scoped = backend.settings().model_copy(update={"lead_scope": LeadScope.TEAM})
    monkeypatch.setattr(backend, "settings", lambda: scoped)
    lead = Api("[lead]", "t-sub-red")

    change = world.admin("GET", f"/api/history/allocations/{theirs}").body["items"][0]["id"]

    assert [row["member_id"] for row in lead("GET", "/api/members").body["items"]] == ["t-red"]
    assert lead("GET", "/api/allocations", week="2019-W21").body["items"] == []
    assert lead("GET", f"/api/allocations/{theirs}").status == 404
    assert lead("GET", f"/api/history/allocations/{theirs}").status == 404
    assert lead("GET", "/api/changes", table="allocations").status == 403
    assert lead("POST", f"/api/changes/{change}/revert").status == 404
    assert lead("PATCH", f"/api/allocations/{theirs}", {"pinned": True}, match="*").status == 404
    assert lead("DELETE", f"/api/allocations/{theirs}", match="*").status == 404
    assert (
        lead("POST", "/api/allocations", {**planned, "week": "2019-W22", "hours": {"2019-05-27": 1}}).status == 403
    )
    mine = lead("POST", "/api/allocations", {**planned, "member_id": "t-red"}).body
    away = {"rows": [{"key": mine["key"], "version": 1, "to_member": "t-blue"}]}
    assert lead("POST", "/api/allocations/reassign", away).body["rows"][0]["status"] == 403
    row = {"operation": "update", "key": theirs, "version": 1, "fields": {"pinned": True}}
    assert lead("POST", "/api/allocations/bulk", {"rows": [row]}).body["rows"][0]["status"] == 404
