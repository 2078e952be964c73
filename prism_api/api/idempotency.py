"""A POST that may be repeated: the same Idempotency-Key answers the same.

Belongs here: claiming a key, keeping the answer, giving it again. Does not belong here: writing items; a repeated
write carries the request id and the instant of the first, so that the stores see one write.
Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from prism_api.api import backend
from prism_api.api.calls import Call
from prism_api.api.problems import FieldError, Problem, invalid
from prism_core.models.jobs import ANSWER_MAX_CHARACTERS, StoredAnswer
from prism_core.tables import IDEMPOTENCY
from prism_resources.failures import calling, error_code
from prism_resources.tables.codec import encode, encode_key

KEPT = timedelta(hours=24)
# A function is ended after 30 s: what runs longer has died.
ABANDONED = timedelta(seconds=60)
REPLAYED = "idempotent-replayed"
_MAX_KEY = 255

Run = Callable[[Call], dict[str, Any]]


def once(call: Call, run: Run) -> dict[str, Any]:
    """The answer of `run`, or of the call that carried the same key before.

    Raises Problem 422 when the key was used for another request, 409 while the first one still runs.
    """
    key = call.headers.get("idempotency-key")
    if call.method != "POST" or key is None:
        return run(call)
    if not 1 <= len(key) <= _MAX_KEY or not all("\x21" <= one <= "\x7e" for one in key):
        raise invalid((FieldError("header.idempotency-key", f"1 to {_MAX_KEY} visible ASCII characters"),))
    claim = _claim_of(call, key)
    earlier = _take(claim, call.now)
    if earlier is not None and not _again(earlier, claim, call.now):
        return _stored(earlier)
    first = claim if earlier is None else earlier
    result = run(replace(call, request_id=first.request_id, now=first.created))
    _keep(claim, result)
    return result


def _claim_of(call: Call, key: str) -> StoredAnswer:
    request = json.dumps([call.operation, call.path, sorted(call.query.items()), call.body, call.reason])
    return StoredAnswer(
        actor=call.caller.sub,
        idempotency_key=key,
        operation=call.operation,
        request_hash=hashlib.sha256(request.encode()).hexdigest(),
        request_id=call.request_id,
        created=call.now,
        expires_at=int((call.now + KEPT).timestamp()),
    )


def _take(claim: StoredAnswer, now: datetime) -> StoredAnswer | None:
    """Claim the key; the claim that is there already, if there is one."""
    names = {"#key": IDEMPOTENCY.partition.name, "#expires": "expires_at"}
    try:
        _put(claim, "attribute_not_exists(#key) OR #expires < :now", names, {":now": int(now.timestamp())})
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
    else:
        return None
    reader = backend.reader(IDEMPOTENCY, StoredAnswer)
    return reader.get(actor=claim.actor, idempotency_key=claim.idempotency_key)


def _again(earlier: StoredAnswer, claim: StoredAnswer, now: datetime) -> bool:
    """Whether the first call died and this one goes on in its place."""
    if earlier.request_hash != claim.request_hash:
        words = "was used for another request; use a new key for a new request"
        raise invalid((FieldError("header.idempotency-key", words),))
    if not earlier.running:
        return False
    if now - earlier.created < ABANDONED:
        raise Problem(
            HTTPStatus.CONFLICT,
            "The first call with this key still runs; ask again.",
            headers={"retry-after": "2"},
        )
    return True


def _stored(earlier: StoredAnswer) -> dict[str, Any]:
    headers = {**earlier.headers, REPLAYED: "true"}
    return {"statusCode": earlier.status, "headers": headers, "body": earlier.body or "", "isBase64Encoded": False}


def _keep(claim: StoredAnswer, result: dict[str, Any]) -> None:
    """Keep the answer. A failure of ours, and an answer too large to keep, free the key again."""
    status, body = int(result["statusCode"]), str(result.get("body") or "")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or len(body) > ANSWER_MAX_CHARACTERS:
        with calling(IDEMPOTENCY.name, "write"):
            backend.dynamodb().delete_item(
                TableName=backend.settings().table_name(IDEMPOTENCY.name),
                Key=encode_key(IDEMPOTENCY.key_of(claim)),
            )
        return
    headers = {str(name).lower(): str(value) for name, value in (result.get("headers") or {}).items()}
    _put(claim.model_copy(update={"status": status, "headers": headers, "body": body}), None, {}, {})


def _put(claim: StoredAnswer, condition: str | None, names: dict[str, str], numbers: dict[str, int]) -> None:
    request: dict[str, Any] = {
        "TableName": backend.settings().table_name(IDEMPOTENCY.name),
        "Item": encode(IDEMPOTENCY, claim),
    }
    if condition is not None:
        request |= {
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {name: {"N": str(number)} for name, number in numbers.items()},
        }
    backend.dynamodb().put_item(**request)
