"""Events as API Gateway sends them (HTTP API, payload 2.0)."""

import json
from typing import Any
from urllib.parse import urlencode


def event(
    method: str,
    path: str,
    body: Any = None,
    *,
    groups: str | None = "[admin]",
    query: dict[str, Any] | str = "",
    headers: dict[str, str] | None = None,
    raw: str | None = None,
    encoded: bool = False,
    sub: str = "sub-of-a-test",
    request_id: str = "request-1",
) -> dict[str, Any]:
    """Without `groups` there is no token at all."""
    claims = {} if groups is None else {"sub": sub, "cognito:groups": groups, "token_use": "access"}
    text = raw if raw is not None else None if body is None else json.dumps(body)
    typed = {} if text is None else {"content-type": "application/json"}
    return {
        "version": "2.0",
        "routeKey": "ANY /api/{proxy+}",
        "rawPath": path,
        "rawQueryString": query if isinstance(query, str) else urlencode(query, doseq=True),
        "headers": typed | (headers or {}),
        "requestContext": {
            "http": {"method": method, "path": path},
            "stage": "$default",
            "requestId": request_id,
            "authorizer": {"jwt": {"claims": claims}} if claims else {},
        },
        "body": text,
        "isBase64Encoded": encoded,
    }
