"""The changes between a backup and an instant, by item, on disk.

Belongs here: gathering them from the live change log or from the log of a backup, and asking for those of an item.
Does not belong here: what they make of an item (prism_core/history/rebuild.py). However many there are, memory
holds those of one item: they lie in an SQLite file for as long as the restore takes.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import msgspec

from prism_core.backups import BackupManifest
from prism_core.calendar import Week, WeekRange
from prism_core.models.base import instant_text
from prism_core.models.changes import Change
from prism_core.settings import Settings
from prism_core.tables import AFTER_ALL, CHANGELOG, KeyCondition, TableSpec
from prism_resources.backup.parts import items_of
from prism_resources.lake import Lake
from prism_resources.tables.codec import Attribute, decode
from prism_resources.tables.reader import TableReader

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_BATCH = 1_000
_SCHEMA = """
CREATE TABLE change (item_key TEXT NOT NULL, table_name TEXT NOT NULL, instant TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE done (item_key TEXT PRIMARY KEY) WITHOUT ROWID;
"""
Progress = Callable[[int, int], None]


class ChangeBook:
    """Changes by item. A context manager: the file goes with it."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="prism-restore-")
        self._file = sqlite3.connect(Path(self._folder.name) / "changes.sqlite")
        # A scratch file: nothing of it outlives a kill.
        self._file.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        self._indexed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._folder.cleanup()

    def add(self, changes: Iterator[Attribute]) -> int:
        """Items of the change log as they are stored, sealed."""
        count = 0
        rows: list[tuple[str, str, str, bytes]] = []
        for raw in changes:
            rows.append((raw["item_key"]["S"], raw["table"]["S"], raw["instant"]["S"], msgspec.json.encode(raw)))
            count += 1
            if len(rows) == _BATCH:
                self._insert(rows)
        self._insert(rows)
        return count

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

    def _insert(self, rows: list[tuple[str, str, str, bytes]]) -> None:
        self._file.executemany("INSERT INTO change VALUES (?, ?, ?, ?)", rows)
        rows.clear()

    def _index(self) -> None:
        if not self._indexed:
            self._file.execute("CREATE INDEX by_item ON change (item_key)")
            self._indexed = True


def live_changes(
    dynamodb: "DynamoDBClient",
    settings: Settings,
    tables: Sequence[TableSpec],
    after: datetime,
    until: datetime,
    progress: Progress,
) -> Iterator[Attribute]:
    """Changes of these tables later than `after`, up to and including `until`, from the change log itself.

    Consistent. `progress` is told the partitions of the log that are read, and all of them.
    """
    log = TableReader(dynamodb, settings, CHANGELOG, Change)
    low, high = _bounds(after, until)
    weeks = WeekRange(Week.of(after), Week.of(until))
    places = [
        {"table": spec.name, "week": week, "shard": shard}
        for spec in tables
        for week in weeks
        for shard in range(settings.changelog_shards)
    ]
    for done, place in enumerate(places):
        progress(done, len(places))
        partition = CHANGELOG.partition.text(place)
        assert partition is not None  # noqa: S101 - all parts are given
        yield from log.raw(KeyCondition(CHANGELOG.path("by_week"), partition, low=low, high=high), consistent=True)
    progress(len(places), len(places))


def kept_changes(
    lake: Lake, manifest: BackupManifest, tables: Sequence[TableSpec], after: datetime, until: datetime
) -> Iterator[Attribute]:
    """The same from the log in a backup, which is read whole."""
    names = {spec.name for spec in tables}
    low, high = _bounds(after, until)
    for raw in items_of(lake, manifest, CHANGELOG.name):
        if raw["table"]["S"] in names and low <= raw["instant_ulid"]["S"] <= high:
            yield raw


def _bounds(after: datetime, until: datetime) -> tuple[str, str]:
    return instant_text(after) + "#" + AFTER_ALL, instant_text(until) + "#" + AFTER_ALL
