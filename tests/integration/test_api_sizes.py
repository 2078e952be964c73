"""What is too large for an item of a table is the caller's to shorten. Why real: the limit is the table's."""

import uuid
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.models.people import SKILLS_MAX
from prism_core.models.projects import LABELING_JOBS_MAX
from prism_core.models.taxonomy import ENTRIES_MAX
from tests.integration.api_client import Api

ADMIN = Api("[admin]", "sub-of-a-verbose-admin")


@pytest.fixture(scope="module", autouse=True)
def running(platform: Platform) -> None:
    assert platform.owned


def taxonomy(entries: list[dict[str, Any]]) -> dict[str, Any]:
    name = f"t-{uuid.uuid4().hex[:12]}"
    return {"taxonomy_id": name, "title": "T", "effective": "2033-01-01", "entries": entries}


def entries(count: int, width: int, name: str = "to") -> list[dict[str, Any]]:
    return [
        {
            "raw": f"raw-{n}".ljust(width, "r"),
            "category": f"{name}-{n}".ljust(width, "c"),
            "valid_from": "2030-01-01",
        }
        for n in range(count)
    ]


def jobs(count: int) -> list[dict[str, Any]]:
    return [
        {"job": f"job-{n}".ljust(128, "j"), "valid_from": "2030-01-01", "valid_to": "2031-01-01"}
        for n in range(count)
    ]


def project(count: int) -> dict[str, Any]:
    name = f"p-{uuid.uuid4().hex[:12]}"
    return {"project_id": name, "name": "P", "category": "c", "demand_hours": 1, "labeling_jobs": jobs(count)}


def member(count: int) -> dict[str, Any]:
    skills = [{"name": f"skill-{n}".ljust(200, "s"), "level": 3} for n in range(count)]
    base = {"member_id": f"m-{uuid.uuid4().hex[:12]}", "name": "N", "email": "n@example.com", "time_zone": "UTC"}
    return base | {"skills": skills}


@pytest.mark.parametrize(
    ("path", "most", "more"),
    [
        ("/api/taxonomy", taxonomy(entries(ENTRIES_MAX, 24)), taxonomy(entries(ENTRIES_MAX + 1, 24))),
        ("/api/projects", project(LABELING_JOBS_MAX), project(LABELING_JOBS_MAX + 1)),
        ("/api/members", member(SKILLS_MAX), member(SKILLS_MAX + 1)),
    ],
    ids=["taxonomy", "projects", "members"],
)
def test_lists_end_where_their_changes_still_fit(path: str, most: dict[str, Any], more: dict[str, Any]) -> None:
    made, refused = ADMIN("POST", path, most), ADMIN("POST", path, more)

    assert (made.status, refused.status) == (201, 422), (made.body, refused.body)
    field = next(name for name, value in most.items() if isinstance(value, list))
    turned = {"taxonomy": entries(ENTRIES_MAX, 24, "now"), "members": most[field][:-1]}
    after = {field: turned.get(path.rpartition("/")[2], most[field][1:])}
    changed = ADMIN("PATCH", f"{path}/{made.body['key']}", after, match=made.etag)
    assert changed.status == 200, changed.body


def test_an_item_and_a_change_that_are_too_large_say_so() -> None:
    wide = ADMIN("POST", "/api/taxonomy", taxonomy(entries(ENTRIES_MAX, 128)))
    fits = ADMIN("POST", "/api/taxonomy", taxonomy(entries(1_000, 80)))
    change = {"entries": entries(1_000, 80, "now")}
    twice = ADMIN("PATCH", f"/api/taxonomy/{fits.body['key']}", change, match=fits.etag)

    assert (wide.status, fits.status, twice.status) == (422, 201, 422)
    assert all("bytes; an item holds at most 409,600" in answer.body["detail"] for answer in (wide, twice))
    assert "with what it was before" in twice.body["detail"]
