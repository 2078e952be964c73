"""Taking a backup: every table read once, the change log last, the manifest when all of it is there.

Belongs here: the order, and sealing what is personal on its way out. Does not belong here: objects (parts.py).
A row and its changes are read at different times; since the log is read after the tables, it has every change of
what was read, and a restore can move each row to one instant.
"""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from prism_core.backups import BackupManifest, TableBackup, chosen_tables, manifest_key, new_backup_id
from prism_core.failures import PermanentFailure
from prism_core.privacy import person_of, seal_value
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, Key, TableSpec
from prism_resources.backup.parts import PART_BYTES, PartWriter
from prism_resources.forgetting import left_of_personal
from prism_resources.lake import Lake
from prism_resources.privacy import PersonKeys
from prism_resources.tables.codec import Attribute, decode_value, encode_value
from prism_resources.tables.generations import Generations
from prism_resources.tables.raw import Page, RawTables
from prism_resources.tables.reader import TableReader

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ID_RANDOM_BYTES = 3
_EMPTY = {"S": ""}
# Items stay bytes until one is looked at: as objects, a page of a megabyte takes fifteen.
RAW_ITEMS = msgspec.json.Decoder(Page[msgspec.Raw])

Progress = Callable[[str, int], None]
Clock = Callable[[], datetime]


def take_backup(
    dynamodb: "DynamoDBClient",
    settings: Settings,
    lake: Lake,
    *,
    clock: Clock,
    keys: PersonKeys | None = None,
    part_bytes: int = PART_BYTES,
    progress: Progress = lambda *_: None,
) -> BackupManifest:
    """A backup of every table; it counts when this returns. `progress` is told the table and its items so far.

    A kill leaves parts without a manifest, which nobody reads and which expire. Raises what a read or a write
    raises, with the table or the object.
    """
    began = clock()
    backup_id = new_backup_id(began, os.urandom(ID_RANDOM_BYTES))
    reading = _Reading(dynamodb, settings, keys or PersonKeys(dynamodb, settings), clock)
    found: dict[str, TableBackup] = {}
    log_began = began
    for spec in chosen_tables(()):  # the log last
        if spec.name == CHANGELOG.name:
            log_began = clock()
        writer, items = PartWriter(lake, backup_id, spec.name, part_bytes=part_bytes), 0
        progress(spec.name, items)
        for page in reading.pages(spec):
            for line in page:
                writer.add(line)
            items += len(page)
            progress(spec.name, items)
        found[spec.name] = writer.close()
    manifest = BackupManifest(
        backup_id=backup_id,
        name_prefix=settings.name_prefix,
        began=began,
        log_began=log_began,
        ended=clock(),
        tables=found,
    )
    lake.put(manifest_key(backup_id), manifest.encoded(), content_type="application/json")
    return manifest


class _Reading:
    """Pages of lines of a table."""

    def __init__(self, dynamodb: "DynamoDBClient", settings: Settings, keys: PersonKeys, clock: Clock) -> None:
        self._dynamodb, self._settings, self._keys, self._clock = dynamodb, settings, keys, clock
        self._raw = RawTables(settings)

    def pages(self, spec: TableSpec) -> Iterator[list[bytes]]:
        if spec.by_generation:
            return self._generations(spec)
        return self._sealed(spec) if spec.personal else self._plain(spec)

    def _plain(self, spec: TableSpec) -> Iterator[list[bytes]]:
        pages = self._raw.scan(self._settings.table_name(spec.name), RAW_ITEMS)
        return ([_one_line(bytes(item)) for item in page] for page in pages)

    def _generations(self, spec: TableSpec) -> Iterator[list[bytes]]:
        """Week by week: a scan would meet two generations of a week that is being replaced, each in part."""
        weeks = Generations(self._dynamodb, self._settings, spec, spec.model).stored()
        return ([_line(control), *(_line(row) for row in rows)] for control, rows in weeks)

    def _sealed(self, spec: TableSpec) -> Iterator[list[bytes]]:
        reader = TableReader(self._dynamodb, self._settings, spec, spec.model)
        for page in self._raw.scan(self._settings.table_name(spec.name), RAW_ITEMS):
            found = (self._sealed_item(spec, reader, msgspec.json.decode(item)) for item in page)
            yield [_line(item) for item in found if item is not None]

    def _sealed_item(self, spec: TableSpec, reader: TableReader[Any], item: Attribute) -> Attribute | None:
        """The item with its personal values sealed; None when it was deleted meanwhile."""
        found: Attribute | None = item
        key: Key = {attribute.name: item[attribute.name]["S"] for attribute in spec.key_attributes}
        person = person_of(spec, key)
        if not _personal(spec, item):
            return item
        data_key = self._keys.find(person)
        if data_key is None:
            # Forgotten since the page was read, or written past the store: a key that is made here for somebody
            # who is forgotten would keep a name for ever.
            found = reader.read(key)
            if found is None or not _personal(spec, found):
                return found
            data_key = self._keys.obtain(person, self._clock())
        sealed = {
            name: encode_value(seal_value(data_key, spec.name, name, decode_value(found[name])))
            for name in _personal(spec, found)
        }
        return {**found, **sealed}


def _personal(spec: TableSpec, item: Attribute) -> list[str]:
    """The personal fields that say something: an empty one needs no key, and nobody who is forgotten gets one."""
    left = left_of_personal(spec) or {}
    nothing = {name: encode_value(value) for name, value in left.items() if value is not None}
    names = [name for name in spec.personal if name in item and item[name] not in (_EMPTY, nothing.get(name))]
    if any("S" not in item[name] for name in names):
        raise PermanentFailure(
            f"a personal field of {spec.name} is no text: {', '.join(names)}; it cannot be sealed"
        )
    return names


def _one_line(item: bytes) -> bytes:
    """As the service sent it; between the tokens of JSON it may break lines as it likes."""
    return msgspec.json.format(item, indent=-1) if b"\n" in item else item


_line = msgspec.json.Encoder().encode
