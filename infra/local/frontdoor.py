"""The one origin of a local platform, as CloudFront is on AWS: screens, API, sign-in, mailbox, and no CORS.

Belongs here: which path goes where, who may ask, and saying so when the embedded AWS is down or slow. Answers of
what is behind pass through unchanged, failures too.
Does not belong here: starting it (serving.py), files of the screens (screens.py), anything that a route decides.
"""

import base64
import binascii
import html
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local.emulator.guard import foreign, headers_of, origins_of
from infra.local.same_origin import SameOriginOnly
from infra.local.screens import Screens

PROBLEM = "application/problem+json"
# The limit of an HTTP API.
MAX_BODY_BYTES = 10 * 1024 * 1024
# An HTTP API waits 30 seconds for its function.
ANSWER_SECONDS = 35.0
CONNECT_SECONDS = 5.0
# To the embedded AWS at once; a call beyond waits for one of them.
MAX_CONNECTIONS = 100
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# The sign-in pages of the embedded AWS carry their own styles, and one form.
_SIGN_IN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Of one connection only (RFC 9110, 7.6.1), or ours to set.
_HOP_BY_HOP = frozenset(
    {
        "connection", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
# The embedded AWS would read an action, an account or a client's address from these. A page's Origin was checked.
_NOT_PASSED_ON = ("x-amz-", "x-ministack-", "x-forwarded-", "forwarded", "origin")
_NOT_PASSED_BACK = ("access-control-", "server", "date")


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the door: the embedded AWS, the HTTP API and the user pool in it, the mailbox."""

    emulator: str
    api_id: str
    pool_id: str
    mailbox: ASGIApp | None = None
    screens: Screens | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    answer_seconds: float = ANSWER_SECONDS


def front_door_app(port: int, behind: Behind) -> ASGIApp:
    """The ASGI app that is served on `port`."""
    door = _Door(port, behind)
    routes: list[BaseRoute] = [
        Route("/", door.home),
        *(Route(f"/{name}/{{rest:path}}", door.to_api, methods=METHODS) for name in ("api", "hooks", "public")),
        Route("/.well-known/openid-configuration", door.discovery),
        Route("/.well-known/jwks.json", door.to_keys),
        Route("/oauth2/{rest:path}", door.to_sign_in, methods=METHODS),
        *(Route(path, door.to_sign_in, methods=METHODS) for path in ("/login", "/logout")),
    ]
    if behind.mailbox is not None:
        routes += [Route("/mailbox", _to_mailbox), Mount("/mailbox", behind.mailbox)]
    if behind.screens is not None:
        routes = [*routes[1:], *behind.screens.routes()]
    app = Starlette(routes=routes, lifespan=door.lifespan, exception_handlers={404: _nothing_here})
    origins = origins_of(port)

    def refuse(scope: Scope) -> ASGIApp | None:
        reason = foreign(headers_of(scope), port, origins)
        return None if reason is None else _problem(Request(scope), 403, "Refused by the front door", reason)

    return SameOriginOnly(app, refuse, _POLICY)


class _Door:
    def __init__(self, port: int, behind: Behind) -> None:
        self._port, self._behind = port, behind
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        timeout = httpx.Timeout(self._behind.answer_seconds, connect=CONNECT_SECONDS)
        # Not through a proxy of the user's environment: what is behind is on this machine.
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=20)
        async with httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False) as client:
            self._client = client
            yield

    async def home(self, _: Request) -> Response:
        links = {"Mailbox": "/mailbox/"} if self._behind.mailbox else {}
        items = "".join(
            f'<li><a href="{html.escape(url)}">{html.escape(name)}</a></li>'
            for name, url in (links | dict(self._behind.links)).items()
        )
        told = "<h1>PRISM</h1><p>The screens are not built here; <code>make screens</code> does that.</p>"
        page = f'<!doctype html><html lang="en"><title>PRISM</title>{told}<ul>{items}</ul></html>'
        return HTMLResponse(page)

    async def to_api(self, request: Request) -> Response:
        if request.scope["path"].startswith("/api/") and not _is_token(request.headers.get("authorization")):
            # As API Gateway says it; the embedded one fails on a token whose header is no JSON object.
            return Response('{"message":"Unauthorized"}', 401, media_type="application/json")
        return await self._pass_on(request, f"/_aws/execute-api/{self._behind.api_id}/$default")

    async def to_sign_in(self, request: Request) -> Response:
        answer = await self._pass_on(request, "")
        answer.headers["Content-Security-Policy"] = _SIGN_IN_POLICY
        return answer

    async def to_keys(self, request: Request) -> Response:
        return await self._pass_on(request, f"/{self._behind.pool_id}")

    async def discovery(self, request: Request) -> Response:
        """The OpenID document of the pool, with the addresses of this origin; the issuer stays that of AWS."""
        url = f"{self._behind.emulator}/{self._behind.pool_id}/.well-known/openid-configuration"
        try:
            found = await self._http().get(url)
        except httpx.TransportError as error:
            return self._unreachable(request, error)
        if found.status_code != 200:
            return Response(found.content, found.status_code, media_type=found.headers.get("content-type"))
        # The Host was checked: it is a name of this machine, and the page's own.
        own = f"http://{request.headers['host']}"
        text = found.text.replace(f"{self._behind.emulator}/{self._behind.pool_id}/", f"{own}/")
        return Response(text.replace(f"{self._behind.emulator}/", f"{own}/"), media_type="application/json")

    async def _pass_on(self, request: Request, prefix: str) -> Response:
        if {".", ".."} & set(request.scope["path"].split("/")):
            return _problem(request, 400, "Bad request", "A path must not climb.")
        if int(request.headers.get("content-length") or 0) > MAX_BODY_BYTES:
            return _too_large(request)
        raw = request.scope.get("raw_path") or request.scope["path"].encode()
        query = request.scope.get("query_string", b"")
        target = httpx.URL(self._behind.emulator).copy_with(
            raw_path=prefix.encode() + raw + (b"?" + query if query else b"")
        )
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        outgoing = httpx.Request(
            request.method, target, headers=_outgoing(request), content=_limited(request) if has_body else None
        )
        # Requests that are built by hand carry no time limits of their own.
        outgoing.extensions["timeout"] = self._http().timeout.as_dict()
        try:
            answer = await self._http().send(outgoing, stream=True)
        except _TooLarge:
            return _too_large(request)
        except httpx.TransportError as error:
            return self._unreachable(request, error)
        passed = _Passed(answer)
        passed.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if not _is_one_of(name, _NOT_PASSED_BACK) and name.decode("latin-1").lower() not in _HOP_BY_HOP
        ]
        return passed

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            raise RuntimeError("the front door was not started")
        return self._client

    def _unreachable(self, request: Request, error: httpx.TransportError) -> Response:
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            seconds = self._behind.answer_seconds
            return _problem(request, 504, "Gateway timeout", f"No answer in {seconds:g} s; try again.")
        return _problem(request, 502, "Bad gateway", "The embedded AWS does not answer; see `prism status`.")


class _TooLarge(Exception):
    """More of a body came than an HTTP API takes."""


async def _limited(request: Request) -> AsyncIterator[bytes]:
    seen = 0
    try:
        async for chunk in request.stream():
            seen += len(chunk)
            if seen > MAX_BODY_BYTES:
                raise _TooLarge
            if chunk:
                yield chunk
    except ClientDisconnect as error:
        raise httpx.ReadError("the client went away") from error


class _Passed(StreamingResponse):
    """An answer as it comes, still compressed if it is.

    However it ends, its connection is given back. To a client that went away before the answer nothing is sent, so
    nothing of it is read: closing it where it is read would leave it in use for good.
    """

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.aiter_raw(), answer.status_code)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._answer.aclose()


def _outgoing(request: Request) -> list[tuple[bytes, bytes]]:
    return [
        (name, value)
        for name, value in request.headers.raw
        if not _is_one_of(name, _NOT_PASSED_ON) and name.decode("latin-1").lower() not in _HOP_BY_HOP
    ]


def _is_one_of(name: bytes, prefixes: tuple[str, ...]) -> bool:
    return name.decode("latin-1").lower().startswith(prefixes)


def _is_token(authorization: str | None) -> bool:
    """Whether a token has the form of one, or there is none: what it says is for the authorizer to judge."""
    if authorization is None:
        return True
    header = authorization.strip().rpartition(" ")[2].partition(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(found, dict)


def _problem(request: Request, status: int, title: str, detail: str) -> Response:
    request_id = str(uuid.uuid4())
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.scope["path"],
        "request_id": request_id,
    }
    text = json.dumps(body, ensure_ascii=True)
    return Response(text, status, headers={"x-request-id": request_id}, media_type=PROBLEM)


def _too_large(request: Request) -> Response:
    return _problem(request, 413, "Content too large", f"A body has at most {MAX_BODY_BYTES:,} bytes.")


async def _nothing_here(request: Request, _: Exception) -> Response:
    return _problem(request, 404, "Not found", "Nothing is served at this path.")


async def _to_mailbox(_: Request) -> Response:
    return RedirectResponse("/mailbox/", 308)
