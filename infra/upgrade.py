"""An installation that is older than its templates: items get the key attributes of indexes that are new.

Belongs here: which indexes a deploy is about to make, and the attributes that their keys are composed of: an item
that was written before lacks them, and an index leaves such an item out without a word. Does not belong here: the
deploy itself (deploy.py), and fields, which a model gives their defaults when it reads.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from prism_core.failures import PermanentFailure
from prism_core.models.base import Versioned
from prism_core.settings import Environment, Settings
from prism_core.tables import CONTROL_PARTITION, TABLES, IndexSpec, TableSpec
from prism_resources.aws import client
from prism_resources.failures import calling, error_code
from prism_resources.tables.bulk import scan_pages
from prism_resources.tables.codec import Attribute, decode, encode_key

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SCAN_SEGMENTS: Final = 4
_GONE: Final = "ConditionalCheckFailedException"


def described_tables(settings: Settings) -> dict[str, Mapping[str, Any]]:
    """The tables that exist as DynamoDB describes them, by their physical name."""
    dynamodb = client(settings, "dynamodb")
    names = [settings.table_name(name) for name in TABLES]
    return {name: found for name in names if (found := _described(dynamodb, name)) is not None}


def new_indexes(
    settings: Settings, tables: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, tuple[IndexSpec, ...]]:
    """The indexes of tables that exist which a deploy will add, by table. Raises PermanentFailure for more of one
    table than AWS adds at a time."""
    described = described_tables(settings) if tables is None else tables
    found: dict[str, tuple[IndexSpec, ...]] = {}
    for name, spec in TABLES.items():
        deployed = described.get(settings.table_name(name))
        if deployed is None:
            continue
        there = {str(one["IndexName"]) for one in deployed.get("GlobalSecondaryIndexes", [])}
        lacking = tuple(index for index in spec.indexes if index.name not in there)
        if lacking:
            found[name] = lacking
    several = {name: indexes for name, indexes in found.items() if len(indexes) > 1}
    if several and settings.environment is Environment.AWS:
        named = "; ".join(f"{name}: {', '.join(one.name for one in several[name])}" for name in sorted(several))
        raise PermanentFailure(
            f"this version adds several indexes to one table ({named}), and AWS adds one at a time: deploy the "
            "versions in between one after the other"
        )
    return found


def complete_keys(settings: Settings, indexes: Mapping[str, tuple[IndexSpec, ...]]) -> dict[str, int]:
    """Give items the key attributes that these indexes need and they lack; answers how many got some, by table.

    Before the indexes are made, so that a deploy that is killed does it again. No field changes, so no version
    does; an item that is written meanwhile has them from its writer.
    """
    dynamodb = client(settings, "dynamodb")
    return {
        name: _complete(dynamodb, settings, TABLES[name], chosen)
        for name, chosen in indexes.items()
        if any(a.derived for one in chosen for a in (one.partition, one.sort) if a is not None)
    }


def _described(dynamodb: "DynamoDBClient", table: str) -> Mapping[str, Any] | None:
    """None when there is no such table yet."""
    with calling(table, "look at"):
        try:
            return dynamodb.describe_table(TableName=table)["Table"]
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return None
            raise


def _complete(
    dynamodb: "DynamoDBClient", settings: Settings, spec: TableSpec, indexes: tuple[IndexSpec, ...]
) -> int:
    table = settings.table_name(spec.name)
    wanted = {a.name for one in indexes for a in (one.partition, one.sort) if a is not None and a.derived}
    done = 0
    for page in scan_pages(dynamodb, table, SCAN_SEGMENTS, consistent=True):
        for raw in page:
            if raw[spec.partition.name]["S"] == CONTROL_PARTITION:
                continue
            item = decode(spec, spec.model, raw)
            lacking = {n: text for n, text in spec.derived_of(item).items() if n in wanted and n not in raw}
            version = raw["version"] if isinstance(item, Versioned) else None
            if lacking:
                done += _set(dynamodb, table, encode_key(spec.key_of(item)), lacking, version)
    return done


def _set(
    dynamodb: "DynamoDBClient", table: str, key: Any, lacking: Mapping[str, str], version: Attribute | None
) -> bool:
    names = {f"#{number}": name for number, name in enumerate(lacking)}
    values: dict[str, Any] = {f":{number}": {"S": text} for number, text in enumerate(lacking.values())}
    first = next(iter(key))
    request: dict[str, Any] = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": "SET " + ", ".join(f"#{number} = :{number}" for number in range(len(lacking))),
        "ConditionExpression": "attribute_exists(#key)",
        "ExpressionAttributeNames": names | {"#key": first},
        "ExpressionAttributeValues": values,
    }
    if version is not None:
        request["ConditionExpression"] += " AND #version = :version"
        request["ExpressionAttributeNames"]["#version"] = "version"
        values[":version"] = version
    with calling(table, "write"):
        try:
            dynamodb.update_item(**request)
        except ClientError as error:
            if error_code(error) != _GONE:
                raise
            return False
    return True
