"""Jobs: many rows over several calls. Why real: what a killed call leaves is decided by tables and objects."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from infra.local.platform import Platform
from prism_api.api import job_store, jobs
from prism_api.api.calls import Role
from tests.integration.api_client import Answer, Api, every_page
from tests.integration.deployed import Deployed
from tests.integration.test_api_imports import book, uploaded

ADMIN, LEAD, OTHER = Api("[admin]", "j-admin"), Api("[lead]", "j-lead"), Api("[lead]", "j-other")
DONE_WITHIN_SECONDS = 240
WAKE = jobs.wake


class Context:
    """A Lambda context whose time is up after a number of looks at it. `function_name` leads nowhere."""

    function_name = "prism-nobody"

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 29_000 if self.looks > 0 else 0


class Killed(BaseException):
    """As abrupt as the end of a process."""


@pytest.fixture
def asleep(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Calls of the function to itself are kept instead of made: the test decides when the next one runs."""
    assert platform.owned
    made: list[bytes] = []
    monkeypatch.setattr("prism_api.api.backend.call_again", made.append)
    return made


@pytest.fixture(autouse=True)
def _nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that a test left behind are not woken in the middle of another one."""
    monkeypatch.setattr(jobs, "wake", lambda: None)


def look_again() -> None:
    """As half a minute after the last look."""
    jobs._looked.clear()
    WAKE()


def abandoned(job: dict[str, Any], **changes: Any) -> None:
    """As a minute after the call that worked on it was killed."""
    stored = job_store.load(job["job_id"])
    assert stored is not None
    job_store.save(stored, lease_until=datetime.now(UTC) - timedelta(seconds=1), **changes)


def new_projects(name: str, count: int) -> list[dict[str, Any]]:
    return [
        {
            "operation": "create",
            "fields": {
                "project_id": f"j-{name}-{number:04d}",
                "name": f"{name} {number}",
                "category": "c",
                "demand_hours": 8,
            },
        }
        for number in range(count)
    ]  # fmt: skip


def posted(api: Api, rows: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    answer = api("POST", "/api/jobs", {"resource": "projects", "rows": rows, **fields})
    assert answer.status == 202, answer.body
    assert answer.headers["location"] == f"/api/jobs/{answer.body['key']}"
    return answer.body


def state(job: dict[str, Any]) -> dict[str, Any]:
    return ADMIN("GET", f"/api/jobs/{job['key']}").body


def results(job: dict[str, Any]) -> list[dict[str, Any]]:
    return every_page(ADMIN, f"/api/jobs/{job['key']}/results")


def test_a_job_goes_on_from_call_to_call_until_every_row_has_its_result(asleep: list[bytes]) -> None:
    rows = new_projects("long", 250)
    rows[7] = {"operation": "create", "fields": {"project_id": "j-bad"}}
    job = posted(LEAD, rows, reason="a new customer")

    calls = 0
    while (now := state(job))["status"] not in {"done", "failed"}:
        jobs.run(job["job_id"], Context(looks=90))
        calls += 1

    assert (now["status"], now["total"], now["done"], now["failed"]) == ("done", 250, 250, 1)
    assert calls > 2
    assert [json.loads(one) for one in asleep] == [{"prism_job": job["job_id"]}] * calls
    found = results(job)
    assert [row["row"] for row in found] == [*range(250)]
    assert [row["row"] for row in found if row["status"] != 201] == [7]
    log = LEAD("GET", "/api/history/projects/j-long-0249").body["items"]
    assert [(one["actor"], one["reason"]) for one in log] == [("user:j-lead", "a new customer")]


def test_a_killed_job_is_resumed_and_writes_no_row_twice(
    asleep: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = posted(LEAD, new_projects("kill", 30))
    jobs.run(first["job_id"], Context(1000))
    keys = [row["key"] for row in results(first)]
    changes = [
        {"operation": "update", "key": key, "version": 1, "fields": {"priority": 1}} for key in keys[:20]
    ] + [{"operation": "delete", "key": key, "version": 1} for key in keys[20:]]
    job = posted(LEAD, [*changes, *new_projects("more", 20)])

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "put_results", _kill)  # everything is written, nothing is saved
        with pytest.raises(Killed):
            jobs.run(job["job_id"], Context(1000))
    ours = LEAD("POST", f"/api/jobs/{job['key']}/resume")
    jobs.run(job["job_id"], Context(1000))
    untouched = state(job)
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "leased", lambda _: False)  # a minute later
        patch.setattr("prism_api.api.routes.jobs.leased", lambda _: False)
        resumed = LEAD("POST", f"/api/jobs/{job['key']}/resume")
        jobs.run(job["job_id"], Context(1000))

    assert (ours.status, untouched["done"], resumed.status) == (409, 0, 202)
    now = state(job)
    assert (now["status"], now["done"], now["failed"]) == ("done", 50, 0), results(job)
    for key, versions in ((keys[0], [2, 1]), (keys[25], [2, 1]), ("j-more-0003", [1])):
        log = LEAD("GET", f"/api/history/projects/{key}").body["items"]
        assert sorted((one["version"] for one in log), reverse=True) == versions
    assert LEAD("GET", f"/api/projects/{keys[25]}").status == 404


def test_a_killed_job_is_woken_by_whoever_asks_for_jobs(
    asleep: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, lost, leased = (posted(LEAD, new_projects(name, 3)) for name in ("dead", "lost", "busy"))
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "put_results", _kill)
        for job in (killed, leased):
            with pytest.raises(Killed):
                jobs.run(job["job_id"], Context(1000))
    abandoned(killed)
    abandoned(lost)
    asleep.clear()
    monkeypatch.setattr(jobs, "wake", WAKE)

    jobs._looked.clear()
    seen = OTHER("GET", "/api/jobs").status  # who sees neither of them
    woken = {json.loads(one)["prism_job"] for one in asleep}
    OTHER("GET", "/api/jobs")
    again = len(asleep)
    for job in (killed, lost):
        jobs.run(job["job_id"], Context(1000))

    assert seen == 200
    assert {killed["job_id"], lost["job_id"]} <= woken
    assert leased["job_id"] not in woken
    assert again == len(woken)
    assert [(now["status"], now["done"], now["failed"]) for now in map(state, (killed, lost))] == [
        ("done", 3, 0)
    ] * 2
    assert state(leased)["status"] == "running"


def test_a_job_that_is_killed_again_and_again_has_failed(
    asleep: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = posted(LEAD, new_projects("poison", 3))
    monkeypatch.setattr(jobs, "put_results", _kill)
    for _ in range(jobs.MOST_KILLS):
        with pytest.raises(Killed):
            jobs.run(job["job_id"], Context(1000))
        abandoned(job)
        look_again()

    now = state(job)
    resumed = LEAD("POST", f"/api/jobs/{job['key']}/resume")
    assert (now["status"], now["done"], "3 times in a row at row 0" in now["error"]) == ("failed", 0, True)
    assert (resumed.status, resumed.body["kills"]) == (202, 0)


def _kill(*_: Any) -> None:
    raise Killed


def test_a_cancelled_job_stops_and_says_what_was_written(asleep: list[bytes]) -> None:
    job = posted(LEAD, new_projects("stop", 100))
    jobs.run(job["job_id"], Context(looks=30))
    done = state(job)["done"]

    cancelled = LEAD("POST", f"/api/jobs/{job['key']}/cancel")
    jobs.run(job["job_id"], Context(1000))
    again = LEAD("POST", f"/api/jobs/{job['key']}/cancel")

    now = state(job)
    assert 0 < done < 100
    assert (cancelled.status, now["status"], now["done"], again.status) == (200, "cancelled", done, 409)
    assert len(results(job)) == done
    assert LEAD("GET", f"/api/projects/j-stop-{done - 1:04d}").status == 200
    assert LEAD("GET", f"/api/projects/j-stop-{done:04d}").status == 404


def test_a_job_that_is_cancelled_while_it_runs_counts_what_it_wrote(
    asleep: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = posted(LEAD, new_projects("race", 20))
    put_results = jobs.put_results

    def cancel_first(*arguments: Any) -> None:
        put_results(*arguments)
        assert LEAD("POST", f"/api/jobs/{job['key']}/cancel").status == 200

    monkeypatch.setattr(jobs, "put_results", cancel_first)
    jobs.run(job["job_id"], Context(1000))

    now = state(job)
    assert (now["status"], now["done"], now["lease"]) == ("cancelled", 20, None)


def test_a_dry_run_writes_nothing_and_says_the_same(asleep: list[bytes]) -> None:
    rows = [*new_projects("dry", 5), {"operation": "update", "key": "j-none", "version": 1, "fields": {}}]
    dry, wet = posted(LEAD, rows, dry_run=True), posted(LEAD, rows)

    jobs.run(dry["job_id"], Context(1000))
    before = LEAD("GET", "/api/projects/j-dry-0000").status
    jobs.run(wet["job_id"], Context(1000))

    assert before == 404
    assert results(dry) == results(wet)
    assert [row["status"] for row in results(wet)] == [201] * 5 + [404]


def test_a_job_is_its_owners_and_the_admins_alone(asleep: list[bytes]) -> None:
    job = posted(LEAD, new_projects("mine", 1))
    path = f"/api/jobs/{job['key']}"

    def listed(api: Api, **query: str) -> bool:
        return job["job_id"] in {one["job_id"] for one in every_page(api, "/api/jobs", **query)}

    for method, tail in (("GET", ""), ("GET", "/results"), ("POST", "/cancel"), ("POST", "/resume")):
        assert OTHER(method, path + tail).status == 404
    assert (listed(LEAD), listed(ADMIN), listed(OTHER)) == (True, True, False)
    assert not listed(OTHER, owner="user:j-lead")
    assert not listed(OTHER, status="queued")
    assert listed(LEAD, status="queued")


@pytest.mark.parametrize(
    ("api", "fields", "status"),
    [
        (LEAD, {"resource": "recipients", "rows": [{"operation": "delete", "key": "x", "version": 1}]}, 403),
        (LEAD, {"resource": "throughput", "rows": [{"operation": "delete", "key": "x", "version": 1}]}, 422),
        (LEAD, {"resource": "projects"}, 422),
        (LEAD, {"resource": "projects", "rows": []}, 422),
        (LEAD, {"resource": "projects", "upload_id": "u-01ke00000000000000000000aa"}, 422),
        (Api("[analyst]", "j-analyst"), {"resource": "projects", "rows": []}, 403),
    ],
)
def test_nobody_posts_a_job_that_they_may_not_write_row_by_row(
    asleep: list[bytes], api: Api, fields: dict[str, Any], status: int
) -> None:
    answer = api("POST", "/api/jobs", fields)

    assert (answer.status, asleep) == (status, []), answer.body


def test_rows_come_as_uploaded_json_lines_and_bad_lines_are_named(asleep: list[bytes]) -> None:
    good = "\n".join(json.dumps(row) for row in new_projects("lines", 3)) + "\n"
    bad = good + '{"operation": "explode"}\n\n{"operation": "create", "operation": "create"}\nnot json\n'

    ids = {name: uploaded(LEAD, text.encode(), f"{name}.jsonl") for name, text in (("good", good), ("bad", bad))}
    sound = LEAD("POST", "/api/jobs", {"resource": "projects", "upload_id": ids["good"]})
    wrong = LEAD("POST", "/api/jobs", {"resource": "projects", "upload_id": ids["bad"]})

    assert (sound.status, sound.body["total"]) == (202, 3)
    assert wrong.status == 422
    assert [error["path"].partition(".")[0] for error in wrong.body["errors"]] == ["line 4", "line 6", "line 7"]


def test_a_large_import_becomes_a_job(asleep: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prism_api.api.routes.imports.MAX_WRITES", 2)
    rows = [[f"j-imp-{number}", f"imported {number}", "c", 8] for number in range(3)]
    data = book({"Projects": [["Project ID", "Name", "Category", "Demand"], *rows]})

    answer = LEAD("POST", "/api/imports", {"content": base64.b64encode(data).decode(), "reason": "a list"})
    jobs.run(answer.body["job"], Context(1000))

    assert (answer.status, answer.headers["location"]) == (202, f"/api/jobs/{answer.body['job']}"), answer.body
    done = ADMIN("GET", f"/api/jobs/{answer.body['job']}").body
    assert (done["kind"], done["status"], done["done"], done["failed"]) == ("import", "done", 3, 0)
    log = LEAD("GET", "/api/history/projects/j-imp-2").body["items"]
    assert [(one["actor"], one["reason"]) for one in log] == [("user:j-lead", "a list")]


def test_a_repeated_post_makes_one_job(asleep: list[bytes]) -> None:
    body = {"resource": "projects", "rows": new_projects("once", 1)}
    first, second = (LEAD("POST", "/api/jobs", body, headers={"idempotency-key": "j-once"}) for _ in range(2))

    assert first.body == second.body
    assert len(asleep) == 1


@pytest.mark.timeout(2 * DONE_WITHIN_SECONDS)
def test_the_deployed_function_works_off_a_job_by_itself(platform: Platform) -> None:
    deployed = Deployed(platform)
    sent = {"Authorization": f"Bearer {deployed.token(Role.LEAD)}"}

    def asked(method: str, path: str, body: Any = None) -> Answer:
        got = httpx.request(method, deployed.url + path, headers=sent, json=body, timeout=60)
        return Answer(got.status_code, got.headers, got.json())

    begun = time.monotonic()
    job = asked("POST", "/api/jobs", {"resource": "projects", "rows": new_projects("deployed", 450)})
    assert job.status == 202, job.body
    accepted = time.monotonic() - begun
    path = f"/api/jobs/{job.body['key']}"
    while (now := asked("GET", path)).body["status"] not in {"done", "failed"}:
        assert time.monotonic() - begun < DONE_WITHIN_SECONDS, now.body
        time.sleep(0.5)

    print(f"450 rows: accepted in {accepted:.2f} s, done in {time.monotonic() - begun:.2f} s")  # noqa: T201
    assert (now.body["status"], now.body["done"], now.body["failed"]) == ("done", 450, 0), now.body
    page = asked("GET", f"{path}/results")
    assert (page.status, len(page.body["items"]), page.body["next"] is None) == (200, 200, False)
