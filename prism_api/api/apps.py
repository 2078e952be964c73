"""The Powertools apps: one for each root of the API, made at its first call, and one of all for the document.

Belongs here: validation, and what a failure of a route becomes. Does not belong here: routes, and what is refused
before one is asked (guard.py).
"""

import json
import logging
from functools import cache

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError

from prism_api.api import calls
from prism_api.api.problems import (
    CONTENT_TYPE,
    Problem,
    errors_of_request,
    invalid,
    problem_body,
    problem_of,
    unknown,
)
from prism_api.api.routes import everything
from prism_api.api.start import building

_log = logging.getLogger("prism.api")


@cache
def app_of(root: str | None) -> APIGatewayHttpResolver:
    """The app that serves the paths of a root (`members`); None is all of them, which the document is made of."""
    with building():
        app = APIGatewayHttpResolver(enable_validation=True, response_validation_error_http_code=500)
        for router in everything.routers(root):
            app.include_router(router)
        app.exception_handler(Exception)(_failed)
    return app


def _failed(error: Exception) -> Response[str]:
    """Every failure of a route, as a problem."""
    call = calls.current()
    if isinstance(error, RequestValidationError):
        problem: Problem | None = invalid(errors_of_request(list(error.errors())))
    elif isinstance(error, ResponseValidationError):
        problem = None
    else:
        problem = problem_of(error)
    if problem is None:
        _log.error("request %s failed", call.request_id, exc_info=error)
        problem = unknown()
    body = json.dumps(problem_body(problem, call.request_id, call.path), ensure_ascii=False, default=str)
    return Response(problem.status, CONTENT_TYPE, body, headers=dict(problem.headers))
