"""A write that is repeated after its answer was lost, and answered as it was the first time.

Belongs here: recognising that a request had written an item, at the item itself or in its last changes, and the
state that it left. Does not belong here: keeping answers (idempotency.py), which knows the ones that were given.
Looked up only where a call would be refused, since what it asks for has happened: at no cost for the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prism_api.api import backend
from prism_api.api.problems import Problem
from prism_api.api.resource import Resource
from prism_core.models.changes import Change
from prism_core.privacy import readable
from prism_core.tables import CHANGELOG
from prism_resources.tables.codec import LAST_WRITE, decode

NEWEST_CHANGES = 20


@dataclass(frozen=True, slots=True)
class Left:
    """What a request left: the item, None where it deleted it."""

    item: Any


def left_at(
    resource: Resource[Any], key: str, request_id: str, instead: Mapping[str, str] | None = None
) -> Left | None:
    """The same by the key as it stands in URLs, some of its parts `instead`; None for one that names nothing."""
    try:
        parts = resource.key_parts(key)
    except Problem:
        return None
    return left_by(resource, {**parts, **(instead or {})}, request_id)


def left_by(resource: Resource[Any], parts: Mapping[str, Any], request_id: str) -> Left | None:
    """What this very request made of an item, whatever happened to it since; None when it did not write it."""
    spec = resource.spec
    key = spec.key(parts)
    raw = backend.reader(spec, resource.model).read(key)
    if raw is not None and raw.get(LAST_WRITE, {}).get("S") == request_id:
        return Left(decode(spec, resource.model, raw))
    # Somebody was there in between, or it is deleted. The index may lag by a moment.
    changes = backend.reader(CHANGELOG, Change).query(
        "by_item", item_key=spec.item_key(key), backwards=True, limit=NEWEST_CHANGES
    )
    ours = next((change for change in changes if change.request_id == request_id), None)
    if ours is None:
        return None
    state = backend.history().item_at(spec, key, ours.instant)
    return Left(None if state is None else resource.model.from_plain(readable(spec, state)))
