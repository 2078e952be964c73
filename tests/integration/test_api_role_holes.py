"""What a role must not reach by a side door. Why real: whose rows are written is decided by rows."""

import pytest

from infra.local.platform import Platform
from prism_api.api import backend
from prism_core.settings import LeadScope
from tests.integration.api_client import Answer, Api

ADMIN, LEAD, RED_LEAD = Api("[admin]", "h-admin"), Api("[lead]", "h-lead"), Api("[lead]", "h-sub-red")
ANN = Api("[annotator]", "h-sub-ann")


@pytest.fixture(scope="module", autouse=True)
def _world(platform: Platform) -> None:
    """An annotator without a team, the lead of the red team, and somebody of each team."""
    assert platform.owned
    accounts = {"ann": "h-sub-ann", "red": "h-sub-red"}
    for name, team in (("ann", None), ("red", "h-red"), ("rose", "h-red"), ("blue", "h-blue")):
        fields = {
            "member_id": f"h-{name}",
            "name": name,
            "email": f"{name}@example.com",
            "time_zone": "UTC",
            "hours": {"mon": 8, "tue": 8},
            "team": team,
            "cognito_sub": accounts.get(name),
        }
        created = ADMIN("POST", "/api/members", fields)
        assert created.status == 201, created.body


@pytest.fixture
def _scoped(monkeypatch: pytest.MonkeyPatch) -> None:
    scoped = backend.settings().model_copy(update={"lead_scope": LeadScope.TEAM})
    monkeypatch.setattr(backend, "settings", lambda: scoped)


def patched(api: Api, path: str, **fields: object) -> Answer:
    return api("PATCH", path, fields, match="*")


@pytest.mark.usefixtures("_scoped")
def test_only_an_admin_says_whose_account_a_member_is_and_who_is_in_a_scoped_team() -> None:
    member = {"member_id": "h-new", "name": "n", "email": "n@example.com", "time_zone": "UTC"}
    row = {"operation": "update", "key": "h-ann", "version": 1, "fields": {"cognito_sub": "h-lead"}}
    red = RED_LEAD("GET", "/api/members/h-red").body
    whole = {name: value for name, value in red.items() if name not in {"key", "version", "member_id"}}
    analyst_too = Api("[lead,analyst]", "h-lead")  # sees all teams

    assert patched(analyst_too, "/api/members/h-ann", cognito_sub="h-lead").status == 403
    assert patched(analyst_too, "/api/members/h-ann", cognito_sub=None).status == 403
    assert analyst_too("POST", "/api/members", {**member, "cognito_sub": "h-lead"}).status == 403
    assert analyst_too("POST", "/api/members/bulk", {"rows": [row]}).body["rows"][0]["status"] == 403
    assert patched(RED_LEAD, "/api/members/h-red", team="h-blue").status == 403
    assert RED_LEAD("PUT", "/api/members/h-red", {**whole, "team": "h-blue"}, match="*").status == 403
    assert RED_LEAD("PUT", "/api/members/h-red", {**whole, "name": "Red"}, match="*").status == 200
    taken = patched(ADMIN, "/api/members/h-blue", cognito_sub="h-sub-ann")
    assert (taken.status, "h-ann" in taken.body["detail"]) == (409, True)
    assert patched(ADMIN, "/api/members/h-blue", cognito_sub="h-sub-blue", team="h-blue-2").status == 200
    assert patched(ADMIN, "/api/members/h-blue", team="h-blue").status == 200
