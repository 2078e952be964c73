"""The dead queue: messages that nobody could bring to an end.

Belongs here: turning them into failed events, so that somebody sees them and can send them again. Does not belong
here: the queue that they come from (queue.py).
A message is deleted when its event is kept; a run that is killed between finds it again and changes nothing. One
that cannot be kept stays for the next run, and holds up no other.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from prism_core.events.enrichment import Enricher, Rule
from prism_core.events.failed import FailedEvent, FailedStatus, Failure, failed_id
from prism_core.events.messages import Accepted, decode
from prism_core.events.outcomes import Outcome
from prism_core.failures import PermanentFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.events import objects
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.fates import Earlier
from prism_resources.events.queue import DEAD_NAME, EventQueue
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore
from prism_resources.failures import calling

COMPONENT, COMPONENT_VERSION = "prism_resources.events.dead", "1.0.0"
UNREADABLE: Final = "events/unreadable/"
_MESSAGES, _SECONDS = 10, 120
# Without waiting SQS asks some of its servers alone, and may find nothing in a queue that has messages.
_WAIT_SECONDS: Final = 1
_log = logging.getLogger("prism.events")


@dataclass(slots=True)
class Drained:
    """`undeliverable` are failed events now, `settled` had come to an end after all, `unreadable` lie in S3;
    `stuck` could not be kept anywhere and still wait."""

    undeliverable: int = 0
    settled: int = 0
    unreadable: int = 0
    stuck: int = 0


def drain(settings: Settings, now: datetime) -> Drained:
    """Empty the dead queue."""
    sqs, queue = client(settings, "sqs"), EventQueue(settings, DEAD_NAME)
    drain_one, done = _Drain(settings, now), Drained()
    stuck: dict[str, str] = {}
    while True:
        with calling(DEAD_NAME, "read"):
            answer = sqs.receive_message(
                QueueUrl=queue.url,
                MaxNumberOfMessages=_MESSAGES,
                VisibilityTimeout=_SECONDS,
                WaitTimeSeconds=_WAIT_SECONDS,
            )
        messages = [one for one in answer.get("Messages", []) if one["MessageId"] not in stuck]
        if not messages:
            break
        kept = [one for one in messages if _kept(drain_one, one, done)]
        stuck |= {one["MessageId"]: one["ReceiptHandle"] for one in messages if one not in kept}
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(kept)]
        if entries:
            with calling(DEAD_NAME, "delete"):
                sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)
    done.stuck = len(stuck)
    queue.try_again(dict.fromkeys(stuck.values(), 0))
    return done


def _kept(drain_one: "_Drain", message: Any, done: Drained) -> bool:
    """Whether a message is dealt with and may be deleted."""
    try:
        drain_one(message, done)
    except Exception:  # noqa: BLE001 - whatever is wrong with one, the others are not to wait for it
        _log.exception("message %s stays in the dead queue", message["MessageId"])
        return False
    return True


class _Drain:
    def __init__(self, settings: Settings, now: datetime) -> None:
        self._settings, self._now = settings, now
        self._receipts, self._failed = Receipts(settings), FailedStore(settings)
        self._schemas, self._earlier = SchemaStore(settings), Earlier(settings)

    def __call__(self, message: Any, done: Drained) -> None:
        try:
            accepted = decode(message["Body"])
        except PermanentFailure:
            body = message["Body"].encode("utf-8", "surrogatepass")
            objects.put(self._settings, f"{UNREADABLE}{message['MessageId']}", body, objects.JSON)
            _log.error("message %s could not be read; it lies in %s", message["MessageId"], UNREADABLE)
            done.unreadable += 1
            return
        known = self._earlier.fates([accepted], self._now)
        if known.outcomes:
            self._note_replayed(known.ended)
            done.settled += 1
            return
        self._failed.add([self._event(accepted)])
        self._receipts.settle([(accepted, Outcome.FAILED)], self._now, undeliverable=True)
        done.undeliverable += 1

    def _note_replayed(self, ended: Sequence[tuple[Accepted, Outcome]]) -> None:
        for accepted, outcome in ended:
            if accepted.replay_of is not None and outcome in {Outcome.STORED, Outcome.DUPLICATE}:
                self._failed.settle(accepted.replay_of, FailedStatus.REPLAYED)

    def _event(self, accepted: Accepted) -> FailedEvent:
        event = accepted.event
        data = event.data
        if accepted.body is not None:
            data = msgspec.json.decode(objects.get(self._settings, accepted.body.key))
        versions = self._schemas.versions(event.type)
        asked = [one for one in versions if one.version == str(event.version)] or versions[-1:]
        rules = [
            Rule(one.kind, one.path, one.into, one.lookup, one.beside) for item in asked for one in item.rules
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
            status=FailedStatus.OPEN if accepted.replay_of is None else FailedStatus.REPEATED,
        )
