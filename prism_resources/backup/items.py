"""The items of one table as of an instant, from a backup and the changes between.

Belongs here: moving each item to the instant, opening what is personal, and what is left of a person who was
forgotten since. Does not belong here: writing them (restoring.py) and reading changes (changes.py).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from pydantic import JsonValue, ValidationError

from prism_core.backups import BackupManifest
from prism_core.failures import PermanentFailure
from prism_core.history.changes import state_of
from prism_core.history.rebuild import in_order, moved_to, until
from prism_core.models.base import Versioned, instant_text
from prism_core.models.changes import Change, Operation
from prism_core.privacy import forgotten, is_forgotten
from prism_core.tables import CHANGELOG, Key, TableSpec
from prism_resources.backup.changes import ChangeBook
from prism_resources.backup.parts import items_of
from prism_resources.forgetting import left_of_personal
from prism_resources.lake import Lake
from prism_resources.privacy import PersonKeys
from prism_resources.tables.codec import LAST_WRITE, Item, decode, decode_value, encode, encode_value
from prism_resources.tables.history import key_of_item_key


class ItemsAt:
    """One table at one instant. `moved`, `absent` and `blanked` count while the items are taken."""

    def __init__(
        self,
        spec: TableSpec,
        book: ChangeBook,
        keys: PersonKeys,
        at: datetime,
        *,
        when_forgotten: Callable[[], None] = lambda: None,
    ) -> None:
        self._spec, self._book, self._keys, self._at = spec, book, keys, at
        self._left = left_of_personal(spec)
        self._when_forgotten = when_forgotten
        self.moved = self.absent = self.blanked = 0

    def of(self, lake: Lake, base: BackupManifest, low: datetime) -> Iterator[Item]:
        """Every item as it is to be stored. `low` is where the gathered changes begin."""
        found = items_of(lake, base, self._spec.name)
        if self._spec.name == CHANGELOG.name:
            return self._log(found, low)
        return self._logged(found) if self._spec.logged else found

    def _log(self, found: Iterable[Item], low: datetime) -> Iterator[Item]:
        """The log itself: what is older than the gathered changes from the backup, the rest from these."""
        last = instant_text(low)
        yield from (raw for raw in found if raw["instant"]["S"] <= last)
        yield from self._book.stored(until=self._at)

    def _logged(self, found: Iterable[Item]) -> Iterator[Item]:
        for raw in found:
            key: Key = {attribute.name: raw[attribute.name]["S"] for attribute in self._spec.key_attributes}
            item = self._at_instant(self._spec.item_key(key), self._opened(key, raw), raw)
            if item is not None:
                yield item
        for item_key in self._book.others(self._spec.name):
            key_of_item_key(self._spec, item_key)  # a damaged log is said here, not as a strange item
            item = self._at_instant(item_key, {}, None)
            if item is not None:
                yield item

    def _opened(self, key: Key, raw: Item) -> dict[str, JsonValue]:
        """The personal values of an item, in the clear or forgotten."""
        values = {name: decode_value(raw[name]) for name in self._spec.personal if name in raw}
        return self._keys.unseal_row(self._spec, key, values) if values else {}

    def _at_instant(self, item_key: str, personal: dict[str, JsonValue], raw: Item | None) -> Item | None:
        changes = [self._keys.unseal(self._spec, change) for change in self._book.of(item_key)]
        if not changes:
            return None if raw is None else self._unmoved(personal, raw)
        if self._left is None and any(map(is_forgotten, personal.values())):
            self._count_absent(exists=_existed(changes, self._at, now=raw is not None))
            return None
        before = None if raw is None else self._state(personal, raw)
        last_write = None if raw is None else raw.get(LAST_WRITE, {}).get("S")
        after = moved_to(before, changes, self._at, last_write=last_write)
        if before is not None and after is not None and before["version"] == after["version"] and raw is not None:
            return self._unmoved(personal, raw)
        self.moved += before is not None or after is not None
        return None if after is None else self._stored(item_key, after, changes)

    def _unmoved(self, personal: dict[str, JsonValue], raw: Item) -> Item | None:
        lost = [name for name, value in personal.items() if is_forgotten(value)]
        if lost and self._left is None:
            self._count_absent(exists=True)
            return None
        values = personal | {name: self._left[name] for name in lost if self._left is not None}
        self._count_blanked(lost)
        kept = {name: value for name, value in raw.items() if name not in values}
        return kept | {name: encode_value(value) for name, value in values.items() if value is not None}

    def _state(self, personal: dict[str, JsonValue], raw: Item) -> dict[str, JsonValue]:
        """The row as the change log compares it, with its version."""
        lost = [name for name, value in personal.items() if is_forgotten(value)]
        clear = {name: encode_value(value) for name, value in personal.items() if name not in lost}
        item: Any = decode(
            self._spec,
            self._spec.model,
            {name: value for name, value in raw.items() if name not in lost} | clear,
        )
        assert isinstance(item, Versioned)  # noqa: S101 - the table is logged
        return state_of(item) | {"version": item.version} | {name: forgotten() for name in lost}

    def _stored(self, item_key: str, state: dict[str, JsonValue], changes: list[Change]) -> Item | None:
        lost = [name for name, value in state.items() if is_forgotten(value)]
        if lost and self._left is None:
            self._count_absent(exists=True)
            return None
        self._count_blanked(lost)
        kept = {name: value for name, value in state.items() if name not in lost}
        try:
            item = self._spec.model.from_plain(kept)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
            )
            raise PermanentFailure(
                f"{item_key} as of {instant_text(self._at)} is not valid any more: {problems}; leave its table "
                "out with --tables, or restore it with the version of PRISM that wrote it"
            ) from None
        wrote = next((one.request_id for one in changes if one.version == state["version"]), None)
        beside = {} if wrote is None else {LAST_WRITE: encode_value(wrote)}
        return encode(self._spec, item, beside={name: dict(value) for name, value in beside.items()})

    def _count_absent(self, *, exists: bool) -> None:
        self._when_forgotten()
        self.absent += exists

    def _count_blanked(self, lost: list[str]) -> None:
        if lost:
            self._when_forgotten()
            self.blanked += 1


def _existed(changes: list[Change], instant: datetime, *, now: bool) -> bool:
    ordered = in_order(changes)
    made = until(ordered, instant)
    if made:
        return ordered[made - 1].operation is not Operation.DELETE
    return ordered[0].operation is not Operation.CREATE if ordered else now
