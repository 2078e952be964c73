"""Exports: any list as a file.

Belongs here: asking a list for all its rows and putting the file where a browser can fetch it.
Does not belong here: which rows a list has (lists.py) and how a file looks (prism_core/workbooks/exporting.py).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any, Final, get_type_hints

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from prism_api.api import documents, objects
from prism_api.api.answers import respond
from prism_api.api.calls import Access, Call, current
from prism_api.api.crud import Idempotency, list_parameters
from prism_api.api.lists import every_row
from prism_api.api.matrix import find
from prism_api.api.problems import FieldError, Problem, errors_of, invalid
from prism_api.api.resource import Resource
from prism_api.api.routes import quality_scores, restatements, throughput
from prism_api.api.routes.everything import RESOURCES
from prism_api.api.visibility import actor
from prism_core.models.base import Choice, Many, Model, instant_text
from prism_core.tables import QUALITY, THROUGHPUT, TableSpec
from prism_core.workbooks.exporting import ExportFormat, export_rows

MAX_ROWS = 50_000
SEARCH = "q"
# What a person selects by hand.
MAX_KEYS = 1_000
_OF_PAGES = frozenset({"limit", "cursor"})
_Values = str | list[str]
router = APIGatewayHttpRouter()


class ExportWish(Model):
    """A list by its name, with filters, `sort` and `as_of` as the list takes them; `keys` leaves these rows."""

    model_config = ConfigDict(
        **{
            **Model.model_config,
            "json_schema_extra": {
                "examples": [{"list": "allocations", "format": "xlsx", "query": {"week": ["2026-W02"]}}]
            },
        }
    )

    list: Annotated[str, Field(min_length=1, max_length=50)]
    format: Choice[ExportFormat]
    query: Annotated[dict[str, _Values], Field(max_length=30)] = Field(default_factory=dict[str, _Values])
    keys: Annotated[Many[Annotated[str, Field(max_length=1_024)]], Field(max_length=MAX_KEYS)] | None = None


class Export(Model):
    """Where the file can be fetched, for five minutes."""

    url: str
    file_name: str
    rows: int
    bytes: int
    seconds: int


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of a file, and the fields that the reader may not see."""

    spec: TableSpec
    rows: list[Any]
    model: type[Model] | None
    without: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Figures:
    """A list that is computed: how it is asked, all its rows in its order, what names its file and its sheet."""

    path: str
    listing: Callable[..., Any]
    rows: Callable[[Call], list[Any]]
    spec: TableSpec
    model: type[Model]


_THROUGHPUT = _Figures(
    "/api/throughput", throughput.list_throughput, throughput.rows_of_list, THROUGHPUT, throughput.ThroughputRow
)
# Not called as reviews are: a sheet of that name would be loaded back as some.
_SCORES = _Figures(
    "/api/quality-scores",
    quality_scores.quality_scores,
    quality_scores.rows_of_list,
    replace(QUALITY, name="quality_scores"),
    quality_scores.ScoreRow,
)
# Stored, and in no change log: they are bookkeeping.
_WITHOUT_HISTORY: Final = {one.spec.name: one for one in (restatements.RESOURCE,)}
_COMPUTED: Final = {one.spec.name: one for one in (_THROUGHPUT, _SCORES)}


@router.post("/api/exports", **documents.operation("A list as CSV or as a workbook", "exports", Export))
def export(body: Annotated[ExportWish, Body()], idempotency_key: Idempotency = None) -> Response[Export]:
    """The very rows of the list for this caller. Text that a spreadsheet would compute is neutralised."""
    call = current()
    figures = _COMPUTED.get(body.list)
    table = _resource(call, body) if figures is None else _computed(call, body, figures)
    data = export_rows(table.spec, table.rows, body.format, model=table.model, without=table.without)
    name = f"{table.spec.name}-{call.now:%Y%m%dT%H%M%SZ}.{body.format}"
    key = objects.export_key(call, name)
    objects.put(key, data, objects.media_type(name))
    # Before the link: nobody has a file of which nothing is known.
    objects.put(objects.audit_key(call), _noted(call, body, key, len(table.rows), data), "application/json")
    answer = Export(
        url=objects.link_to_get(key, name),
        file_name=name,
        rows=len(table.rows),
        bytes=len(data),
        seconds=objects.LINK_SECONDS,
    )
    return respond(answer)


def _noted(call: Call, body: ExportWish, key: str, rows: int, data: bytes) -> bytes:
    """Who was given what. What was searched for is left out: it may be a name, and this is kept."""
    asked = {name: value for name, value in body.query.items() if name != SEARCH}
    return json.dumps(
        {
            "at": instant_text(call.now),
            "request_id": call.request_id,
            "actor": actor(call),
            "sub": call.caller.sub,
            "roles": sorted(call.caller.roles),
            "list": body.list,
            "format": body.format,
            "query": asked,
            "searched": SEARCH in body.query,
            "keys": None if body.keys is None else len(body.keys),
            "rows": rows,
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "object": key,
        }
    ).encode()


def _resource(call: Call, body: ExportWish) -> _Table:
    resource = RESOURCES.get(body.list) or _WITHOUT_HISTORY.get(body.list)
    if resource is None:
        valid = ", ".join(sorted({*RESOURCES, *_WITHOUT_HISTORY, *_COMPUTED}))
        raise invalid((FieldError("body.list", f"no list has this name; valid ones are {valid}"),))
    hints = {name: annotation for name, (annotation, _) in list_parameters(resource).items()}
    asked = _as_the_list(call, resource.path, hints, body.query)
    rows = _chosen(every_row(resource, asked, MAX_ROWS), resource.key_text, body)
    answered = resource.answer or resource.model
    shown, secret = _without_secrets(resource, asked, rows)
    left_out = resource.model.model_fields.keys() - answered.model_fields.keys()
    return _Table(resource.spec, shown, resource.row, secret | left_out)


def _chosen(rows: list[Any], key_text: Callable[[Any], str], body: ExportWish) -> list[Any]:
    """The rows that were chosen by their keys; all of them where none were."""
    if body.keys is None:
        return rows
    keys = frozenset(body.keys)
    return [row for row in rows if key_text(row) in keys]


def _without_secrets(resource: Resource[Any], call: Call, rows: Iterable[Any]) -> tuple[list[Any], frozenset[str]]:
    """The rows as this caller may read them, and the fields that are in none of them."""
    shown: list[Any] = []
    everywhere: frozenset[str] | None = None
    for row in rows:
        secret = resource.secret(call, row)
        everywhere = secret if everywhere is None else everywhere & secret
        row = resource.narrow(call, row)  # noqa: PLW2901 - as this caller reads it
        blank = {name: type(row).model_fields[name].get_default(call_default_factory=True) for name in secret}
        shown.append(row.model_copy(update=blank) if blank else row)
    return shown, everywhere or frozenset()


def _computed(call: Call, body: ExportWish, figures: _Figures) -> _Table:
    hints = get_type_hints(figures.listing, include_extras=True)
    rows = figures.rows(_as_the_list(call, figures.path, hints, body.query))
    if len(rows) > MAX_ROWS:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{len(rows):,} rows are too many at once; narrow the filters."
        )
    return _Table(figures.spec, _chosen(rows, lambda row: row.key, body), figures.model, frozenset({"key"}))


def _as_the_list(call: Call, path: str, hints: Mapping[str, Any], query: Mapping[str, _Values]) -> Call:
    """The call that would ask for the list. Raises Problem 403 where the list is closed to the caller."""
    operation = find("GET", path).operation
    access = Access.NONE if operation is None else operation.access(call.caller)
    if access is Access.NONE:
        raise Problem(HTTPStatus.FORBIDDEN, f"GET {path} is not open to you, neither is a file of it.")
    known = {name: hint for name, hint in hints.items() if name not in {*_OF_PAGES, "return"}}
    values = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
    errors = [error for name, given in values.items() for error in _wrong(name, given, known)]
    if errors:
        raise invalid(tuple(errors))
    chosen = {name: tuple(given) for name, given in values.items() if given}
    return replace(call, method="GET", path=path, operation=f"GET {path}", access=access, query=chosen)


def _wrong(name: str, values: list[str], known: Mapping[str, Any]) -> Iterable[FieldError]:
    """What the list itself would have against a parameter."""
    path = f"body.query.{name}"
    if name not in known:
        return [FieldError(path, f"unknown; valid are {', '.join(sorted(known))}")]
    adapter: TypeAdapter[Any] = TypeAdapter(known[name])
    try:
        if _takes(adapter, []):  # it may be repeated
            adapter.validate_python(values)
        elif len(values) > 1:
            return [FieldError(path, "is given once")]
        else:
            adapter.validate_python(*values)
    except ValidationError as error:
        return errors_of(error, path)
    return []


def _takes(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True
