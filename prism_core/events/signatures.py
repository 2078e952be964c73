"""Whether a delivery is from whom it says it is.

Belongs here: signing and checking the body of a webhook by HMAC-SHA256, its timestamp and the window in which it
may come. Does not belong here: where secrets are kept and what a delivery means (arrivals.py).
Source: Standard Webhooks 1.0 (webhook-id, webhook-timestamp, webhook-signature), and GitHub's x-hub-signature-256,
which signs neither an id nor a time: its deliveries are known by what they say, one sent again is a duplicate.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from prism_core.failures import PermanentFailure

WINDOW: Final = timedelta(minutes=5)
MIN_SECRET_BYTES: Final = 24
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
BODY_SIGNATURE: Final = "x-hub-signature-256"
_VERSION, _BODY_PREFIX = "v1,", "sha256="
_MAX_SIGNATURES: Final = 10


class Scheme(StrEnum):
    """What a producer signs."""

    STANDARD = "standard"
    BODY_ONLY = "body_only"

    @property
    def signed_headers(self) -> frozenset[str]:
        """The headers, beside the body, that nobody can change."""
        return frozenset({ID, TIMESTAMP}) if self is Scheme.STANDARD else frozenset()


class NotSigned(PermanentFailure):
    """The delivery is not believed. The message tells a producer what to look at, and nothing of the secret."""


def sign(secret: bytes, identity: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a delivery at an aware instant."""
    seconds = str(int(at.timestamp()))
    return {
        ID: identity,
        TIMESTAMP: seconds,
        SIGNATURE: _VERSION + base64.b64encode(_digest(secret, identity, seconds, body)).decode(),
    }


def require_signature(
    scheme: Scheme, secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime
) -> None:
    """Check a delivery against each secret (two, while one replaces the other). Raises NotSigned.

    Header names in any case. A timestamp may lie five minutes before or after `now`, both ends included.
    """
    if not secrets or any(len(secret) < MIN_SECRET_BYTES for secret in secrets):
        raise NotSigned(f"the producer has no secret of at least {MIN_SECRET_BYTES} bytes")
    named = {name.lower(): value for name, value in headers.items()}
    if scheme is Scheme.BODY_ONLY:
        given = [named.get(BODY_SIGNATURE, "").removeprefix(_BODY_PREFIX)]
        wanted = [hmac.new(secret, body, sha256).hexdigest() for secret in secrets]
        told = [one.lower().encode() for one in given if one.isascii()]
        matched = _any_equal(told, [one.encode() for one in wanted])
        where = BODY_SIGNATURE
    else:
        identity, seconds = named.get(ID, ""), named.get(TIMESTAMP, "")
        _require_window(identity, seconds, now)
        told = _signatures(named.get(SIGNATURE, ""))
        matched = _any_equal(told, [_digest(secret, identity, seconds, body) for secret in secrets])
        where = SIGNATURE
    if not matched:
        raise NotSigned(f"{where} does not match the body; sign the bytes as they are sent, with the right secret")


def _require_window(identity: str, seconds: str, now: datetime) -> None:
    if not identity:
        raise NotSigned(f"the delivery has no {ID}")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        raise NotSigned(f"{TIMESTAMP} is not a number of epoch seconds")
    off = int(seconds) - now.timestamp()
    if abs(off) > WINDOW.total_seconds():
        side = "ahead of" if off > 0 else "behind"
        raise NotSigned(
            f"{TIMESTAMP} is {abs(off):,.0f} s {side} our clock; {WINDOW.total_seconds():.0f} s are allowed"
        )


def _signatures(text: str) -> list[bytes]:
    """Those of version 1; a sender whose key changes sends several."""
    found: list[bytes] = []
    for one in text.split(" ")[:_MAX_SIGNATURES]:
        try:
            found += (
                [base64.b64decode(one.removeprefix(_VERSION), validate=True)] if one.startswith(_VERSION) else []
            )
        except (binascii.Error, ValueError):
            continue
    return found


def _digest(secret: bytes, identity: str, seconds: str, body: bytes) -> bytes:
    return hmac.new(secret, f"{identity}.{seconds}.".encode() + body, sha256).digest()


def _any_equal(given: Sequence[bytes], wanted: Sequence[bytes]) -> bool:
    """Every pair is compared, so that the time taken tells nothing."""
    equal = [hmac.compare_digest(one, other) for one in given for other in wanted]
    return any(equal)
