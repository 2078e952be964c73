"""Names that only one item may have, taken for a moment: until an index shows who has it.

Belongs here: the claim. Indexes follow their table with a delay, so that two writers at once both see a name
free; the claim lies in the table of idempotency keys, whose items are deleted by themselves. Does not belong here:
who may have which name.
"""

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from prism_core.models.jobs import StoredAnswer
from prism_core.settings import Settings
from prism_core.tables import IDEMPOTENCY
from prism_resources.failures import calling, error_code
from prism_resources.tables.codec import encode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# Indexes lag by milliseconds, and a call is over after 30 seconds.
CLAIM_SECONDS: Final = 60
ACCOUNTS: Final = "account of a member"


def claimed(
    dynamodb: "DynamoDBClient", settings: Settings, kind: str, name: str, holder: str, request_id: str
) -> bool:
    """Whether the holder has the name now, for a minute. False while another one has it."""
    now = datetime.now(UTC)  # wall time: under a fixed clock no claim would end
    held = hashlib.sha256(holder.encode()).hexdigest()
    claim = StoredAnswer(
        actor=kind,
        idempotency_key=hashlib.sha256(name.encode()).hexdigest(),
        operation=kind,
        request_hash=held,
        request_id=request_id,
        created=now,
        expires_at=int(now.timestamp()) + CLAIM_SECONDS,
    )
    with calling(IDEMPOTENCY.name, "write"):
        try:
            dynamodb.put_item(
                TableName=settings.table_name(IDEMPOTENCY.name),
                Item=encode(IDEMPOTENCY, claim),
                ConditionExpression="attribute_not_exists(#key) OR #expires < :now OR #holder = :holder",
                ExpressionAttributeNames={
                    "#key": IDEMPOTENCY.partition.name, "#expires": "expires_at", "#holder": "request_hash",
                },
                ExpressionAttributeValues={":now": {"N": str(int(now.timestamp()))}, ":holder": {"S": held}},
            )  # fmt: skip
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
    return True
