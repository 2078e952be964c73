"""Many rows by their keys in few calls.

Belongs here: consistent reads of any tables together, until the service has answered all of them. Does not belong
here: what the rows mean.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from prism_core.failures import TransientFailure
from prism_resources.failures import calling
from prism_resources.tables.bulk import backoff_seconds
from prism_resources.tables.codec import Attribute, Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ATTEMPTS: Final = 6
KEYS: Final = 100  # of one call, all tables together


def read_many(
    dynamodb: "DynamoDBClient",
    keys: Mapping[str, Sequence[Item]],
    fields: Mapping[str, Sequence[str]],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[str, Attribute]]:
    """Table and row of each key that there is, with the `fields` of its table; a key may occur once a table.

    Raises TransientFailure when the service leaves some of them unread.
    """
    wanted = [(table, key) for table, of_table in keys.items() for key in of_table]
    for start in range(0, len(wanted), KEYS):
        asked: dict[str, Any] = {}
        for table, key in wanted[start : start + KEYS]:
            asked.setdefault(table, _request(fields[table]))["Keys"].append(key)
        for tried in range(ATTEMPTS):
            if tried:
                sleep(backoff_seconds(tried - 1))
            with calling(", ".join(asked), "read"):
                answer = dynamodb.batch_get_item(RequestItems=asked)
            for table, rows in answer["Responses"].items():
                yield from ((table, row) for row in rows)
            asked = dict(answer.get("UnprocessedKeys", {}))
            if not asked:
                break
        else:
            raise TransientFailure(
                f"rows of {', '.join(asked)} were not read after {ATTEMPTS} attempts; try again"
            )


def _request(fields: Sequence[str]) -> dict[str, Any]:
    """Names stand beside the expression, since some are words of the service."""
    names = {f"#n{number}": name for number, name in enumerate(fields)}
    return {
        "Keys": [],
        "ConsistentRead": True,
        "ProjectionExpression": ", ".join(names),
        "ExpressionAttributeNames": names,
    }
