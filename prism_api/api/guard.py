"""What happens before a route is asked: is there such a route, who asks, may they, and is the request sound.

Belongs here: the order of refusals (path, method, token, role, size, type, text) and the call that they leave.
Authorisation comes before validation: who may not do a thing learns nothing about how it is done.
Does not belong here: what a body must hold (models) and which rows are whose (visibility.py).
"""

import base64
import binascii
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from prism_api.api import strict_json
from prism_api.api.calls import Access, Call, Caller, Role
from prism_api.api.matrix import Operation, find
from prism_api.api.problems import FieldError, Problem, invalid
from prism_api.api.tokens import why_refused
from prism_core import clock

MAX_BODY_BYTES = 1024 * 1024
MAX_QUERY_CHARACTERS = 8_192
MAX_HEADER_CHARACTERS = 1_000
_EXTENDED = "UTF-8''"
BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
JSON_TYPES = frozenset({"application/json", "application/merge-patch+json"})


def admit(event: Mapping[str, Any], request_id: str) -> Call:
    """The call of an API Gateway event. Raises Problem with the first thing that is wrong."""
    http = event["requestContext"]["http"]
    method, path = str(http["method"]).upper(), str(event["rawPath"])
    caller = _caller(event)
    operation = _operation(method, path)
    access = operation.access(caller)
    if access is Access.NONE:
        roles = ", ".join(sorted(caller.roles)) or "no role"
        raise Problem(HTTPStatus.FORBIDDEN, f"{operation.name} is not open to {roles}.")
    if operation.of_everybody and _sees_one_team(caller):
        words = f"{operation.name} is about all teams; who sees one team has no part in it."
        raise Problem(HTTPStatus.FORBIDDEN, words)
    headers = _headers(event)
    return Call(
        request_id=request_id,
        method=method,
        path=path,
        operation=operation.name,
        caller=caller,
        access=access,
        query=_query(str(event.get("rawQueryString") or "")),
        headers=headers,
        body=_body(event, method, headers),
        now=clock.now(),
    )


def _sees_one_team(caller: Caller) -> bool:
    from prism_api.api.visibility import sees_one_team  # noqa: PLC0415 - few operations ask, and they need tables

    return sees_one_team(caller)


def _caller(event: Mapping[str, Any]) -> Caller:
    """From the claims that the authorizer of API Gateway has verified."""
    claims = event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims", {})
    refusal = why_refused(claims)
    if refusal is not None:
        raise Problem(HTTPStatus.UNAUTHORIZED, refusal, headers={"www-authenticate": 'Bearer realm="prism"'})
    return Caller(str(claims["sub"]), _roles(claims.get("cognito:groups")))


def _roles(groups: object) -> frozenset[Role]:
    """API Gateway hands a list claim over as the text `[admin lead]`; elsewhere it is a list."""
    words = groups.strip("[]").replace(",", " ").split() if isinstance(groups, str) else groups
    known = {role.value for role in Role}
    return frozenset(Role(word) for word in words if word in known) if isinstance(words, list) else frozenset()


def _operation(method: str, path: str) -> Operation:
    found = find(method, path)
    if found.operation is not None:
        return found.operation
    if not found.allowed:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no {path}.")
    allowed = ", ".join(found.allowed)
    raise Problem(
        HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {allowed}, not {method}.", headers={"allow": allowed}
    )


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    for name in ("x-change-reason", "if-match", "if-none-match", "idempotency-key"):
        value = headers.get(name, "")
        if len(value) > MAX_HEADER_CHARACTERS:
            raise invalid((FieldError(f"header.{name}", f"longer than {MAX_HEADER_CHARACTERS} characters"),))
        if value.startswith(_EXTENDED):  # a header holds ASCII: other letters travel percent-encoded (RFC 8187)
            value = headers[name] = unquote(value.removeprefix(_EXTENDED))
        if any(character < " " or character == "\x7f" for character in value):
            raise invalid((FieldError(f"header.{name}", "control characters are not taken"),))
    return headers


def _query(raw: str) -> dict[str, tuple[str, ...]]:
    if len(raw) > MAX_QUERY_CHARACTERS:
        raise Problem(HTTPStatus.REQUEST_URI_TOO_LONG, f"The query is longer than {MAX_QUERY_CHARACTERS}.")
    found: dict[str, tuple[str, ...]] = {}
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, encoding="utf-8", errors="strict")
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "The query is not UTF-8.") from error
    for name, value in pairs:
        if any(character < " " or character == "\x7f" for character in value):
            raise invalid((FieldError(f"query.{name}", "control characters are not taken"),))
        found[name] = (*found.get(name, ()), value)
    return found


def _body(event: Mapping[str, Any], method: str, headers: Mapping[str, str]) -> Any:
    raw = event.get("body")
    if not raw:
        return None
    body = _bytes(raw, encoded=bool(event.get("isBase64Encoded")))
    if len(body) > MAX_BODY_BYTES:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body has {len(body):,} bytes of at most {MAX_BODY_BYTES:,}; POST /api/imports takes more.",
        )
    if method not in BODY_METHODS:
        return None
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The content type is {media_type or 'missing'}; send application/json.",
            headers={"accept": ", ".join(sorted(JSON_TYPES))},
        )
    return strict_json.read(body)


def _bytes(raw: str, *, encoded: bool) -> bytes:
    if not encoded:
        return raw.encode("utf-8", errors="surrogatepass")
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is not base64, as its event says.") from error
