"""What openapi.json says of an operation beside its parameters.

Belongs here: summaries, tags, the problems that an operation can answer. Does not belong here: the models.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from prism_core.models.base import Model

if TYPE_CHECKING:
    from prism_api.api.resource import Resource

_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_OF_A_BODY = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.CONFLICT)
_OF_A_VERSION = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED)


class ProblemError(Model):
    """One thing that is wrong, and where."""

    path: str
    message: str


class ProblemDetails(Model):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[ProblemError] | None = None


def of(
    resource: "Resource[Any]",
    summary: str,
    answer: Any,
    *,
    status: int = HTTPStatus.OK,
    reads: bool = False,
    item: bool = False,
    versioned: bool = False,
) -> dict[str, Any]:
    """The keyword arguments of a Powertools route of a resource."""
    tag = resource.path.removeprefix("/api/")
    return operation(summary, tag, answer, status=status, reads=reads, item=item, versioned=versioned)


def operation(
    summary: str,
    tag: str,
    answer: Any,
    *,
    status: int = HTTPStatus.OK,
    reads: bool = False,
    item: bool = False,
    versioned: bool = False,
    unready: bool = False,
    description: str | None = None,
    media: str | None = None,
) -> dict[str, Any]:
    """The keyword arguments of a Powertools route. `unready`: it reads what may not be there yet (409)."""
    problems = [*_ALWAYS, *(() if reads else _OF_A_BODY), *(_OF_A_VERSION if versioned else ())]
    if unready:
        problems.append(HTTPStatus.CONFLICT)
    if item:
        problems.append(HTTPStatus.NOT_FOUND)
    good: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if media is not None:
        good["content"] = {media: {"schema": {"type": "string", "format": "binary"}}}
    if answer is not None:
        good["content"] = {"application/json": {"model": answer}}
    return {
        "summary": summary,
        "description": description or f"{summary}.",
        "tags": [tag],
        "responses": {int(status): good} | {int(problem): _problem(problem) for problem in sorted(problems)},
        "status_code": int(status),
    }


def _problem(status: HTTPStatus) -> dict[str, Any]:
    return {"description": status.phrase, "content": {"application/problem+json": {"model": ProblemDetails}}}
