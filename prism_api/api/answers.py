"""Answers as Powertools takes them.

Belongs here: what every route ends with. Does not belong here: what the answers hold.
"""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

JSON = "application/json"


def respond(model: Any, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response[Any]:
    """An answer that Powertools validates and writes as JSON."""
    return Response(status_code=status, content_type=JSON, body=model, headers=headers or {})
