"""Restored sets: tables side by side with the real ones, and the record that says which of them count.

Belongs here: making and dropping the tables of a set, its record, which sets there are. The tables are made from
their specs, which a test holds equal to the templates: a set is no part of a stack.
Does not belong here: what is written into them (restoring.py).
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from prism_core.backups import BACKED_UP, RESTORES, RestoredSet, record_key
from prism_core.failures import BadUsage, TransientFailure
from prism_core.settings import Settings
from prism_core.tables import IndexSpec, TableSpec
from prism_resources.failures import calling, error_code
from prism_resources.lake import Lake

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

WAIT_SECONDS = 900.0
_POLL_SECONDS, _POLL_CAP_SECONDS = 0.05, 5.0
_MISSING = "ResourceNotFoundException"


class SetTables:
    """The tables of one restored set."""

    def __init__(
        self, dynamodb: "DynamoDBClient", name: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._dynamodb, self.name, self._sleep = dynamodb, name, sleep

    def table_name(self, spec: TableSpec) -> str:
        return f"{self.name}-{spec.name}"

    def make_anew(self, specs: Iterable[TableSpec]) -> None:
        """Empty tables, whatever a restore that was killed has left in them."""
        specs = list(specs)
        self.drop(specs)
        for spec in specs:
            with calling(self.table_name(spec), "create"):
                self._dynamodb.create_table(**creation(spec, self.table_name(spec)))
        for spec in specs:
            self._wait(spec, "ACTIVE")

    def drop(self, specs: Iterable[TableSpec]) -> int:
        """Delete those that exist; answers how many."""
        found = [spec for spec in specs if self._status(spec) is not None]
        for spec in found:
            self._wait(spec, "ACTIVE")  # one that is being created cannot be deleted
            with calling(self.table_name(spec), "delete"):
                self._dynamodb.delete_table(TableName=self.table_name(spec))
        for spec in found:
            self._wait(spec, None)
        return len(found)

    def _wait(self, spec: TableSpec, wanted: str | None) -> None:
        deadline, pause = time.monotonic() + WAIT_SECONDS, _POLL_SECONDS
        while (status := self._status(spec)) != wanted:
            if wanted is not None and status == "DELETING":
                return
            if time.monotonic() > deadline:
                raise TransientFailure(
                    f"{self.table_name(spec)} is {status or 'gone'} for {WAIT_SECONDS:.0f} s; repeat the command"
                )
            self._sleep(pause)
            pause = min(pause * 1.5, _POLL_CAP_SECONDS)

    def _status(self, spec: TableSpec) -> str | None:
        """None when there is no such table."""
        name = self.table_name(spec)
        with calling(name, "look at"):
            try:
                return self._dynamodb.describe_table(TableName=name)["Table"].get("TableStatus")
            except ClientError as error:
                if error_code(error) == _MISSING:
                    return None
                raise


def creation(spec: TableSpec, name: str) -> dict[str, Any]:
    """What CreateTable is told: keys and indexes of the spec, on demand."""
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in spec.all_attributes
        ],
        "KeySchema": _key_schema(spec),
        "Tags": [{"Key": "prism:restored", "Value": spec.name}],
    }
    indexes = [
        {"IndexName": index.name, "KeySchema": _key_schema(index), "Projection": _projection(index)}
        for index in spec.indexes
    ]
    return request | ({"GlobalSecondaryIndexes": indexes} if indexes else {})


def _key_schema(keyed: TableSpec | IndexSpec) -> list[dict[str, str]]:
    schema = [{"AttributeName": keyed.partition.name, "KeyType": "HASH"}]
    return schema + ([{"AttributeName": keyed.sort.name, "KeyType": "RANGE"}] if keyed.sort else [])


def _projection(index: IndexSpec) -> dict[str, Any]:
    if index.fields is None:
        return {"ProjectionType": "ALL"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.fields)}


def read_record(lake: Lake, name: str) -> RestoredSet | None:
    """None when there is no such set. Raises PermanentFailure when its record is damaged."""
    body = lake.get(record_key(name))
    return None if body is None else RestoredSet.decoded(body, record_key(name))


def write_record(lake: Lake, record: RestoredSet) -> None:
    lake.put(record_key(record.name), record.encoded(), content_type="application/json")


def set_names(lake: Lake) -> list[str]:
    """Every set, finished or not, in order."""
    return [key.removeprefix(RESTORES).removesuffix(".json") for key in lake.keys(RESTORES)]


def restored_sets(lake: Lake) -> list[RestoredSet]:
    """The same with what they hold. Raises PermanentFailure when a record is damaged."""
    return [record for record in (read_record(lake, name) for name in set_names(lake)) if record is not None]


def drop_set(dynamodb: "DynamoDBClient", settings: Settings, lake: Lake, name: str) -> int:
    """Delete a set, its record last; answers the tables. Raises BadUsage for what is no set of this platform."""
    if not name.startswith(f"{settings.name_prefix}-restored-") or lake.get(record_key(name)) is None:
        known = ", ".join(set_names(lake)) or "there are none"
        raise BadUsage(f"{name!r} is no restored set; sets are: {known}")
    dropped = SetTables(dynamodb, name).drop(BACKED_UP.values())
    lake.delete(record_key(name))
    return dropped
