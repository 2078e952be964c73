"""Calls of the API's function in this process, on real tables. The way through API Gateway has its own tests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

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
