"""The changes between a backup and an instant, by item, on disk.

Belongs here: gathering them from the live change log or from the log of a backup, and asking for those of an item.
Does not belong here: what they make of an item (prism_core/history/rebuild.py). However many there are, memory
holds those of one item: they lie in an SQLite file for as long as the restore takes.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Self

import msgspec

from prism_core.backups import BackupManifest
from prism_core.calendar import Week, WeekRange
from prism_core.models.base import instant_text
from prism_core.models.changes import Change
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, TableSpec
from prism_resources.backup.parts import items_of
from prism_resources.backup.taking import RAW_ITEMS
from prism_resources.lake import Lake
from prism_resources.scratch import Scratch
from prism_resources.tables.codec import decode
from prism_resources.tables.log import log_conditions, span
from prism_resources.tables.raw import Ended, RawTables
from prism_resources.tables.reader import query_of

_SCHEMA = """
CREATE TABLE change (item_key TEXT NOT NULL, table_name TEXT NOT NULL, instant TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE done (item_key TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class _Text(msgspec.Struct):
    S: str


class _Placed(msgspec.Struct):
    """Of a stored change, what it is found by."""

    item_key: _Text
    table: _Text
    instant: _Text


_PLACED = msgspec.json.Decoder(_Placed)


class ChangeBook:
    """Changes by item. A context manager: the file goes with it."""

    def __init__(self) -> None:
        self._folder = Scratch("restore")
        self._file = sqlite3.connect(self._folder.path / "changes.sqlite")
        # A scratch file: nothing of it outlives a kill.
        self._file.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        self._indexed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._folder.close()

    def add(self, changes: Iterable[bytes]) -> None:
        """Items of the change log as they are stored, as JSON, sealed."""
        self._file.executemany("INSERT INTO change VALUES (?, ?, ?, ?)", ((*_placed(one), one) for one in changes))

    def of(self, item_key: str) -> list[Change]:
        """The changes of an item, in no order, sealed. It counts as asked for."""
        self._index()
        found = [
            decode(CHANGELOG, Change, msgspec.json.decode(body))
            for (body,) in self._file.execute("SELECT body FROM change WHERE item_key = ?", (item_key,))
        ]
        if found:
            self._file.execute("INSERT OR IGNORE INTO done VALUES (?)", (item_key,))
        return found

    def others(self, table: str) -> Iterator[str]:
        """The keys of the items of a table that have changes and were not asked for."""
        self._index()
        cursor = self._file.cursor()
        asked = (
            "SELECT DISTINCT item_key FROM change WHERE table_name = ? "
            "AND item_key NOT IN (SELECT item_key FROM done) ORDER BY item_key"
        )
        # The keys alone are held: `of` writes to the table that the question reads.
        for (item_key,) in cursor.execute(asked, (table,)).fetchall():
            yield item_key

    def stored(self, *, until: datetime) -> Iterator[dict[str, Any]]:
        """Every change up to and including an instant, as it is stored in the log."""
        asked = "SELECT body FROM change WHERE instant <= ? ORDER BY rowid"
        for (body,) in self._file.execute(asked, (instant_text(until),)):
            yield msgspec.json.decode(body)

    def _index(self) -> None:
        if not self._indexed:
            self._file.execute("CREATE INDEX by_item ON change (item_key)")
            self._indexed = True


def live_changes(
    settings: Settings, tables: Sequence[TableSpec], after: datetime, until: datetime, ended: Ended
) -> Iterator[bytes]:
    """Changes of these tables later than `after`, up to and including `until`, from the change log itself.

    Consistent; `ended` is told the partitions of the log (a table, week and shard each) that are read, and all.
    """
    log, names = settings.table_name(CHANGELOG.name), [spec.name for spec in tables]
    weeks = WeekRange(Week.of(after), Week.of(until))
    conditions = log_conditions(settings, names, weeks, span(after, until))
    requests = [query_of(log, condition) for condition in conditions]
    for page in RawTables(settings).pages("Query", requests, RAW_ITEMS, ended=ended):
        yield from map(bytes, page)


def kept_changes(
    lake: Lake, manifest: BackupManifest, tables: Sequence[TableSpec], after: datetime, until: datetime
) -> Iterator[bytes]:
    """The same from the log in a backup, which is read whole."""
    names = {spec.name for spec in tables}
    low, high = span(after, until)
    for raw in items_of(lake, manifest, CHANGELOG.name):
        if raw["table"]["S"] in names and low <= raw["instant_ulid"]["S"] <= high:
            yield msgspec.json.encode(raw)


def _placed(body: bytes) -> tuple[str, str, str]:
    change = _PLACED.decode(body)
    return change.item_key.S, change.table.S, change.instant.S
