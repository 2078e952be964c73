"""Restoring tables as they were at an instant, side by side with the real ones.

Belongs here: where to start from, writing the items of each table, and proving that what stands in the new tables
is what was meant. Does not belong here: which items these are (items.py) and the tables of a set (sets.py).
A table that is verified is noted in the record of the set; a restore that was killed goes on behind it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from prism_core.backups import (
    BackupManifest,
    Digest,
    RestoredSet,
    RestoredTable,
    refuse_unknown,
    set_name,
    window_of,
)
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.models.base import instant_text
from prism_core.privacy import PERSON_KEYS
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, TABLES, TableSpec
from prism_resources.backup.catalog import Listed, base_among, newest_among
from prism_resources.backup.changes import ChangeBook, kept_changes, live_changes
from prism_resources.backup.items import ItemsAt
from prism_resources.backup.parts import parts_of
from prism_resources.backup.sets import SetTables, read_record, write_record
from prism_resources.backup.taking import RAW_ITEMS
from prism_resources.failures import calling
from prism_resources.lake import Lake
from prism_resources.privacy import PersonKeys
from prism_resources.tables.bulk import WriteRequest, batch_write, put_request
from prism_resources.tables.raw import RawTables

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SCAN_SEGMENTS = 4
_TOLD_EVERY = 500

Progress = Callable[[str, int, int], None]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Source:
    """What a restore is made from. `newest` is the backup whose log is used when the live one is not."""

    base: BackupManifest
    newest: BackupManifest
    live_log: bool

    @property
    def changes_from(self) -> Literal["log", "backup"]:
        """As the record of a set names it."""
        return "log" if self.live_log else "backup"


def source_of(backups: Sequence[Listed], at: datetime, *, now: datetime, live_log: bool = True) -> Source:
    """Where to start from. Raises BadUsage for an instant in the future, PermanentFailure when nothing will do, or
    when what would is damaged."""
    if at > now:
        raise BadUsage(f"--at {instant_text(at)} lies in the future")
    base = base_among(backups, at)
    if live_log:
        return Source(base, base, live_log)
    newest = newest_among(backups) or base
    refuse_unknown(newest, at)
    return Source(base, newest, live_log)


class Restore:
    """One set of tables as of one instant."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        settings: Settings,
        lake: Lake,
        *,
        clock: Clock,
        progress: Progress = lambda *_: None,
        keys: PersonKeys | None = None,
    ) -> None:
        self._dynamodb, self._settings, self._lake = dynamodb, settings, lake
        self._clock, self._progress = clock, progress
        self._keys = keys or PersonKeys(dynamodb, settings)
        self._keys_exist: bool | None = None

    def run(self, source: Source, at: datetime, specs: Sequence[TableSpec]) -> RestoredSet:
        """Restore and verify the tables; the set counts when this returns.

        Tables that an earlier run of the same instant has verified are left as they are; where these are all, the
        set is only finished. Raises PermanentFailure for a broken part, a gap in the changes, or a table that is
        not what was written.
        """
        name = set_name(self._settings.name_prefix, at)
        record = read_record(self._lake, name) or RestoredSet(
            name=name,
            at=at,
            backup_id=source.base.backup_id,
            changes_from=source.changes_from,
            began=self._clock(),
        )
        self._refuse_other(record, source)
        left = [spec for spec in specs if spec.name not in record.tables]
        if left:
            record = self._make(source, at, left, record)
        elif record.finished is not None:
            return record
        record = record.model_copy(update={"finished": self._clock()})
        write_record(self._lake, record)
        return record

    def _make(self, source: Source, at: datetime, specs: Sequence[TableSpec], record: RestoredSet) -> RestoredSet:
        """Write and verify tables, each noted in the record when it is; answers the record, not yet finished."""
        for spec in specs:
            parts_of(source.base, spec.name)  # a table that the backup does not hold fails before anything is made
        record = record.model_copy(update={"finished": None})
        write_record(self._lake, record)
        tables = SetTables(self._dynamodb, record.name)
        tables.make_anew(specs)
        with ChangeBook() as book:
            self._gather(book, source, at, specs)
            for spec in specs:
                done = self._table(source, book, at, spec, tables.table_name(spec))
                record = record.model_copy(update={"tables": {**record.tables, spec.name: done}})
                write_record(self._lake, record)
        return record

    def _refuse_other(self, record: RestoredSet, source: Source) -> None:
        """What is there must not be mixed with another backup, where generation tables would be of two times, nor
        with changes of another origin, of which the record names one."""
        if record.backup_id != source.base.backup_id:
            raise BadUsage(
                f"{record.name} was begun from backup {record.backup_id}, this would go on from "
                f"{source.base.backup_id}: name the first with --backup, or drop the set with --drop {record.name}"
            )
        if record.changes_from != source.changes_from:
            began, repeat = (
                ("the live change log", "without")
                if record.changes_from == "log"
                else ("the log of a backup", "with")
            )
            raise BadUsage(
                f"{record.name} was begun with changes from {began}: repeat the command {repeat} "
                f"--without-live-log, or drop the set with --drop {record.name}"
            )

    def _gather(self, book: ChangeBook, source: Source, at: datetime, specs: Sequence[TableSpec]) -> None:
        low, high = window_of(source.base, at)
        # The change log itself holds the changes of every table.
        wanted = TABLES.values() if any(spec.name == CHANGELOG.name for spec in specs) else specs
        logged = [spec for spec in wanted if spec.logged]
        if not logged:
            return
        if source.live_log:

            def told(done: int, total: int) -> None:
                self._progress("reading changes", done, total)

            book.add(live_changes(self._settings, logged, low, high, told))
        else:
            book.add(kept_changes(self._lake, source.newest, logged, low, high))

    def _table(self, source: Source, book: ChangeBook, at: datetime, spec: TableSpec, name: str) -> RestoredTable:
        """Write one table, and read it back."""
        items = ItemsAt(spec, book, self._keys, at, when_forgotten=self._require_keys)
        meant, total = Digest(), source.base.tables[spec.name].items

        def requests() -> Iterator[WriteRequest]:
            for item in items.of(self._lake, source.base, window_of(source.base, at)[0]):
                meant.add(item)
                if meant.items % _TOLD_EVERY == 0:
                    self._progress(spec.name, meant.items, total)
                yield put_request(item)

        self._progress(spec.name, 0, total)
        batch_write(self._dynamodb, name, requests())
        self._verify(name, meant)
        return RestoredTable(
            items=meant.items,
            digest=meant.text,
            as_of=at if spec.logged or spec.name == CHANGELOG.name else source.base.began,
            moved=items.moved,
            absent=items.absent,
            blanked=items.blanked,
        )

    def _verify(self, name: str, meant: Digest) -> None:
        """Read every item back: as many, with the same content."""
        found = Digest()
        for page in RawTables(self._settings).scan(name, RAW_ITEMS, segments=SCAN_SEGMENTS):
            for item in page:
                found.add(msgspec.json.decode(item))
            self._progress(f"verifying {name}", found.items, meant.items)
        if (found.items, found.text) != (meant.items, meant.text):
            raise PermanentFailure(
                f"{name} is not what was restored: {found.items:,} items of {meant.items:,}, or others. Something "
                "else writes to it; stop that and repeat the command, which makes the table anew"
            )

    def _require_keys(self) -> None:
        """Where no person has a key, nobody was forgotten: the keys are lost, and with them all names."""
        if self._keys_exist is None:
            name = self._settings.table_name(PERSON_KEYS.name)
            with calling(name, "scan"):
                answer = self._dynamodb.scan(TableName=name, Limit=1, ConsistentRead=True)
            self._keys_exist = bool(answer["Items"])
        if not self._keys_exist:
            raise PermanentFailure(
                f"{self._settings.table_name(PERSON_KEYS.name)} is empty, so no personal value of the backup can "
                "be opened, and no member restored. Recover that table to a point in time first (seven days)"
            )
