"""The stand-ins of Meta, HubSpot, Claude and Rekognition behind one door.

Belongs here: which path is whose, who may call, faults before and after an answer, and the control of both. Does
not belong here: what a service answers (meta.py, hubspot.py, claude.py, rekognition.py) and starting (serving.py).
Every service asks for its own token; `/_prism/` asks for that of the platform.
"""

import hmac
import json
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.local.emulator.guard import OUR_PREFIX, TOKEN_HEADER, foreign, headers_of
from infra.local.same_origin import SameOriginOnly
from infra.local.standins.claude import Claude
from infra.local.standins.faults import NAMED, Fault, How, read_faults
from infra.local.standins.hubspot import HubSpot
from infra.local.standins.meta import Meta
from infra.local.standins.rekognition import TARGET, Rekognition
from infra.local.standins.world import World
from prism_core.failures import BadUsage

_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def standins_app(world: World, port: int, token: str) -> ASGIApp:
    """The ASGI app that is served on `port`. `token` is that of the platform's administration."""
    control = _Control(world)
    services = Starlette(
        routes=[
            Mount("/meta", routes=Meta(world).routes()),
            Mount("/hubspot", routes=HubSpot(world).routes()),
            Mount("/claude", routes=Claude(world).routes()),
            *Rekognition().routes(),
            Route(f"{OUR_PREFIX}faults", control.faults, methods=["GET", "POST", "DELETE"]),
        ]
    )

    def refuse(scope: Scope) -> ASGIApp | None:
        headers = headers_of(scope)
        reason = foreign(headers, port, ())
        given = headers.get(TOKEN_HEADER, "").encode()
        if (
            reason is None
            and scope["path"].startswith(OUR_PREFIX)
            and not hmac.compare_digest(given, token.encode())
        ):
            reason = f"the control of the stand-ins needs the token of this platform in {TOKEN_HEADER}"
        return None if reason is None else JSONResponse({"title": "Refused", "status": 403, "detail": reason}, 403)

    return SameOriginOnly(_Faulty(services, world), refuse, _POLICY)


class _Control:
    def __init__(self, world: World) -> None:
        self._faults = world.faults

    async def faults(self, request: Request) -> Response:
        """GET what holds and what may be named, POST a rule, a name or a list of them, DELETE all."""
        if request.method == "DELETE":
            self._faults.clear()
        if request.method == "POST":
            try:
                self._faults.add(*read_faults(json.loads(await request.body())))
            except (ValueError, BadUsage) as error:
                return JSONResponse({"title": "No fault", "status": 422, "detail": str(error)}, 422)
        return JSONResponse({"faults": self._faults.shown(), "named": sorted(NAMED)})


class _Faulty:
    """Puts the fault that a request meets before or over the service's answer."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app, self._faults = app, world.faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] != "http" or scope["path"].startswith(OUR_PREFIX)
        fault = None if ours else self._faults.take(_named(scope))
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.how is How.ANSWER:
            # Who answers before the request is read has its line reset, and the answer may never arrive.
            await Request(scope, receive).body()
            await _instead(fault)(scope, receive, send)
        else:
            answer = _Answer()
            await self._app(scope, receive, answer.take)
            await answer.give(send, fault)


def _named(scope: Scope) -> str:
    """What a fault is looked for in; the operation of a call of AWS stands in a header."""
    operation = headers_of(scope).get(TARGET)
    return f"{scope['method']} {scope['path']}{f' {operation}' if operation else ''}"


def _instead(fault: Fault) -> Response:
    if isinstance(fault.body, str):
        return Response(fault.body, fault.status, dict(fault.headers), media_type="text/html")
    return JSONResponse(fault.body, fault.status, dict(fault.headers))


class _Answer:
    """What a service was about to send."""

    def __init__(self) -> None:
        self._start: Message = {}
        self._body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = dict(message)
        else:
            self._body += message.get("body", b"")

    async def give(self, send: Send, fault: Fault) -> None:
        body = _twice(self._body) if fault.how is How.REPEAT else self._body
        headers = {name.lower(): value for name, value in self._start["headers"]}
        headers |= {name.lower().encode(): value.encode() for name, value in fault.headers.items()}
        headers[b"content-length"] = str(len(body)).encode()
        await send({**self._start, "headers": list(headers.items())})
        # Less than was announced: whoever reads it knows that the line is dead.
        sent = body[: len(body) // 2] if fault.how is How.CUT else body
        await send({"type": "http.response.body", "body": sent})


def _twice(body: bytes) -> bytes:
    page: dict[str, Any] = json.loads(body)
    for name in ("data", "results"):
        if isinstance(page.get(name), list):
            page[name] = page[name] * 2
    return json.dumps(page).encode()
