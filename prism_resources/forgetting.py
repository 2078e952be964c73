"""Forgetting a person: their rows, the personal values of what remains, and the key of all their history.

Belongs here: who can be forgotten, a member or somebody who is none; and the order, which lets a killed run be
repeated: rows first, the key last. What remains (hours off, allocations, work done, what was asked for) is kept
under an id, which names nobody any more.
Does not belong here: keys themselves (privacy.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic.fields import FieldInfo

from prism_core.failures import BadUsage, TransientFailure
from prism_core.models.base import Versioned
from prism_core.models.changes import Change, Operation
from prism_core.models.reports import Recipient
from prism_core.privacy import FORGOTTEN, holds_members, person_of
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, RECIPIENTS, REQUESTS, TABLES, TableSpec
from prism_resources.privacy import PersonKeys
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What forgetting a person did. `key` is False when there was none (any more)."""

    person: str
    deleted: int
    blanked: int
    key: bool


@dataclass(frozen=True, slots=True)
class Touched:
    """An item that forgetting would change. `entries` of the change log hold values that become unreadable."""

    item: str
    deleted: bool
    entries: int


@dataclass(frozen=True, slots=True)
class Person:
    """Whose personal values are forgotten: a member, or somebody who is none and stands in one item alone.

    `name` is what their data key is kept under.
    """

    noun: str
    id: str
    name: str
    tables: tuple[TableSpec, ...]


def member(member_id: str) -> Person:
    """A member, in every table that holds personal values of members."""
    return Person("member", member_id, member_id, tuple(member_tables()))


def recipient(recipient_id: str) -> Person:
    """Who gets reports, member or not."""
    return Person("recipient", recipient_id, person_of(RECIPIENTS, {"recipient_id": recipient_id}), (RECIPIENTS,))


def requester(request_id: str) -> Person:
    """Who asked for capacity, by the request."""
    return Person("request", request_id, person_of(REQUESTS, {"request_id": request_id}), (REQUESTS,))


def refuse_named(dynamodb: "DynamoDBClient", settings: Settings, member_id: str, reason: str) -> None:
    """Raise BadUsage when the reason names the member, as `forget_member` does, but before anything is done."""
    _refuse_names(
        [item for _, item in _work(dynamodb, settings, PersonKeys(dynamodb, settings), member(member_id))], reason
    )


def forget_member(
    dynamodb: "DynamoDBClient",
    settings: Settings,
    member_id: str,
    *,
    actor: str,
    reason: str,
    request_id: str,
    now: datetime,
) -> Forgotten:
    """A member, and the same person as recipient of reports. Raises as `forget` does."""
    author: Any = {"actor": actor, "reason": reason, "request_id": request_id, "now": now}
    # While the member is there, its reason is judged before anything is done.
    refuse_named(dynamodb, settings, member_id, reason)
    recipients = _as_recipient(dynamodb, settings, PersonKeys(dynamodb, settings), member_id)
    done = [forget(dynamodb, settings, one, **author) for one in recipients]
    try:
        done.append(forget(dynamodb, settings, member(member_id), **author))
    except BadUsage:
        if not done:
            raise
    return Forgotten(
        member_id, sum(one.deleted for one in done), sum(one.blanked for one in done), any(one.key for one in done)
    )


def touched_of_member(dynamodb: "DynamoDBClient", settings: Settings, member_id: str) -> list[Touched]:
    """What `forget_member` would delete or blank; nothing is written.

    Raises BadUsage when nobody has this id, nor a key. An empty list: only the key is left to delete.
    """
    keys = PersonKeys(dynamodb, settings)
    log = TableReader(dynamodb, settings, CHANGELOG, Change)
    people = [*_as_recipient(dynamodb, settings, keys, member_id), member(member_id)]
    work = [one for person in people for one in _work(dynamodb, settings, keys, person)]
    if not work and all(keys.find(person.name, fresh=True) is None for person in people):
        raise BadUsage(f"there is no member {member_id!r}, nor a key of one; nothing is left to forget")
    found: list[Touched] = []
    for store, item in work:
        key = store.spec.item_key(store.spec.key_of(item))
        entries = [one for one in log.query("by_item", item_key=key) if {*store.spec.personal} & {*one.changes}]
        found.append(Touched(key, _emptied(store.spec, item) is None, len(entries)))
    return found


def forget(
    dynamodb: "DynamoDBClient",
    settings: Settings,
    person: Person,
    *,
    actor: str,
    reason: str,
    request_id: str,
    now: datetime,
) -> Forgotten:
    """Delete or blank the items of a person, and delete their data key.

    Each write is logged like any other; its sealed values are lost with the key, as all before them. Repeating
    it after a kill finishes it. Raises BadUsage when nobody has this id, or when the reason names the person,
    since it stands in the log; TransientFailure when the person is being written all the time.
    """
    keys = PersonKeys(dynamodb, settings)
    author: Any = {"actor": actor, "reason": reason, "now": now}
    deleted, blanked, had_key = 0, 0, False
    for number in range(ROUNDS):
        work = list(_work(dynamodb, settings, keys, person))
        if not number:
            _refuse_names([item for _, item in work], reason)
        if not work and keys.find(person.name, fresh=True) is None:
            if number:
                return Forgotten(person.id, deleted, blanked, had_key)
            raise BadUsage(f"there is no {person.noun} {person.id!r}, nor a key of one; nothing is left to forget")
        for store, item in work:
            version, request = item.version, f"{request_id}:{number}"
            empty = _emptied(store.spec, item)
            if empty is None:
                store.delete(item, expected_version=version, request_id=request, **author)
                deleted += 1
            else:
                store.update(empty, expected_version=version, request_id=request, **author)
                blanked += 1
        had_key = keys.forget(person.name) or had_key
    raise TransientFailure(f"{person.id} is written again and again; end their sign-in first, then repeat this")


def _as_recipient(
    dynamodb: "DynamoDBClient", settings: Settings, keys: PersonKeys, member_id: str
) -> list[Person]:
    """A member as recipient of reports: their name and address stand there, too, under another key.

    Also one whose row is gone, deleted before or by a run that was killed: the key of its history is still there,
    and the log says whose it was.
    """
    reader = TableReader(dynamodb, settings, RECIPIENTS, Recipient)
    log = TableReader(dynamodb, settings, CHANGELOG, Change)
    found = [one.recipient_id for one in reader.query("by_member", member_id=member_id)]
    beginning = recipient("").name
    for name in keys.whose(beginning):
        recipient_id = name.removeprefix(beginning)
        if recipient_id in found or reader.get(recipient_id=recipient_id) is not None:
            continue
        # Whose it was at last: it may have been somebody else's before.
        owner = None
        for one in log.query("by_item", item_key=RECIPIENTS.item_key({"recipient_id": recipient_id})):
            if given := one.changes.get("member_id"):
                owner = given.get("before" if one.operation is Operation.DELETE else "after")
        if owner == member_id:
            found.append(recipient_id)
    return [recipient(one) for one in found]


def member_tables() -> list[TableSpec]:
    """The tables that hold personal values of members."""
    return [spec for spec in TABLES.values() if holds_members(spec)]


def _work(
    dynamodb: "DynamoDBClient", settings: Settings, keys: PersonKeys, person: Person
) -> Iterator[tuple[TableStore[Any], Any]]:
    """Items that still hold something personal."""
    for spec in person.tables:
        store: TableStore[Any] = TableStore(dynamodb, settings, spec, spec.model, keys=keys)
        parts: Any = {spec.partition.name: person.id}
        for item in store.query(spec.home, **parts, consistent=True):
            if _emptied(spec, item) != item:
                yield store, item


def _emptied(spec: TableSpec, item: Versioned) -> Versioned | None:
    """The item without its personal values; None when it is nothing without them."""
    left = left_of_personal(spec)
    return None if left is None else item.model_copy(update=left)


def left_of_personal(spec: TableSpec) -> dict[str, Any] | None:
    """What stands in the personal fields of somebody who is forgotten; None when such an item is deleted."""
    if spec is REQUESTS:  # what was asked for stays, whoever asked
        return {"requester": FORGOTTEN}
    fields: dict[str, FieldInfo] = spec.model.model_fields
    if any(fields[name].is_required() for name in spec.personal):
        return None
    return {name: fields[name].get_default() for name in spec.personal}


def _refuse_names(items: list[Any], reason: str) -> None:
    """A reason stands in the change log for ever, in the clear."""
    words = {getattr(item, name, "") for item in items for name in ("name", "email", "requester")}
    if any(word and re.search(rf"\b{re.escape(word)}\b", reason, re.IGNORECASE) for word in words):
        raise BadUsage("the reason names the person who is to be forgotten, and it is kept; give another one")
