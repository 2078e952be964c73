"""Who may talk to the embedded AWS.

Belongs here: the ASGI wrapper that refuses a foreign `Host` or `Origin` on every path, and without our token
any write to the emulator's administration and any SQL for Athena. The emulator itself answers every preflight
with `*`, wipes everything on an anonymous POST, and lets a statement read every file of this user.
Does not belong here: IAM. That is the emulator's own, and is tested with the templates.
"""

import hmac
import json
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Administration = Callable[[str], Awaitable[tuple[int, dict[str, Any]]]]

TOKEN_HEADER = "x-prism-token"  # noqa: S105 - the header's name, not a token
HEALTH_PATHS = frozenset({"/_ministack/health", "/_ministack/ready", "/_localstack/health", "/health"})
OUR_PREFIX = "/_prism/"
_ADMIN_MARKS = ("_ministack", "_localstack")
_ATHENA_STATEMENT = "StartQueryExecution"
# Names that can only mean this machine; `*.localhost` never leaves it (RFC 6761). Anything else beside the
# name and the port (a user, a path, a second value after a comma) makes the header match nothing.
_LOOPBACK_HOST = re.compile(r"(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9_-]+\.)*localhost)(?::(\d{1,5}))?", re.IGNORECASE)
# Calls that change nothing; everything else marks the state dirty. A name missing here costs one snapshot
# too many, never one too few.
_READ_VERBS = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "Filter", "Head", "TransactGet", "Validate")


def host_allowed(header: str, port: int) -> bool:
    """Whether a Host header names this machine and our port."""
    found = _LOOPBACK_HOST.fullmatch(header)
    return found is not None and int(found[1] or 80) == port


def origins_of(port: int) -> frozenset[str]:
    """The pages that a server on `port` of this machine serves itself."""
    return frozenset(f"http://{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


def foreign(headers: Mapping[str, str], port: int, origins: Collection[str]) -> str | None:
    """Why a request comes from somewhere else: another name for us, or a page of somebody else. None if not."""
    if not host_allowed(headers.get("host", ""), port):
        return f"Host {headers.get('host', '')!r} is not this machine's loopback"
    if "origin" in headers and headers["origin"] not in origins:
        return f"Origin {headers['origin']!r} is not a page of this platform"
    return None


def headers_of(scope: Scope) -> dict[str, str]:
    """Header names in lower case; a repeated Host or Origin is joined and therefore matches nothing."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope.get("headers", []):
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


class Guard:
    """Wraps the emulator's ASGI app.

    `origins` are the pages of this platform that may call the emulator from a browser.
    `administer` answers `POST /_prism/<action>`; `on_write` is called after every call that may have
    changed state.
    """

    def __init__(
        self,
        app: App,
        *,
        port: int,
        token: str,
        origins: Iterable[str],
        administer: Administration,
        on_write: Callable[[], None],
    ) -> None:
        self._app, self._port, self._token = app, port, token
        self._origins = frozenset(origins) | origins_of(port)
        self._administer, self._on_write = administer, on_write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, refusal)
            return
        if scope["type"] == "http" and scope["path"].startswith(OUR_PREFIX):
            status, body = await self._administer(scope["path"].removeprefix(OUR_PREFIX))
            await _answer(send, status, body)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] != "http" or _may_write(scope, headers):
                self._on_write()

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """Why this request is refused, or None."""
        method, path = scope.get("method", "GET"), scope["path"]
        if scope["type"] == "http" and method in {"GET", "HEAD"} and path in HEALTH_PATHS:
            return None
        if reason := foreign(headers, self._port, self._origins):
            return reason
        if method in {"GET", "HEAD"} and _names_action(scope):
            # A picture tag of any page sends this without an Origin, and the emulator would do it.
            return "an AWS action in a query string is not taken; use POST, as every SDK does"
        administrative = path.startswith(OUR_PREFIX) or any(mark in path for mark in _ADMIN_MARKS)
        if administrative and (path.startswith(OUR_PREFIX) or method not in {"GET", "HEAD"}):
            return self._without_token(headers, f"{method} {path}")
        if _action(headers) == _ATHENA_STATEMENT:
            # Its DuckDB opens any path, and an answer with a date in it ends the saving of all state.
            return self._without_token(headers, "SQL for the emulator's Athena (ask with `prism query` instead)")
        return None

    def _without_token(self, headers: dict[str, str], what: str) -> str | None:
        given = headers.get(TOKEN_HEADER, "")
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return None
        return f"{what} needs the token of this platform in {TOKEN_HEADER}"


def _names_action(scope: Scope) -> bool:
    return "Action" in parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _may_write(scope: Scope, headers: dict[str, str]) -> bool:
    method = scope["method"]
    if method in {"GET", "HEAD", "OPTIONS"}:
        return False
    return not _action(headers).startswith(_READ_VERBS)


def _action(headers: dict[str, str]) -> str:
    """The action of a JSON protocol call, as the emulator finds it."""
    return headers.get("x-amz-target", "").rpartition(".")[2]


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    payload = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": reason[:120]})
        return
    await _answer(send, 403, {"title": "Refused by the PRISM guard", "status": 403, "detail": reason})
