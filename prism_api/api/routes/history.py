"""The change log: what happened to an item, what happened lately, and taking a change back.

Belongs here: reading changes and the revert. Does not belong here: how states are rebuilt (prism_core/history).
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field, JsonValue

from prism_api.api import backend, documents
from prism_api.api.calls import Access, Call, Role, current
from prism_api.api.crud import Idempotency, PastInstant, Reason, respond
from prism_api.api.lists import DEFAULT_LIMIT, MAX_LIMIT
from prism_api.api.matrix import find
from prism_api.api.opaque import decode_cursor, decode_key, encode_cursor, encode_key
from prism_api.api.problems import FieldError, Problem, invalid, not_found
from prism_api.api.resource import Resource
from prism_api.api.routes.everything import RESOURCES
from prism_api.api.visibility import visible
from prism_api.api.writes import author_of, refuse_unsound
from prism_core import clock
from prism_core.failures import BadUsage, PermanentFailure, StaleVersion
from prism_core.history.changes import state_of
from prism_core.history.rebuild import LaterChanges, undone
from prism_core.models.base import Choice, Count, Instant, Model
from prism_core.models.changes import Change, Operation
from prism_core.table_spec import Key
from prism_core.tables import CHANGELOG, TABLES
from prism_resources.tables.codec import decode
from prism_resources.tables.history import key_of_item_key

LATELY = timedelta(days=7)
MAX_WINDOW = timedelta(weeks=26)
router = APIGatewayHttpRouter()
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="rows of a page")]
Cursor = Annotated[str | None, Query(max_length=2_000, description="`next` of the page before")]
TableName = Annotated[str, Path(description="an operational table, such as allocations", pattern="^[a-z_]{1,40}$")]


class ChangeAnswer(Model):
    """One write of one item: who, when, why, and what it changed.

    `revertible`: whether the caller may take it back; changes that came later can still stand against it.
    """

    id: str
    table: str
    item_key: str
    operation: Choice[Operation]
    version: Annotated[int, Field(ge=1)]
    instant: Instant
    actor: str
    reason: str
    request_id: str
    changes: dict[str, dict[Literal["before", "after"], JsonValue]]
    revertible: bool


class ChangePage(Model):
    """Newest first."""

    items: list[ChangeAnswer]
    next: str | None = None


class RevertedItem(Model):
    """What a revert left of an item: its new version, or nothing when it took back a creation."""

    item_key: str
    deleted: bool
    version: Count | None = None
    item: dict[str, JsonValue] | None = None


class Reverted(RevertedItem):
    """The item of the change, and `also` the other one of a move, which is taken back in the same transaction."""

    dry_run: bool
    also: list[RevertedItem]


def _resource(table: str) -> Resource[Any]:
    if table not in RESOURCES:
        valid = ", ".join(sorted(RESOURCES))
        raise invalid((FieldError("table", f"{table!r} has no history; valid are {valid}"),))
    return RESOURCES[table]


@router.get(
    "/api/history/<table>/<key>",
    **documents.operation("Every change of an item", "history", ChangePage, reads=True, item=True),
)
def history_of_item(
    table: TableName,
    key: Annotated[str, Path(min_length=1, max_length=1_024)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[ChangePage]:
    call, resource = current(), _resource(table)
    if not _sees(call, resource, resource.spec.key(resource.key_parts(key))):
        raise not_found(f"{resource.noun} {key}")
    item_key = resource.spec.item_key(resource.spec.key(resource.key_parts(key)))
    listed = f"history {item_key}"
    start = decode_cursor(backend.cursor_key(), listed, cursor) if cursor else None
    page = backend.history().page_of_item(resource.spec, item_key, limit=limit, start=start)
    if not page.items and start is None:
        raise not_found(f"{resource.noun} {key}")
    following = encode_cursor(backend.cursor_key(), listed, page.next) if page.next else None
    return respond(ChangePage(items=[_answer(call, resource, one) for one in page.items], next=following))


@router.get(
    "/api/changes", **documents.operation("What changed in a table lately", "history", ChangePage, reads=True)
)
def changes(
    table: Annotated[str, Query(pattern="^[a-z_]{1,40}$")],
    since: Annotated[PastInstant | None, Query(description="seven days back, if left out")] = None,
    until: Annotated[PastInstant | None, Query(description="now, if left out")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[ChangePage]:
    call, resource = current(), _resource(table)
    private = not resource.past and Role.ADMIN not in call.caller.roles
    if private or visible(call).members is not None or _access(call, resource, "GET") is not Access.ALL:
        raise Problem(HTTPStatus.FORBIDDEN, "The changes of a whole table are for who sees all of its rows.")
    listed = f"changes {table} {since} {until}"
    position: Any = decode_cursor(backend.cursor_key(), listed, cursor) if cursor else [None, None, None]
    # Without `until` the window ends when the first page was asked for, also for the pages behind it.
    end = until or (datetime.fromisoformat(position[1]) if position[1] else call.now)
    start = since or end - LATELY
    if end - start > MAX_WINDOW:
        raise invalid((FieldError("query.since", f"the window is longer than {MAX_WINDOW.days} days; narrow it"),))
    page = backend.history().page_between(resource.spec, start, end, limit=limit, start=position[2])
    place = [start.isoformat(), end.isoformat(), page.next]
    following = encode_cursor(backend.cursor_key(), listed, place) if page.next else None
    return respond(ChangePage(items=[_answer(call, resource, one) for one in page.items], next=following))


@router.post(
    "/api/changes/<change_id>/revert",
    **documents.operation("Take one change back", "history", Reverted, item=True),
)
def revert(
    *,
    change_id: Annotated[str, Path(min_length=1, max_length=1_024)],
    dry_run: Annotated[bool, Query(description="say what would be left, and write nothing")] = False,
    reason: Reason = None,
    idempotency_key: Idempotency = None,
) -> Response[Reverted]:
    """A real reverse change. Refused when later changes stand on the same fields."""
    call = current()
    resource, change = _change(change_id)
    changes = [change, *_of_the_same_move(resource, change)]
    for one in changes:
        _judge_revert(call, resource, one, dry=dry_run)
    author = author_of(call)
    words = call.reason or f"revert of version {change.version} by {change.actor}"
    store = backend.store(resource.spec, resource.model)
    try:
        items = backend.history().undo_together(
            store,
            changes,
            actor=author.actor,
            reason=words,
            request_id=call.request_id,
            now=clock.now(),
            dry=dry_run,
        )
    except LaterChanges as refused:
        extra = {"later": None if refused.later is None else _answer(call, resource, refused.later).plain()}
        raise Problem(HTTPStatus.CONFLICT, str(refused), extra=extra) from refused
    except (StaleVersion, BadUsage):
        raise
    except PermanentFailure as refused:
        raise Problem(HTTPStatus.CONFLICT, str(refused)) from refused
    left, *also = [_left(call, resource, one, item) for one, item in zip(changes, items, strict=True)]
    return respond(Reverted(**left.model_dump(), dry_run=dry_run, also=also))


def _change(change_id: str) -> tuple[Resource[Any], Change]:
    """A change by its id, and what it is one of. Raises Problem 404."""
    key = decode_key(change_id, tuple(attribute.name for attribute in CHANGELOG.key_attributes))
    table = key[CHANGELOG.partition.name].partition("#")[0]
    if table not in TABLES:
        raise not_found(f"change {change_id}")
    resource = _resource(table)
    change = backend.history().change(resource.spec, key)
    if change is None:
        raise not_found(f"change {change_id}")
    return resource, change


def _of_the_same_move(resource: Resource[Any], change: Change) -> list[Change]:
    """Taking back half a move would make work twice, or lose it."""
    together = resource.together
    if together is None:
        return []
    # A move is two changes. A published plan writes all of its rows at one instant, and each is taken back alone.
    others = backend.history().beside(resource.spec, change)
    return others if len(others) == 1 and together(change, others[0]) else []


def _left(call: Call, resource: Resource[Any], change: Change, item: Any) -> RevertedItem:
    if item is None:
        return RevertedItem(item_key=change.item_key, deleted=True)
    item = resource.narrow(call, item)
    closed = resource.secret(call, item)
    shown = (resource.answer or resource.model).model_fields.keys() - closed
    plain = {name: value for name, value in item.plain().items() if name in shown}
    return RevertedItem(item_key=change.item_key, deleted=False, version=item.version, item=plain)


def _access(call: Call, resource: Resource[Any], *methods: str) -> Access:
    """How far the caller reaches by the first of these methods that the resource has."""
    for method in methods:
        for path in (f"{resource.path}/{{key}}", resource.path):
            operation = find(method, path.replace("{key}", "key")).operation
            if operation is not None and operation.path == path:
                return operation.access(call.caller)
    return Access.ALL if Role.ADMIN in call.caller.roles else Access.NONE


def _sees(call: Call, resource: Resource[Any], key: Key) -> bool:
    """Whether the item is one that the caller reads; of a deleted one its key tells whose it was."""
    access = _access(call, resource, "GET")
    if access is Access.NONE:
        return False
    seen = visible(call)
    if resource.of_everybody and seen.members is not None:
        return False
    raw = backend.reader(resource.spec, resource.model).read(key)
    if raw is not None:
        return resource.seen_by(call, seen, decode(resource.spec, resource.model, raw))
    if seen.members is None:
        return access is Access.ALL and (resource.past or Role.ADMIN in call.caller.roles)
    return resource.spec.partition.parts == ("member_id",) and seen.sees(key[resource.spec.partition.name])


def _judge_revert(call: Call, resource: Resource[Any], change: Change, *, dry: bool) -> None:
    """A revert is a write: who may not make it by its own route may not make it by this one."""
    key = key_of_item_key(resource.spec, change.item_key)
    if not _sees(call, resource, key):
        raise not_found("the change")
    admin = Role.ADMIN in call.caller.roles
    if not admin:
        _refuse_revert(call, resource, change)
    raw = backend.reader(resource.spec, resource.model).read(key)
    before = None if raw is None else decode(resource.spec, resource.model, raw)
    try:
        later = backend.history().later(resource.spec, change)
        state = undone(change, None if before is None else state_of(before), later)
    except PermanentFailure:
        return  # the undo itself says why
    after = None if state is None else resource.model.from_plain({**state, "version": change.version + 1})
    if not admin and after is not None and not resource.seen_by(call, visible(call), after):
        raise Problem(HTTPStatus.FORBIDDEN, f"The {resource.noun} would belong to somebody else.")
    resource.judge(call, before, after)
    refuse_unsound(resource, call, before, after)
    if not dry:
        resource.claim(call, before, after)


def _revertible(call: Call, resource: Resource[Any], change: Change) -> bool:
    """Whether this caller takes back changes of this kind at all."""
    if Role.ADMIN in call.caller.roles:
        return True
    if Role.LEAD not in call.caller.roles:
        return False
    try:
        _refuse_revert(call, resource, change)
    except Problem:
        return False
    return True


def _refuse_revert(call: Call, resource: Resource[Any], change: Change) -> None:
    if _access(call, resource, "PATCH", "DELETE") is not Access.ALL:
        raise Problem(HTTPStatus.FORBIDDEN, f"Changes of a {resource.noun} are not yours to take back.")
    steps = sorted(set(change.changes) & set(resource.server))
    if change.operation is Operation.UPDATE and steps:
        words = f"{', '.join(steps)} follow the steps of a {resource.noun}; take the next step instead."
        raise Problem(HTTPStatus.CONFLICT, words)


def _answer(call: Call, resource: Resource[Any], change: Change) -> ChangeAnswer:
    place = {a.name: text for a in CHANGELOG.key_attributes if (text := a.text(_parts(change))) is not None}
    closed = {*resource.never_in_history, *(resource.names_others if visible(call).members is not None else ())}
    shown = {name: pair for name, pair in change.changes.items() if name not in closed}
    return ChangeAnswer(
        id=encode_key(place),
        table=change.table,
        item_key=change.item_key,
        operation=change.operation,
        version=change.version,
        instant=change.instant,
        actor=change.actor,
        reason=change.reason,
        request_id=change.request_id,
        changes={name: {**pair} for name, pair in shown.items()},
        revertible=_revertible(call, resource, change),
    )


def _parts(change: Change) -> dict[str, object]:
    names = {part for attribute in CHANGELOG.key_attributes for part in attribute.parts}
    return {name: getattr(change, name) for name in names}
