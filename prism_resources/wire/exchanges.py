"""What was asked of a service and what it answered, without anything secret.

Belongs here: the record of one call as it is archived, and taking tokens out of it. Does not belong here: where
it is kept (archive.py) and making the call (calls.py).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

HIDDEN: Final = "***"
# What a header may tell that is of use to whoever reads the archive; cookies and the like are nobody's.
_KEPT_HEADERS: Final = re.compile(
    r"date|content-type|retry-after|request-id|facebook-api-version|x-(?:.*-)?usage|x-fb-.*|x-hubspot-.*|anthropic-.*"
)
# Meta writes the caller's own token into the address of the next page.
_SECRET_PARAMETERS: Final = (b"access_token=", b"input_token=", b"appsecret_proof=")
# One pattern each: one for all has no first letter to look for, and took 5 ms a page.
_IN_ADDRESSES: Final = [(name, re.compile(name + rb"[^&\"\\\s]+")) for name in _SECRET_PARAMETERS]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call. `step` says what it was for; `asked` are its parameters, or its body; `at` is ISO, in UTC."""

    step: str
    method: str
    path: str
    asked: Mapping[str, Any]
    at: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Scrubber:
    """Takes the secrets of one connection out of all that is logged, said or kept."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: one may be part of another.
        known = sorted({one for secret in secrets if secret for one in (secret, quote(secret, safe=""))}, key=len)
        self._known = [one.encode() for one in reversed(known)]

    def body(self, found: bytes) -> bytes:
        """The same bytes, except where a token stood."""
        for secret in self._known:
            found = found.replace(secret, HIDDEN.encode())
        for name, value in _IN_ADDRESSES:
            found = value.sub(name + HIDDEN.encode(), found)
        return found

    def text(self, found: str) -> str:
        return self.body(found.encode()).decode()

    def asked(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters with their tokens hidden, whatever they are called."""
        return {name: self.text(value) if isinstance(value, str) else value for name, value in parameters.items()}

    def headers(self, found: Mapping[str, str]) -> dict[str, str]:
        """Those that may be kept."""
        return {
            name.lower(): self.text(value)
            for name, value in found.items()
            if _KEPT_HEADERS.fullmatch(name.lower())
        }
