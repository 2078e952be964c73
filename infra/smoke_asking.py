"""How the smoke test asks: one call, and the failure that it ends with.

Belongs here: plain HTTP, as somebody outside speaks it. Does not belong here: what is asked (smoke.py,
smoke_outside.py).
"""

import urllib.error
import urllib.request
from typing import Final

from prism_core.failures import PermanentFailure

_SECONDS: Final = 35
_SHOWN_BYTES: Final = 20_000


class SmokeFailed(PermanentFailure):
    """What was deployed does not work; the message says which part, and what it answered."""


def ask(url: str, wanted: int, *, token: str | None = None, body: bytes | None = None) -> bytes:
    """The beginning of the answer. Raises SmokeFailed when it has another status."""
    status, said = asked(url, token=token, body=body)
    if status != wanted:
        raise SmokeFailed(f"{url} answers {status} instead of {wanted}: {said[:500].decode(errors='replace')}")
    return said


def asked(
    url: str, *, token: str | None = None, body: bytes | None = None, media: str = "application/json"
) -> tuple[int, bytes]:
    """Status and the beginning of the answer, whatever it is. Raises SmokeFailed when nobody answers."""
    headers = {"Content-Type": media} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - the address is ours
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return answer.status, answer.read(_SHOWN_BYTES)
    except urllib.error.HTTPError as error:
        return error.code, error.read(_SHOWN_BYTES)
    except OSError as error:
        raise SmokeFailed(f"{url} does not answer: {error}") from error
