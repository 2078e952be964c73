"""Dagster's web server behind our guard: `python -m infra.local.dagster_web`, with the options of its own command.

Belongs here: refusing a foreign `Host` or `Origin` on every path, websockets too. Dagster itself answers anybody,
and its GraphQL runs code. Does not belong here: how it is started (dagster_dev.py).
"""

from typing import Any

from dagster_webserver import cli
from dagster_webserver.webserver import DagsterWebserver
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local.emulator.guard import foreign, headers_of, origins_of

_OWN_PAGES = frozenset({"same-origin", "none"})  # `none` is an address that a person typed


class FromHereOnly:
    """Answers 403 to whatever did not come from this server's own pages or from a program of this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["type"] == "lifespan" else _refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[:120]})
        else:
            await PlainTextResponse(refusal + "\n", status_code=403)(scope, receive, send)


def _refusal(scope: Scope) -> str | None:
    headers, port = headers_of(scope), scope["server"][1]
    refusal = foreign(headers, port, origins_of(port))
    if refusal is None and scope["path"].endswith("/graphql") and scope.get("method") == "GET":
        # A picture tag of any page sends a GET without an Origin, and Dagster takes mutations from a query string.
        site = headers.get("sec-fetch-site", "none")
        return None if site in _OWN_PAGES else f"a GraphQL query of another page ({site})"
    return refusal


def _guarded(original: Any) -> Any:
    return lambda server: [Middleware(FromHereOnly), *original(server)]


def main() -> None:
    DagsterWebserver.build_middleware = _guarded(DagsterWebserver.build_middleware)
    cli.main()


if __name__ == "__main__":
    main()
