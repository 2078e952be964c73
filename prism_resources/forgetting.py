"""Forgetting a person: their rows, the personal values of what remains, and the key of all their history.

Belongs here: the order, which lets a killed run be repeated: rows first, the key last. What remains (hours off,
allocations, work done) is kept under the member id, which names nobody any more.
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
from prism_core.privacy import holds_members
from prism_core.settings import Settings
from prism_core.tables import TABLES, TableSpec
from prism_resources.privacy import PersonKeys
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
    """Delete a member, blank their personal values elsewhere, and delete their data key.

    Each write is logged like any other; its sealed values are lost with the key, as all before them. Repeating
    it after a kill finishes it. Raises BadUsage when nobody has this id, or when the reason names the person,
    since it stands in the log; TransientFailure when the member is being written all the time.
    """
    keys = PersonKeys(dynamodb, settings)
    author: Any = {"actor": actor, "reason": reason, "now": now}
    deleted, blanked, had_key = 0, 0, False
    for number in range(ROUNDS):
        work = list(_work(dynamodb, settings, keys, member_id))
        if not number:
            _refuse_names([item for _, item in work], reason)
        if not work and keys.find(member_id, fresh=True) is None:
            if number:
                return Forgotten(member_id, deleted, blanked, had_key)
            raise BadUsage(f"there is no member {member_id!r}, nor a key of one; nothing is left to forget")
        for store, item in work:
            version, request = item.version, f"{request_id}:{number}"
            empty = _emptied(store.spec, item)
            if empty is None:
                store.delete(item, expected_version=version, request_id=request, **author)
                deleted += 1
            else:
                store.update(empty, expected_version=version, request_id=request, **author)
                blanked += 1
        had_key = keys.forget(member_id) or had_key
    raise TransientFailure(f"{member_id} is written again and again; end their sign-in first, then repeat this")


def member_tables() -> list[TableSpec]:
    """The tables that hold personal values of members."""
    return [spec for spec in TABLES.values() if holds_members(spec)]


def _work(
    dynamodb: "DynamoDBClient", settings: Settings, keys: PersonKeys, member_id: str
) -> Iterator[tuple[TableStore[Any], Any]]:
    """Items that still hold something personal."""
    for spec in member_tables():
        store: TableStore[Any] = TableStore(dynamodb, settings, spec, spec.model, keys=keys)
        for item in store.query(spec.home, member_id=member_id, consistent=True):
            if _emptied(spec, item) != item:
                yield store, item


def _emptied(spec: TableSpec, item: Versioned) -> Versioned | None:
    """The item without its personal values; None when it is nothing without them."""
    left = left_of_personal(spec)
    return None if left is None else item.model_copy(update=left)


def left_of_personal(spec: TableSpec) -> dict[str, Any] | None:
    """What stands in the personal fields of somebody who is forgotten; None when such an item is deleted."""
    fields: dict[str, FieldInfo] = spec.model.model_fields
    if any(fields[name].is_required() for name in spec.personal):
        return None
    return {name: fields[name].get_default() for name in spec.personal}


def _refuse_names(items: list[Any], reason: str) -> None:
    """A reason stands in the change log for ever, in the clear."""
    words = {getattr(item, name, "") for item in items for name in ("name", "email")}
    if any(word and re.search(rf"\b{re.escape(word)}\b", reason, re.IGNORECASE) for word in words):
        raise BadUsage("the reason names the person who is to be forgotten, and it is kept; give another one")
