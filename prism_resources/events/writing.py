"""Rows that are written once and never over another.

Belongs here: many conditional writes in few calls, and what stood there where one lost. Does not belong here:
what a row that lost means (its store).
A transaction takes 100 rows in one call; that it is all or nothing is a means here: those whose condition failed
are left out, and the others are sent again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from prism_core.failures import TransientFailure
from prism_core.settings import Settings
from prism_core.table_spec import TableSpec
from prism_resources.aws import client
from prism_resources.failures import THROTTLED, calling, error_code, failure_of_code
from prism_resources.tables.bulk import backoff_seconds
from prism_resources.tables.codec import Attribute, Item, item_bytes
from prism_resources.tables.store import TRANSACTION_ITEMS, TRANSACTION_MAX_BYTES

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ATTEMPTS: Final = 6
_LOST, _FINE = "ConditionalCheckFailed", "None"


def put_new(
    settings: Settings, spec: TableSpec, items: Sequence[Item], *, sleep: Callable[[float], None] = time.sleep
) -> list[Attribute | None]:
    """Write each item whose key is free: for each, in their order, what stood there already, None for ours.

    Of two items with one key the first is written, and the second finds it. Writing them all again is safe. Raises
    TransientFailure when the table stays busy; some of them are written then.
    """
    dynamodb, table = client(settings, "dynamodb"), settings.table_name(spec.name)
    found: list[Attribute | None] = [None] * len(items)
    names = [attribute.name for attribute in spec.key_attributes]
    keys = [tuple(item[name]["S"] for name in names) for item in items]
    firsts: dict[tuple[str, ...], int] = {}
    for number, key in enumerate(keys):
        firsts.setdefault(key, number)
    for chunk in _chunks(items, sorted(firsts.values())):
        for number, stood in _put_chunk(dynamodb, table, names[0], items, chunk, sleep).items():
            found[number] = stood
    for number, key in enumerate(keys):
        if firsts[key] != number:
            found[number] = found[firsts[key]] or items[firsts[key]]
    return found


def _chunks(items: Sequence[Item], numbers: Sequence[int]) -> Iterator[list[int]]:
    chunk, size = list[int](), 0
    for number in numbers:
        own = item_bytes(items[number])
        if chunk and (len(chunk) == TRANSACTION_ITEMS or size + own > TRANSACTION_MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(number)
        size += own
    if chunk:
        yield chunk


def _put_chunk(
    dynamodb: "DynamoDBClient",
    table: str,
    key: str,
    items: Sequence[Item],
    chunk: list[int],
    sleep: Callable[[float], None],
) -> dict[int, Attribute]:
    """What stood there, by the number of the item that lost."""
    lost: dict[int, Attribute] = {}
    left, tried = chunk, 0
    while left:
        if tried:
            sleep(backoff_seconds(tried - 1))
        actions: list[Any] = [{"Put": _put(table, key, items[number])} for number in left]
        with calling(table, "write"):
            try:
                dynamodb.transact_write_items(TransactItems=actions)
                left = []
            except ClientError as error:
                if error_code(error) == "TransactionCanceledException":
                    mine = _losers(error, left, table)
                    lost |= mine
                    left = [number for number in left if number not in mine]
                    tried = 0 if mine else tried + 1
                elif error_code(error) in THROTTLED:
                    tried += 1
                else:
                    raise
        if left and tried == ATTEMPTS:
            raise TransientFailure(f"{table}: {len(left)} rows were not written after {ATTEMPTS} attempts")
    return lost


def _put(table: str, key: str, item: Item) -> dict[str, Any]:
    return {
        "TableName": table,
        "Item": item,
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": key},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _losers(error: ClientError, numbers: list[int], table: str) -> dict[int, Attribute]:
    """Those whose key was taken. Raises for a reason that is neither that nor the service being busy."""
    reasons: list[Any] = list(error.response.get("CancellationReasons", []))
    found: dict[int, Attribute] = {}
    for number, reason in zip(numbers, reasons, strict=True):
        code = str(reason.get("Code", _FINE))
        if code == _LOST:
            found[number] = reason["Item"]
        elif code != _FINE and code not in THROTTLED:
            raise failure_of_code(code, str(reason.get("Message", "")), table, "write")
    return found
