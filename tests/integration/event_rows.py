"""Events and failed events as the pipeline makes them, for tests of what keeps them."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from prism_core.events.envelope import Envelope
from prism_core.events.failed import FailedEvent, Failure, failed_id
from prism_core.events.problems import Problem
from prism_core.models.events import StoredEvent

NOW = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)


def stored(
    number: int, kind: str, *, receipt: str | None = None, data: Any = None, now: datetime = NOW, **more: Any
) -> StoredEvent:
    """An event that is known by its number and type; its receipt too, unless it came with another one."""
    event = Envelope(id=f"e{number}", source=f"/{kind}", type=kind, data=data or {"seconds": number})
    return StoredEvent(
        event_key=event.key,
        receipt=receipt or f"{number:026d}",
        producer="tool",
        source=event.source,
        event_id=event.id,
        type=kind,
        version="1-0-0",
        accepted_at=now + timedelta(seconds=number),
        stored_at=now + timedelta(seconds=number, milliseconds=120),
        fingerprint=event.fingerprint,
        data=json.dumps(event.data),
        expires_at=int((now + timedelta(days=35)).timestamp()),
        **more,
    )


def failed(number: int, kind: str, *, now: datetime = NOW, **more: Any) -> FailedEvent:
    """A failed event that is known by its number and type; what it lacks is a number of seconds."""
    receipt = more.pop("receipt", f"{blake2b(f'{kind} {number}'.encode(), digest_size=13).hexdigest()}")
    event = Envelope(id=f"e{number}", source=f"/{kind}", type=kind, data={"seconds": "twelve", "n": number})
    made = FailedEvent(
        failed_id=failed_id(receipt),
        receipt=receipt,
        failure=Failure.INVALID,
        producer=f"{kind}-tool",
        source=event.source,
        event_id=event.id,
        type=kind,
        accepted_at=now + timedelta(seconds=number),
        failed_at=now + timedelta(seconds=number, milliseconds=90),
        component="validate",
        component_version="0.1.0",
        version="1-0-0",
        problems=(Problem("/seconds", "type", '"twelve" is not of type "number"'),),
        payload=msgspec.to_builtins(event),
    )
    return msgspec.structs.replace(made, **more)
