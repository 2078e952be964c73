"""Calls that are repeated under one key. Why real: claims are conditions of the table, long answers lie in S3."""

import base64
import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest

from infra.local.platform import Platform
from prism_api.api import backend
from prism_core.models.jobs import StoredAnswer
from prism_core.tables import IDEMPOTENCY
from prism_resources.tables.codec import encode
from tests.integration.api_client import Api, every_page, known

LEAD = Api("[lead]", "sub-of-a-repeating-lead")
ADMIN = Api("[admin]", "sub-of-a-repeating-admin")


@pytest.fixture(scope="module", autouse=True)
def running(platform: Platform) -> None:
    assert platform.owned


@pytest.fixture
def key() -> dict[str, str]:
    return {"idempotency-key": uuid.uuid4().hex}


def raw(api: Api, key: dict[str, str]) -> dict[str, Any]:
    """The item of a key as the table holds it."""
    table = backend.settings().table_name(IDEMPOTENCY.name)
    name = {"actor_key": {"S": f"{api.sub}#{key['idempotency-key']}"}}
    found: dict[str, Any] = (
        backend.dynamodb().get_item(TableName=table, Key=name, ConsistentRead=True).get("Item", {})
    )
    return found


def request(day: str) -> dict[str, Any]:
    return {"due_date": day, "hours": 5, "requester": "Cleo", "reason": "again"}


def member(name: str) -> dict[str, Any]:
    return {
        "member_id": f"m-{uuid.uuid4().hex[:12]}",
        "name": name,
        "email": "Zoe@example.com",
        "time_zone": "UTC",
    }


def test_a_long_answer_is_kept_and_its_rows_are_written_once(key: dict[str, str]) -> None:
    known([f"once-{number}" for number in range(200)], ["p-once"])
    review = {"week": "2016-W02", "project_id": "p-once", "category": "c" * 100, "reviewed": 50, "correct": 47}
    rows = [
        {"operation": "create", "fields": {**review, "member_id": f"once-{number}", "notes": "ö" * 500}}
        for number in range(200)
    ]

    first, second = (LEAD("POST", "/api/quality/bulk", {"rows": rows}, headers=key) for _ in range(2))

    assert (first.status, first.body["written"], second.headers["idempotent-replayed"]) == (200, 200, "true")
    assert second.body == first.body
    assert len(every_page(LEAD, "/api/quality", week="2016-W02", project_id="p-once", limit=200)) == 200
    assert raw(LEAD, key)["body_in"]["S"].startswith("exports/")


def test_a_call_that_failed_after_it_wrote_is_replayed(
    key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the answer was lost")

    LEAD(
        "GET", "/api/requests"
    )  # modules of routes are loaded at their first call, and take names from each other
    with monkeypatch.context() as patch:
        patch.setattr("prism_api.api.crud.item_answer", fail)
        lost = LEAD("POST", "/api/requests", request("2032-01-01"), headers=key)
        again = LEAD("POST", "/api/requests", request("2032-01-01"), headers=key)
    found = LEAD("POST", "/api/requests", request("2032-01-01"), headers=key)
    kept = LEAD("POST", "/api/requests", request("2032-01-01"), headers=key)

    assert (lost.status, again.status, found.status, kept.status) == (500, 500, 201, 201)
    assert kept.body == found.body
    (row,) = every_page(LEAD, "/api/requests", due_date="2032-01-01", status="submitted")
    assert row["request_id"] == found.body["request_id"]


@pytest.mark.parametrize(("ago", "status"), [(5, 409), (90, 201)])
def test_whose_call_died_waits_a_minute(key: dict[str, str], ago: int, status: int) -> None:
    LEAD("POST", "/api/requests", request("2032-02-01"), headers=key)
    stored = backend.reader(IDEMPOTENCY, StoredAnswer).get(actor=LEAD.sub, idempotency_key=key["idempotency-key"])
    assert stored is not None
    until = datetime.now(UTC) - timedelta(seconds=ago) + timedelta(seconds=60)
    died = {"status": None, "body": None, "headers": {}, "lease": "a call that died", "lease_until": until}
    item: Any = encode(IDEMPOTENCY, stored.model_copy(update=died))
    backend.dynamodb().put_item(TableName=backend.settings().table_name(IDEMPOTENCY.name), Item=item)

    assert LEAD("POST", "/api/requests", request("2032-02-01"), headers=key).status == status


def test_a_kept_answer_shows_no_name_and_is_given_again_whole(key: dict[str, str]) -> None:
    fields = member("Zoe Unmistakable")

    first, second = (ADMIN("POST", "/api/members", fields, headers=key) for _ in range(2))

    assert (first.status, second.headers["idempotent-replayed"]) == (201, "true")
    assert (second.body, second.etag) == (first.body, first.etag)
    assert second.headers["location"] == first.headers["location"]
    assert not any(word in str(raw(ADMIN, key)) for word in ("Unmistakable", "Zoe@"))


def test_a_kept_bulk_shows_no_name_and_forgets_who_is_forgotten(key: dict[str, str]) -> None:
    people = [member("Zoe Unmistakable"), member("Ben Unmistakable")]
    rows = {"rows": [{"operation": "create", "fields": fields} for fields in people]}

    first, second = (ADMIN("POST", "/api/members/bulk", rows, headers=key) for _ in range(2))
    backend.person_keys().forget(people[0]["member_id"])
    third = ADMIN("POST", "/api/members/bulk", rows, headers=key)

    assert second.body == first.body
    assert "Unmistakable" not in str(raw(ADMIN, key))
    names = [row["item"]["name"] for row in third.body["rows"]]
    assert names == [{"forgotten": True}, "Ben Unmistakable"]


def test_a_kept_import_tells_counts_and_no_cells(key: dict[str, str]) -> None:
    made = openpyxl.Workbook()
    sheet = made.create_sheet("Members")
    for row in (
        ["Member", "Name", "E-mail", "Time zone"],
        [f"m-{uuid.uuid4().hex[:9]}", "Unmistakable", "no", "UTC"],
    ):
        sheet.append(row)
    target = io.BytesIO()
    made.save(target)
    body = {"content": base64.b64encode(target.getvalue()).decode()}

    first, second = (ADMIN("POST", "/api/imports", body, headers=key) for _ in range(2))

    assert (first.status, second.status, second.body["counts"]) == (200, 200, first.body["counts"])
    assert (second.body["rows"], second.body["more"]) == ([], first.body["more"] + len(first.body["rows"]))
    assert "Unmistakable" not in str(raw(ADMIN, key))


def test_a_kept_decision_shows_no_requester(key: dict[str, str]) -> None:
    made = LEAD("POST", "/api/requests", {**request("2032-03-01"), "requester": "Unmistakable"}, headers=key)

    assert made.status == 201
    assert "Unmistakable" not in str(raw(LEAD, key))


def test_a_version_belongs_to_the_request(key: dict[str, str]) -> None:
    made = LEAD("POST", "/api/requests", request("2032-04-01"))
    path = f"/api/requests/{made.body['key']}/decision"
    body = {"status": "triaged"}

    blind = LEAD("POST", path, body, headers=key)
    stale = LEAD("POST", path, body, match='"7"', headers=key)
    right = LEAD("POST", path, body, match=made.etag, headers=key)
    again = LEAD("POST", path, body, match=made.etag, headers=key)
    other = LEAD("POST", path, body, match='"2"', headers=key)

    assert (blind.status, stale.status, right.status, again.status, other.status) == (428, 412, 200, 200, 422)
    assert again.headers["idempotent-replayed"] == "true"


def test_a_conflict_is_not_kept(key: dict[str, str]) -> None:
    fields = {"project_id": f"p-{uuid.uuid4().hex[:12]}", "name": "P", "category": "c", "demand_hours": 1}
    there = LEAD("POST", "/api/projects", fields)

    refused = LEAD("POST", "/api/projects", fields, headers=key)
    LEAD("DELETE", f"/api/projects/{there.body['key']}", match=there.etag)
    made = LEAD("POST", "/api/projects", fields, headers=key)

    assert (there.status, refused.status, made.status) == (201, 409, 201)


@pytest.mark.parametrize(("length", "status"), [(255, 201), (256, 422)])
def test_a_key_has_at_most_255_characters(length: int, status: int) -> None:
    long = {"idempotency-key": uuid.uuid4().hex.ljust(length, "k")}

    assert LEAD("POST", "/api/requests", request("2032-05-01"), headers=long).status == status
