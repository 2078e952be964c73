"""The dead queue: messages that nobody could bring to an end.

Belongs here: turning them into failed events, so that somebody sees them and can send them again. Does not belong
here: the queue that they come from (queue.py).
A message is deleted when its event is kept; a run that is killed between finds it again and changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from prism_core.events.enrichment import Enricher, Rule
from prism_core.events.failed import FailedEvent, Failure, failed_id
from prism_core.events.messages import Accepted, decode
from prism_core.events.outcomes import Outcome
from prism_core.failures import PermanentFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.events import objects
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.queue import DEAD_NAME, EventQueue
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore
from prism_resources.failures import calling

COMPONENT, COMPONENT_VERSION = "prism_resources.events.dead", "1.0.0"
UNREADABLE: Final = "events/unreadable/"
_MESSAGES, _SECONDS = 10, 120


@dataclass(slots=True)
class Drained:
    """`undeliverable` are failed events now, `settled` had come to an end after all, `unreadable` lie in S3."""

    undeliverable: int = 0
    settled: int = 0
    unreadable: int = 0


def drain(settings: Settings, now: datetime) -> Drained:
    """Empty the dead queue."""
    sqs, queue = client(settings, "sqs"), EventQueue(settings, DEAD_NAME)
    drain_one, done = _Drain(settings, now), Drained()
    while True:
        with calling(DEAD_NAME, "read"):
            answer = sqs.receive_message(
                QueueUrl=queue.url, MaxNumberOfMessages=_MESSAGES, VisibilityTimeout=_SECONDS, WaitTimeSeconds=0
            )
        messages = answer.get("Messages", [])
        if not messages:
            return done
        for message in messages:
            drain_one(message, done)
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)]
        with calling(DEAD_NAME, "delete"):
            sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)


class _Drain:
    def __init__(self, settings: Settings, now: datetime) -> None:
        self._settings, self._now = settings, now
        self._receipts, self._failed = Receipts(settings), FailedStore(settings)
        self._schemas = SchemaStore(settings)

    def __call__(self, message: Any, done: Drained) -> None:
        try:
            accepted = decode(message["Body"])
        except PermanentFailure:
            body = message["Body"].encode("utf-8", "surrogatepass")
            objects.put(self._settings, f"{UNREADABLE}{message['MessageId']}", body, objects.JSON)
            done.unreadable += 1
            return
        if self._receipts.outcomes([accepted]):
            done.settled += 1
            return
        self._failed.add([self._event(accepted)])
        self._receipts.settle([(accepted, Outcome.FAILED)], self._now, undeliverable=True)
        done.undeliverable += 1

    def _event(self, accepted: Accepted) -> FailedEvent:
        event = accepted.event
        data = event.data
        if accepted.body is not None:
            data = msgspec.json.decode(objects.get(self._settings, accepted.body.key))
        versions = self._schemas.versions(event.type)
        rules = [
            Rule(one.kind, one.path, one.into, one.lookup, one.beside)
            for one in (versions[-1].rules if versions else ())
        ]
        payload = msgspec.structs.replace(event, data=Enricher(rules).without_addresses(data))
        return FailedEvent(
            failed_id=failed_id(accepted.receipt),
            receipt=accepted.receipt,
            failure=Failure.UNDELIVERABLE,
            producer=accepted.producer,
            source=event.source,
            event_id=event.id,
            type=event.type,
            accepted_at=accepted.accepted_at,
            failed_at=self._now,
            component=COMPONENT,
            component_version=COMPONENT_VERSION,
            version=None if event.version is None else str(event.version),
            fingerprint=accepted.fingerprint,
            payload=msgspec.to_builtins(payload),
        )
