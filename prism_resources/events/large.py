"""Data of large events on their way: objects beside the queue.

Belongs here: writing them before the message, and deleting them once their event has come to an end. Does not
belong here: what is large (prism_core/events/messages.py), the data of stored events (prism_api/events/kept.py).
They are as they were posted, addresses and all, which are stored nowhere: so they end soon after the processing.
Not at once: a delivery that runs beside the one that ended it reads them still, and the embedded AWS comes back
from a kill with tables and queue as they were some seconds before, but with the files of now.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from prism_core.events.messages import Accepted, Body
from prism_core.models.events import RECEIPT_SHARDS, hour_of, shard_of
from prism_core.settings import Settings
from prism_core.tables import RECEIPTS
from prism_resources.aws import client
from prism_resources.events.reading import read_many
from prism_resources.failures import calling
from prism_resources.tables.codec import Item, decode_value

LARGE: Final = "events/large/"
# Of those that nobody deleted. A message waits 14 days, in the queue and the dead one together: SQS counts from
# when it was first sent. Then what came of it is kept elsewhere.
LARGE_EXPIRY_DAYS: Final = 15
# The longest that a delivery may still read what another one has ended, and far more than a snapshot is old.
KEPT: Final = timedelta(hours=1)


def put_large(settings: Settings, accepted: Accepted) -> Body:
    """Write the data of an event. Raises TransientFailure."""
    key, data = key_of_large(accepted), msgspec.json.encode(accepted.event.data)
    with calling(key, "write"):
        put = client(settings, "s3").put_object(
            Bucket=settings.lake_bucket, Key=key, Body=data, ContentType="application/json"
        )
    return Body(settings.lake_bucket, key, put.get("VersionId", ""), len(data))


def key_of_large(accepted: Accepted) -> str:
    """It names the row of its receipt: `events/large/2026-09-10T07/RECEIPT`."""
    return f"{LARGE}{hour_of(accepted.accepted_at)}/{accepted.receipt}"


def forget_large(settings: Settings, *, kept: timedelta = KEPT) -> int:
    """Delete the data of events that came to an end, every version for good; how many versions there were.

    What was written less than `kept` ago stays for a later run. Raises TransientFailure, PermanentFailure.
    """
    s3, before, gone = client(settings, "s3"), datetime.now(UTC) - kept, 0  # S3 stamps by its own clock
    versions = list[Any]()
    with calling(LARGE, "listing"):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=settings.lake_bucket, Prefix=LARGE):
            versions += [one for one in page.get("Versions", []) if one.get("LastModified", before) < before]
    ended = set(_ended(settings, [one["Key"] for one in versions]))
    for one in versions:
        if one["Key"] in ended:
            with calling(one["Key"], "delete"):
                s3.delete_object(Bucket=settings.lake_bucket, Key=one["Key"], VersionId=one["VersionId"])
            gone += 1
    return gone


def _ended(settings: Settings, keys: Sequence[str]) -> Iterator[str]:
    """Those whose receipts say how it ended.

    Not those that the queue refused: a replay sends under the same receipt again, and the message of one may wait
    while another is refused. Theirs expire.
    """
    rows: dict[tuple[str, str], str] = {}
    for key in keys:
        hour, _, receipt = key.removeprefix(LARGE).partition("/")
        if receipt:  # another form of a key names no row, and expires
            rows[f"{hour}#{shard_of(receipt, RECEIPT_SHARDS)}", receipt] = key
    table = settings.table_name(RECEIPTS.name)
    wanted: list[Item] = [
        {"hour_shard": {"S": partition}, "receipt": {"S": receipt}} for partition, receipt in rows
    ]
    fields = {table: ("hour_shard", "receipt", "outcome")}
    for _, row in read_many(client(settings, "dynamodb"), {table: wanted}, fields):
        if "outcome" in row:
            yield rows[decode_value(row["hour_shard"]), decode_value(row["receipt"])]
