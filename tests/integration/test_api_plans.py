"""The plans of a week through the deployed API: asked for, solved in a function of its own, read.

Why real: the API calls another function, which reads tables and writes objects; what a killed call leaves is
decided by them.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from infra.local.platform import Platform
from prism_api.api import backend, planning
from prism_api.api.calls import Role
from prism_api.planner import asking, solving
from prism_api.planner.handler import handler as planner
from prism_assets.definitions import build_definitions
from prism_core import clock
from prism_core.capacity import proposing
from prism_core.models.alerts import Plan
from prism_core.models.people import MemberStatus
from prism_core.models.work import Allocation
from prism_core.settings import LeadScope, load_settings
from prism_core.tables import ALLOCATIONS
from prism_resources.aws import client
from prism_resources.plans.storing import MOST_ATTEMPTS, PlanStore
from prism_resources.tables.store import TableStore
from tests.integration.api_client import Answer, Api
from tests.integration.deployed import Deployed
from tests.integration.fresh import platform_of_this_file
from tests.integration.test_emulator_contract_mail import received, sink
from tests.integration.test_plan_command import ITEMS, NOW, put
from tests.integration.ticks import tick

platform = platform_of_this_file(NOW, rights=True)
WEEK = "2026-W48"
PLANS_OF = f"/api/capacity/{WEEK}/plans"
LEAD = Api("[lead]", "p-lead")
SOLVED_WITHIN_SECONDS = 200
WAKE = planning.wake


class Killed(BaseException):
    """As abrupt as the end of a process."""


@pytest.fixture(scope="module", autouse=True)
def _items(platform: Platform) -> None:
    """Two members and a project."""
    put(platform, ITEMS)


@pytest.fixture(autouse=True)
def _nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans that a test left behind are not woken in the middle of another one."""
    monkeypatch.setattr(planning, "wake", lambda: None)


@pytest.fixture(autouse=True)
def asleep(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Calls of this process that start the planner are kept instead of made: the test decides when it runs."""
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(backend, "start_planner", lambda payload: made.append(json.loads(payload)))
    return made


def asked(wish: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    answer = LEAD("POST", PLANS_OF, wish or {}, **more)
    assert answer.status == 202, answer.body
    assert answer.headers["location"] == f"{PLANS_OF}/{answer.body['plan_id']}"
    return answer.body


def solved(wish: dict[str, Any] | None = None) -> dict[str, Any]:
    """A plan that is solved in this process."""
    plan = asked(wish)
    planner({"do": "solve", "plan_id": plan["plan_id"]}, None)
    return read(plan).body


def read(plan: dict[str, Any], tail: str = "", **query: Any) -> Answer:
    return LEAD("GET", f"{PLANS_OF}/{plan['plan_id']}{tail}", **query)


def abandoned(plan: dict[str, Any]) -> Plan:
    """As after the time within which somebody should have solved it."""
    store = PlanStore(load_settings())
    found = store.load(plan["plan_id"])
    assert found is not None
    later = store._step(found, due=clock.now() - timedelta(seconds=1))
    assert later is not None
    return later


def test_a_lead_asks_for_a_plan_through_the_gateway_and_the_planner_solves_it(platform: Platform) -> None:
    deployed = Deployed(platform)
    lead = {"Authorization": f"Bearer {deployed.token(Role.LEAD)}"}
    annotator = {"Authorization": f"Bearer {deployed.token(Role.ANNOTATOR)}"}
    url = f"{deployed.url}{PLANS_OF}"

    refused = httpx.post(url, json={}, headers=annotator, timeout=60)
    posted = httpx.post(url, json={}, headers=lead, timeout=60)
    again = f"{deployed.url}{posted.headers['location']}"
    until = time.monotonic() + SOLVED_WITHIN_SECONDS
    while (now := httpx.get(again, headers=lead, timeout=60).json())["status"] in {"queued", "solving"}:
        assert time.monotonic() < until, now
        time.sleep(0.2)
    result = httpx.get(f"{again}/result", headers=lead, timeout=60).json()
    candidates = httpx.get(f"{again}/candidates", params={"line": "p-1"}, headers=lead, timeout=60)

    assert refused.status_code == 403
    assert posted.status_code == 202, posted.text
    assert (now["status"], now["errors"]) == ("draft", [])
    assert (now["assigned_hours"], now["unmet_hours"]) == ("32.00", "18.00")
    assert (now["objective"], now["bound"], now["gap"]) == (result["objective"], result["bound"], "0.0000")
    assert [(one["member_id"], one["project_id"], one["hours"]) for one in result["assignments"]] == [
        ("m-3", "p-1", "32.00")
    ]
    # Who has the skill works all hours on the line already.
    assert (candidates.status_code, candidates.json()) == (200, {"line": "p-1", "candidates": []}), candidates.text


def test_the_result_is_the_document_of_the_plan_whole_or_of_a_member_or_a_project(platform: Platform) -> None:
    plan = solved()
    whole = read(plan, "/result").body

    of_member = read(plan, "/result", member_id="m-1").body
    of_project = read(plan, "/result", project_id="p-1").body

    assert (whole["state"], whole["gap"], whole["unmet"]) == (
        "optimum",
        0.0,
        [{"line": "p-1", "project_id": "p-1", "hours": "18.00"}],
    )
    assert "names no project" in whole["unplaced"]["r-1"]
    assert (of_member["assignments"], len(of_member["members"]), of_member["objective"]) == (
        [],
        1,
        whole["objective"],
    )
    assert of_project["assignments"] == whole["assignments"]


def test_an_explanation_names_people_and_says_what_binds_and_what_would_help(platform: Platform) -> None:
    plan = solved()
    whole = read(plan, "/explanation").body

    of_member = read(plan, "/explanation", member_id="m-1").body
    of_line = read(plan, "/explanation", line="p-1").body
    nobody = read(plan, "/explanation", member_id="m-9")
    no_line = read(plan, "/explanation", line="p-9")

    assert [one["constraint"] for one in whole["unmet"]] == ["no_hours"]
    assert any("Synthetic Member 3" in one and "Synthetic lidar" in one for one in whole["sentences"])
    assert (of_member["assignments"], [one["idle_why"] for one in of_member["members"]]) == ([], ["no_skill"])
    assert (of_line["members"], of_line["unmet"]) == ([], whole["unmet"])
    assert (nobody.status, nobody.body["errors"][0]["path"]) == (422, "query.member_id")
    assert (no_line.status, no_line.body["errors"][0]["path"]) == (422, "query.line")


def test_parts_of_a_week_that_is_too_large_to_explain_whole_are_asked_of_the_planner(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = solved()
    monkeypatch.setattr(proposing, "EXPLAINED", 0)
    large = solved()

    whole = read(large, "/explanation")
    parts = [read(plan, "/explanation", member_id="m-3").body for plan in (small, large)]
    lines = [read(plan, "/explanation", line="p-1").body for plan in (small, large)]

    assert (whole.status, "too large" in whole.body["detail"]) == (422, True)
    assert (parts[0], lines[0]) == (parts[1], lines[1])
    assert parts[0]["assignments"]


def test_two_plans_are_compared_hour_by_hour(platform: Platform) -> None:
    base = solved()
    more = solved({"scenario": {"name": "a day more", "overtime": [{"member_id": "m-3", "hours": 4}]}})

    found = read(more, "/compare", **{"with": base["plan_id"]}).body
    same = read(base, "/compare", **{"with": base["plan_id"]}).body
    missing = read(base, "/compare", **{"with": "plan-none"})

    assert (more["scenario"], base["scenario"]) == ("a day more", "base")
    assert [(one["member_id"], one["before"], one["after"]) for one in found["assignments"]] == [
        ("m-3", "32.00", "36.00")
    ]
    assert (found["by_member"], found["unmet_hours"]) == ({"m-3": "4.0000"}, "-4.0000")
    assert any("Synthetic Member 3" in one for one in found["sentences"])
    assert (same["assignments"], same["objective"]) == ([], "0.0000")
    assert (missing.status, missing.body["errors"][0]["path"]) == (422, "query.with")


def test_candidates_for_a_line_are_ranked_and_an_unknown_line_is_refused(platform: Platform) -> None:
    plan = solved({"scenario": {"name": "no m-3", "exclude": [{"member_id": "m-3", "project_id": "p-1"}]}})

    found = asking.candidates(load_settings(), plan["plan_id"], "p-1")
    answer = read(plan, "/candidates", line="p-1")
    unknown = read(plan, "/candidates", line="p-9")

    assert [(one["member_id"], one["kept_out"]) for one in found] == [("m-3", "excluded")]
    assert [one["member_id"] for one in answer.body["candidates"]] == ["m-3"]
    assert "excluded" in answer.body["candidates"][0]["sentence"]
    assert (unknown.status, "p-9" in unknown.body["detail"]) == (422, True)


def test_the_same_key_is_one_plan(asleep: list[dict[str, Any]]) -> None:
    key = {"idempotency-key": f"plan-{time.time_ns()}"}

    first, second = (LEAD("POST", PLANS_OF, {}, headers=key) for _ in range(2))
    other = LEAD("POST", PLANS_OF, {"seconds": 1}, headers=key)

    assert (first.body, second.headers["idempotent-replayed"]) == (second.body, "true")
    assert other.status == 422
    assert [one["plan_id"] for one in asleep] == [first.body["plan_id"]]


def test_every_field_of_a_scenario_that_is_wrong_is_named(asleep: list[dict[str, Any]]) -> None:
    scenario = {"name": "x", "demand": [{"factor": -1}], "leave": ["m 1"], "nonsense": 1}

    answer = LEAD("POST", PLANS_OF, {"scenario": scenario, "seconds": 61, "weights": {"overtime": "NaN"}})

    assert answer.status == 422
    assert {one["path"] for one in answer.body["errors"]} == {
        "body.scenario.demand.0.factor",
        "body.scenario.leave.0",
        "body.scenario.nonsense",
        "body.seconds",
        "body.weights.overtime",
    }
    assert asleep == []


def test_what_a_scenario_names_and_the_week_does_not_have_fails_the_plan_field_by_field() -> None:
    scenario = {
        "name": "gone",
        "leave": ["m-9"],
        "demand": [{"project_id": "p-9", "factor": 2}],
        "hours": [{"member_id": "m-1", "by_day": {"2026-12-24": 4}}],
    }

    plan = solved({"scenario": scenario})
    result = read(plan, "/result")

    assert plan["status"] == "failed"
    assert [one.split(":")[1].strip() for one in plan["errors"]] == [
        "leave[0]",
        "demand[0].project_id",
        "hours[0].by_day",
    ]
    assert (result.status, "m-9" in result.body["detail"]) == (409, True)


def test_pins_that_cannot_hold_fail_the_plan_and_are_each_named(platform: Platform) -> None:
    settings = platform.settings
    store = TableStore(client(settings, "dynamodb"), settings, ALLOCATIONS, Allocation)
    hours = {"2026-12-05": "4.00"}
    pinned = Allocation.model_validate(
        {"member_id": "m-3", "week": "2026-W49", "project_id": "p-1", "hours": hours, "pinned": True}
    )
    author: Any = {"actor": "test", "reason": "", "request_id": "pin", "now": datetime.now(UTC)}
    store.put(pinned, expected_version=0, **author)

    answer = LEAD("POST", "/api/capacity/2026-W49/plans", {})
    planner({"do": "solve", "plan_id": answer.body["plan_id"]}, None)
    now = LEAD("GET", answer.headers["location"]).body

    assert (now["status"], now["objective"], now["body"]) == ("failed", None, None)
    assert any("m-3" in one and "p-1" in one and "2026-12-05" in one for one in now["errors"])


def test_weights_of_the_settings_count_and_those_of_a_plan_and_a_scenario_over_them(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_PLAN_WEIGHTS", '{"priority": [50, 40, 30, 20, 10], "fairness": 0}')

    ours = solved()
    posted = solved({"weights": {"priority": [500, 400, 300, 200, 100]}})
    both = solved(
        {
            "weights": {"priority": [500, 400, 300, 200, 100]},
            "scenario": {"name": "x", "weights": {"priority": [5, 4, 3, 2, 1]}},
        }
    )

    terms = [read(one, "/result").body["terms"] for one in (ours, posted, both)]
    assert [one["priority"] for one in terms] == ["960.0000", "9600.0000", "96.0000"]
    assert {one["fairness"] for one in terms} == {"0.0000"}


def test_a_plan_whose_solver_was_killed_is_woken_and_solved(
    asleep: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, lost, busy = asked(), asked(), asked()
    with monkeypatch.context() as patch:
        patch.setattr(PlanStore, "solved", _kill)
        for plan in (killed, busy):
            with pytest.raises(Killed):
                planner({"do": "solve", "plan_id": plan["plan_id"]}, None)
    abandoned(killed)
    abandoned(lost)
    asleep.clear()
    monkeypatch.setattr(planning, "wake", WAKE)

    planning._looked.clear()
    seen = LEAD("GET", PLANS_OF).status
    woken = [one["plan_id"] for one in asleep]
    LEAD("GET", PLANS_OF)
    for plan in (killed, lost):
        planner({"do": "solve", "plan_id": plan["plan_id"]}, None)
    left = solving.run(load_settings(), busy["plan_id"])

    assert seen == 200
    assert sorted(woken) == sorted(one["plan_id"] for one in (killed, lost))
    assert len(asleep) == len(woken)
    assert [read(one).body["status"] for one in (killed, lost, busy)] == ["draft", "draft", "solving"]
    assert (read(killed).body["attempts"], left) == (2, "nothing to do")


def test_a_plan_that_is_killed_again_and_again_has_failed(
    asleep: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = asked()
    monkeypatch.setattr(PlanStore, "solved", _kill)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Killed):
            planner({"do": "solve", "plan_id": plan["plan_id"]}, None)
        abandoned(plan)
        planning._looked.clear()
        WAKE()

    now = read(plan).body
    assert (now["status"], now["attempts"]) == ("failed", MOST_ATTEMPTS)
    assert "begun 3 times" in now["errors"][0]


def _kill(*_: Any, **__: Any) -> None:
    raise Killed


def test_of_two_that_solve_a_plan_one_is_kept(asleep: list[dict[str, Any]]) -> None:
    plan = asked()
    settings = load_settings()
    store = PlanStore(settings)
    late = store.load(plan["plan_id"])
    assert late is not None
    planner({"do": "solve", "plan_id": plan["plan_id"]}, None)

    assert store.begin(late) is None
    again = solving.run(settings, plan["plan_id"])

    assert again == "nothing to do"
    history = LEAD("GET", f"/api/history/plans/{plan['plan_id']}").body["items"]
    assert [one["reason"] for one in history][:2] == ["draft", "solving"]
    assert {one["actor"] for one in history} == {"user:p-lead"}


def test_a_plan_whose_body_is_lost_says_so_and_keeps_its_figures(platform: Platform) -> None:
    plan = solved({"seconds": 0})
    client(platform.settings, "s3").delete_object(Bucket=platform.settings.lake_bucket, Key=plan["body"])

    answers = [read(plan, "/result"), read(plan, "/candidates", line="p-1")]

    assert [one.status for one in answers] == [409, 409]
    assert all("plan the week again" in one.body["detail"] for one in answers)
    assert read(plan).body["objective"] == plan["objective"]


def _tell(instance: dg.DagsterInstance) -> set[str | None]:
    """What the sensor asks for, and the asset run twice."""
    asked_for = {one.run_key for one in tick("published_plans", instance, None).requests}
    job = build_definitions(load_settings()).resolve_implicit_global_asset_job_def()
    for _ in range(2):
        assert job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("allocation_notices")]
        ).success
    return asked_for


def test_a_plan_is_published_through_the_gateway_told_by_the_asset_once_and_taken_back(
    platform: Platform, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    deployed = Deployed(platform)
    url = f"{deployed.url}/api/capacity/2030-W10"
    lead, other, analyst = (
        {"Authorization": f"Bearer {deployed.token(role)}"} for role in (Role.LEAD, Role.LEAD, Role.ANALYST)
    )
    first, second = (LEAD("POST", "/api/capacity/2030-W10/plans", {}).body["plan_id"] for _ in range(2))
    for plan_id in (first, second):
        planner({"do": "solve", "plan_id": plan_id}, None)

    def publish(plan_id: str, who: dict[str, str], match: str | None) -> httpx.Response:
        sent = {**who, "X-Change-Reason": "agreed"} | ({} if match is None else {"If-Match": match})
        return httpx.post(f"{url}/plans/{plan_id}/publish", headers=sent, timeout=60)

    def rows() -> list[dict[str, Any]]:
        return LEAD("GET", "/api/allocations", week="2030-W10").body["items"]

    before = httpx.get(url, headers=analyst, timeout=60)
    refused = publish(first, analyst, '"0"')
    preview = httpx.get(f"{url}/plans/{first}/changes", headers=analyst, timeout=60)
    with sink(platform, tmp_path):
        done, again = publish(first, lead, before.headers["etag"]), publish(first, lead, None)
        by_the_functions = received(tmp_path, 0)
        asked_for = _tell(instance)
        letters = received(tmp_path)
    lost = publish(second, other, before.headers["etag"])
    outdated = publish(second, other, None)  # made over nothing, while the first is published
    now = httpx.get(url, headers=analyst, timeout=60)
    planned = rows()
    blind = httpx.post(f"{url}/unpublish", headers=other, timeout=60)
    taken = httpx.post(f"{url}/unpublish", headers={**other, "If-Match": now.headers["etag"]}, timeout=60)
    stale = httpx.post(f"{url}/unpublish", headers={**lead, "If-Match": now.headers["etag"]}, timeout=60)

    assert (before.json()["publication"], before.json()["plan"], before.headers["etag"]) == (0, None, '"0"')
    assert refused.status_code == 403
    assert preview.json() == {"publication": 0, "changes": done.json()["changes"]}, preview.text
    assert (outdated.status_code, outdated.json()["current"]["plan_id"]) == (412, first)
    assert (done.status_code, again.json(), done.headers["etag"]) == (200, done.json(), '"1"'), done.text
    assert [(one["member_id"], one["project_id"]) for one in done.json()["changes"]] == [("m-3", "p-1")]
    assert (lost.status_code, lost.json()["current"]["plan_id"]) == (412, first)
    assert (now.json()["plan_id"], now.json()["plan"]["assigned_hours"], now.json()["state"]) == (
        first,
        "40.00",
        "settled",
    )
    assert [(one["member_id"], one["source"], one["plan_id"]) for one in planned] == [("m-3", "plan", first)]
    history = LEAD("GET", f"/api/history/allocations/{planned[0]['key']}").body["items"]
    assert first in history[-1]["reason"]
    assert "agreed" in history[-1]["reason"]
    assert LEAD("GET", f"/api/plans/{first}").body["status"] == "superseded"
    assert (taken.status_code, taken.json()["week"]["undoes"], taken.json()["kept"]) == (200, 1, []), taken.text
    assert (rows(), stale.status_code, blind.status_code) == ([], 412, 428)
    assert (by_the_functions, "allocation_notices@2030-W10-1" in asked_for) == ([], True)
    ((to, letter),) = letters
    assert (to, "Synthetic lidar" in str(letter.get_body(("plain",)))) == (("m-3@example.com",), True)


def test_a_plan_that_cannot_be_published_says_why(platform: Platform) -> None:
    week = "/api/capacity/2026-W51"
    plan, failed = (
        LEAD("POST", f"{week}/plans", wish).body for wish in ({}, {"scenario": {"name": "x", "leave": ["m-9"]}})
    )
    for one in (plan, failed):
        planner({"do": "solve", "plan_id": one["plan_id"]}, None)
    spec, member = next((spec, item) for spec, item in ITEMS if getattr(item, "member_id", "") == "m-3")
    put(platform, [(spec, member.model_copy(update={"status": MemberStatus.INACTIVE}))])

    outdated = LEAD("POST", f"{week}/plans/{plan['plan_id']}/publish", match='"0"')
    put(platform, [(spec, member)])
    unsolved = LEAD("POST", f"{week}/plans/{failed['plan_id']}/publish", match='"0"')
    nothing = LEAD("POST", f"{week}/unpublish", match="*")
    no_tag = LEAD("POST", f"{week}/unpublish", match="three")
    supposed = LEAD("POST", f"{week}/plans", {"scenario": {"name": "much", "demand": [{"factor": 2}]}}).body
    planner({"do": "solve", "plan_id": supposed["plan_id"]}, None)
    what_if = LEAD("POST", f"{week}/plans/{supposed['plan_id']}/publish", match='"0"')

    assert (outdated.status, outdated.body["findings"]) == (409, ["member m-3 is not active"])
    assert (unsolved.status, "m-9" in unsolved.body["detail"]) == (409, True)
    assert (nothing.status, "no plan of 2026-W51 was published" in nothing.body["detail"]) == (409, True)
    assert (no_tag.status, no_tag.body["errors"][0]["path"]) == (422, "header.if-match")
    assert (what_if.status, "supposes what is not so (demand)" in what_if.body["detail"]) == (409, True)
    assert LEAD("GET", week).body["publication"] == 0
    meant = LEAD("POST", f"{week}/plans/{supposed['plan_id']}/publish", what_if=True)
    assert (meant.status, meant.body["week"]["plan_id"]) == (200, supposed["plan_id"])
    preview = f"{week}/plans/{supposed['plan_id']}/changes"
    assert LEAD("GET", preview).body == {"publication": 1, "changes": []}
    (row,) = LEAD("GET", "/api/allocations", week="2026-W51").body["items"]
    by_day = row["hours"]
    first, last = min(by_day), max(by_day)
    moved = {**by_day, first: "0.00", last: str(Decimal(by_day[first]) + Decimal(by_day[last]))}
    LEAD("PATCH", f"/api/allocations/{row['key']}", {"hours": moved}, match="*")
    (change,) = LEAD("GET", preview).body["changes"]
    assert (change["member_id"], change["after"]) == ("m-3", by_day)
    assert change["before"] == {day: hours for day, hours in moved.items() if day != first}


def test_a_week_before_the_first_one_is_not_planned_and_one_that_has_ended_is_not_published() -> None:
    before = LEAD("POST", "/api/capacity/1999-W01/plans", {})
    ended = LEAD("POST", "/api/capacity/2026-W40/plans", {}).body
    planner({"do": "solve", "plan_id": ended["plan_id"]}, None)
    refused = LEAD("POST", f"/api/capacity/2026-W40/plans/{ended['plan_id']}/publish", match='"0"')

    assert (before.status, before.body["errors"][0]["path"]) == (422, "path.week")
    assert "1999-W01 lies before 2018-W33" in before.body["errors"][0]["message"]
    assert refused.status in {409, 422}
    assert "2026-W40 ended on 2026-10-04" in refused.body["detail"]


def test_the_list_has_the_plans_of_the_week_and_a_plan_of_another_week_is_not_found(platform: Platform) -> None:
    mine = solved()
    other = LEAD("POST", "/api/capacity/2026-W49/plans", {}).body

    page = LEAD("GET", PLANS_OF, limit=1).body
    listed = [one["plan_id"] for one in LEAD("GET", PLANS_OF, limit=200).body["items"]]
    wrong = LEAD("GET", f"{PLANS_OF}/{other['plan_id']}")
    no_week = LEAD("GET", "/api/capacity/2026-W60/plans")

    assert len(page["items"]) == 1
    assert page["next"]
    assert mine["plan_id"] in listed
    assert other["plan_id"] not in listed
    assert (wrong.status, no_week.status) == (404, 422)


def test_who_sees_one_team_plans_nothing(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = solved()
    scoped = backend.settings().model_copy(update={"lead_scope": LeadScope.TEAM})
    monkeypatch.setattr(backend, "settings", lambda: scoped)

    answers = [LEAD("POST", PLANS_OF, {}), LEAD("GET", PLANS_OF), read(plan), read(plan, "/result")]
    # Also what is not sound: who may not do a thing learns nothing about how it is done.
    unsound = [
        LEAD("POST", PLANS_OF, {"seconds": "many"}),
        LEAD("GET", PLANS_OF, limit=0),
        LEAD("GET", "/api/capacity/2026-W99"),
        read(plan, "/compare"),
        LEAD("POST", f"{PLANS_OF}/{plan['plan_id']}/publish", ["no object"]),
        LEAD("GET", "/api/plans", limit=0),
        LEAD("GET", "/api/reports", nonsense=1),
    ]

    assert [one.status for one in (*answers, *unsound)] == [403] * 11


def test_a_week_in_which_nobody_can_work_is_planned_and_all_of_it_stays_open(platform: Platform) -> None:
    plan = solved({"scenario": {"name": "nobody", "leave": ["m-1", "m-3"]}})

    assert (plan["status"], plan["assigned_hours"], plan["unmet_hours"]) == ("draft", "0.00", "50.00")
    assert [one["constraint"] for one in read(plan, "/explanation").body["unmet"]] == ["nobody"]
