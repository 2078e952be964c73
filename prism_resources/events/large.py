"""Data of large events on their way: objects beside the queue.

Belongs here: writing them before the message, and deleting them when their event came to an end. Does not belong
here: what is large (prism_core/events/messages.py) and the data of stored events (prism_api/events/kept.py).
They are as they were posted, addresses and all, which are stored nowhere: so they end with the processing.
"""

import logging
from collections.abc import Iterable
from typing import Final

import msgspec

from prism_core.events.messages import Accepted, Body
from prism_core.failures import PrismFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling

LARGE: Final = "events/large/"
# Of those that nobody deleted. A message waits 14 days, in the queue and the dead one together: SQS counts from
# when it was first sent. Then what came of it is kept elsewhere.
LARGE_EXPIRY_DAYS: Final = 15
_log = logging.getLogger("prism.events")


def put_large(settings: Settings, accepted: Accepted) -> Body:
    """Write the data of an event. Raises TransientFailure."""
    key, data = f"{LARGE}{accepted.receipt}", msgspec.json.encode(accepted.event.data)
    with calling(key, "write"):
        put = client(settings, "s3").put_object(
            Bucket=settings.lake_bucket, Key=key, Body=data, ContentType="application/json"
        )
    return Body(settings.lake_bucket, key, put.get("VersionId", ""), len(data))


def forget_large(settings: Settings, ended: Iterable[Accepted]) -> None:
    """Delete the data of events that came to an end, their version for good. What cannot be deleted expires."""
    for body in (one.body for one in ended if one.body is not None):
        try:
            with calling(body.key, "delete"):
                client(settings, "s3").delete_object(
                    Bucket=body.bucket, Key=body.key, VersionId=body.object_version
                )
        except PrismFailure:
            _log.exception("%s was not deleted; it expires", body.key)
