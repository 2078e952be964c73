"""Comparing two states of an item, and moving between them.

Belongs here: the difference of two states, applying and reverting it, where a change stands in the log.
Does not belong here: writing changes (prism_resources/tables) and rebuilding tables at an instant.
A state is the plain JSON form of an item by field, without its version; a field of no value is absent.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.models.base import Versioned
from prism_core.models.changes import Change, Changes, FieldChange, Operation

State = Mapping[str, JsonValue]

Side = Literal["before", "after"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID_RANDOM_BYTES = 10
_RANDOM_BITS = 80
_VERSION_BYTES = 4


def state_of(item: Versioned | None) -> dict[str, JsonValue]:
    """The state of an item; an item that does not exist has no fields."""
    if item is None:
        return {}
    return {name: value for name, value in item.plain().items() if name != "version"}


def diff(before: State, after: State) -> Changes:
    """The fields that differ, each with `before` and `after`; a side is missing where the field was absent.

    Only changed fields: a screenshot of 100 kB stands in the change that touches it and in no other.
    """
    changes: Changes = {}
    for name in sorted({*before, *after}):
        if name in before and name in after and _same(before[name], after[name]):
            continue
        change: FieldChange = {}
        if name in before:
            change["before"] = before[name]
        if name in after:
            change["after"] = after[name]
        changes[name] = change
    return changes


def apply(state: State, changes: Changes) -> dict[str, JsonValue]:
    """The state after the change. Raises PermanentFailure when `state` is not the one it was made on."""
    return _move(state, changes, reverse=False)


def revert(state: State, changes: Changes) -> dict[str, JsonValue]:
    """The state before the change. Raises PermanentFailure naming the fields that changed again since."""
    return _move(state, changes, reverse=True)


def conflicts(state: State, changes: Changes, *, reverse: bool = False) -> tuple[str, ...]:
    """The fields of a change that do not stand in `state` as it expects: reverting would lose a later edit."""
    return tuple(
        name
        for name, change in changes.items()
        if not _stands(state, name, change, "after" if reverse else "before")
    )


def _move(state: State, changes: Changes, *, reverse: bool) -> dict[str, JsonValue]:
    moved = conflicts(state, changes, reverse=reverse)
    if moved:
        word = "revert" if reverse else "apply"
        raise PermanentFailure(f"cannot {word} the change: {', '.join(moved)} no longer has the value it names")
    target: Side = "before" if reverse else "after"
    result = dict(state)
    for name, change in changes.items():
        if target in change:
            result[name] = change[target]
        else:
            result.pop(name, None)
    return result


def _stands(state: State, name: str, change: FieldChange, side: Side) -> bool:
    if side not in change:
        return name not in state
    return name in state and _same(state[name], change[side])


def _same(left: JsonValue, right: JsonValue) -> bool:
    """Equal as JSON: Python takes True for 1, JSON does not."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))
    return isinstance(left, bool) is isinstance(right, bool) and left == right


def shard_of(item_key: str, shards: int) -> int:
    """The shard of an item's changes: the same on every machine and in every release (never `hash`)."""
    if shards < 1:
        raise BadUsage(f"the change log has at least one shard, not {shards}")
    return int.from_bytes(hashlib.sha256(item_key.encode()).digest()[:8]) % shards


def ulid(instant: datetime, randomness: bytes, after: str | None = None) -> str:
    """26 characters that sort by instant, then by randomness (10 bytes). A pure function.

    With `after`, an earlier ULID, the result sorts after it even within one millisecond or when the clock
    went back. Raises BadUsage when the randomness has another length or is exhausted.
    """
    if len(randomness) != ULID_RANDOM_BYTES:
        raise BadUsage(f"a ULID takes {ULID_RANDOM_BYTES} random bytes, not {len(randomness)}")
    number = (_milliseconds(instant) << _RANDOM_BITS) | int.from_bytes(randomness)
    if after is not None:
        earlier = _ulid_number(after)
        if number >> _RANDOM_BITS <= earlier >> _RANDOM_BITS:
            number = earlier + 1
    if number >> (48 + _RANDOM_BITS):
        raise BadUsage("no later ULID exists")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def _milliseconds(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise BadUsage(f"{instant!r} has no time zone")
    milliseconds = (instant - _EPOCH) // timedelta(milliseconds=1)
    if milliseconds < 0:
        raise BadUsage(f"{instant} lies before 1970, where ULIDs begin")
    return milliseconds


def _ulid_number(text: str) -> int:
    number = 0
    for character in text:
        number = number * 32 + _CROCKFORD.index(character)
    return number


def change_of(
    *,
    table: str,
    item_key: str,
    operation: Operation,
    version: int,
    changes: Changes,
    now: datetime,
    actor: str,
    reason: str,
    request_id: str,
    shards: int,
) -> Change:
    """The entry of one write. The same arguments always give the same entry, so that a retry is a replay.

    Its ULID starts with the version: under a fixed clock the versions of an item still sort in order.
    """
    seed = "\n".join((item_key, operation, str(version), request_id))
    randomness = version.to_bytes(_VERSION_BYTES) + hashlib.sha256(seed.encode()).digest()[:6]
    return Change(
        table=table,
        week=Week.of(now),
        shard=shard_of(item_key, shards),
        instant=now,
        ulid=ulid(now, randomness),
        item_key=item_key,
        operation=operation,
        version=version,
        changes=changes,
        actor=actor,
        reason=reason,
        request_id=request_id,
    )
