"""What changes between two instants amount to, item by item.

Belongs here: folding the changes of an item into one difference. Does not belong here: the order of changes
(rebuild.py), the difference of two states that are at hand (changes.py), reading the log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from prism_core.history.changes import Side, diff
from prism_core.history.rebuild import by_item, in_order
from prism_core.models.changes import Change, Changes, Operation
from prism_core.privacy import is_forgotten


@dataclass(frozen=True, slots=True)
class Difference:
    """An item that is another at the end than it was at the beginning: what, who had a hand in it, how often.

    `operation` is what the difference amounts to; `version` and `last` are those of the last of `writes` changes.
    """

    item_key: str
    operation: Operation
    changes: Changes
    actors: tuple[str, ...]
    writes: int
    version: int
    last: datetime


def differences(changes: Iterable[Change]) -> list[Difference]:
    """From all changes between two instants, in any order; sorted by item.

    An item that was changed back is none, nor one that came and went in between. A forgotten value may have been
    another, so its field stays.
    """
    of_items = by_item(changes)
    found = [_difference(in_order(of_items[item_key])) for item_key in sorted(of_items)]
    return [difference for difference in found if difference is not None]


def _difference(ordered: list[Change]) -> Difference | None:
    first, last = ordered[0], ordered[-1]
    existed, exists = first.operation is not Operation.CREATE, last.operation is not Operation.DELETE
    if not existed and not exists:
        return None
    before, after = _side(reversed(ordered), "before"), _side(ordered, "after")
    lost = {
        name for name in before.keys() & after.keys() if is_forgotten(before[name]) or is_forgotten(after[name])
    }
    changed = diff(before, after)
    for name in lost:
        changed[name] = {"before": before[name], "after": after[name]}
    if existed and exists and not changed:
        return None
    operation = Operation.UPDATE if existed and exists else Operation.CREATE if exists else Operation.DELETE
    actors = tuple(dict.fromkeys(change.actor for change in ordered))
    return Difference(
        last.item_key, operation, dict(sorted(changed.items())), actors, len(ordered), last.version, last.instant
    )


def _side(changes: Iterable[Change], side: Side) -> Mapping[str, JsonValue]:
    """Each field that was touched, as the last of these changes has it on this side."""
    found: dict[str, JsonValue] = {}
    for change in changes:
        for name, one in change.changes.items():
            found.pop(name, None)
            if side in one:
                found[name] = one[side]
    return found
