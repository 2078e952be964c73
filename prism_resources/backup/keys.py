"""Keys of persons, put back from a copy of their table: no backup holds them, a recovery to a point in time does.

Belongs here: copying the keys of people who have none now. Does not belong here: making the copy
(docs/backups.md), and what a key is (prism_resources/privacy.py).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from prism_core.failures import BadUsage
from prism_core.privacy import PERSON_KEYS, PersonKey
from prism_core.settings import Settings
from prism_resources.failures import calling, error_code
from prism_resources.tables.bulk import scan_pages
from prism_resources.tables.codec import decode
from prism_resources.tables.reader import TableReader

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_LOST: Final = "ConditionalCheckFailedException"


@dataclass(slots=True)
class PutBack:
    """People by what became of their key: `back` had none, `stood` had that of the copy; `other` were given one
    since, which stays, and does not open what was sealed before."""

    back: list[str] = field(default_factory=list[str])
    stood: list[str] = field(default_factory=list[str])
    other: list[str] = field(default_factory=list[str])


def put_back(dynamodb: "DynamoDBClient", settings: Settings, copy: str) -> PutBack:
    """Give everybody the key that the table `copy` has of them, unless they have one; may be repeated.

    Raises BadUsage for the table itself, PermanentFailure for a copy that is not there or of another table.
    """
    keys = TableReader(dynamodb, settings, PERSON_KEYS, PersonKey)
    if copy == keys.table:
        raise BadUsage(f"{copy} is the table of keys itself; name the table that was recovered from it")
    found = PutBack()
    for page in scan_pages(dynamodb, copy, 1):
        for item in page:
            kept = decode(PERSON_KEYS, PersonKey, item)
            with calling(keys.table, "write"):
                try:
                    dynamodb.put_item(
                        TableName=keys.table,
                        Item=item,
                        ConditionExpression="attribute_not_exists(#person)",
                        ExpressionAttributeNames={"#person": PERSON_KEYS.partition.name},
                    )
                except ClientError as error:
                    if error_code(error) != _LOST:
                        raise
                    stands = keys.get(person=kept.person)
                    same = stands is not None and stands.key_id == kept.key_id
                    (found.stood if same else found.other).append(kept.person)
                else:
                    found.back.append(kept.person)
    return found
