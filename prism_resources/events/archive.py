"""The archive: stored events as JSON Lines by week and hour.

Belongs here: writing the events of a pack, and reading days. Does not belong here: the table (event_store.py) and
the lake's Parquet, which an asset makes of this.
A pack that is stored again is the same object again, and one that is cut otherwise by the queue repeats events: a
reader counts each key once.
"""

import gzip
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec

from prism_core.calendar import Week
from prism_core.lake import raw_prefix
from prism_core.models.events import StoredEvent, hour_of
from prism_core.settings import Settings
from prism_resources.events import objects

SOURCE: Final = "events"
_LEVEL: Final = 1  # a function packs while a producer's event waits; the lake packs it better later


class Archived(msgspec.Struct, frozen=True):
    """A stored event as a line. `data` is None where it is long and lies in S3 as `body`."""

    event_key: str
    receipt: str
    producer: str
    source: str
    event_id: str
    type: str
    version: str
    accepted_at: datetime
    stored_at: datetime
    fingerprint: str
    time: datetime | None = None
    value: str | None = None
    label: str | None = None
    subject: str | None = None
    dataschema: str | None = None
    extensions: dict[str, str | int | bool] = {}
    lookups: dict[str, int] = {}
    added: dict[str, str] = {}
    missing: tuple[str, ...] = ()
    body: str | None = None
    data: Any = None


_decode: Final = msgspec.json.Decoder(Archived).decode
_FIELDS: Final = frozenset(Archived.__struct_fields__) - {"data"}


def archive(settings: Settings, events: Iterable[StoredEvent]) -> list[str]:
    """Write events, an object for each hour of acceptance; answers the keys. Writing again changes nothing."""
    hours: dict[tuple[Week, str], list[StoredEvent]] = {}
    for event in events:
        hours.setdefault((Week.of(event.accepted_at), hour_of(event.accepted_at)), []).append(event)
    written: list[str] = []
    for (week, hour), found in sorted(hours.items(), key=lambda one: one[0][1]):
        ordered = sorted(found, key=lambda event: event.event_key)
        name = blake2b("".join(event.event_key + event.receipt for event in ordered).encode(), digest_size=16)
        key = f"{raw_prefix(SOURCE, week)}hour={hour}/{name.hexdigest()}.jsonl.gz"
        lines = b"".join(_line(event) for event in ordered)
        objects.put(settings, key, gzip.compress(lines, _LEVEL, mtime=0), objects.LINES)
        written.append(key)
    return written


def keys_of_day(settings: Settings, day: date) -> list[str]:
    """The objects of a day (UTC)."""
    return list(objects.keys(settings, f"{raw_prefix(SOURCE, Week.of(day))}hour={day.isoformat()}T"))


def read(settings: Settings, keys: Iterable[str]) -> Iterator[Archived]:
    """The events of objects, each once; long data are fetched. Raises LostObject for one that has expired."""
    seen: set[str] = set()
    for key in keys:
        for line in gzip.decompress(objects.get(settings, key)).splitlines():
            event = _decode(line)
            if event.event_key in seen:
                continue
            seen.add(event.event_key)
            if event.body is not None:
                data = msgspec.json.decode(objects.get(settings, event.body))
                event = msgspec.structs.replace(event, data=data)
            yield event


def _line(event: StoredEvent) -> bytes:
    said: dict[str, Any] = {name: value for name, value in event.plain().items() if name in _FIELDS}
    if event.data is not None:
        said["data"] = msgspec.Raw(event.data.encode())
    return msgspec.json.encode(said) + b"\n"
