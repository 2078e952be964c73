"""Writing one item: versions, ETags, and what a lost race answers.

Belongs here: create, replace, patch and delete of a described resource, for a single call and for each row of a
bulk call alike. Does not belong here: routes (crud.py) and the transaction itself (prism_resources/tables).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from pydantic import JsonValue, ValidationError

from prism_api.api import backend
from prism_api.api.calls import Call
from prism_api.api.calls import current as current_call
from prism_api.api.problems import FieldError, Problem, errors_of, invalid, not_found
from prism_api.api.replays import left_by
from prism_api.api.resource import Resource, taken_on_change, taken_on_create
from prism_api.api.rules import refuse_unknown
from prism_api.api.visibility import actor, visible
from prism_core import clock
from prism_core.failures import StaleVersion
from prism_core.models.base import Model, Versioned
from prism_core.models.changes import Change
from prism_core.privacy import readable
from prism_core.tables import CHANGELOG

MAX_REASON_CHARACTERS = 1_000
_ETAG = re.compile(r'(?:W/)?"(\d{1,15})"')


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, why, under which id; one for all rows of a call."""

    call: Call
    actor: str
    reason: str

    def of(self, row: int | None = None) -> dict[str, Any]:
        """The arguments of a store's write. Each row of a bulk call is a request of its own.

        The log keeps the moment of the write. That of the call may be long past: a job works its rows off later,
        and a repeated call goes on at the instant of the first; who reads what is new would never see them.
        """
        request_id = self.call.request_id if row is None else f"{self.call.request_id}.{row}"
        return {"actor": self.actor, "reason": self.reason, "request_id": request_id, "now": clock.now()}


def author_of(call: Call) -> Author:
    """Raises Problem 422 for a reason that is too long."""
    if len(call.reason) > MAX_REASON_CHARACTERS:
        raise invalid((FieldError("header.x-change-reason", f"longer than {MAX_REASON_CHARACTERS} characters"),))
    return Author(call, actor(call), call.reason)


def read_item(resource: Resource[Any], call: Call, key: str) -> Any:
    """The item, if it exists and the caller may see it. Raises Problem 404."""
    resource.refuse_part(visible(call))
    item = backend.reader(resource.spec, resource.model).get(**resource.key_parts(key))
    if item is None or not resource.seen_by(call, visible(call), item):
        raise not_found(f"{resource.noun} {key}")
    return item


def item_as_of(resource: Resource[Any], call: Call, key: str, instant: datetime) -> Any:
    """The item as it was known at an instant. Raises Problem 404 when it did not exist."""
    if instant > call.now + timedelta(minutes=1):
        raise invalid((FieldError("query.as_of", "lies in the future"),))
    resource.refuse_part(visible(call))
    state = backend.history().item_at(resource.spec, resource.spec.key(resource.key_parts(key)), instant)
    item = None if state is None else resource.model.from_plain(readable(resource.spec, state))
    if item is None or not resource.seen_by(call, visible(call), item):
        raise not_found(f"{resource.noun} {key} at {instant:%Y-%m-%d %H:%M:%S} UTC")
    return item


def create_item(
    resource: Resource[Any],
    author: Author,
    fields: Mapping[str, JsonValue],
    *,
    row: int | None = None,
    dry: bool = False,
) -> Any:
    """Raises Problem 409 when the key is taken, 422 for fields that are not valid."""
    _only(fields, taken_on_create(resource))
    given = {**fields, **resource.new_id(author.call, fields, row)}
    item = _built(resource, {**given, **resource.complete(author.call, given)}, prefix="body")
    _owned(resource, author.call, item)
    resource.judge(author.call, None, item)
    refuse_unsound(resource, author.call, None, item)
    if dry:
        if backend.reader(resource.spec, resource.model).get(**_parts(resource, item)) is not None:
            raise _taken(resource, item)
        resource.rehearse(author.call, None, item)
        return item
    resource.claim(author.call, None, item)
    try:
        return backend.store(resource.spec, resource.model).create(item, **author.of(row))
    except StaleVersion as stale:
        left = left_by(resource, _parts(resource, item), author.of(row)["request_id"])
        if left is None or left.item is None:
            raise _taken(resource, item) from stale
        return left.item  # this very call had made it, and somebody was there since


def replace_item(
    resource: Resource[Any],
    author: Author,
    before: Any,
    fields: Mapping[str, JsonValue],
    *,
    row: int | None = None,
    dry: bool = False,
) -> Any:
    """All fields but the key anew; what the server decides stays."""
    _only(fields, taken_on_change(resource))
    stays = _server_fields(resource) | resource.kept(author.call)
    kept = {name: value for name, value in before.plain().items() if name in stays}
    return change_item(resource, author, before, {**kept, **fields}, row=row, dry=dry)


def patch_item(
    resource: Resource[Any],
    author: Author,
    before: Any,
    fields: Mapping[str, JsonValue],
    *,
    row: int | None = None,
    dry: bool = False,
) -> Any:
    """Some fields, by RFC 7396: null removes, an object is merged, anything else replaces."""
    _only(fields, taken_on_change(resource))
    unread = sorted(resource.secret(author.call, before) & set(fields))
    if unread:  # also when the value is the stored one: the answer would tell whether a guess is right
        raise Problem(HTTPStatus.FORBIDDEN, f"{', '.join(unread)} of this {resource.noun} is not yours to read.")
    return change_item(resource, author, before, _merged(before.plain(), fields), row=row, dry=dry)


def change_item(
    resource: Resource[Any],
    author: Author,
    before: Any,
    state: Mapping[str, JsonValue],
    *,
    row: int | None = None,
    dry: bool = False,
    judged: bool = True,
) -> Any:
    """Write `state` over an item that was read. Raises Problem 412 when another write came first.

    `judged`: an edit, which the resource may refuse. A verb has its own rules.
    """
    after = _built(resource, {**state, "version": before.version}, prefix="body")
    if _parts(resource, after) != _parts(resource, before):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"A {resource.noun} keeps its key; make a new one instead.")
    _owned(resource, author.call, after)
    if judged:
        resource.judge(author.call, before, after)
        refuse_unsound(resource, author.call, before, after)
    if dry:
        resource.rehearse(author.call, before, after)
        return after
    resource.claim(author.call, before, after)
    try:
        return backend.store(resource.spec, resource.model).update(
            after, expected_version=before.version, **author.of(row)
        )
    except StaleVersion as stale:
        raise stale_problem(resource, before, stale.expected) from stale


def delete_item(
    resource: Resource[Any], author: Author, before: Any, *, row: int | None = None, dry: bool = False
) -> None:
    """Raises Problem 412 when another write came first."""
    resource.judge(author.call, before, None)
    resource.rule(author.call, before, None)
    if dry:
        resource.rehearse(author.call, before, None)
        return
    try:
        backend.store(resource.spec, resource.model).delete(
            before, expected_version=before.version, **author.of(row)
        )
    except StaleVersion as stale:
        raise stale_problem(resource, before, stale.expected) from stale


def refuse_unsound(resource: Resource[Any], call: Call, before: Any, after: Any) -> None:
    """What nobody may write, an admin included. Raises Problem 422 or what the rule of the resource raises."""
    if after is not None:
        refuse_unknown(call, resource.spec, before, after)
    resource.rule(call, before, after)


def matched(resource: Resource[Any], call: Call, item: Any) -> None:
    """The version of If-Match is the item's. Raises Problem 428 without the header, 412 for another version."""
    given = call.headers.get("if-match", "").strip()
    if not given:
        raise Problem(
            HTTPStatus.PRECONDITION_REQUIRED,
            f"Send If-Match with the ETag of the {resource.noun} that you read, so that nobody's change is lost.",
        )
    if given == "*":
        return
    versions = versions_of(given)
    if item.version not in versions:
        raise stale_problem(resource, item, max(versions))


def versions_of(given: str) -> set[int]:
    """The versions that a header If-Match names. Raises Problem 422 for what is no ETag of ours."""
    versions = [_ETAG.fullmatch(one.strip()) for one in given.split(",")]
    if not all(versions):
        raise invalid((FieldError("header.if-match", 'an ETag is written "3"'),))
    return {int(found[1]) for found in versions if found}


def same_version(resource: Resource[Any], item: Any, version: int) -> None:
    """The version that a bulk row names is the item's. Raises Problem 412."""
    if item.version != version:
        raise stale_problem(resource, item, version)


def stale_problem(resource: Resource[Any], item: Any, expected: int) -> Problem:
    """412, with the item as it is now and who changed it."""
    parts = _parts(resource, item)
    current = backend.reader(resource.spec, resource.model).get(**parts)
    item_key = resource.spec.item_key(resource.spec.key(parts))
    log = backend.reader(CHANGELOG, Change)
    last = next(log.query("by_item", item_key=item_key, backwards=True, limit=1), None)
    who = f" {last.actor} changed it at {last.instant:%Y-%m-%d %H:%M:%S} UTC." if last is not None else ""
    extra: dict[str, Any] = {"current": None if current is None else answer_of(resource, current)}
    headers: dict[str, str] = {}
    if isinstance(current, Versioned):
        headers["etag"] = etag(current)
    if last is not None:
        extra |= {"changed_by": last.actor, "changed_at": last.plain()["instant"], "change_reason": last.reason}
    found = "deleted" if current is None else f"at version {current.version}"
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        f"The {resource.noun} is {found}, you read version {expected}.{who} Compare and repeat your change.",
        headers=headers,
        extra=extra,
    )


def etag(item: Versioned) -> str:
    """The entity tag of an item."""
    return f'"{item.version}"'


def answer_of(resource: Resource[Any], item: Any) -> dict[str, Any]:
    """An item with its key, as JSON values."""
    shown = set((resource.answer or type(item)).model_fields)
    item = resource.narrow(current_call(), item)
    secret = resource.secret(current_call(), item)
    values = item.model_dump(mode="json", include=shown)
    kept = {name: value for name, value in values.items() if name not in secret}
    derived = {name: value(item) for name, (_, value) in resource.derived.items()}
    return kept | derived | {"key": resource.key_text(item)}


def answer_as(resource: Resource[Any], answer: type[Model], item: Any) -> Model:
    """An item as the model of its answer. Its values were validated when it was read or written, so they are taken
    as they are: reading them from JSON again was a fifth of a list."""
    item = resource.narrow(current_call(), item)
    secret = resource.secret(current_call(), item)
    shown = [name for name in type(item).model_fields if name in answer.model_fields and name not in secret]
    values = {name: getattr(item, name) for name in shown}
    derived = {name: value(item) for name, (_, value) in resource.derived.items() if name in answer.model_fields}
    return answer.model_construct(**values, **derived, key=resource.key_text(item))


def _parts(resource: Resource[Any], item: Any) -> dict[str, Any]:
    return {part: getattr(item, part) for part in resource.spec.key_parts}


def _taken(resource: Resource[Any], item: Any) -> Problem:
    return Problem(HTTPStatus.CONFLICT, f"The {resource.noun} {resource.key_text(item)} exists already.")


def _only(fields: Mapping[str, JsonValue], taken: frozenset[str]) -> None:
    """A single call is checked by its model; a row of a bulk call is checked here for the same names."""
    wrong = sorted(set(fields) - taken)
    if wrong:
        raise invalid(tuple(FieldError(f"body.{name}", "is not taken here") for name in wrong))


def _owned(resource: Resource[Any], call: Call, item: Any) -> None:
    if resource.owner is not None and not visible(call).sees(resource.owner(item)):
        raise Problem(HTTPStatus.FORBIDDEN, f"The {resource.noun} would belong to somebody else.")


def _server_fields(resource: Resource[Any]) -> set[str]:
    return {*resource.server, *resource.spec.key_parts}


def _built(resource: Resource[Any], state: Mapping[str, JsonValue], *, prefix: str) -> Any:
    try:
        return resource.model.model_validate(state)
    except ValidationError as error:
        raise invalid(errors_of(error, prefix)) from error


def _merged(target: Mapping[str, JsonValue], patch: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    result = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            inner = result.get(name)
            result[name] = _merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[name] = value
    return result
