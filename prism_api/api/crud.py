"""The routes that every kind of item has, from its description.

Belongs here: list, create, read, replace, patch, delete, bulk, with their documents. Does not belong here: what
only one kind can do (routes/<resource>.py).
"""

import inspect
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import AfterValidator, Field

from prism_api.api import documents
from prism_api.api.answers import respond
from prism_api.api.bulk import BulkResult, BulkWrites, write_rows
from prism_api.api.calls import current
from prism_api.api.lists import DEFAULT_LIMIT, MAX_LIMIT, list_rows
from prism_api.api.resource import (
    Resource,
    answer_model,
    create_fields,
    is_versioned,
    page_model,
    patch_fields,
    replace_fields,
)
from prism_api.api.writes import (
    answer_as,
    author_of,
    create_item,
    delete_item,
    etag,
    item_as_of,
    matched,
    patch_item,
    read_item,
    replace_item,
)
from prism_core.clock import EARLIEST
from prism_core.models.base import Instant, Versioned

METHODS = "lcgupdb"
# A key of a table holds no empty text, and at most 2,048 bytes.
FilterText = Annotated[str, Field(min_length=1, max_length=500)]
WeekText = Annotated[str, Field(pattern=r"^(19|20)\d{2}-W(0[1-9]|[1-4]\d|5[0-3])$")]
# Name -> annotation and default.
Parameters = dict[str, tuple[Any, Any]]


def _since_the_beginning(instant: datetime) -> datetime:
    if instant < EARLIEST:
        raise ValueError(f"nothing is known of before {EARLIEST:%Y-%m-%d}")
    if instant.year >= LATEST_YEAR:
        raise ValueError("lies in the future")
    return instant


LATEST_YEAR = 9000
PastInstant = Annotated[Instant, AfterValidator(_since_the_beginning)]
IfMatch = Annotated[str | None, Header(alias="If-Match", description='the ETag that was read, such as "3"')]
AsOf = Annotated[PastInstant | None, Query(description="as it was known at an instant, 2026-01-05T07:00:00Z")]
Reason = Annotated[
    str | None, Header(alias="X-Change-Reason", description="why; kept in the change log", max_length=1_000)
]
Idempotency = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="the same key answers the same", max_length=255),
]


def crud(resource: Resource[Any], methods: str = METHODS) -> APIGatewayHttpRouter:
    """A router with the named operations: l(ist) c(reate) g(et) u(pdate whole) p(atch) d(elete) b(ulk)."""
    router = APIGatewayHttpRouter()
    answer = answer_model(resource, resource.answer or resource.model)
    row = answer if resource.row is None else answer_model(resource, resource.row)
    page = page_model(resource, row)
    made: dict[str, Callable[[], None]] = {
        "l": lambda: _list(router, resource, row, page),
        "c": lambda: _create(router, resource, answer),
        "g": lambda: _get(router, resource, answer),
        "u": lambda: _replace(router, resource, answer),
        "p": lambda: _patch(router, resource, answer),
        "d": lambda: _delete(router, resource),
        "b": lambda: _bulk(router, resource),
    }
    for initial in methods:
        made[initial]()
    return router


def item_answer(resource: Resource[Any], answer: Any, item: Any, status: int = HTTPStatus.OK) -> Response[Any]:
    """An item with its ETag."""
    headers = {"etag": etag(item)} if isinstance(item, Versioned) else {}
    if status == HTTPStatus.CREATED:
        headers["location"] = f"{resource.path}/{resource.key_text(item)}"
    return respond(answer_as(resource, answer, item), status, headers)


def signed(function: Callable[..., Any], parameters: Parameters, answer: Any) -> Callable[..., Any]:
    """The function with this signature, which is what Powertools validates and documents."""
    listed = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in parameters.items()
    ]
    function.__signature__ = inspect.Signature(listed, return_annotation=answer)  # type: ignore[attr-defined]
    return function


NEEDED = inspect.Parameter.empty


def list_parameters(resource: Resource[Any]) -> Parameters:
    """The query parameters of a list."""
    order: Any = Literal[tuple(f"{sign}{name}" for name in resource.sorts for sign in ("", "-"))]
    found: Parameters = {
        "limit": (Annotated[int, Query(ge=1, le=MAX_LIMIT, description="rows of a page")], DEFAULT_LIMIT),
        "cursor": (Annotated[str | None, Query(max_length=2_000, description="`next` of the page before")], None),
        "sort": (Annotated[order | None, Query(description="a field, or -field for the other way")], None),
    }
    if is_versioned(resource) and resource.past:
        found["as_of"] = (AsOf, None)
    if resource.search:
        words = f"text in {', '.join(resource.search)}"
        found["q"] = (Annotated[str | None, Query(min_length=1, max_length=200, description=words)], None)
    for name, kind in resource.filters.items():
        chosen = isinstance(kind, type) and issubclass(kind, (Enum, bool))
        value: Any = kind if chosen else WeekText if name == "week" else FilterText
        words = f"only rows of this {name}; repeatable"
        found[name] = (Annotated[list[value] | None, Query(description=words)], None)
    if "week" in resource.filters:
        for name, words in (("week_from", "the first week"), ("week_to", "the last week")):
            found[name] = (Annotated[WeekText | None, Query(description=words)], None)
    return found


def _list(router: APIGatewayHttpRouter, resource: Resource[Any], row: Any, page: Any) -> None:
    def list_them(**_: Any) -> Response[Any]:
        listed = list_rows(resource, current())
        items = [answer_as(resource, row, one) for one in listed.rows]
        return respond(page.model_construct(items=items, next=listed.next))

    document = documents.of(resource, f"List {resource.noun}s", page, reads=True)
    router.get(resource.path, **document)(signed(list_them, list_parameters(resource), Response[page]))


def _create(router: APIGatewayHttpRouter, resource: Resource[Any], answer: Any) -> None:
    def create(**_: Any) -> Response[Any]:
        call = current()
        item = create_item(resource, author_of(call), call.body)
        return item_answer(resource, answer, item, HTTPStatus.CREATED)

    document = documents.of(resource, f"Create a {resource.noun}", answer, status=HTTPStatus.CREATED)
    parameters = {
        "body": (Annotated[create_fields(resource), Body()], NEEDED),
        "reason": (Reason, None),
        "idempotency_key": (Idempotency, None),
    }
    router.post(resource.path, **document)(signed(create, parameters, Response[answer]))


def key_parameter(resource: Resource[Any]) -> tuple[Any, Any]:
    """The key of an item in a path."""
    words = f"names the {resource.noun}: `key` of its answer"
    return (Annotated[str, Path(description=words, min_length=1, max_length=1_024)], NEEDED)


def _get(router: APIGatewayHttpRouter, resource: Resource[Any], answer: Any) -> None:
    def get(*, key: str, as_of: datetime | None = None, **_: Any) -> Response[Any]:
        call = current()
        item = read_item(resource, call, key) if as_of is None else item_as_of(resource, call, key, as_of)
        return item_answer(resource, answer, item)

    document = documents.of(resource, f"Read a {resource.noun}", answer, reads=True, item=True)
    parameters: Parameters = {"key": key_parameter(resource)}
    if is_versioned(resource) and resource.past:
        parameters["as_of"] = (AsOf, None)
    router.get(f"{resource.path}/<key>", **document)(signed(get, parameters, Response[answer]))


def _replace(router: APIGatewayHttpRouter, resource: Resource[Any], answer: Any) -> None:
    def replace(*, key: str, **_: Any) -> Response[Any]:
        call = current()
        before = read_item(resource, call, key)
        matched(resource, call, before)
        return item_answer(resource, answer, replace_item(resource, author_of(call), before, call.body))

    document = documents.of(resource, f"Replace a {resource.noun}", answer, item=True, versioned=True)
    parameters = _write_parameters(resource, replace_fields(resource))
    router.put(f"{resource.path}/<key>", **document)(signed(replace, parameters, Response[answer]))


def _patch(router: APIGatewayHttpRouter, resource: Resource[Any], answer: Any) -> None:
    def patch(*, key: str, **_: Any) -> Response[Any]:
        call = current()
        before = read_item(resource, call, key)
        matched(resource, call, before)
        return item_answer(resource, answer, patch_item(resource, author_of(call), before, call.body))

    document = documents.of(
        resource, f"Change some fields of a {resource.noun}", answer, item=True, versioned=True
    )
    parameters = _write_parameters(resource, patch_fields(resource))
    router.patch(f"{resource.path}/<key>", **document)(signed(patch, parameters, Response[answer]))


def _write_parameters(resource: Resource[Any], fields: Any) -> Parameters:
    return {
        "key": key_parameter(resource),
        "body": (Annotated[fields, Body()], NEEDED),
        "if_match": (IfMatch, None),
        "reason": (Reason, None),
    }


def _delete(router: APIGatewayHttpRouter, resource: Resource[Any]) -> None:
    def delete(*, key: str, **_: Any) -> Response[Any]:
        call = current()
        before = read_item(resource, call, key)
        matched(resource, call, before)
        delete_item(resource, author_of(call), before)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    document = documents.of(
        resource, f"Delete a {resource.noun}", None, status=HTTPStatus.NO_CONTENT, item=True, versioned=True
    )
    parameters = {"key": key_parameter(resource), "if_match": (IfMatch, None), "reason": (Reason, None)}
    router.delete(f"{resource.path}/<key>", **document)(signed(delete, parameters, Response[None]))


def _bulk(router: APIGatewayHttpRouter, resource: Resource[Any]) -> None:
    def bulk(*, body: BulkWrites, **_: Any) -> Response[Any]:
        return respond(write_rows(resource, author_of(current()), body))

    document = documents.of(resource, f"Write many {resource.noun}s, each on its own", BulkResult)
    parameters = {
        "body": (Annotated[BulkWrites, Body()], NEEDED),
        "reason": (Reason, None),
        "idempotency_key": (Idempotency, None),
    }
    router.post(f"{resource.path}/bulk", **document)(signed(bulk, parameters, Response[BulkResult]))
