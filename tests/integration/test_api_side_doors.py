"""Ways around a rule: rows of bulk calls, history, reverts. Why real: each of them once led past it."""

import itertools
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_api.api.calls import Access, Caller, Role
from prism_api.api.matrix import OPERATIONS
from prism_api.api.routes.everything import RESOURCES
from tests.integration.api_client import Answer, Api, known

ADMIN, LEAD, ANALYST = Api("[admin]", "s-admin"), Api("[lead]", "s-lead"), Api("[analyst]", "s-analyst")
ANN, BOB = Api("[annotator]", "s-sub-ann"), Api("[annotator]", "s-sub-bob")


@pytest.fixture(scope="module", autouse=True)
def people(platform: Platform) -> None:
    assert platform.owned
    for name in ("ann", "bob"):
        fields = {
            "member_id": f"s-{name}",
            "name": name,
            "email": f"{name}@example.com",
            "time_zone": "UTC",
            "hours": {"mon": 8},
            "cognito_sub": f"s-sub-{name}",
        }
        assert ADMIN("POST", "/api/members", fields).status == 201
    known(projects=["s-p"])


def bulk(path: str, *rows: dict[str, Any]) -> list[tuple[int, list[str]]]:
    answer: Answer = LEAD("POST", f"{path}/bulk", {"rows": list(rows)})
    assert answer.status == 200, answer.body
    return [(row["status"], [error["path"] for error in row["errors"]]) for row in answer.body["rows"]]


def test_a_bulk_row_sets_no_field_that_its_own_call_would_refuse() -> None:
    off = ANN("POST", "/api/availability", {"member_id": "s-ann", "date": "2031-03-03", "hours_off": 8}).body
    update = {"operation": "update", "key": off["key"], "version": 1}
    request = {"due_date": "2031-01-01", "hours": 1, "requester": "x", "reason": "y"}

    assert bulk("/api/availability", {**update, "fields": {"status": "approved", "decided_by": "me"}}) == [
        (422, ["body.decided_by", "body.status"])
    ]
    assert bulk("/api/requests", {"operation": "create", "fields": {**request, "status": "approved"}}) == [
        (422, ["body.status"])
    ]
    member = {"member_id": "s-v", "name": "v", "email": "v@example.com", "time_zone": "UTC"}
    versions = [{"operation": "create", "fields": {**member, "version": number}} for number in (77, 2**33)]
    assert bulk("/api/members", *versions) == [(422, ["body.version"])] * 2


def test_a_bulk_row_cannot_write_over_another_item_than_it_names() -> None:
    base = {"week": "2019-W40", "project_id": "s-p", "hours": {"2019-09-30": 2}}
    anns = LEAD("POST", "/api/allocations", {**base, "member_id": "s-ann"}).body
    bobs = LEAD("POST", "/api/allocations", {**base, "member_id": "s-bob"}).body
    row = {"operation": "update", "key": anns["key"], "version": 1, "fields": {"member_id": "s-bob"}}

    assert bulk("/api/allocations", row) == [(422, ["body.member_id"])]
    assert LEAD("GET", f"/api/allocations/{bobs['key']}").body == bobs


def test_equal_rows_of_one_call_are_items_of_their_own() -> None:
    review = {"member_id": "s-ann", "week": "2019-W40", "project_id": "s-p", "category": "c", "reviewed": 1}
    row = {"operation": "create", "fields": {**review, "correct": 1}}

    assert bulk("/api/quality", row, row, row) == [(201, [])] * 3


@pytest.mark.parametrize(("table", "role"), list(itertools.product(RESOURCES, Role)))
def test_history_is_open_to_whom_the_table_is_open(table: str, role: Role) -> None:
    resource = RESOURCES[table]
    reads = next(o for o in OPERATIONS if o.name == f"GET {resource.path}/{{key}}")
    caller = Caller("s", frozenset({role}))

    answer = Api(f"[{role}]", f"s-{role}")("GET", "/api/changes", table=table)

    if reads.access(caller) is not Access.ALL or role is Role.ANNOTATOR:
        assert answer.status == 403
    elif resource.past or role is Role.ADMIN:
        assert answer.status == 200, answer.body


def test_an_annotator_reads_no_history_of_a_table_that_is_closed_to_them() -> None:
    recipient = {"recipient_id": "s-board", "name": "Bo", "email": "bo@example.com", "time_zone": "UTC"}
    assert ADMIN("POST", "/api/recipients", recipient).status == 201

    assert ANN("GET", "/api/history/recipients/s-board").status == 404
    assert LEAD("GET", "/api/history/recipients/s-board").status == 200


def test_a_revert_needs_the_right_to_make_the_change_itself() -> None:
    ADMIN("POST", "/api/recipients", {"recipient_id": "s-r", "name": "A", "email": "a@b.c", "time_zone": "UTC"})
    ADMIN("PATCH", "/api/recipients/s-r", {"name": "B"}, match='"1"')
    change = ADMIN("GET", "/api/history/recipients/s-r").body["items"][0]["id"]

    assert LEAD("POST", f"/api/changes/{change}/revert").status == 403
    assert ADMIN("POST", f"/api/changes/{change}/revert").status == 200


def test_a_step_of_a_decision_is_not_taken_back_by_a_revert() -> None:
    off = ANN("POST", "/api/availability", {"member_id": "s-ann", "date": "2031-03-10", "hours_off": 8}).body
    LEAD("POST", f"/api/availability/{off['key']}/decision", {"status": "approved"}, match='"1"')
    LEAD("POST", f"/api/availability/{off['key']}/decision", {"status": "cancelled"}, match='"2"')
    change = LEAD("GET", f"/api/history/availability/{off['key']}").body["items"][0]["id"]

    refused = LEAD("POST", f"/api/changes/{change}/revert")

    assert (refused.status, "take the next step" in refused.body["detail"]) == (409, True)


def test_a_private_view_is_private_in_its_history_too() -> None:
    view = {"screen": "team", "name": "mine", "state": {"team": ["secret"]}}
    key = ANN("POST", "/api/saved-views", view).body["key"]
    change = ANN("GET", f"/api/history/saved_views/{key}").body["items"][0]["id"]

    for who in (LEAD, ANALYST, BOB):
        assert who("GET", f"/api/history/saved_views/{key}").status == 404
        assert "secret" not in str(who("GET", "/api/changes", table="saved_views").body)
        assert who("POST", f"/api/changes/{change}/revert").status in {403, 404}
    assert "secret" not in str(ANN("GET", f"/api/history/saved_views/{key}").body)
    assert ANN("GET", f"/api/saved-views/{key}").status == 200


def test_somebody_elses_hours_are_not_told_by_a_refusal() -> None:
    refused = ANN("POST", "/api/availability", {"member_id": "s-bob", "date": "2031-03-03", "hours_off": 24})

    assert (refused.status, "bob works" in str(refused.body)) == (403, False)


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
def test_an_instant_out_of_the_programme_is_refused_everywhere(instant: str) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("/api/members", {"as_of": instant}),
        ("/api/members/s-ann", {"as_of": instant}),
        ("/api/changes", {"table": "members", "since": instant}),
        ("/api/changes", {"table": "members", "until": instant}),
    ]
    for path, query in asked:
        assert LEAD("GET", path, **query).status == 422, path


def test_a_window_of_changes_is_bounded_and_does_not_move_between_pages() -> None:
    too_long = LEAD("GET", "/api/changes", table="members", since="2016-01-01T00:00:00Z")
    first = LEAD("GET", "/api/changes", table="members", limit=1).body
    ADMIN("PATCH", "/api/members/s-bob", {"name": "Bob"}, match="*")

    rest = LEAD("GET", "/api/changes", table="members", limit=200, cursor=first["next"]).body

    assert (too_long.status, too_long.body["errors"][0]["path"]) == (422, "query.since")
    assert all(one["instant"] <= first["items"][0]["instant"] for one in rest["items"])


def test_a_guess_of_a_reason_is_refused_whether_it_is_right_or_not() -> None:
    off = {"member_id": "s-ann", "date": "2031-03-17", "hours_off": 8, "reason": "surgery"}
    key = ANN("POST", "/api/availability", off).body["key"]

    for guess in ("surgery", "a wedding"):
        assert LEAD("PATCH", f"/api/availability/{key}", {"reason": guess}, match='"1"').status == 403
    assert LEAD("PATCH", f"/api/availability/{key}", {"hours_off": 4}, match='"1"').status == 200
