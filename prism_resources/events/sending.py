"""From an accepted event to a message that the queue has.

Belongs here: the order that makes accepted mean never lost: large data to S3, the receipt's row, the message.
Does not belong here: the rows (receipts.py), the queue (queue.py), and who accepts (prism_api/events/ingest.py).
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from prism_core.events.messages import Accepted, Body, apart, encode, is_large
from prism_core.failures import PrismFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.events.queue import EventQueue
from prism_resources.events.receipts import Receipts
from prism_resources.failures import calling

# A message waits 14 days, in the queue and the dead one together: SQS counts from when it was first sent. Then
# what came of it is kept elsewhere.
LARGE: Final = "events/large/"
LARGE_EXPIRY_DAYS: Final = 35


class Sender:
    """Receipts and queue of a platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.receipts, self.queue = Receipts(settings), EventQueue(settings)

    def send(self, accepted: Sequence[Accepted]) -> set[str]:
        """Answers the receipts of those that the queue has: these alone may be given out.

        The others are marked as refused. Raises TransientFailure when not even their rows were written.
        """
        messages = [self._message(one) for one in accepted]
        self.receipts.accept(accepted)
        refused = self.queue.send(messages)
        if refused:
            # Those of which even that cannot be written stay in flight until somebody looks.
            with suppress(PrismFailure):
                self.receipts.refuse([accepted[number] for number in sorted(refused)])
        return {one.receipt for number, one in enumerate(accepted) if number not in refused}

    def _message(self, one: Accepted) -> bytes:
        text = encode(one)
        if not is_large(text):
            return text
        key = f"{LARGE}{one.receipt}"
        data = msgspec.json.encode(one.event.data)
        with calling(key, "write"):
            put = client(self._settings, "s3").put_object(
                Bucket=self._settings.lake_bucket, Key=key, Body=data, ContentType="application/json"
            )
        body = Body(self._settings.lake_bucket, key, put.get("VersionId", ""), len(data))
        return encode(apart(one, body)[0])
