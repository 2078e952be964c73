"""What is kept of an event that was judged: the stored event, or the failed one.

Belongs here: making either from an entry of a pack, and data that lie apart. Does not belong here: writing them.
An address is kept nowhere: not in what failed either.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from prism_api.events.compiled import Judge
from prism_api.events.registry import Registry
from prism_core.events.enrichment import Enriched, at
from prism_core.events.failed import FailedEvent, FailedStatus, Failure, failed_id
from prism_core.events.messages import Accepted
from prism_core.events.rollups import Counted
from prism_core.models.events import BODY_MAX_BYTES, StoredEvent
from prism_core.settings import Settings
from prism_resources.events import objects

COMPONENT, COMPONENT_VERSION = "prism_api.events", "1.0.0"
BODIES: Final = "events/bodies/"
_LONGEST_LABEL: Final = 200
_MOST: Final = 10**15


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event on its way through the states: the version that it was judged by, why it failed, what was added."""

    accepted: Accepted
    version: str | None = None
    failure: Failure | None = None
    enriched: Enriched | None = None


def data_of(settings: Settings, accepted: Accepted) -> Any:
    """The data, also where they lie in S3. Raises LostObject."""
    if accepted.body is None:
        return accepted.event.data
    return msgspec.json.decode(objects.get(settings, accepted.body.key))


def stored_event(settings: Settings, entry: Entry, judge: Judge, enriched: Enriched, now: datetime) -> StoredEvent:
    """The item of an event; long data are written to S3 first."""
    accepted, event = entry.accepted, entry.accepted.event
    text = None if enriched.data is None else msgspec.json.encode(enriched.data)
    body = None
    if text is not None and len(text) > BODY_MAX_BYTES:
        body = f"{BODIES}{event.key}-{accepted.receipt}.json"
        objects.put(settings, body, text, objects.JSON)
        text = None
    label = at(enriched.data, judge.item.label_at) if judge.item.label_at else None
    return StoredEvent(
        event_key=event.key,
        receipt=accepted.receipt,
        producer=accepted.producer,
        source=event.source,
        event_id=event.id,
        type=event.type,
        version=judge.item.version,
        accepted_at=accepted.accepted_at,
        stored_at=now,
        time=event.time,
        value=_measure(at(enriched.data, judge.item.value_at)) if judge.item.value_at else None,
        label=label[:_LONGEST_LABEL] if isinstance(label, str) else None,
        fingerprint=accepted.fingerprint,
        subject=event.subject,
        dataschema=event.dataschema,
        extensions=event.extensions,
        data=None if text is None else text.decode(),
        body=body,
        lookups=enriched.versions,
        added=enriched.added,
        missing=enriched.missing,
        expires_at=int((now + timedelta(days=settings.events_keep_days)).timestamp()),
    )


def failed_event(
    settings: Settings, entry: Entry, judge: Judge | None, registry: Registry, now: datetime
) -> FailedEvent:
    """The record of an event that failed, or whose key is taken (an entry without a failure)."""
    accepted, event = entry.accepted, entry.accepted.event
    data = data_of(settings, accepted)
    ruling = judge or registry.newest(event.type)
    problems = judge.schema.problems(data) if judge is not None and entry.failure is Failure.INVALID else ()
    kept = data if ruling is None else ruling.enricher.without_addresses(data)
    payload = msgspec.structs.replace(event, data=kept)
    return FailedEvent(
        failed_id=failed_id(accepted.receipt),
        receipt=accepted.receipt,
        failure=entry.failure or Failure.CONFLICT,
        producer=accepted.producer,
        source=event.source,
        event_id=event.id,
        type=event.type,
        accepted_at=accepted.accepted_at,
        failed_at=now,
        component=COMPONENT,
        component_version=COMPONENT_VERSION,
        version=entry.version or (None if event.version is None else str(event.version)),
        fingerprint=accepted.fingerprint,
        problems=problems,
        payload=msgspec.to_builtins(payload),
        status=FailedStatus.OPEN if accepted.replay_of is None else FailedStatus.REPEATED,
    )


def counted(event: StoredEvent) -> Counted:
    """What roll-ups need of it."""
    return Counted(
        event.event_key,
        event.type,
        event.producer,
        event.accepted_at,
        event.stored_at,
        event.time,
        None if event.value is None else float(event.value),
        event.label,
    )


def _measure(found: Any) -> Decimal | None:
    """A number that a roll-up can measure."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    number = Decimal(repr(found)) if isinstance(found, float) else Decimal(found)
    return number if number.is_finite() and abs(number) < _MOST else None
