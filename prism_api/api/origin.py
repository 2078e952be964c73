"""The one way in: on AWS the functions answer CloudFront alone.

Belongs here: the secret that CloudFront sends along, checked before anything else is. Whoever finds the address of
the HTTP API would go around the firewall otherwise. Does not belong here: who a person is (guard.py).
"""

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from prism_api.api.problems import Problem
from prism_core.settings import origin_secret

HEADER: Final = "x-prism-origin"


def require_origin(event: Mapping[str, Any]) -> None:
    """Raises Problem for a call that has not come through CloudFront.

    Locally there is no secret, and none is asked for: the guard of the platform stands in its place.
    """
    secret = origin_secret()
    if secret is None:
        return
    sent = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if not hmac.compare_digest(sent.get(HEADER, "").encode(), secret.encode()):
        raise Problem(HTTPStatus.FORBIDDEN, "This address is not for callers; use that of the screens.")
