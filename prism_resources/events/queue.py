"""The queue of accepted events.

Belongs here: sending messages in batches that SQS takes, how many wait, and when one that failed is tried again.
Does not belong here: what a message says (prism_core/events/messages.py) and receipts (receipts.py).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Final

from prism_core.failures import PrismFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling

# Of one SendMessageBatch; a message of its own is bounded by messages.is_large.
BATCH_MESSAGES: Final = 10
BATCH_BYTES: Final = 256 * 1024
_SENDERS: Final = 8
# Of one call: a producer waits, and who waits longer than the function may is told nothing at all.
CALL_ATTEMPTS: Final = 3
_COUNTED_FOR_SECONDS: Final = 5.0
NAME, DEAD_NAME = "events", "events-dead"


class EventQueue:
    """The queue of a platform, or its dead queue by name."""

    def __init__(self, settings: Settings, name: str = NAME) -> None:
        self._name = f"{settings.name_prefix}-{name}"
        self._sqs = client(settings, "sqs", attempts=CALL_ATTEMPTS)
        self._counted: tuple[float, int] | None = None

    @cached_property
    def url(self) -> str:
        with calling(self._name, "look"):
            return self._sqs.get_queue_url(QueueName=self._name)["QueueUrl"]

    def send(self, messages: Sequence[bytes]) -> set[int]:
        """Send them; answers the numbers of those that SQS did not take, or of which nobody knows."""
        batches = list(_batches(messages))
        if len(batches) == 1:
            return self._send(messages, batches[0])
        with ThreadPoolExecutor(min(len(batches), _SENDERS)) as pool:
            refused = pool.map(lambda batch: self._send(messages, batch), batches)
            return {number for found in refused for number in found}

    def waiting(self) -> int:
        """About how many messages wait; asked every five seconds at most."""
        now = time.monotonic()
        if self._counted is None or now - self._counted[0] > _COUNTED_FOR_SECONDS:
            with calling(self._name, "count"):
                found = self._sqs.get_queue_attributes(
                    QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"]
                )
            self._counted = (now, int(found["Attributes"]["ApproximateNumberOfMessages"]))
        return self._counted[1]

    def try_again(self, delays: Mapping[str, int]) -> None:
        """When messages, by their receipt handles, are seen again, in seconds from now."""
        handles = list(delays)
        for start in range(0, len(handles), BATCH_MESSAGES):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": delays[handle]}
                for number, handle in enumerate(handles[start : start + BATCH_MESSAGES])
            ]
            with calling(self._name, "delay"):
                self._sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)

    def _send(self, messages: Sequence[bytes], batch: range) -> set[int]:
        entries: list[Any] = [{"Id": str(number), "MessageBody": messages[number].decode()} for number in batch]
        try:
            with calling(self._name, "send"):
                answer = self._sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
        except PrismFailure:
            return set(batch)
        return set(batch) - {int(one["Id"]) for one in answer.get("Successful", ())}


def _batches(messages: Sequence[bytes]) -> Iterator[range]:
    start, size = 0, 0
    for number, message in enumerate(messages):
        if number > start and (number - start == BATCH_MESSAGES or size + len(message) > BATCH_BYTES):
            yield range(start, number)
            start, size = number, 0
        size += len(message)
    if messages:
        yield range(start, len(messages))
