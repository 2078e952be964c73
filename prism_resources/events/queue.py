"""The queue of accepted events.

Belongs here: sending messages in batches that SQS takes, how many wait, and when one that failed is tried again.
Does not belong here: what a message says (prism_core/events/messages.py) and receipts (receipts.py).
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

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
# A queue that stays full for so long has a trouble of its own, or producers who need all of it.
_ROOM_WITHIN_SECONDS: Final = 600.0
# In an outage what failed is invisible until it is tried again: by the visible alone we would let in without end.
_NOT_DONE: Final = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
_BROKEN: Final = 500
# Without waiting SQS asks some of its servers alone.
_LOOK_SECONDS: Final = 2
NAME, DEAD_NAME = "events", "events-dead"
_log = logging.getLogger("prism.events")


@dataclass(frozen=True, slots=True)
class Unsent:
    """The numbers of messages that SQS did not take, and of those of which nobody knows whether it did; false when
    it has them all."""

    refused: frozenset[int] = frozenset()
    doubtful: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.refused or self.doubtful)


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

    def send(self, messages: Sequence[bytes], *, until: float = math.inf) -> Unsent:
        """Send them; answers those that SQS has not confirmed. Raises PrismFailure when there is no such queue.

        Whoever has not answered at `until` (of time.monotonic) is not waited for: what it was sent is in doubt.
        """
        batches, url = list(_batches(messages)), self.url
        if len(batches) == 1 and until == math.inf:
            return self._send(url, messages, batches[0])
        pool = ThreadPoolExecutor(min(len(batches), _SENDERS))
        try:
            calls = {pool.submit(self._send, url, messages, batch): batch for batch in batches}
            left = None if until == math.inf else max(0.0, until - time.monotonic())
            ended, silent = wait(calls, left)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if silent:
            _log.warning("%s did not answer in time to %d of %d batches", self._name, len(silent), len(calls))
        found = [one.result() for one in ended]
        found += [Unsent(doubtful=frozenset(calls[one])) for one in silent]
        return Unsent(
            frozenset[int]().union(*(one.refused for one in found)),
            frozenset[int]().union(*(one.doubtful for one in found)),
        )

    def waiting(self) -> int:
        """About how many messages are not done with: those that wait, and those that are being processed or wait
        until they are tried again. Asked every five seconds at most."""
        now = time.monotonic()
        if self._counted is None or now - self._counted[0] > _COUNTED_FOR_SECONDS:
            with calling(self._name, "count"):
                found = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=_NOT_DONE)
            self._counted = (now, sum(int(found["Attributes"][name]) for name in _NOT_DONE))
        return self._counted[1]

    def await_room(self, most: int, held_up: Callable[[int], object]) -> bool:
        """Wait until about `most` are not done with, or fewer; false when that takes more than ten minutes.
        `held_up` hears how many there are each time."""
        until = time.monotonic() + _ROOM_WITHIN_SECONDS
        while (waiting := self.waiting()) > most:
            held_up(waiting)
            if time.monotonic() >= until:
                return False
            time.sleep(_COUNTED_FOR_SECONDS)
        return True

    def left(self) -> int:
        """About how many messages are left, and none where none can be had: the figures of SQS lag behind."""
        number = self.waiting()
        if not number:
            return 0
        with calling(self._name, "look into"):
            answer = self._sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=1, VisibilityTimeout=0, WaitTimeSeconds=_LOOK_SECONDS
            )
        return number if answer.get("Messages") else 0

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

    def _send(self, url: str, messages: Sequence[bytes], batch: range) -> Unsent:
        entries: list[Any] = [{"Id": str(number), "MessageBody": messages[number].decode()} for number in batch]
        try:
            answer = self._sqs.send_message_batch(QueueUrl=url, Entries=entries)
        except ClientError as error:
            _log.warning("%s took no batch of %d: %s", self._name, len(batch), error)
            return _unsent(batch, error.response.get("ResponseMetadata", {}))
        except BotoCoreError as error:  # no answer: it may have been the answer alone that was lost
            _log.warning("%s did not answer to a batch of %d: %s", self._name, len(batch), error)
            return Unsent(doubtful=frozenset(batch))
        left = set(batch) - {int(one["Id"]) for one in answer.get("Successful", ())}
        return _unsent(left, answer["ResponseMetadata"])


def _unsent(numbers: Iterable[int], told: Mapping[str, Any]) -> Unsent:
    """By what SQS said of its answer. What it refuses at a second attempt it may have taken at the first."""
    sure = told.get("RetryAttempts", 0) == 0 and told.get("HTTPStatusCode", _BROKEN) < _BROKEN
    return Unsent(refused=frozenset(numbers)) if sure else Unsent(doubtful=frozenset(numbers))


def _batches(messages: Sequence[bytes]) -> Iterator[range]:
    start, size = 0, 0
    for number, message in enumerate(messages):
        if number > start and (number - start == BATCH_MESSAGES or size + len(message) > BATCH_BYTES):
            yield range(start, number)
            start, size = number, 0
        size += len(message)
    if messages:
        yield range(start, len(messages))
