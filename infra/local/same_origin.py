"""Around the pages that a local platform serves itself: nobody from elsewhere, and headers on every answer.

Belongs here: the ASGI wrapper that asks who calls, and the headers that all such pages share. Does not belong
here: who is foreign (emulator/guard.py, mail/guard.py) and what an answer to them looks like.
"""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Answers to a request that is refused; None lets it through.
Refuse = Callable[[Scope], ASGIApp | None]

SHARED_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: under that policy a browser sends `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class SameOriginOnly:
    """Gives every answer, a refusal too, the headers that it lacks. Closes websockets: no page of ours has one."""

    def __init__(self, app: ASGIApp, refuse: Refuse, policy: str, **headers: str) -> None:
        """`policy` is the Content-Security-Policy of answers without one; `headers` stand beside the shared."""
        self._app, self._refuse = app, refuse
        others = {name.replace("_", "-"): value for name, value in headers.items()}
        self._headers = {"Content-Security-Policy": policy, **SHARED_HEADERS, **others}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._refuse(scope) or self._app)(scope, receive, send_with_headers)
