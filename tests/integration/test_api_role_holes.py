"""What a role must not reach by a side door. Why real: whose rows are written is decided by rows."""

import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from infra.local.platform import Platform
from prism_api.api import backend
from prism_api.api.routes import members, suggestions
from prism_core.models.people import Member
from prism_core.models.workers import Suggestion, Worker
from prism_core.settings import LeadScope
from prism_core.suggestions import Colleague, Seen
from prism_core.tables import MEMBERS, WORKERS
from tests.integration.api_client import Answer, Api, every_page, known
from tests.integration.test_api_imports import book, imported

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


def test_what_the_server_sets_is_not_set_by_a_leads_workbook_either() -> None:
    mapping = '[tables.availability.defaults]\nstatus = "approved"\nreason = "theirs"\n'
    data = book(
        {
            "Availability": [["Member", "Date", "Hours off", "Status", "Decided by"],
                             ["h-ann", "2027-08-02", 2, "approved", "h-x"]],
            "Quality": [["Member", "Week", "Project", "Review", "Category", "Items reviewed", "Items correct",
                         "Worst error", "Reviewer", "Reviewed at"],
                        ["h-ann", "2027-W31", "h-p", "h-q", "c", 9, 8, "low", "h-x", "2027-08-01T10:00:00Z"]],
            "Bugs": [["Bug", "Title", "Description", "Severity", "Category", "Reporter"],
                     ["h-b", "t", "d", "low", "screens", "h-x"]],
            "Requests": [["Request", "Due", "Hours", "Requester", "Reason", "Status", "Decided by"],
                         ["h-r", "2027-09-01", 5, "Cleo", "more", "approved", "h-x"]],
        }
    )  # fmt: skip
    project = {"project_id": "h-p", "name": "p", "category": "c", "demand_hours": 8}
    assert ADMIN("POST", "/api/projects", project).status == 201

    done = imported(LEAD, data, mapping=mapping)

    assert (done.status, done.body["counts"]["new"]) == (200, 4), done.body
    (off,) = ADMIN("GET", "/api/availability", member_id="h-ann", date="2027-08-02").body["items"]
    assert (off["status"], off["decided_by"], off["reason"]) == ("requested", None, "")
    (review,) = ADMIN("GET", "/api/quality", member_id="h-ann", week="2027-W31").body["items"]
    assert (review["reviewer"], review["reviewed_at"][:10]) == ("user:h-lead", "2027-08-01")
    bug, request = ADMIN("GET", "/api/bugs/h-b").body, ADMIN("GET", "/api/requests/h-r").body
    assert bug["reporter"] == "user:h-lead"
    assert (request["status"], request["decided_by"]) == ("submitted", None)


@pytest.mark.usefixtures("_scoped")
def test_a_lead_of_one_team_makes_no_worker_a_member_of_another() -> None:
    now = datetime.now(UTC)
    for sub in ("one", "two"):
        worker = Worker(worker_key=f"h-pool#{sub}", pool="h-pool", sub=f"{sub}", last_seen=now)
        backend.store(WORKERS, Worker).create(worker, actor="test", reason="", request_id=f"h-{sub}", now=now)
    rows = {row["sub"]: row["key"] for row in every_page(ADMIN, "/api/workers") if row["pool"] == "h-pool"}
    one, two = (f"/api/workers/{rows[sub]}" for sub in ("one", "two"))
    blue, rose = ({"member": f"h-{name}", "valid_from": "2027-01-04"} for name in ("blue", "rose"))
    theirs = [{"member": "h-blue", "from": "2027-01-04"}]

    assert RED_LEAD("POST", f"{one}/resolve", blue, match="*").status == 403
    assert RED_LEAD("POST", f"{one}/resolve", rose, match="*").status == 200
    assert patched(RED_LEAD, one, periods=theirs).status == 403
    assert ADMIN("POST", f"{two}/resolve", blue, match="*").status == 200
    taken = {**rose, "valid_from": "2027-02-01"}
    for theirs_alone in (
        RED_LEAD("GET", two),
        RED_LEAD("POST", f"{two}/resolve", taken, match="*"),
        RED_LEAD("POST", f"{two}/ignore", match="*"),
        patched(RED_LEAD, two, status="ignored"),
        RED_LEAD("DELETE", two, match="*"),
        RED_LEAD("GET", two.replace("/api/", "/api/history/")),
    ):
        assert theirs_alone.status == 404, theirs_alone.body
    assert two.rpartition("/")[2] not in {row["key"] for row in every_page(RED_LEAD, "/api/workers")}
    periods = [{**theirs[0], "to": "2027-02-01"}, {"member": "h-red", "from": "2027-02-01"}]
    shared = patched(ADMIN, two, periods=periods)
    assert (shared.status, RED_LEAD("GET", two).status) == (200, 200)
    assert RED_LEAD("POST", f"{two}/resolve", {**rose, "valid_from": "2027-01-11"}, match="*").status == 403
    assert patched(RED_LEAD, one, periods=[{"member": "h-rose", "from": "2027-01-11"}]).status == 200


@pytest.mark.usefixtures("_scoped")
def test_a_lead_of_one_team_is_suggested_its_members_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noted(_: Seen, colleagues: Iterable[Colleague]) -> tuple[Suggestion, ...]:
        asked.extend(colleague.member.member_id for colleague in colleagues)
        return ()

    monkeypatch.setattr(suggestions, "suggest_members", noted)
    now = datetime.now(UTC)
    worker = Worker(worker_key="h-pool#three", pool="h-pool", sub="three", last_seen=now)
    backend.store(WORKERS, Worker).create(worker, actor="test", reason="", request_id="h-three", now=now)
    key = next(row["key"] for row in every_page(ADMIN, "/api/workers") if row["worker_key"] == worker.worker_key)

    assert RED_LEAD("GET", f"/api/workers/{key}/suggestions").status == 200
    assert sorted(asked) == ["h-red", "h-rose"]


@pytest.mark.usefixtures("_scoped")
def test_a_lead_of_one_team_reads_no_suggestion_of_another_and_sets_no_worker_of_nobody_aside() -> None:
    now = datetime.now(UTC)
    guesses = tuple(Suggestion(candidate=f"h-{name}", score=Decimal("0.50")) for name in ("blue", "rose"))
    worker = Worker(worker_key="h-pool#four", pool="h-pool", sub="four", suggestions=guesses, last_seen=now)
    backend.store(WORKERS, Worker).create(worker, actor="test", reason="", request_id="h-four", now=now)
    row = next(row for row in every_page(RED_LEAD, "/api/workers") if row["worker_key"] == worker.worker_key)
    path = f"/api/workers/{row['key']}"
    history = path.replace("/api/", "/api/history/")
    file = RED_LEAD("POST", "/api/exports", {"list": "workers", "format": "csv", "query": {}})

    assert [one["candidate"] for one in row["suggestions"]] == ["h-rose"]
    assert [one["candidate"] for one in RED_LEAD("GET", path).body["suggestions"]] == ["h-rose"]
    instant = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    for told in (RED_LEAD("GET", path), RED_LEAD("GET", history), RED_LEAD("GET", path, as_of=instant)):
        assert (told.status, "h-blue" in str(told.body)) == (200, False)
    assert '""candidate"":""h-blue""' not in httpx.get(file.body["url"], timeout=60).text
    assert "h-blue" in str(ADMIN("GET", history).body)
    stale = RED_LEAD("PATCH", path, {"suggestions": []}, match='"7"')
    assert (stale.status, "h-blue" in str(stale.body)) == (412, False)
    assert RED_LEAD("POST", f"{path}/ignore", match="*").status == 403
    assert patched(RED_LEAD, path, status="ignored").status == 403
    assert RED_LEAD("DELETE", path, match="*").status == 403
    assert ADMIN("POST", f"{path}/ignore", match="*").status == 200


@pytest.mark.usefixtures("_scoped")
@pytest.mark.parametrize("path", ["/api/plans", "/api/reports"])
def test_what_is_about_everybody_is_closed_to_who_sees_one_team(path: str) -> None:
    wish = {"list": "plans" if path.endswith("plans") else "editions", "format": "csv", "query": {}}

    asked = [
        RED_LEAD("GET", path),
        RED_LEAD("GET", f"{path}/none"),
        RED_LEAD("GET", path, as_of="2026-11-01T00:00:00Z"),
        RED_LEAD("POST", "/api/exports", wish),
        *(RED_LEAD("GET", f"{path}/none/{of}") for of in ("content", "letters/1") if path.endswith("reports")),
    ]

    assert [(answer.status, "about all teams" in answer.body["detail"]) for answer in asked] == [
        (403, True)
    ] * len(asked)
    assert ADMIN("GET", path).status == 200
    assert Api("[lead,analyst]", "h-sub-red")("GET", path).status == 200


@pytest.mark.usefixtures("_scoped")
def test_a_whole_replacement_by_a_lead_leaves_alone_what_only_an_admin_sets() -> None:
    rose = RED_LEAD("GET", "/api/members/h-red").body
    fields = {name: rose[name] for name in ("name", "email", "time_zone", "hours")}

    done = RED_LEAD("PUT", "/api/members/h-red", {**fields, "name": "Red again"}, match="*")
    cleared = ADMIN("PUT", "/api/members/h-blue", {**fields, "name": "Blue"}, match="*")

    assert (done.status, done.body["name"]) == (200, "Red again"), done.body
    assert (done.body["cognito_sub"], done.body["team"]) == ("h-sub-red", "h-red")
    assert (cleared.status, cleared.body["cognito_sub"], cleared.body["team"]) == (200, None, None)
    assert patched(ADMIN, "/api/members/h-blue", team="h-blue").status == 200


def test_of_two_members_that_are_given_one_account_at_once_one_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known([f"h-twin-{number}" for number in range(8)])
    monkeypatch.setattr(members, "_refuse_held_account", lambda _: None)  # as the index looks to all of them
    given = {"cognito_sub": f"h-sub-{uuid.uuid4().hex}"}

    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda n: patched(ADMIN, f"/api/members/h-twin-{n}", **given), range(8))]
    winner = next(n for n, answer in enumerate(answers) if answer.status == 200)
    again = patched(ADMIN, f"/api/members/h-twin-{winner}", **given, team="h-red")

    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert "at this moment" in next(answer.body["detail"] for answer in answers if answer.status == 409)
    assert again.status == 200


def test_views_and_bugs_of_an_account_stay_theirs_when_it_becomes_a_member() -> None:
    account = f"h-sub-{uuid.uuid4().hex}"
    someone = Api("[annotator]", account)
    state = {"screen": "team", "name": "mine", "state": {"team": ["a"]}}
    bug = {"title": "t", "description": "d", "severity": "low", "category": "screens"}
    view, reported = someone("POST", "/api/saved-views", state).body, someone("POST", "/api/bugs", bug).body
    known(["h-late"])
    assert patched(ADMIN, "/api/members/h-late", cognito_sub=account).status == 200
    later = someone("POST", "/api/saved-views", {**state, "name": "newer"}).body

    assert (view["owner"], later["owner"]) == (f"user:{account}", "h-late")
    for owner in ("h-late", f"user:{account}"):
        listed = every_page(someone, "/api/saved-views", owner=owner)
        assert {row["name"] for row in listed} == {"mine", "newer"}
    changed = someone("PATCH", f"/api/saved-views/{view['key']}", {"name": "still mine"}, match="*")
    assert (changed.status, someone("GET", f"/api/history/saved_views/{view['key']}").status) == (200, 200)
    assert [row["bug_id"] for row in someone("GET", "/api/bugs").body["items"]] == [reported["bug_id"]]
    assert ANN("GET", f"/api/saved-views/{view['key']}").status == 404


def test_time_off_is_edited_by_whose_it_is() -> None:
    def asked(member: str, day: str) -> str:
        fields = {"member_id": member, "date": day, "hours_off": 4, "reason": "private"}
        created = ADMIN("POST", "/api/availability", fields)
        assert created.status == 201, created.body
        return f"/api/availability/{created.body['key']}"

    own, annotators, declined = (
        asked("h-red", "2031-01-06"),
        asked("h-ann", "2031-01-06"),
        asked("h-ann", "2031-01-07"),
    )
    for path in (own, annotators):
        assert LEAD("POST", f"{path}/decision", {"status": "approved"}, match="*").status == 200
    no = {"status": "declined", "answer": "too many are away"}
    assert LEAD("POST", f"{declined}/decision", no, match="*").status == 200

    assert patched(RED_LEAD, own, hours_off=8).status == 409
    assert RED_LEAD("DELETE", own, match="*").status == 409
    assert patched(ANN, annotators, hours_off=8).status == 409
    assert patched(RED_LEAD, annotators, reason="mine now").status == 403
    assert patched(RED_LEAD, annotators, reason=None).status == 403
    assert patched(RED_LEAD, annotators, hours_off=2).status == 200
    assert patched(ANN, declined, hours_off=8).status == 409
    assert patched(ANN, declined, reason="a funeral").body["reason"] == "a funeral"
    assert patched(ADMIN, own, hours_off=8, reason="by phone").body["reason"] == "by phone"


def test_a_published_taxonomy_is_retired_and_nothing_else() -> None:
    version = {"taxonomy_id": "h-tax", "title": "t", "effective": "2019-01-01", "status": "published"}
    assert LEAD("POST", "/api/taxonomy", version).status == 201
    path = "/api/taxonomy/h-tax"

    assert patched(LEAD, path, status="draft").status == 409
    assert patched(LEAD, path, title="another").status == 409
    assert patched(LEAD, path, status="retired", effective="2020-01-01").status == 409
    assert LEAD("DELETE", path, match="*").status == 409
    assert patched(LEAD, path, status="retired").body["status"] == "retired"
    for status in ("draft", "published"):
        assert patched(LEAD, path, status=status).status == 409
    retired = ADMIN("GET", "/api/history/taxonomy/h-tax").body["items"][0]
    refused = ADMIN("POST", f"/api/changes/{retired['id']}/revert")
    assert (refused.status, "Make a new one" in refused.body["detail"]) == (409, True), refused.body


def test_an_account_that_was_given_on_does_not_come_back_by_a_revert() -> None:
    known(["h-first", "h-second"])
    account = {"cognito_sub": f"h-sub-{uuid.uuid4().hex}"}
    assert patched(ADMIN, "/api/members/h-first", **account).status == 200
    assert patched(ADMIN, "/api/members/h-first", cognito_sub=None).status == 200
    store = backend.store(MEMBERS, Member)  # past the claim of the first, which ends after a minute
    second = store.get(member_id="h-second")
    assert second is not None
    author = {"actor": "h-admin", "reason": "", "request_id": uuid.uuid4().hex, "now": datetime.now(UTC)}
    store.update(second.model_copy(update=account), expected_version=second.version, **author)
    taken_away = ADMIN("GET", "/api/history/members/h-first").body["items"][0]

    refused = ADMIN("POST", f"/api/changes/{taken_away['id']}/revert")

    assert (refused.status, "h-second" in refused.body["detail"]) == (409, True), refused.body
    assert ADMIN("GET", "/api/members/h-first").body["cognito_sub"] is None


def test_who_reports_a_bug_does_not_say_what_became_of_it() -> None:
    bug = {"title": "t", "description": "d", "severity": "low", "category": "screens"}
    decided = {"status": "resolved", "assignee": "h-red", "resolved": "2027-01-04T10:00:00Z"}
    analyst = Api("[analyst]", "h-analyst")

    for who in (ANN, analyst):
        assert [who("POST", "/api/bugs", {**bug, name: value}).status for name, value in decided.items()] == [
            403
        ] * 3
        assert who("POST", "/api/bugs", {**bug, "status": "new"}).status == 201
    assert LEAD("POST", "/api/bugs", {**bug, **decided}).status == 201
