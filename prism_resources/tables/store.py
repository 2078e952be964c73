"""Writing a table: every write of an operational item is one transaction with its change entry.

Belongs here: the version condition, the change, repeating a write whose answer was lost.
Personal fields stand in the entry sealed, always: a store of a table that has any makes its own keys.
Does not belong here: replacing a week of facts (generations.py) and what may be written by whom (the API).
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from botocore.exceptions import ClientError

from prism_core.failures import BadUsage, PermanentFailure, StaleVersion, TransientFailure
from prism_core.history.changes import change_of, diff, state_of
from prism_core.models.base import Model, Versioned
from prism_core.models.changes import Change, Changes, Operation
from prism_core.models.work import Allocation
from prism_core.privacy import unsealed_fields
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, CONTROL_PARTITION, Key, TableSpec
from prism_resources.failures import THROTTLED, calling, error_code, failure_of_code
from prism_resources.privacy import PersonKeys
from prism_resources.tables.bulk import backoff_seconds, batch_write, delete_request, put_request, scan_pages
from prism_resources.tables.codec import LAST_WRITE, Attribute, Item, decode, encode, encode_key, item_bytes
from prism_resources.tables.reader import TableReader

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

M = TypeVar("M", bound=Model)

TRANSACTION_ITEMS = 100
TRANSACTION_MAX_BYTES = 4 * 1024 * 1024
CONFLICT_ATTEMPTS = 6
# No attempt begins later. One has six tries of 65 seconds, and waits between them: all within LONGEST_WRITE.
LAST_ATTEMPT_SECONDS = 60
NEWEST_CHANGES = 4
_LOST = "ConditionalCheckFailed"


class CheckFailed(TransientFailure):
    """What a transaction was to hold beside its writes does not hold any more; nothing was written."""


@dataclass(frozen=True, slots=True)
class Write(Generic[M]):
    """One write of a transaction: the item at the version that was read (0: it must not exist yet).

    `unused` promises that its key was never used: there is nothing to read and no version to go on from. It spares
    two reads an item, with which the sample of twelve weeks takes 43 s to load instead of 18 on a busy machine.
    `recorded` is the instant that the change log keeps, for history that is brought in; else that of the call.
    `before` is the item as it was read at the expected version, whole: it spares reading it again.
    """

    item: M
    expected_version: int
    delete: bool = False
    unused: bool = False
    recorded: datetime | None = None
    before: M | None = None


@dataclass(frozen=True, slots=True)
class _Step(Generic[M]):
    """A write, prepared. `done` when nothing has to be sent: no field changed, or our own retry had won."""

    write: Write[M]
    key: Key
    version: int
    result: M | None
    actions: list[dict[str, Any]]

    @property
    def done(self) -> bool:
        return not self.actions


@dataclass(frozen=True, slots=True)
class _Author:
    actor: str
    reason: str
    request_id: str
    now: datetime


class TableStore(TableReader[M]):
    """Typed reads and writes of one table."""

    def __init__(
        self,
        client: "DynamoDBClient",
        settings: Settings,
        spec: TableSpec,
        model: type[M],
        *,
        keys: PersonKeys | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(client, settings, spec, model)
        if model is not spec.model:
            raise BadUsage(f"{spec.name} is written as {spec.model.__name__}, not {model.__name__}")
        self._changelog = TableReader(client, settings, CHANGELOG, Change)
        self.keys = keys or PersonKeys(client, settings)
        self._sleep = sleep

    def create(self, item: M, *, actor: str, reason: str, request_id: str, now: datetime) -> M:
        """Write an item that does not exist; answers it as stored. Raises StaleVersion when it does.

        Its versions go on behind those of an item of the same key that was deleted: no version comes twice, so
        that an old reader's version never fits, and the versions of an item are the order of its changes.
        """
        return self.put(item, expected_version=0, actor=actor, reason=reason, request_id=request_id, now=now)

    def update(
        self,
        item: M,
        *,
        expected_version: int,
        actor: str,
        reason: str,
        request_id: str,
        now: datetime,
        before: M | None = None,
    ) -> M:
        """Replace an item that exists at `expected_version`; answers it as stored, one version later."""
        if expected_version < 1:
            raise BadUsage(f"an update names the version that was read, not {expected_version}; use create")
        write = Write(item, expected_version, before=before)
        (stored,) = self.transact([write], actor=actor, reason=reason, request_id=request_id, now=now)
        assert stored is not None  # noqa: S101 - as a put
        return stored

    def put(self, item: M, *, expected_version: int, actor: str, reason: str, request_id: str, now: datetime) -> M:
        """Create (version 0) or replace an item, with its change entry, in one transaction.

        Writes nothing when no field differs. Repeating a call with the same request id after its answer was
        lost answers what it stored. Raises StaleVersion with the current version when another write came
        first, TransientFailure when the service stays busy.
        """
        write = Write(item, expected_version)
        (stored,) = self.transact([write], actor=actor, reason=reason, request_id=request_id, now=now)
        assert stored is not None  # noqa: S101 - a put always has a result
        return stored

    def delete(
        self, item: M, *, expected_version: int, actor: str, reason: str, request_id: str, now: datetime
    ) -> None:
        """Delete the item with this key at `expected_version`. Raises as `put` does."""
        write = Write(item, expected_version, delete=True)
        self.transact([write], actor=actor, reason=reason, request_id=request_id, now=now)

    def transact(
        self, writes: Sequence[Write[M]], *, actor: str, reason: str, request_id: str, now: datetime
    ) -> list[M | None]:
        """All writes or none, each with its change entry: at most 50 items and 4 MB.

        Answers the stored items in order, None for a deleted one. Raises StaleVersion for the first item
        that is at another version, BadUsage when it is too much for one transaction. A row of a week whose
        publication was cut off is written after the rest of that publication.
        """
        if self.spec.published and not all(write.unused for write in writes):
            self._finish_publications(writes)
        return self.write_together(writes, actor=actor, reason=reason, request_id=request_id, now=now)

    def write_together(
        self,
        writes: Sequence[Write[M]],
        *,
        actor: str,
        reason: str,
        request_id: str,
        now: datetime,
        check: Mapping[str, Any] | None = None,
    ) -> list[M | None]:
        """The same as it is, and only while `check`, a ConditionCheck of another item, holds; else CheckFailed."""
        if 2 * len(writes) + (check is not None) > TRANSACTION_ITEMS:
            raise BadUsage(
                f"{len(writes)} writes with their change entries are more than the {TRANSACTION_ITEMS} items of "
                f"one transaction; split them by {TRANSACTION_ITEMS // 2}"
            )
        author = _Author(actor, reason, request_id, now)
        steps = [self._prepare(write, author) for write in writes]
        sending = [step for step in steps if not step.done]
        if sending:
            self._send(sending, author, check)
        return [step.result for step in steps]

    def batch_write(self, puts: Iterable[M] = (), deletes: Iterable[Mapping[str, object]] = ()) -> int:
        """Write and delete any number of items without version and change entry: for facts and restores.

        `deletes` are the fields that name the items. Raises TransientFailure with the number unwritten.
        """

        def requests() -> Iterator[dict[str, Any]]:
            yield from (put_request(encode(self.spec, item)) for item in puts)
            yield from (delete_request(encode_key(self.spec.key(parts))) for parts in deletes)

        return batch_write(self.client, self.table, requests(), sleep=self._sleep)

    def parallel_scan(self, segments: int, *, page_size: int | None = None) -> Iterator[M]:
        """Every item once, in no order, streamed: for the export and for nothing else.

        Of a table that is replaced by generation it delivers every generation, without the control items.
        """
        for page in scan_pages(self.client, self.table, segments, page_size=page_size):
            for raw in page:
                if raw[self.spec.partition.name]["S"] != CONTROL_PARTITION:
                    yield decode(self.spec, self.model, raw)

    def _prepare(self, write: Write[M], author: _Author) -> _Step[M]:
        key = self.spec.key_of(write.item)
        # The condition of the transaction finds out about a promise that does not hold.
        raw = None if write.unused or write.before is not None else self.read(key)
        found = write.before if raw is None else decode(self.spec, self.model, raw)
        current = _versioned(found)
        wanted = _versioned(write.item)
        expected = write.expected_version
        if expected or write.delete or wanted is None:
            version = expected + 1
        else:  # whoever created it already decided its version
            known = wanted.version if write.unused else None
            version = current.version if current else known or self._first_version(key, wanted.version)
        after = None if write.delete or wanted is None else wanted.model_copy(update={"version": version})
        if (current.version if current else 0) != expected:
            if self._own(key, raw, after, version, author):
                return _Step(write, key, version, cast("M | None", after), [])
            raise self._stale(key, expected, current.version if current else 0)
        changes = diff(state_of(current), state_of(after))
        if not changes:
            return _Step(write, key, version, found, [])
        recorded = author if write.recorded is None else replace(author, now=write.recorded)
        actions = self._actions(key, after, expected, version, changes, recorded)
        return _Step(write, key, version, cast("M | None", after), actions)

    def first_version(self, item: Versioned) -> int:
        """The version that creating an item would give it: behind those of a deleted one of the same key."""
        return self._first_version(self.spec.key_of(item), item.version)

    def _first_version(self, key: Key, wanted: int) -> int:
        last = self._last_change(key)
        return wanted if last is None else max(wanted, last.version + 1)

    def _actions(
        self,
        key: Key,
        after: Versioned | None,
        expected: int,
        version: int,
        changes: Changes,
        author: _Author,
    ) -> list[dict[str, Any]]:
        """The item, and its change entry."""
        item_key = self.spec.item_key(key)
        occasion = f"{item_key}\n{version}\n{author.request_id}"
        changes = self.keys.seal(self.spec, key, changes, occasion=occasion, now=author.now)
        if clear := unsealed_fields(self.spec, changes):
            raise PermanentFailure(f"{item_key}: {', '.join(clear)} would stand in the change log in the clear")
        operation = Operation.DELETE if after is None else Operation.UPDATE if expected else Operation.CREATE
        change = change_of(
            table=self.spec.name,
            item_key=item_key,
            operation=operation,
            version=version,
            changes=changes,
            now=author.now,
            actor=author.actor,
            reason=author.reason,
            request_id=author.request_id,
            shards=self.settings.changelog_shards,
        )
        action: dict[str, Any] = {
            "TableName": self.table,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if expected:
            action["ConditionExpression"] = "#version = :expected"
            action["ExpressionAttributeNames"] = {"#version": "version"}
            action["ExpressionAttributeValues"] = {":expected": {"N": str(expected)}}
        else:
            action["ConditionExpression"] = "attribute_not_exists(#key)"
            action["ExpressionAttributeNames"] = {"#key": self.spec.partition.name}
        if after is None:
            verb: dict[str, Any] = {"Delete": action | {"Key": encode_key(key)}}
        else:
            item = encode(self.spec, after, beside={LAST_WRITE: {"S": author.request_id}})
            verb = {"Put": action | {"Item": item}}
        # A change holds what was before it and what is after it: it may be too large when the item is not.
        entry = {
            "TableName": self._changelog.table,
            "Item": encode(CHANGELOG, change, called=f"{item_key} with what it was before"),
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": CHANGELOG.partition.name},
        }
        return [verb, {"Put": entry}]

    def _finish_publications(self, writes: Iterable[Write[M]]) -> None:
        from prism_resources.tables.folding import finish_weeks  # noqa: PLC0415 - it writes through a store itself

        weeks = {write.item.week for write in writes if isinstance(write.item, Allocation)}
        finish_weeks(self.client, self.settings, weeks, sleep=self._sleep)

    def _send(self, steps: list[_Step[M]], author: _Author, check: Mapping[str, Any] | None) -> None:
        actions: list[Any] = [action for step in steps for action in step.actions]
        actions += [{"ConditionCheck": check}] if check is not None else []
        size = sum(item_bytes(action["Put"]["Item"]) for action in actions if "Put" in action)
        if size > TRANSACTION_MAX_BYTES:
            raise BadUsage(f"the transaction takes {size:,} bytes of {TRANSACTION_MAX_BYTES:,}; split it")
        # The token is made of the content: whoever repeats this very write repeats the token, and the
        # service answers a write that had won as won.
        token = hashlib.sha256(json.dumps(actions, sort_keys=True).encode()).hexdigest()[:36]
        began = time.monotonic()
        for attempt in range(CONFLICT_ATTEMPTS):
            if attempt:
                self._sleep(backoff_seconds(attempt - 1))
            if time.monotonic() - began > LAST_ATTEMPT_SECONDS:
                break
            with calling(self.table, "write"):
                try:
                    self.client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
                except ClientError as error:
                    if error_code(error) == "TransactionCanceledException":
                        if self._lost(steps, error, author):
                            return
                    elif error_code(error) not in THROTTLED:
                        raise
                    continue
            return
        raise TransientFailure(
            f"{self.table}: {len(steps)} items stayed in conflict with other writes for {CONFLICT_ATTEMPTS} "
            f"attempts or {LAST_ATTEMPT_SECONDS} seconds; try again later"
        )

    def _lost(self, steps: list[_Step[M]], error: ClientError, author: _Author) -> bool:
        """Whether a cancelled transaction was ours and had won; False when it may be sent again.

        Raises StaleVersion for the first write that lost, PermanentFailure for one that is not valid.
        """
        reasons: list[Any] = error.response.get("CancellationReasons", [])
        codes = [str(reason.get("Code", "None")) for reason in reasons]
        for step, reason in zip(steps, reasons[::2], strict=False):
            if reason.get("Code") != _LOST:
                continue
            raw: Item | None = reason.get("Item")
            if not self._own(step.key, raw, _versioned(step.result), step.version, author):
                raise self._stale(step.key, step.write.expected_version, _version_of(raw)) from error
            return True  # all or none: one that is ours proves that all are
        if codes[2 * len(steps) :] == [_LOST]:
            raise CheckFailed(f"{self.table}: {len(steps)} items are not to be written any more")
        for code, reason in zip(codes, reasons, strict=False):
            if code != "None" and code not in THROTTLED:
                raise failure_of_code(code, str(reason.get("Message", "")), self.table, "write") from error
        return False

    def _own(
        self, key: Key, raw: Attribute | None, after: Versioned | None, version: int, author: _Author
    ) -> bool:
        """Whether what is stored is what this very request wrote before its answer was lost."""
        if after is None:
            return raw is None and self._deleted_by(key, version, author)
        if raw is None or raw.get(LAST_WRITE, {}).get("S") != author.request_id or _version_of(raw) != version:
            return False
        return state_of(_versioned(decode(self.spec, self.model, raw))) == state_of(after)

    def _deleted_by(self, key: Key, version: int, author: _Author) -> bool:
        """A deleted item can say nothing; its last change entry can."""
        last = self._last_change(key)
        return (
            last is not None
            and last.operation is Operation.DELETE
            and (last.version, last.request_id) == (version, author.request_id)
        )

    def _last_change(self, key: Key) -> Change | None:
        """Of the last few by instant, since clocks differ. Through an index that may lag by a moment."""
        item_key = self.spec.item_key(key)
        newest = self._changelog.query("by_item", item_key=item_key, backwards=True, limit=NEWEST_CHANGES)
        return max(newest, key=lambda change: change.version, default=None)

    def _stale(self, key: Key, expected: int, current: int) -> StaleVersion:
        name = self.spec.item_key(key).removeprefix(f"{self.spec.name}/")
        return StaleVersion(self.spec.name, name, expected, current)


def _versioned(item: Model | None) -> Versioned | None:
    if item is not None and not isinstance(item, Versioned):
        raise PermanentFailure(
            f"{type(item).__name__} is a fact without a version; replace its week by generation (generations.py)"
        )
    return item


def _version_of(raw: Attribute | None) -> int:
    return 0 if raw is None else int(raw.get("version", {}).get("N", 0))
