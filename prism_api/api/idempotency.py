"""A POST that may be repeated: the same Idempotency-Key answers the same.

Belongs here: claiming a key, keeping the answer, giving it again. Does not belong here: writing items; a repeated
write carries the request id of the first and makes items as of that instant, so that the stores see one write; how
an answer is kept without personal values (kept.py).
Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from prism_api.api import backend, kept, objects
from prism_api.api.calls import Call
from prism_api.api.problems import FieldError, Problem, invalid
from prism_core.failures import PermanentFailure, PrismFailure
from prism_core.models.jobs import ANSWER_MAX_CHARACTERS, StoredAnswer
from prism_core.tables import IDEMPOTENCY
from prism_resources.failures import calling, error_code
from prism_resources.tables.codec import encode, encode_key

_log = logging.getLogger("prism.api")

KEPT = timedelta(hours=24)
# A function is ended after 30 s: what runs longer has died.
ABANDONED = timedelta(seconds=60)
REPLAYED = "idempotent-replayed"
MAX_KEY = 255
# Answers that hold until somebody else writes: the same request may well succeed a moment later.
_PASSING = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED})
_CONDITION_FAILED = "ConditionalCheckFailedException"

Run = Callable[[Call], dict[str, Any]]


def once(call: Call, run: Run) -> dict[str, Any]:
    """The answer of `run`, or of the call that carried the same key before.

    Raises Problem 422 when the key was used for another request, 409 while another call with it runs.
    """
    key = call.headers.get("idempotency-key")
    if call.method != "POST" or key is None:
        return run(call)
    if not 1 <= len(key) <= MAX_KEY or not all("\x21" <= one <= "\x7e" for one in key):
        raise invalid((FieldError("header.idempotency-key", f"1 to {MAX_KEY} visible ASCII characters"),))
    claim, again = _take(_claim_of(call, key), call)
    if not claim.running:
        return _stored(claim)
    first = replace(call, request_id=claim.request_id, now=claim.created)
    try:
        result = run(first)
    except Exception:
        _free(claim)
        raise
    _settle(claim, first, result, again=again)
    return result


def _claim_of(call: Call, key: str) -> StoredAnswer:
    asked = [call.operation, call.path, sorted(call.query.items()), call.body, call.reason]
    request = json.dumps([*asked, call.headers.get("if-match")])
    return StoredAnswer(
        actor=call.caller.sub,
        idempotency_key=key,
        operation=call.operation,
        request_hash=hashlib.sha256(request.encode()).hexdigest(),
        request_id=call.request_id,
        created=call.now,
        lease=call.request_id,
        lease_until=call.now + ABANDONED,
        expires_at=int((call.now + KEPT).timestamp()),
    )


def _take(claim: StoredAnswer, call: Call) -> tuple[StoredAnswer, bool]:
    """The claim to work under, or the one that is answered; and whether an earlier call worked under it."""
    names = {"#key": IDEMPOTENCY.partition.name, "#expires": "expires_at"}
    now = {":now": {"N": str(int(call.now.timestamp()))}}
    if _put(claim, "attribute_not_exists(#key) OR #expires < :now", names, now):
        return claim, False
    reader = backend.reader(IDEMPOTENCY, StoredAnswer)
    earlier = reader.get(actor=claim.actor, idempotency_key=claim.idempotency_key)
    if earlier is None:  # given back a moment ago
        raise _busy()
    if earlier.request_hash != claim.request_hash:
        words = "was used for another request; use a new key for a new request"
        raise invalid((FieldError("header.idempotency-key", words),))
    if not earlier.running:
        return earlier, False
    if earlier.lease == claim.lease:  # our own write, repeated by the client after its answer was lost
        return earlier, earlier.request_id != call.request_id
    if earlier.lease_until is not None and call.now < earlier.lease_until:
        raise _busy()
    mine = earlier.model_copy(update={"lease": claim.lease, "lease_until": claim.lease_until})
    # Of two that find it free or abandoned, one goes on.
    if earlier.lease is None:
        taken = _put(mine, "attribute_not_exists(#lease)", {"#lease": "lease"}, {})
    else:
        taken = _put(mine, "#lease = :lease", {"#lease": "lease"}, {":lease": {"S": earlier.lease}})
    if not taken:
        raise _busy()
    return mine, True


def _busy() -> Problem:
    detail = "The first call with this key still runs; ask again."
    return Problem(HTTPStatus.CONFLICT, detail, headers={"retry-after": "2"})


def _stored(earlier: StoredAnswer) -> dict[str, Any]:
    body = earlier.body or ""
    if earlier.body_in is not None:
        data = objects.get(earlier.body_in)
        if data is None:
            raise PermanentFailure(f"the kept answer {earlier.body_in} is gone before its time")
        body = data.decode()
    headers = {**earlier.headers, REPLAYED: "true"}
    return {
        "statusCode": earlier.status,
        "headers": headers,
        "body": kept.unsealed(body),
        "isBase64Encoded": False,
    }


def _settle(claim: StoredAnswer, first: Call, result: dict[str, Any], *, again: bool) -> None:
    """Keep the answer, or let the key be used again when the answer may be another one the next time."""
    status = int(result["statusCode"])
    if status in _PASSING and not again:
        # Nothing was written under this claim: the next call is a new one, at its own instant, with its If-Match.
        _give_back(claim)
    elif status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _free(claim)
    else:
        try:
            _keep(claim, first, status, result)
        except (PrismFailure, ClientError):
            # What was asked for is done, so that is what the caller hears. A repeat is a replay.
            _log.exception("the answer of request %s could not be kept", first.request_id)
            _free(claim)


def _keep(claim: StoredAnswer, first: Call, status: int, result: Mapping[str, Any]) -> None:
    headers = {str(name).lower(): str(value) for name, value in (result.get("headers") or {}).items()}
    body = kept.sealed(str(result.get("body") or ""), first)
    answer: dict[str, Any] = {"status": status, "headers": headers}
    data = body.encode()
    if len(data) <= ANSWER_MAX_CHARACTERS:
        answer["body"] = body
    else:
        answer["body_in"] = objects.export_key(first, "answer.json")
        objects.put(answer["body_in"], data, "application/json")
    _put(claim.model_copy(update={**answer, "lease": None, "lease_until": None}))


def _free(claim: StoredAnswer) -> None:
    """Something may have been written: the next call goes on under the same request id and instant, a replay."""
    try:
        _put(claim.model_copy(update={"lease": None, "lease_until": None}))
    except (PrismFailure, ClientError):
        _log.exception("the key of request %s is free only after its time", claim.request_id)


def _give_back(claim: StoredAnswer) -> None:
    with calling(IDEMPOTENCY.name, "write"):
        backend.dynamodb().delete_item(
            TableName=backend.settings().table_name(IDEMPOTENCY.name), Key=encode_key(IDEMPOTENCY.key_of(claim))
        )


def _put(
    claim: StoredAnswer,
    condition: str | None = None,
    names: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Whether the condition held. Raises TransientFailure when the service is busy."""
    request: dict[str, Any] = {
        "TableName": backend.settings().table_name(IDEMPOTENCY.name),
        "Item": encode(IDEMPOTENCY, claim),
    }
    if condition is not None:
        request |= {"ConditionExpression": condition, "ExpressionAttributeNames": dict(names or {})}
    if values:
        request["ExpressionAttributeValues"] = dict(values)
    with calling(IDEMPOTENCY.name, "write"):
        try:
            backend.dynamodb().put_item(**request)
        except ClientError as error:
            if error_code(error) != _CONDITION_FAILED:
                raise
            return False
    return True
