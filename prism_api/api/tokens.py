"""What the authorizer in front of the function does not ask of a token.

Belongs here: that it is an access token. API Gateway verifies signature, issuer, time and app client, and lets
an ID token pass, which says who somebody is and is kept in places where an access token would not be. The
embedded one lets a refresh token pass, too (tests/integration/test_emulator_contract_api.py).
Does not belong here: what a role may do (matrix.py).
"""

from collections.abc import Mapping
from typing import Any

ACCESS = "access"


def why_refused(claims: Mapping[str, Any]) -> str | None:
    """Why verified claims do not let anybody in; None when they do."""
    if not claims.get("sub"):
        return "Sign in: the request has no valid token."
    if claims.get("token_use") != ACCESS:
        return "Send the access token: this is another one."
    return None
