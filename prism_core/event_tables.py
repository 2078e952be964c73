"""The tables of the event pipeline: keys, indexes and the ways to read them without a scan.

Belongs here: one typed spec a table, which tables.py puts among all others. Does not belong here: fields of the
items (models/events.py) and who writes them (prism_resources/events).
A partition that all writers of an hour would share is split by shards, and a reader asks each.
"""

from importlib import import_module
from typing import Final

from prism_core.models.base import Model
from prism_core.table_spec import Imported, IndexSpec, KeyAttribute, TableSpec


def _plain(name: str) -> KeyAttribute:
    return KeyAttribute(name, f"{{{name}}}")


def _part(part: Imported, key: str, name: str, partition: KeyAttribute, sort: KeyAttribute) -> IndexSpec:
    """An index that carries the fields of a smaller model: not the data, which may have 300 kB a row."""
    return IndexSpec(name, partition, sort, part=part, beside=key)


def _failed_mark() -> type[Model]:
    return import_module("prism_core.models.events").FailedMark


_ACCEPTED = _plain("accepted_at")
_STATUS = _plain("status")

EVENTS: Final = TableSpec(
    "events",
    _plain("event_key"),
    lambda: import_module("prism_core.models.events").StoredEvent,
    indexes=(
        _part(
            lambda: import_module("prism_core.models.events").EventMark,
            "event_key",
            "by_type_hour",
            KeyAttribute("type_hour_shard", "{type}#{hour}#{shard}"),
            _plain("event_key"),
        ),
    ),
    expires="expires_at",
    passing=True,
)
FAILED_EVENTS: Final = TableSpec(
    "failed_events",
    _plain("failed_id"),
    lambda: import_module("prism_core.models.events").FailedItem,
    indexes=(
        _part(
            _failed_mark,
            "failed_id",
            "by_day",
            KeyAttribute("day_shard", "{day}#{shard}"),
            _plain("failed_id"),
        ),
        _part(
            _failed_mark,
            "failed_id",
            "by_producer",
            _plain("producer"),
            _ACCEPTED,
        ),
        _part(
            _failed_mark,
            "failed_id",
            "by_type",
            _plain("type"),
            _ACCEPTED,
        ),
        _part(
            _failed_mark,
            "failed_id",
            "by_status",
            _STATUS,
            _ACCEPTED,
        ),
    ),
    expires="expires_at",
)
SCHEMAS: Final = TableSpec(
    "schemas",
    _plain("type"),
    lambda: import_module("prism_core.models.events").SchemaItem,
    sort=_plain("version_key"),
    home="by_type",
    indexes=(IndexSpec("by_status", _STATUS, KeyAttribute("type_version", "{type}#{version_key}")),),
)
LOOKUPS: Final = TableSpec(
    "lookups",
    _plain("name"),
    lambda: import_module("prism_core.models.events").LookupItem,
    sort=KeyAttribute("version_key", "{version:06d}"),
    home="by_name",
    indexes=(IndexSpec("by_status", _STATUS, KeyAttribute("name_version", "{name}#{version:06d}")),),
)
RECEIPTS: Final = TableSpec(
    "receipts",
    KeyAttribute("hour_shard", "{hour}#{shard}"),
    lambda: import_module("prism_core.models.events").ReceiptItem,
    sort=_plain("receipt"),
    home="by_hour",
    expires="expires_at",
    passing=True,
)
EVENT_ROLLUPS: Final = TableSpec(
    "event_rollups",
    KeyAttribute("type_grain", "{type}#{grain}"),
    lambda: import_module("prism_core.models.events").RollupItem,
    sort=KeyAttribute("start_part", "{start}#{part}"),
    home="by_type",
    indexes=(
        IndexSpec("by_day", _plain("day"), KeyAttribute("grain_type_start", "{grain}#{type}#{start}#{part}")),
    ),
    expires="expires_at",
)

EVENT_TABLES: Final = (EVENTS, FAILED_EVENTS, SCHEMAS, LOOKUPS, RECEIPTS, EVENT_ROLLUPS)
