"""The state of an item, or of a list, at an instant.

Belongs here: the order of changes, replaying them from the beginning, undoing them from the current rows, and
what an undo of one change makes. The two ways agree; replaying is the reference.
Does not belong here: reading changes and rows (prism_resources/tables/history.py) and snapshots of many weeks.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Final, Protocol, TypeVar

from pydantic import JsonValue

from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.history.changes import Side, State, apply, conflicts, revert
from prism_core.models.base import instant_text
from prism_core.models.changes import UNDO, Change, Changes, FieldChange, Operation
from prism_core.privacy import is_forgotten

_INVERSE: Final = {
    Operation.CREATE: Operation.DELETE,
    Operation.UPDATE: Operation.UPDATE,
    Operation.DELETE: Operation.CREATE,
}


class TooManyChanges(BadUsage):
    """A list at an instant that would cost too much while somebody waits."""

    def __init__(self, table: str, instant: datetime, limit: int, what: str) -> None:
        self.table, self.instant, self.limit = table, instant, limit
        super().__init__(
            f"{table} as of {instant_text(instant)} lies more than {limit:,} {what} back; "
            f"run `prism as-of {table} --at {instant_text(instant)}`, which takes its time"
        )


class LaterChanges(PermanentFailure):
    """A change that cannot be undone, since later ones stand on it."""

    def __init__(self, change: Change, fields: Sequence[str], later: Change | None) -> None:
        self.change, self.fields, self.later = change, tuple(fields), later
        by = (
            f"version {later.version} of {instant_text(later.instant)} by {later.actor} stands on it"
            if later is not None
            else "they no longer have the values that it gave them"
        )
        super().__init__(
            f"{change.item_key}: the change to version {change.version} cannot be undone: {', '.join(fields)}: "
            f"{by}; undo that first, or edit the item"
        )


class ForgottenValue(PermanentFailure):
    """A change that cannot be undone, since the person whose values it held was forgotten."""

    def __init__(self, change: Change, fields: Sequence[str]) -> None:
        self.change, self.fields = change, tuple(fields)
        super().__init__(
            f"{change.item_key}: the change to version {change.version} cannot be undone: the person was "
            f"forgotten, and with them what {', '.join(fields)} held before"
        )


class Made(Protocol):
    """What the order of changes rests on."""

    @property
    def instant(self) -> datetime: ...
    @property
    def ulid(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def operation(self) -> Operation: ...


C = TypeVar("C", bound=Made)


def in_order(changes: Iterable[C]) -> list[C]:
    """The changes of one item in the order they were made: by version, since instants come from several clocks
    and may be equal."""
    return [change for life in lives(changes) for change in life]


def lives(changes: Iterable[C]) -> list[list[C]]:
    """The same by life of the item. Only where it was created again within the lag of the index, and so began at
    an old version, there are two: the instant tells them apart."""
    found: list[list[C]] = [[]]
    for change in sorted(changes, key=lambda change: (change.instant, change.ulid)):
        if change.operation is Operation.CREATE and any(_ended_before(one, change) for one in found[-1]):
            found.append([])
        found[-1].append(change)
    return [sorted(life, key=lambda change: change.version) for life in found]


def _ended_before(change: Made, created: Made) -> bool:
    ended = change.operation is Operation.DELETE and change.version >= created.version
    return ended and change.instant < created.instant


def until(ordered: Sequence[Change], instant: datetime) -> int:
    """How many of an item's changes had been made at an instant: all before the first one that is later."""
    return next((n for n, change in enumerate(ordered) if change.instant > instant), len(ordered))


def item_at(changes: Iterable[Change], instant: datetime) -> dict[str, JsonValue] | None:
    """The state of one item at an instant, with its version, from all its changes; None when it did not exist.

    Raises PermanentFailure when the changes do not follow from one another: the log is not complete.
    """
    ordered = in_order(changes)
    return replay(ordered[: until(ordered, instant)])


def replay(ordered: Sequence[Change]) -> dict[str, JsonValue] | None:
    """The state, with its version, after changes from the very first one on."""
    state: dict[str, JsonValue] | None = None
    for change in ordered:
        if (change.operation is Operation.CREATE) is (state is not None):
            known = "exists" if state is not None else "does not exist"
            raise _gap(change, f"it is a {change.operation} of an item that {known}")
        state = _after(state or {}, change)
    return state if state is None else state | {"version": ordered[-1].version}


def list_at(changes: Iterable[Change], instant: datetime) -> dict[str, dict[str, JsonValue]]:
    """Every item of a table at an instant, from all its changes ever. The reference for `undo_since`."""
    found = {key: item_at(of_item, instant) for key, of_item in by_item(changes).items()}
    return {key: state for key, state in found.items() if state is not None}


def undo_since(
    rows: Mapping[str, State], changes: Iterable[Change], instant: datetime, *, began: datetime | None = None
) -> dict[str, dict[str, JsonValue]]:
    """Every item at an instant, from the rows of now (each with its `version`) and the changes since.

    `changes` are at least all that are later than the instant, read after the rows; items that are in neither
    did not exist. A change that is newer than its row is left out, as the row was read before it, unless it was
    made before `began`: when the rows began to be read, less what clocks may differ (None: not known).
    Raises TransientFailure when a row is newer than the changes, PermanentFailure when they do not fit.
    """
    found = {key: dict(row) for key, row in rows.items()}
    for key, of_item in by_item(changes).items():
        state = item_before(rows.get(key), of_item, instant, began=began)
        if state is None:
            found.pop(key, None)
        else:
            found[key] = state
    return found


def item_before(
    row: State | None, changes: Iterable[Change], instant: datetime, *, began: datetime | None = None
) -> dict[str, JsonValue] | None:
    """The same for one item: its row of now, None when it does not exist, and its changes since the instant."""
    states = item_states(row, changes, began=began)
    return next(state for since, state in states if since is None or since <= instant)


def item_states(
    row: State | None, changes: Iterable[Change], *, began: datetime | None = None
) -> Iterator[tuple[datetime | None, dict[str, JsonValue] | None]]:
    """Every state of an item, newest first, each with the instant since when it held (None: before all changes).

    A change that comes later in the order never holds earlier: its instant is the latest of those up to it.
    Raises as `undo_since` does.
    """
    made = in_order(changes)
    ordered = _known_to(row, made)
    if unknown := [change for change in made[len(ordered) :] if began is not None and change.instant < began]:
        stands = "is not there" if row is None else f"is at version {row.get('version')}"
        raise PermanentFailure(
            f"the history of {unknown[0].item_key} has a gap behind version {unknown[0].version} of "
            f"{instant_text(unknown[0].instant)}: the item {stands}; it was written past the change log"
        )
    if row is not None and ordered and ordered[-1].version != row.get("version"):
        raise TransientFailure(
            f"{ordered[-1].item_key} is at version {row.get('version')}, its changes end at "
            f"{ordered[-1].version}: it changed while it was read; read again"
        )
    since = list(accumulate((change.instant for change in ordered), max))
    state = None if row is None else {name: value for name, value in row.items() if name != "version"}
    version = None if row is None else row.get("version")
    for change, held_since in zip(reversed(ordered), reversed(since), strict=True):
        yield held_since, state if state is None else state | {"version": version}
        if (change.operation is Operation.DELETE) is (state is not None):
            known = "exists" if state is not None else "does not exist"
            raise _gap(change, f"it is a {change.operation}, after which the item {known}")
        state = _before(state or {}, change)
        version = change.version - 1
    yield None, state if state is None else state | {"version": version}


def moved_to(
    row: State | None, changes: Iterable[Change], instant: datetime, *, last_write: str | None = None
) -> dict[str, JsonValue] | None:
    """The state of one item at an instant, with its version, from any row of it: a later one is undone, an earlier
    one is replayed.

    `row` is as it was read at some time (None: it did not exist then), `last_write` the request that had written
    it; `changes` are all between that time and the instant, and maybe others. Raises PermanentFailure when they do
    not lead from one to the other.
    """
    ordered = in_order(changes)
    target = until(ordered, instant)
    places = _places(row, ordered, last_write)
    if not places:
        known = "did not exist" if row is None else f"was at version {row.get('version')}"
        raise _gap(ordered[0], f"no change leads to or from the row that was read, which {known}")
    # More than one where the item was absent twice (any will do), or where a life began at an old version.
    return _moved(row, ordered, min(places, key=lambda place: abs(place - target)), target)


def _places(row: State | None, ordered: Sequence[Change], last_write: str | None) -> list[int]:
    """After how many of the changes the row may have been read."""
    if row is None:
        found = [number for number, change in enumerate(ordered, 1) if change.operation is Operation.DELETE]
        return [*found, *([0] if not ordered or ordered[0].operation is Operation.CREATE else [])]
    version = row.get("version")
    found = [
        number
        for number, change in enumerate(ordered, 1)
        if change.version == version and change.operation is not Operation.DELETE
    ]
    if last_write is not None:  # an item that began anew at an old version has a version twice, a request never
        found = [number for number in found if ordered[number - 1].request_id == last_write]
    if not ordered or (not found and isinstance(version, int) and ordered[0].version == version + 1):
        found.append(0)
    return found


def _moved(row: State | None, ordered: Sequence[Change], place: int, target: int) -> dict[str, JsonValue] | None:
    state = None if row is None else {name: value for name, value in row.items() if name != "version"}
    version = None if row is None else row.get("version")
    for change in ordered[place:target]:
        if (change.operation is Operation.CREATE) is (state is not None):
            known = "exists" if state is not None else "does not exist"
            raise _gap(change, f"it is a {change.operation} of an item that {known}")
        if state is not None and isinstance(version, int) and change.version != version + 1:
            raise _gap(change, f"the version before it is {version}")
        state, version = _after(state or {}, change), change.version
    for change in reversed(ordered[target:place]):
        if (change.operation is Operation.DELETE) is (state is not None):
            known = "exists" if state is not None else "does not exist"
            raise _gap(change, f"it is a {change.operation}, after which the item {known}")
        if state is not None and change.version != version:
            raise _gap(change, f"the version after it is {version}")
        state, version = _before(state or {}, change), change.version - 1
    return state if state is None else state | {"version": version}


def by_item(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """The changes of each item."""
    found: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        found[change.item_key].append(change)
    return dict(found)


def undone(change: Change, current: State | None, later: Iterable[Change] = ()) -> dict[str, JsonValue] | None:
    """The state that an undo of one change makes of the current one (both without version); None: it deletes.

    `later` are the item's changes since: one of the same fields, or of the item's existence, is in the way, also
    where it led back to the same values. Raises LaterChanges and ForgottenValue; personal values are expected
    to be opened.
    """
    if lost := [name for name, one in change.changes.items() if any(map(is_forgotten, one.values()))]:
        raise ForgottenValue(change, lost)
    stand = [one for one in standing(later) if _stands_on(one, change)]
    again = [name for one in stand for name in (set(one.changes) & set(change.changes) or one.changes)]
    moved = tuple(dict.fromkeys((*conflicts(current or {}, change.changes, reverse=True), *sorted(again))))
    if change.operation is Operation.CREATE:  # its undo deletes the item, with whatever was added since
        moved = tuple(dict.fromkeys((*moved, *sorted(set(current or {}) - set(change.changes)))))
    should_exist = change.operation is not Operation.DELETE
    if should_exist is (current is None) and not moved:
        moved = tuple(change.changes)
    if moved:
        raise LaterChanges(change, moved, stand[-1] if stand else None)
    before = revert(current or {}, change.changes)
    return None if change.operation is Operation.CREATE else before


def standing(changes: Iterable[Change]) -> list[Change]:
    """The changes of an item without those that were taken back, and what took them back."""
    found: list[Change] = []
    for change in in_order(changes):
        place = next((n for n in reversed(range(len(found))) if _takes_back(change, found[n])), None)
        if place is None:
            found.append(change)
        else:
            del found[place]
    return found


def _takes_back(undo: Change, change: Change) -> bool:
    """By its mark, not by its values alone: who enters the old value anew wants that value."""
    if not undo.request_id.endswith(UNDO) or undo.operation is not _INVERSE[change.operation]:
        return False
    other: dict[Side, Side] = {"before": "after", "after": "before"}
    return undo.changes == {
        name: {other[side]: value for side, value in one.items()} for name, one in change.changes.items()
    }


def _stands_on(later: Change, change: Change) -> bool:
    """Whether it is about the same fields or the item's existence; on a creation stands all that follows."""
    updates = later.operation is change.operation is Operation.UPDATE
    return not updates or bool(set(later.changes) & set(change.changes))


def _known_to(row: State | None, ordered: list[Change]) -> list[Change]:
    """Without the changes that came after the row was read: beyond its version, or after the last deletion."""
    if row is not None:
        version = row.get("version")
        last = next((n for n in range(len(ordered), 0, -1) if ordered[n - 1].version == version), None)
        if last is not None:
            return ordered[:last]
        older = isinstance(version, int) and bool(ordered) and ordered[0].version > version
        return [] if older else ordered
    last = next((n for n in range(len(ordered), 0, -1) if ordered[n - 1].operation is Operation.DELETE), 0)
    return ordered[:last]


def _after(state: State, change: Change) -> dict[str, JsonValue] | None:
    changes = _fitted(state, change.changes, "before")
    if moved := conflicts(state, changes):
        raise _gap(change, f"{', '.join(moved)} had another value before")
    return None if change.operation is Operation.DELETE else apply(state, changes)


def _before(state: State, change: Change) -> dict[str, JsonValue] | None:
    changes = _fitted(state, change.changes, "after")
    if moved := conflicts(state, changes, reverse=True):
        raise _gap(change, f"{', '.join(moved)} has another value now")
    return None if change.operation is Operation.CREATE else revert(state, changes)


def _fitted(state: State, changes: Changes, side: Side) -> Changes:
    """A forgotten value, in the change or in the state, may have been any: it stands where it is compared."""

    def fitted(name: str, change: FieldChange) -> FieldChange:
        if not is_forgotten(change.get(side)) and not is_forgotten(state.get(name)):
            return change
        other: FieldChange = {kept: value for kept, value in change.items() if kept != side}
        if name in state:
            other[side] = state[name]
        return other

    return {name: fitted(name, change) for name, change in changes.items()}


def _gap(change: Change, why: str) -> PermanentFailure:
    return PermanentFailure(
        f"the history of {change.item_key} has a gap at version {change.version} of "
        f"{instant_text(change.instant)}: {why}; the item was written past the change log"
    )
