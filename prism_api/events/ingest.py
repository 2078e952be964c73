"""The function that takes events in.

Belongs here: who posts, what of it are events, and an answer a row: a receipt is given out when the queue has the
event, and only then. Does not belong here: reading what was posted (prism_core/events/arrivals.py), and everything
that can be wrong with an event later: that is kept as a failed event.
"""

import base64
import binascii
import json
import logging
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from prism_api import logs
from prism_api.api.origin import require_origin
from prism_api.api.problems import Problem, answer, problem_of, unknown
from prism_api.api.start import building
from prism_api.api.tokens import why_refused

with building():
    from prism_api.events import container
    from prism_api.events.hooks import Hook, Hooks
    from prism_core import clock
    from prism_core.events.arrivals import Arrival, arrivals, webhook_event
    from prism_core.events.envelope import Envelope
    from prism_core.events.messages import Accepted
    from prism_core.events.rejections import EventRejected, Rejection
    from prism_core.events.signatures import NotSigned, require_signature
    from prism_core.failures import TransientFailure
    from prism_core.history.changes import ULID_RANDOM_BYTES, ulid

SCOPE: Final = "prism/events"
WAIT_SECONDS: Final = 10
# What is left of a function's time for marking the receipts of what a silent queue was sent, and the answer.
MARK_SECONDS: Final = 3.0
_HOOKS: Final = "/hooks/"
_log = logging.getLogger("prism.events")
_log.setLevel(logging.INFO)
_ALWAYS_SENT: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of API Gateway (payload 2.0) to its answer: 202 with a row for each event that was posted."""
    started = time.monotonic()
    logs.begin(context)
    request_id = str(event["requestContext"].get("requestId") or getattr(context, "aws_request_id", "none"))
    path = str(event["rawPath"])
    taken: list[str] = []
    try:
        require_origin(event)
        result, taken = _taken(event, context)
    except (Problem, TransientFailure) as failure:
        result = answer(problem_of(failure) or unknown(), request_id, path)
    except EventRejected as rejected:
        result = answer(_problem(rejected), request_id, path)
    except Exception:  # noqa: BLE001 - nobody stands above to answer
        _log.exception("request %s failed", request_id)
        result = answer(unknown(), request_id, path)
    result["headers"] |= _ALWAYS_SENT | {"x-request-id": request_id}
    took = round((time.monotonic() - started) * 1000, 1)
    line = {
        "request_id": request_id,
        "path": path,
        "status": int(result["statusCode"]),
        "events": len(taken),
        "receipts": logs.some(taken),
        "milliseconds": took,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    return result


def _until(context: Any) -> float:
    """When the queue is not waited for any more, of time.monotonic, by what Lambda says is left of this call: a
    function that is ended tells nobody that its rows have no message."""
    return time.monotonic() + context.get_remaining_time_in_millis() / 1_000 - MARK_SECONDS


def _taken(event: Mapping[str, Any], context: Any) -> tuple[dict[str, Any], list[str]]:
    """The answer, and the receipts of what the queue has."""
    now = clock.now()
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if str(event["rawPath"]).startswith(_HOOKS):
        producer = str(event["rawPath"]).removeprefix(_HOOKS)
        rows = _delivered(producer, headers, event, now)
    else:
        producer = _producer(event)
        rows = arrivals(headers, _body(event, headers))
    _require_room()
    accepted = {one.row: _accepted(one.event, producer, now) for one in rows if isinstance(one.event, Envelope)}
    sender = container.sender()
    taken = sender.send(list(accepted.values()), until=_until(context)) if accepted else set[str]()
    return _answer(rows, accepted, taken), sorted(taken)


def _producer(event: Mapping[str, Any]) -> str:
    """The app client of a token that API Gateway has verified. Raises Problem."""
    claims = event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims", {})
    refusal = why_refused(claims)
    if refusal is not None:
        raise Problem(HTTPStatus.UNAUTHORIZED, refusal, headers={"www-authenticate": 'Bearer realm="prism"'})
    if SCOPE not in str(claims.get("scope", "")).split():
        raise Problem(HTTPStatus.FORBIDDEN, f"Events are taken from app clients with the scope {SCOPE}.")
    return str(claims["client_id"])


@cache
def _hooks() -> Hooks:
    return Hooks(container.settings())


def _delivered(
    producer: str, headers: Mapping[str, str], event: Mapping[str, Any], now: datetime
) -> tuple[Arrival, ...]:
    """The events of a signed delivery. A producer that there is not answers as a wrong signature does."""
    hook = _hooks().get(producer)
    body = _body(event, headers)
    try:
        require_signature(*_signing(hook), headers, body, now)
    except NotSigned as error:
        raise Problem(HTTPStatus.UNAUTHORIZED, str(error)) from error
    if hook is None or hook.webhook is None:
        return arrivals(headers, body, signed=True)
    return (Arrival(0, webhook_event(hook.webhook, headers, body, hook.scheme.signed_headers)),)


def _signing(hook: Hook | None) -> tuple[Any, Sequence[bytes]]:
    if hook is None:
        raise NotSigned("there is no such producer, or it has no secret")
    return hook.scheme, hook.keys


def _body(event: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """The bytes that were posted. Raises EventRejected where API Gateway has replaced some that are no UTF-8."""
    raw = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(raw, validate=True)
        except (binascii.Error, ValueError) as error:
            raise EventRejected(Rejection.NOT_JSON, "the body could not be read") from error
    body = raw.encode("utf-8", "surrogatepass")
    told = headers.get("content-length", "")
    if "\N{REPLACEMENT CHARACTER}" in raw and told.isdigit() and int(told) != len(body):
        raise EventRejected(Rejection.NOT_UTF8, "the body is not UTF-8")
    return body


def _require_room() -> None:
    waiting = container.sender().queue.waiting()
    if waiting > container.settings().events_queue_limit:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"About {waiting:,} events wait; send this again in {WAIT_SECONDS} s.",
            headers={"retry-after": str(WAIT_SECONDS)},
        )


def _accepted(event: Envelope, producer: str, now: datetime) -> Accepted:
    receipt = ulid(now, secrets.token_bytes(ULID_RANDOM_BYTES))
    return Accepted(receipt, producer, now, event, event.fingerprint)


def _answer(rows: Sequence[Arrival], accepted: Mapping[int, Accepted], taken: set[str]) -> dict[str, Any]:
    """202 when the queue has at least one of them; else what is wrong with the first, and a row for each."""
    said = [_row(one, accepted.get(one.row), taken) for one in rows]
    if taken:
        body = {"accepted": len(taken), "refused": len(rows) - len(taken), "rows": said}
        return {
            "statusCode": int(HTTPStatus.ACCEPTED),
            "headers": {"content-type": "application/json"},
            "body": json.dumps(body),
            "isBase64Encoded": False,
        }
    first = next((one.event for one in rows if isinstance(one.event, EventRejected)), None)
    if accepted or first is None:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The queue takes nothing now; nothing was accepted, send it again.",
            headers={"retry-after": str(WAIT_SECONDS)},
            extra={"rows": said},
        )
    problem = _problem(first)
    raise Problem(problem.status, problem.detail, extra=dict(problem.extra) | {"rows": said})


def _row(one: Arrival, accepted: Accepted | None, taken: set[str]) -> dict[str, Any]:
    if isinstance(one.event, EventRejected):
        return {"row": one.row, "status": one.event.kind.status} | _reason(one.event)
    assert accepted is not None  # noqa: S101 - every envelope was
    if accepted.receipt in taken:
        at = accepted.accepted_at.isoformat()
        return {"row": one.row, "status": int(HTTPStatus.ACCEPTED), "receipt": accepted.receipt, "accepted_at": at}
    busy = "the queue did not take it; send it again"
    return {"row": one.row, "status": int(HTTPStatus.SERVICE_UNAVAILABLE), "kind": "unavailable", "detail": busy}


def _problem(rejected: EventRejected) -> Problem:
    return Problem(rejected.kind.status, rejected.reason, extra=_reason(rejected))


def _reason(rejected: EventRejected) -> dict[str, Any]:
    return {"kind": rejected.kind.value, "detail": rejected.reason, "path": rejected.path}
