"""Calls of the API's function in this process, on real tables. The way through API Gateway has its own tests."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from prism_api.api.bulk import MAX_ROWS
from prism_api.api.handler import handler
from tests.unit.api_events import event

_numbers = count(1)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def etag(self) -> str:
        return self.headers["etag"]


@dataclass(frozen=True)
class Api:
    """Somebody with a role."""

    groups: str | None = "[admin]"
    sub: str = "sub-of-an-admin"

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        match: str | None = None,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
        request_id: str | None = None,
        **query: Any,
    ) -> Answer:
        sent = dict(headers or {})
        if match is not None:
            sent["if-match"] = match
        if reason is not None:
            sent["x-change-reason"] = reason
        name = request_id or f"request-{next(_numbers)}"
        asked = event(
            method, path, body, groups=self.groups, query=query, headers=sent, sub=self.sub, request_id=name
        )
        answer = handler(asked, None)
        text = answer.get("body") or ""
        typed = answer["headers"].get("content-type", "")
        parsed = json.loads(text) if text and "json" in typed else text
        return Answer(answer["statusCode"], answer["headers"], parsed)


def known(members: Iterable[str] = (), projects: Iterable[str] = ()) -> None:
    """Members and projects that items of a test name; those that are there stay as they are."""
    people = [
        {"member_id": one, "name": one, "email": f"{one}@example.com", "time_zone": "UTC"} for one in members
    ]
    work = [{"project_id": one, "name": one, "category": "c", "demand_hours": 1} for one in projects]
    for path, items in (("/api/members", people), ("/api/projects", work)):
        for start in range(0, len(items), MAX_ROWS):
            rows = [{"operation": "create", "fields": one} for one in items[start : start + MAX_ROWS]]
            answer = Api()("POST", f"{path}/bulk", {"rows": rows})
            assert {row["status"] for row in answer.body["rows"]} <= {201, 409}, answer.body


def every_page(api: Api, path: str, **query: Any) -> list[dict[str, Any]]:
    """All rows of a list, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = api("GET", path, **query, **cursor)
        assert answer.status == 200, answer.body
        found += answer.body["items"]
        if answer.body["next"] is None:
            return found
        cursor = {"cursor": answer.body["next"]}
