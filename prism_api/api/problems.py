"""Errors as RFC 9457 problem details.

Belongs here: the one exception that a route raises, and what every other failure becomes on the wire. A person
reads `detail`; a program reads `status` and `errors[].path`.
Does not belong here: deciding that something is wrong (guard.py, routes).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from prism_core.failures import BadUsage, StaleVersion, TransientFailure
from prism_core.transitions import NotAllowed

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5
ERRORS_SHOWN = 50
_WENT_WRONG = "Something went wrong here, not with you; nothing more is known to you than this request's id."


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong where: `path` as `body.hours.2026-01-05`, `query.limit`, `header.if-match`."""

    path: str
    message: str


@dataclass(slots=True)
class Problem(Exception):
    """A request that is not answered as asked. `extra` are further members of the problem object."""

    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{self.status} {self.detail}"


def problem_body(problem: Problem, request_id: str, instance: str) -> dict[str, Any]:
    """The problem object. `type` is about:blank: the status says what kind it is (RFC 9457, section 4.2.1)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": _printable(problem.detail),
        "instance": instance,
        "request_id": request_id,
    }
    if problem.errors:
        shown = problem.errors[:ERRORS_SHOWN]
        body["errors"] = [{"path": _printable(e.path), "message": _printable(e.message)} for e in shown]
    return body | dict(problem.extra)


def _printable(text: str) -> str:
    """What a caller sent may stand in a message, but not its control characters."""
    return "".join(one if one >= " " and one != "\x7f" else f"\\u{ord(one):04x}" for one in text)


def answer(problem: Problem, request_id: str, instance: str) -> dict[str, Any]:
    """The answer to API Gateway (payload 2.0)."""
    return {
        "statusCode": problem.status,
        "headers": {"content-type": CONTENT_TYPE, **problem.headers},
        "body": json.dumps(problem_body(problem, request_id, instance), ensure_ascii=False, default=str),
        "isBase64Encoded": False,
    }


def problem_of(error: Exception) -> Problem | None:
    """What a failure of the layers below is on the wire; None for a defect, which tells nothing to the caller."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationError):
        return invalid(errors_of(error, "body"))
    if isinstance(error, StaleVersion):
        return Problem(HTTPStatus.CONFLICT if error.expected == 0 else HTTPStatus.PRECONDITION_FAILED, str(error))
    if isinstance(error, NotAllowed):
        return Problem(HTTPStatus.CONFLICT, str(error), extra={"allowed": list(error.allowed)})
    if isinstance(error, BadUsage):
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    if isinstance(error, TransientFailure):
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The service is busy and nothing was changed; try again.",
            headers={"retry-after": str(RETRY_SECONDS)},
        )
    return None


def unknown() -> Problem:
    """A defect of ours. The log holds what happened; the caller gets nothing of it."""
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, _WENT_WRONG)


def invalid(errors: tuple[FieldError, ...]) -> Problem:
    """422 with every field that is wrong."""
    first = f"{errors[0].path}: {errors[0].message}" if errors else "the request is not valid"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, first + more, errors)


def errors_of(error: ValidationError, prefix: str) -> tuple[FieldError, ...]:
    """Pydantic's errors, with the place in the request."""
    return tuple(
        FieldError(".".join((prefix, *(str(part) for part in one["loc"]))), _message(one))
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    )


def errors_of_request(found: list[dict[str, Any]]) -> tuple[FieldError, ...]:
    """Powertools' errors: their `loc` begins with body, query, path or header."""
    return tuple(FieldError(".".join(str(part) for part in one["loc"]), _message(one)) for one in found)


def _message(one: Mapping[str, Any]) -> str:
    return str(one["msg"]).removeprefix("Value error, ")


def not_found(what: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, f"{what} does not exist, or is not yours to see.")
