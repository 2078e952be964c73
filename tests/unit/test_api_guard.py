"""What is refused before a route is asked, and in which order."""

import base64
import json
from typing import Any

import pytest

from prism_api.api.calls import Access, Role
from prism_api.api.guard import MAX_BODY_BYTES, admit
from prism_api.api.problems import Problem
from tests.unit.api_events import event


def refused(of: dict[str, Any]) -> Problem:
    with pytest.raises(Problem) as found:
        admit(of, "request-1")
    return found.value


def test_a_sound_request_becomes_a_call() -> None:
    sent = event(
        "POST", "/api/members", {"a": [1, "é"]}, query="x=a%2Cb&x=c&y=", headers={"X-Change-Reason": "new hire"}
    )

    call = admit(sent, "request-1")

    assert (call.method, call.operation, call.body) == ("POST", "POST /api/members", {"a": [1, "é"]})
    assert call.query == {"x": ("a,b", "c"), "y": ("",)}
    assert (call.reason, call.caller.sub, call.access) == ("new hire", "sub-of-a-test", Access.ALL)


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ("[admin]", {Role.ADMIN}),
        ("[lead analyst]", {Role.LEAD, Role.ANALYST}),
        ("lead,annotator", {Role.LEAD, Role.ANNOTATOR}),
        ("[administrator adm in admin2]", set()),
        ("[admin] ", set()),
    ],
)
def test_roles_are_whole_words_of_the_group_claim(groups: str, roles: set[Role]) -> None:
    if not roles & {Role.ADMIN, Role.LEAD}:
        assert refused(event("POST", "/api/members", {}, groups=groups)).status == 403
        return
    assert admit(event("POST", "/api/members", {}, groups=groups), "r").caller.roles == roles


def test_without_a_token_nothing_else_is_told() -> None:
    for method, path in (("GET", "/api/members"), ("PUT", "/api/members"), ("GET", "/api/nothing")):
        problem = refused(event(method, path, groups=None))
        assert (problem.status, problem.headers["www-authenticate"]) == (401, 'Bearer realm="prism"')


def test_an_unknown_path_is_404_and_a_known_one_names_its_methods() -> None:
    assert refused(event("GET", "/api/nothing")).status == 404
    assert refused(event("GET", "/api/members/")).status == 404
    problem = refused(event("PATCH", "/api/members"))
    assert (problem.status, problem.headers["allow"]) == (405, "GET, POST")


def test_a_role_is_judged_before_the_body_is_looked_at() -> None:
    assert refused(event("POST", "/api/members", raw="{broken", groups="[annotator]")).status == 403
    assert refused(event("POST", "/api/members", raw="x" * (MAX_BODY_BYTES + 1), groups="[analyst]")).status == 403


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (event("POST", "/api/members", raw="{" + " " * MAX_BODY_BYTES + "}"), 413),
        (event("POST", "/api/members", raw="{}", headers={"content-type": "text/plain"}), 415),
        (event("POST", "/api/members", raw="{}", headers={"content-type": "multipart/form-data"}), 415),
        (event("POST", "/api/members", raw="!!", encoded=True), 400),
        (event("POST", "/api/members", raw=base64.b64encode(b"\xff\xfe").decode(), encoded=True), 400),
        (event("POST", "/api/members", raw="\ud800"), 400),
        (event("POST", "/api/members", raw='{"a":1,"a":2}'), 422),
        (event("GET", "/api/members", query="x=" + "y" * 9_000), 414),
        (event("GET", "/api/members", query="x=%FF"), 400),
        (event("GET", "/api/members", query="x=%00"), 422),
        (event("GET", "/api/members", headers={"If-Match": "x" * 2_000}), 422),
        (event("GET", "/api/members", headers={"X-Change-Reason": "a\x01"}), 422),
    ],
)
def test_what_is_unsound_is_refused_with_its_own_status(sent: dict[str, Any], status: int) -> None:
    assert refused(sent).status == status


def test_a_body_in_base64_is_the_same_body() -> None:
    raw = base64.b64encode(json.dumps({"name": "é"}).encode()).decode()

    assert admit(event("POST", "/api/members", raw=raw, encoded=True), "r").body == {"name": "é"}
