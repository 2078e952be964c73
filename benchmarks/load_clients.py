"""Clients that call the API for a time, each in a thread, in a process of their own.

Belongs here: the mix of calls and what came back of each. Every client edits its own rows, so that an answer which
refuses is an error, a 412 as well. Does not belong here: the platform that answers (own_platform.py) and the
figures (api_load.py).
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

ANSWER_SECONDS = 60.0
WEEK = "2026-W02"
# Of ten calls, seven read: people look more often than they change.
MIX = ("list", "edit", "item", "meta", "list", "allocate", "item", "week", "list", "release")
# The allocations that one client may hold at a time.
PROJECTS = ("p-load-0", "p-load-1", "p-load-2")


@dataclass(slots=True)
class Client:
    """One person at work. `calls` are (kind, milliseconds); an error says what came back."""

    http: httpx.Client
    member: str
    number: int
    calls: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    errors: list[str] = field(default_factory=list[str])
    version: int = 1
    allocated: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def work(self, until: float) -> None:
        turn = self.number
        while time.monotonic() < until:
            kind = MIX[turn % len(MIX)]
            self._timed(kind, getattr(self, f"_{kind}"))
            turn += 1

    def _timed(self, kind: str, call: Callable[[], httpx.Response]) -> None:
        started = time.perf_counter()
        try:
            answer = call()
        except httpx.HTTPError as error:
            self.errors.append(f"{kind}: {error!r}")
            return
        self.calls.append((kind, (time.perf_counter() - started) * 1000))
        if not answer.is_success:
            self.errors.append(f"{kind}: {answer.status_code} {answer.text[:200]}")

    def _meta(self) -> httpx.Response:
        return self.http.get("/api/meta")

    def _list(self) -> httpx.Response:
        return self.http.get("/api/members", params={"limit": 50})

    def _item(self) -> httpx.Response:
        return self.http.get(f"/api/members/{self.member}")

    def _week(self) -> httpx.Response:
        return self.http.get("/api/allocations", params={"week": WEEK, "limit": 50})

    def _edit(self) -> httpx.Response:
        body = {"name": f"Member {self.number} at {self.version}"}
        answer = self.http.patch(
            f"/api/members/{self.member}", json=body, headers=self._match(f'"{self.version}"')
        )
        self.version = answer.json().get("version", self.version)
        return answer

    def _allocate(self) -> httpx.Response:
        body = {
            "member_id": self.member,
            "week": WEEK,
            "project_id": PROJECTS[len(self.allocated)],
            "hours": {"2026-01-05": 1},
        }
        answer = self.http.post("/api/allocations", json=body)
        if answer.is_success:
            self.allocated.append((answer.json()["key"], answer.headers["etag"]))
        return answer

    def _release(self) -> httpx.Response:
        if not self.allocated:
            return self._allocate()
        key, etag = self.allocated.pop()
        return self.http.delete(f"/api/allocations/{key}", headers=self._match(etag))

    def _match(self, etag: str) -> dict[str, str]:
        return {"If-Match": etag, "X-Change-Reason": "a benchmark"}


def run(origin: str, token: str, members: list[str], seconds: float, warm_seconds: float) -> dict[str, Any]:
    """One client a member. Errors of the first seconds count, times do not."""
    clients = [
        Client(
            httpx.Client(base_url=origin, headers={"Authorization": f"Bearer {token}"}, timeout=ANSWER_SECONDS),
            member,
            number,
        )
        for number, member in enumerate(members)
    ]
    _all_at_once(clients, warm_seconds)
    for client in clients:  # the functions are started by now
        client.calls.clear()
    took = _all_at_once(clients, seconds)
    for client in clients:
        client.http.close()
    return {
        "seconds": took,
        "calls": [call for client in clients for call in client.calls],
        "errors": [error for client in clients for error in client.errors],
    }


def _all_at_once(clients: list[Client], seconds: float) -> float:
    started = time.monotonic()
    threads = [threading.Thread(target=client.work, args=(started + seconds,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started


if __name__ == "__main__":
    print(json.dumps(run(**json.loads(sys.stdin.read()))))
