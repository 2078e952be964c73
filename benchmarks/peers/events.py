"""Calls as API Gateway hands them to a function (HTTP API, payload 2.0), as plain values.

Belongs here: the events that contenders answer. Does not belong here: anything that has to be imported, since an
import would be measured.
"""

from typing import Any


def event(method: str, path: str, query: str = "") -> dict[str, Any]:
    """A call of an admin."""
    claims = {"sub": "sub-of-a-benchmark", "cognito:groups": "[admin]", "token_use": "access"}
    return {
        "version": "2.0",
        "routeKey": "ANY /api/{proxy+}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"accept": "application/json", "host": "benchmark.example"},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "stage": "$default",
            "requestId": "request-of-a-benchmark",
            "authorizer": {"jwt": {"claims": claims}},
        },
        "body": None,
        "isBase64Encoded": False,
    }
