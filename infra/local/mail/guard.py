"""Who may talk to the mailbox, and what a browser may do with its answers.

Belongs here: the refusal of foreign hosts and origins, and the security headers of every answer. A web page
that the user happens to visit must neither read nor wipe local mail. Does not belong here: routes (mailbox).
"""

import re

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Scope

from infra.local.same_origin import SameOriginOnly

# A name that resolves to this machine by definition; any other one may be DNS rebinding.
_LOOPBACK_HOST = re.compile(
    r"(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*localhost)(?::\d{1,5})?", re.IGNORECASE
)

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# The mail itself: its own styles and embedded images, nothing from anywhere, no script, no form, no frame.
# `sandbox` repeats the frame's attribute, for a person who opens the address of the frame by itself.
FRAME_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; "
    f"base-uri 'none'; frame-ancestors 'self'; sandbox {FRAME_SANDBOX}"
)
DOWNLOAD_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


def guarded(app: ASGIApp) -> ASGIApp:
    """The mailbox for its own page alone: 403 for a Host that is not loopback, and for any Origin but our own."""
    return SameOriginOnly(app, _refuse, PAGE_POLICY, X_DNS_Prefetch_Control="off")


def _refuse(scope: Scope) -> ASGIApp | None:
    refusal = _refusal(Headers(scope=scope))
    return PlainTextResponse(refusal, status_code=403) if refusal else None


def is_same_origin(headers: Headers) -> bool:
    """Whether a browser says that our own page sent this. Without an Origin nobody says so."""
    return headers.get("origin", "").lower() in _own_origins(headers)


def _refusal(headers: Headers) -> str | None:
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    if len(hosts) != 1 or not _LOOPBACK_HOST.fullmatch(hosts[0]):
        return "This mailbox answers on 127.0.0.1, [::1] and localhost only.\n"
    if any(origin.lower() not in _own_origins(headers) for origin in origins):
        return "This mailbox does not answer other web pages.\n"
    return None


def _own_origins(headers: Headers) -> set[str]:
    host = headers.get("host", "").lower()
    return {f"http://{host}", f"https://{host}"} if host else set()
