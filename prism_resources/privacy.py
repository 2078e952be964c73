"""The data key of each person: made once, wrapped by KMS, deleted when the person is forgotten.

Belongs here: the table of keys, unwrapped keys in memory for a moment, sealing and opening with them.
Does not belong here: the envelope and what is personal (prism_core/privacy.py), and deleting the rows of a
person (prism_resources/forgetting.py).
"""

import base64
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic import JsonValue

from prism_core.failures import PermanentFailure
from prism_core.models.changes import Change, Changes
from prism_core.privacy import (
    PERSON_KEYS,
    DataKey,
    PersonKey,
    State,
    is_sealed,
    key_id_of,
    open_changes,
    open_state,
    open_value,
    person_of,
    person_of_item_key,
    seal_changes,
    seal_state,
)
from prism_core.settings import Settings
from prism_core.tables import Key, TableSpec
from prism_resources.aws import client
from prism_resources.failures import calling, error_code
from prism_resources.tables.codec import encode, encode_key
from prism_resources.tables.reader import TableReader

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

CACHED_KEYS = 1_024
# A person who is forgotten elsewhere is forgotten here, too, at most this much later.
CACHED_SECONDS = 60.0
MAKE_ATTEMPTS = 3
_CONDITION_FAILED = "ConditionalCheckFailedException"


class PersonKeys:
    """Data keys by person. May be shared by threads and by the stores of several tables."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        settings: Settings,
        *,
        kms: Any = None,
        capacity: int = CACHED_KEYS,
        cached_seconds: float = CACHED_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = TableReader(dynamodb, settings, PERSON_KEYS, PersonKey)
        self._dynamodb, self._settings, self._kms_client = dynamodb, settings, kms
        self._capacity, self._cached_seconds, self._clock = capacity, cached_seconds, clock
        self._cached: OrderedDict[str, tuple[float, DataKey]] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    # -- sealing and opening -----------------------------------------------------------------------------

    def seal(self, spec: TableSpec, key: Key, changes: Changes, *, occasion: str, now: datetime) -> Changes:
        """The changes of an item as they may stand in the log; makes the key of a person who has none.

        A creation (or whatever follows it) that fails leaves a key without values, which is used later.
        """
        if not set(changes) & set(spec.personal):
            return changes
        return seal_changes(self.obtain(person_of(spec, key), now), spec, changes, occasion)

    def unseal(self, spec: TableSpec, change: Change) -> Change:
        """An entry of the log with its personal values readable, or `forgotten()`."""
        values = [v for n, c in change.changes.items() if n in spec.personal for v in c.values() if is_sealed(v)]
        if not values:
            return change
        data_key = self._key_for(person_of_item_key(spec, change.item_key), {key_id_of(value) for value in values})
        return change.model_copy(update={"changes": open_changes(data_key, spec, change.changes)})

    def seal_row(self, spec: TableSpec, key: Key, state: State, *, now: datetime) -> dict[str, JsonValue]:
        """A row as it may leave its table (lake, backup): the same row, the same bytes."""
        if not set(state) & set(spec.personal):
            return dict(state)
        return seal_state(self.obtain(person_of(spec, key), now), spec, state)

    def unseal_row(self, spec: TableSpec, key: Key, state: State) -> dict[str, JsonValue]:
        """The inverse of `seal_row`."""
        values = [state[name] for name in spec.personal if name in state and is_sealed(state[name])]
        if not values:
            return dict(state)
        return open_state(self._key_for(person_of(spec, key), {key_id_of(value) for value in values}), spec, state)

    def unseal_value(self, spec: TableSpec, key: Key, name: str, value: JsonValue) -> JsonValue:
        """One value of a field, for readers of single columns."""
        if not is_sealed(value):
            return value
        return open_value(self._key_for(person_of(spec, key), {key_id_of(value)}), spec.name, name, value)

    # -- keys --------------------------------------------------------------------------------------------

    def obtain(self, person: str, now: datetime) -> DataKey:
        """The key of a person, made on first use. Whoever makes it at the same moment gets the same one."""
        for attempt in range(MAKE_ATTEMPTS):
            found = self.find(person, fresh=attempt > 0)
            found = found or self._make(person, now)
            if found is not None:
                return found
        raise PermanentFailure(
            f"the data key of {person} is deleted as often as it is made; is it being forgotten?"
        )

    def find(self, person: str, *, fresh: bool = False) -> DataKey | None:
        """The key of a person, None when there is none (any more). `fresh` does not trust the memory."""
        found = None if fresh else self._remembered(person)
        if found is not None:
            return found
        row = self._reader.get(person=person)
        if row is None:
            self._drop(person)
            return None
        data_key = DataKey(person, self._unwrap(row))
        if data_key.key_id != row.key_id:
            raise PermanentFailure(f"the data key of {person} is not the one its row names; restore the row")
        return self._remember(data_key)

    def whose(self, beginning: str) -> Iterator[str]:
        """The people who have a key and whose name begins so, whether or not a row of theirs is left."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._reader.table,
            ConsistentRead=True,
            ProjectionExpression="#person",
            FilterExpression="begins_with(#person, :beginning)",
            ExpressionAttributeNames={"#person": PERSON_KEYS.partition.name},
            ExpressionAttributeValues={":beginning": {"S": beginning}},
        )
        with calling(self._reader.table, "read"):
            for page in pages:
                yield from (str(item[PERSON_KEYS.partition.name].get("S")) for item in page["Items"])

    def forget(self, person: str) -> bool:
        """Delete the key of a person for ever; False when there was none. Its sealed values are lost with it."""
        self._drop(person)
        with calling(self._reader.table, "delete"):
            answer = self._dynamodb.delete_item(
                TableName=self._reader.table,
                Key=encode_key(PERSON_KEYS.key({"person": person})),
                ReturnValues="ALL_OLD",
            )
        self._drop(person)  # a reader may have remembered it in between
        return bool(answer.get("Attributes"))

    def _key_for(self, person: str, key_ids: set[str]) -> DataKey | None:
        """The key if it can open any of these. One that is gone stays gone, so that is remembered without end:
        whoever holds an envelope asks after its key was made."""
        with self._lock:
            if key_ids <= self._gone.keys():
                return None
        for fresh in (False, True):
            found = self.find(person, fresh=fresh)
            if found is not None and found.key_id in key_ids:
                return found
        with self._lock:
            self._gone.update(dict.fromkeys(key_ids))
            while len(self._gone) > self._capacity:
                self._gone.popitem(last=False)
        return None

    def _make(self, person: str, now: datetime) -> DataKey | None:
        """None when somebody was quicker: theirs counts."""
        with calling(self._alias, "make a data key with"):
            answer = self._kms.generate_data_key(
                KeyId=self._alias, KeySpec="AES_256", EncryptionContext=_context(person)
            )
        data_key = DataKey(person, answer["Plaintext"])
        wrapped = base64.b64encode(answer["CiphertextBlob"]).decode()
        row = PersonKey(person=person, key_id=data_key.key_id, wrapped=wrapped, created=now)
        with calling(self._reader.table, "write"):
            try:
                self._dynamodb.put_item(
                    TableName=self._reader.table,
                    Item=encode(PERSON_KEYS, row),
                    ConditionExpression="attribute_not_exists(#person)",
                    ExpressionAttributeNames={"#person": PERSON_KEYS.partition.name},
                )
            except ClientError as error:
                if error_code(error) != _CONDITION_FAILED:
                    raise
                return None  # or our own write, repeated by the client after its answer was lost
        return self._remember(data_key)

    def _unwrap(self, row: PersonKey) -> bytes:
        with calling(self._alias, f"unwrap the data key of {row.person} with"):
            return self._kms.decrypt(
                KeyId=self._alias,
                CiphertextBlob=base64.b64decode(row.wrapped),
                EncryptionContext=_context(row.person),
            )["Plaintext"]

    @property
    def _alias(self) -> str:
        return f"alias/{self._settings.name_prefix}-personal-data"

    @property
    def _kms(self) -> Any:
        if self._kms_client is None:  # made on first use: most processes seal nothing
            self._kms_client = client(self._settings, "kms")
        return self._kms_client

    # -- memory ------------------------------------------------------------------------------------------

    def _remembered(self, person: str) -> DataKey | None:
        with self._lock:
            since, data_key = self._cached.get(person, (0.0, None))
            if data_key is None or self._clock() - since > self._cached_seconds:
                self._cached.pop(person, None)
                return None
            self._cached.move_to_end(person)
            return data_key

    def _remember(self, data_key: DataKey) -> DataKey:
        with self._lock:
            self._cached[data_key.person] = (self._clock(), data_key)
            self._cached.move_to_end(data_key.person)
            while len(self._cached) > self._capacity:
                self._cached.popitem(last=False)
        return data_key

    def _drop(self, person: str) -> None:
        with self._lock:
            self._cached.pop(person, None)


def _context(person: str) -> dict[str, str]:
    """KMS unwraps a key only for the person it was made for, so that rows cannot be exchanged."""
    return {"person": person}
