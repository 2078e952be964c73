"""The change log, read: of an item, of a table, what was at an instant, and taking a change back.

Belongs here: the partitions of the log (table, week, shard) and their cursor, opening sealed values, current
rows beside the changes. Does not belong here: what changes make of a state (prism_core/history/rebuild.py)
and writing the log (store.py).
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Generic, cast

from pydantic import JsonValue, ValidationError

from prism_core import clock
from prism_core.calendar import Week
from prism_core.clock import SKEW
from prism_core.failures import BadUsage, PermanentFailure, StaleVersion, TransientFailure
from prism_core.history.changes import State, state_of
from prism_core.history.rebuild import LaterChanges, TooManyChanges, item_before, undo_since, undone
from prism_core.models.base import Versioned, instant_text
from prism_core.models.changes import UNDO, Change, Operation
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, ITEM_KEY_SEPARATOR, Key, KeyCondition, TableSpec
from prism_resources.ahead import read_ahead
from prism_resources.privacy import PersonKeys
from prism_resources.tables.codec import decode
from prism_resources.tables.log import instant_of, log_conditions, place_of, span
from prism_resources.tables.publications import Publications
from prism_resources.tables.reader import Page, TableReader
from prism_resources.tables.store import M, TableStore, Write

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# While somebody waits: 26 weeks are 104 queries, and 2,000 changes two megabytes.
LIST_MAX_WEEKS = 26
LIST_MAX_CHANGES = 2_000
UNDO_ATTEMPTS = 3
# More weeks than these are read ahead: ten years are two thousand queries, a tick of a sensor is eight.
_FEW_WEEKS = 2
# The finest step of an instant.
TICK = timedelta(microseconds=1)

Matches = Callable[[State], bool]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Some changes, newest first; `next` leads on, None behind the last one."""

    items: list[Change]
    next: str | None


class TableHistory:
    """What happened to the items of the operational tables."""

    def __init__(self, dynamodb: "DynamoDBClient", settings: Settings, *, keys: PersonKeys | None = None) -> None:
        self._log = TableReader(dynamodb, settings, CHANGELOG, Change)
        self._dynamodb, self._settings = dynamodb, settings
        self.keys = keys or PersonKeys(dynamodb, settings)

    # -- changes -----------------------------------------------------------------------------------------

    def change(self, spec: TableSpec, key: Key) -> Change | None:
        """One change by its key in the log, personal values opened; None when there is none of this table."""
        raw = self._log.read(key)
        found = None if raw is None else decode(CHANGELOG, Change, raw)
        return None if found is None or found.table != spec.name else self.keys.unseal(spec, found)

    def of_item(self, spec: TableSpec, item_key: str, *, oldest_first: bool = False) -> Iterator[Change]:
        """Every change of an item, personal values opened. Through an index that may lag by a moment."""
        found = self._log.query("by_item", item_key=_checked(spec, item_key), backwards=not oldest_first)
        return (self.keys.unseal(spec, change) for change in found)

    def page_of_item(
        self, spec: TableSpec, item_key: str, *, limit: int, start: Key | None = None
    ) -> Page[Change]:
        """The same newest first, one page."""
        page = self._log.page(
            "by_item", item_key=_checked(spec, item_key), limit=limit, start=start, backwards=True
        )
        return Page([self.keys.unseal(spec, change) for change in page.items], page.next)

    def between(
        self,
        spec: TableSpec,
        after: datetime,
        until: datetime,
        *,
        opened: bool = True,
        progress: Progress | None = None,
    ) -> Iterator[Change]:
        """Every change of a table later than `after`, up to and including `until`, newest first.

        Consistent. Streams, some weeks ahead; `progress` is told the weeks done and all weeks. Personal values
        stay sealed unless they are `opened`, which costs a look-up a person.
        """
        found = self._sealed(spec, after, until, None, progress, ahead=True)
        return (self.keys.unseal(spec, change) for change in found) if opened else found

    def page_between(
        self, spec: TableSpec, after: datetime, until: datetime, *, limit: int, start: str | None = None
    ) -> ChangePage:
        """The same, one page of at most `limit` changes."""
        found: list[Change] = []
        for change in self._sealed(spec, after, until, start, None):
            if len(found) == limit:
                return ChangePage([self.keys.unseal(spec, one) for one in found], place_of(found[-1]))
            found.append(change)
        return ChangePage([self.keys.unseal(spec, one) for one in found], None)

    def _sealed(
        self,
        spec: TableSpec,
        after: datetime,
        until: datetime,
        start: str | None,
        progress: Progress | None,
        *,
        ahead: bool = False,
    ) -> Iterator[Change]:
        """Shards of a week are merged by the sort key, which is one order over all of them."""
        refuse_unlogged(spec)
        if until <= after:
            return
        low, high = span(after, until)
        if start is not None:
            high, until = start, instant_of(start, low, high)
        first, last = Week.of(after), Week.of(until)
        weeks = [last + -back for back in range(last - first + 1)]

        def of_week(week: Week) -> Iterator[Change]:
            return self._of_week(spec, week, low, high)

        ahead = ahead and len(weeks) > _FEW_WEEKS
        each = read_ahead(lambda week: list(of_week(week)), weeks) if ahead else map(of_week, weeks)
        for done, changes in enumerate(each, 1):
            for change in changes:
                if start is None or place_of(change) != start:
                    yield change
            if progress is not None:
                progress(done, len(weeks))

    def _of_week(self, spec: TableSpec, week: Week, low: str, high: str) -> Iterator[Change]:
        def shard(condition: KeyCondition) -> Iterator[Change]:
            for raw in self._log.raw(condition, consistent=True, backwards=True):
                yield decode(CHANGELOG, Change, raw)

        shards = map(shard, log_conditions(self._settings, [spec.name], [week], (low, high)))
        return heapq.merge(*shards, key=place_of, reverse=True)

    # -- states ------------------------------------------------------------------------------------------

    def item_at(self, spec: TableSpec, key: Key, instant: datetime) -> dict[str, JsonValue] | None:
        """The state of one item at an instant, with its version; None when it did not exist.

        Personal values of a person who was forgotten read {"forgotten": true}. Raises TransientFailure when
        the item changed while it was read.
        """
        item_key = _checked(spec, spec.item_key(key))
        fixed, real = clock.now(), datetime.now(UTC)
        began = min(fixed, real) - SKEW
        row = self._row(spec, key)
        changes: list[Change] = []
        for change in self.of_item(spec, item_key):
            changes.append(change)  # with the newest one before: it proves that none is missing
            if change.instant < instant - SKEW:
                break
        if row is None and changes and changes[0].operation is not Operation.DELETE:
            # The index may lag behind the deletion, the log itself does not.
            newest = self.between(spec, began - SKEW, max(fixed, real) + SKEW)
            mine = [change for change in newest if change.item_key == item_key]
            changes = list({change.ulid: change for change in (*changes, *mine)}.values())
        return item_before(row, changes, instant, began=began)

    def list_at(
        self,
        spec: TableSpec,
        current: Iterable[Versioned],
        instant: datetime,
        *,
        now: datetime,
        matches: Matches | None = None,
        max_weeks: int | None = LIST_MAX_WEEKS,
        max_changes: int | None = LIST_MAX_CHANGES,
        progress: Progress | None = None,
        fields: frozenset[str] | None = None,
    ) -> dict[str, dict[str, JsonValue]]:
        """A list at an instant by item key, from its current items and the changes since.

        `current` may be part of a table: what changed since is read, too, and `matches` says which states
        belong to the list. Items may have some `fields` only, the version among them; so have the states.
        Raises TooManyChanges beyond the limits (None: no limit), TransientFailure when the table changes all
        the time, or while a plan is being published.
        """
        if spec.published and (unfinished := Publications(self._dynamodb, self._settings).unfinished()):
            weeks = ", ".join(one.week.label for one in unfinished)
            raise TransientFailure(f"a plan of {weeks} is being published; read again in a moment")
        began, horizon = min(now, datetime.now(UTC)) - SKEW, max(now, datetime.now(UTC)) + SKEW
        if instant > horizon:
            raise BadUsage(f"{instant_text(instant)} lies in the future")
        since = instant - SKEW
        if max_weeks is not None and Week.of(horizon) - Week.of(since) + 1 > max_weeks:
            raise TooManyChanges(spec.name, instant, max_weeks, "weeks")
        rows: dict[str, State] = {spec.item_key(spec.key_of(item)): _with_version(item) for item in current}
        changes = self._at_most(spec, since, horizon, instant, max_changes, progress, fields)
        absent = {change.item_key for change in changes.values()} - rows.keys()
        for item_key in absent:
            row = self._row(spec, key_of_item_key(spec, item_key))
            if row is not None:
                rows[item_key] = {name: row[name] for name in row if fields is None or name in fields}
        if absent:  # these rows are newer than the changes
            changes |= self._at_most(spec, max(began, since), horizon + SKEW, instant, max_changes, None, fields)
        found = undo_since(rows, changes.values(), instant, began=began)
        return {key: found[key] for key in sorted(found) if matches is None or matches(found[key])}

    def _at_most(
        self,
        spec: TableSpec,
        after: datetime,
        until: datetime,
        instant: datetime,
        limit: int | None,
        progress: Progress | None,
        fields: frozenset[str] | None,
    ) -> dict[str, Change]:
        """By ULID; none is opened before it is clear that they are not too many."""
        found: dict[str, Change] = {}
        for change in self._sealed(spec, after, until, None, progress, ahead=limit is None):
            if limit is not None and len(found) == limit:
                raise TooManyChanges(spec.name, instant, limit, "changes")
            if fields is not None:  # a screenshot is a hundred times the rest of its item
                kept = {name: one for name, one in change.changes.items() if name in fields}
                change = change.model_copy(update={"changes": kept})  # noqa: PLW2901
            found[f"{change.item_key} {change.ulid}"] = change
        return {place: self.keys.unseal(spec, change) for place, change in found.items()}

    def _row(self, spec: TableSpec, key: Key) -> State | None:
        reader = TableReader(self._dynamodb, self._settings, spec, spec.model)
        raw = reader.read(key)
        return None if raw is None else _with_version(decode(spec, spec.model, raw))

    # -- undo --------------------------------------------------------------------------------------------

    def beside(self, spec: TableSpec, change: Change) -> list[Change]:
        """The other changes of a table that the same request made at the same instant."""
        near = self._sealed(spec, change.instant - TICK, change.instant, None, None)
        return [
            self.keys.unseal(spec, one)
            for one in near
            if one.request_id == change.request_id and one.item_key != change.item_key
        ]

    def later(self, spec: TableSpec, change: Change) -> Iterator[Change]:
        """The changes of its item since a change, newest first. Through an index that may lag by a moment."""
        for one in self.of_item(spec, change.item_key):
            if one.instant < change.instant - SKEW:
                return
            if one.version > change.version:
                yield one

    def undo(
        self, store: TableStore[M], change: Change, *, actor: str, reason: str, request_id: str, now: datetime
    ) -> M | None:
        """Take one change back by a real reverse change; answers the item as stored, None when it is deleted.

        Raises LaterChanges when later changes stand on its fields, ForgottenValue when a value is lost, and
        PermanentFailure when the earlier state is not valid any more.
        """
        (item,) = self.undo_together(store, [change], actor=actor, reason=reason, request_id=request_id, now=now)
        return item

    def undo_together(
        self,
        store: TableStore[M],
        changes: Sequence[Change],
        *,
        actor: str,
        reason: str,
        request_id: str,
        now: datetime,
        dry: bool = False,
    ) -> list[M | None]:
        """The same for changes of several items, in one transaction. A dry one answers what would be stored.

        The log keeps the request id with a mark, by which it can be told that a change was taken back.
        """
        spec = store.spec
        for change in changes:
            if change.table != spec.name:
                raise BadUsage(f"the change is one of {change.table}, not of {spec.name}")
        opened = [self.keys.unseal(spec, change) for change in changes]
        request_id += UNDO
        author = {"actor": actor, "reason": reason, "request_id": request_id}
        for attempt in range(UNDO_ATTEMPTS):
            reverses = [self._reverse(store, change, request_id) for change in opened]
            if any(one.done for one in reverses):  # all or none: our own undo, whose answer was lost
                return [one.found for one in reverses]
            writes = [one.write for one in reverses]
            if dry:
                return [None if write.delete else _at_next_version(write) for write in writes]
            try:
                return store.transact(writes, now=now, **author)
            except StaleVersion:
                if attempt + 1 == UNDO_ATTEMPTS:
                    raise
        raise AssertionError("the last attempt answers or raises")

    def _reverse(self, store: TableStore[M], change: Change, request_id: str) -> "_Reverse[M]":
        """The write that takes a change back."""
        spec = store.spec
        raw = store.read(key_of_item_key(spec, change.item_key))
        found = None if raw is None else decode(spec, spec.model, raw)
        item = found if isinstance(found, Versioned) else None
        try:
            state = undone(change, None if item is None else state_of(item), self.later(spec, change))
        except LaterChanges as refused:
            if refused.later is not None and refused.later.request_id == request_id:
                return _Reverse(cast("M | None", found), None)
            raise
        if state is None:
            assert item is not None  # noqa: S101 - `undone` saw it
            return _Reverse(None, Write(cast("M", item), item.version, delete=True))
        version = item.version if item is not None else change.version + 1
        try:
            wanted = cast("M", spec.model.from_plain(state | {"version": version}))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
            )
            raise PermanentFailure(
                f"{change.item_key}: the state before version {change.version} is not valid any more: {problems}"
            ) from None
        return _Reverse(None, Write(wanted, 0 if item is None else item.version))


@dataclass(frozen=True, slots=True)
class _Reverse(Generic[M]):
    """The write that takes a change back; without one it was done before, and `found` is what it left."""

    found: M | None
    planned: Write[M] | None

    @property
    def done(self) -> bool:
        return self.planned is None

    @property
    def write(self) -> Write[M]:
        assert self.planned is not None  # noqa: S101 - asked for when it is not done
        return self.planned


def _at_next_version(write: Write[M]) -> M:
    """What a write would store."""
    step = 1 if write.expected_version else 0
    version = cast("Versioned", write.item).version + step
    return write.item.model_copy(update={"version": version})


def key_of_item_key(spec: TableSpec, item_key: str) -> Key:
    """The primary key from the key as the change log writes it: `allocations/M-1/2026-W01#P-12`."""
    table, *parts = item_key.split(ITEM_KEY_SEPARATOR, len(spec.key_attributes))
    if table != spec.name or len(parts) != len(spec.key_attributes) or not all(parts):
        shape = ITEM_KEY_SEPARATOR.join((spec.name, *(a.template for a in spec.key_attributes)))
        raise BadUsage(f"{item_key!r} names no item of {spec.name}; a key is written {shape}")
    return {attribute.name: part for attribute, part in zip(spec.key_attributes, parts, strict=True)}


def is_logged(spec: TableSpec) -> bool:
    """Whether the writes of a table stand in the change log: facts are recomputed, the log is its own."""
    return issubclass(spec.model, Versioned)


def _checked(spec: TableSpec, item_key: str) -> str:
    refuse_unlogged(spec)
    key_of_item_key(spec, item_key)
    return item_key


def refuse_unlogged(spec: TableSpec) -> None:
    if not is_logged(spec):
        raise BadUsage(
            f"{spec.name} has no changes: it is replaced as a whole; its earlier states are the kept generations "
            "of the lake"
        )


def _with_version(item: object) -> State:
    if not isinstance(item, Versioned):
        raise PermanentFailure(f"{type(item).__name__} has no version")
    return state_of(item) | {"version": item.version}
