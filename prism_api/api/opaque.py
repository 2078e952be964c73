"""Opaque texts in URLs: composite keys, and cursors of lists.

Belongs here: base64url of JSON, signed where a forged one could do harm. Does not belong here: what is in a key
(prism_core/tables.py) and where a list stands (lists.py).
"""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from prism_api.api.problems import Problem, not_found

_SIGNATURE_BYTES = 16


def encode_key(parts: dict[str, str]) -> str:
    """A composite key as one path segment: base64url of its JSON, without padding."""
    text = json.dumps(parts, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_key(text: str, names: tuple[str, ...]) -> dict[str, str]:
    """The parts of a composite key. Raises Problem 404: a key that nobody made names nothing."""
    try:
        value = json.loads(_unbase64(text))
    except (ValueError, RecursionError) as error:
        raise not_found(text) from error
    if not isinstance(value, dict) or set(value) != set(names):
        raise not_found(text)
    if not all(isinstance(part, str) and part for part in value.values()):
        raise not_found(text)
    if encode_key(value) != text:  # one item has one address
        raise not_found(text)
    return value


def encode_cursor(key: bytes, listed: str, position: Any) -> str:
    """Where a list goes on. `listed` names the list with all that chooses its rows."""
    payload = json.dumps([_digest(listed), position], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sign(key, payload) + payload).decode().rstrip("=")


def decode_cursor(key: bytes, listed: str, text: str) -> Any:
    """The position. Raises Problem 400 for a cursor that is not ours, or of another list."""
    try:
        raw = _unbase64(text)
    except ValueError as error:
        raise Problem(400, "The cursor is not one that this API gave out; start from the first page.") from error
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(key, payload)):
        raise Problem(400, "The cursor is not one that this API gave out; start from the first page.")
    digest, position = json.loads(payload)
    if digest != _digest(listed):
        raise Problem(400, "The cursor belongs to another list; start from the first page.")
    return position


def _sign(key: bytes, payload: bytes) -> bytes:
    return hmac.new(key, payload, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _digest(listed: str) -> str:
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64url") from error
