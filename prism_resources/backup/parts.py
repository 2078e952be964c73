"""The parts of a backup: JSON Lines under zstd, each object with its hash.

Belongs here: cutting lines into objects of a bounded size, and reading them back with every check.
Does not belong here: where lines come from (taking.py) and where they go (restoring.py).
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pyarrow as pa

from prism_core.backups import BackupManifest, BackupPart, TableBackup, part_key
from prism_core.failures import PermanentFailure
from prism_resources.lake import Lake

# Of lines before compression: what one part takes in memory, written or read.
PART_BYTES = 8 * 1024 * 1024
ZSTD_LEVEL = 3
_CONTENT_TYPE = "application/zstd"


class PartWriter:
    """The lines of one table, put object by object."""

    def __init__(self, lake: Lake, backup_id: str, table: str, *, part_bytes: int = PART_BYTES) -> None:
        self._lake, self._backup_id, self._table, self._part_bytes = lake, backup_id, table, part_bytes
        self._codec = pa.Codec("zstd", ZSTD_LEVEL)
        self._lines, self._items, self._parts = bytearray(), 0, list[BackupPart]()

    def add(self, line: bytes) -> None:
        """One item as JSON without a line break."""
        self._lines += line
        self._lines += b"\n"
        self._items += 1
        if len(self._lines) >= self._part_bytes:
            self._put()

    def close(self) -> TableBackup:
        """A table without items has no part."""
        if self._items:
            self._put()
        return TableBackup(items=sum(part.items for part in self._parts), parts=tuple(self._parts))

    def _put(self) -> None:
        body = bytes(self._codec.compress(bytes(self._lines), asbytes=True))
        key = part_key(self._backup_id, self._table, len(self._parts))
        self._lake.put(key, body, content_type=_CONTENT_TYPE)
        self._parts.append(
            BackupPart(key=key, items=self._items, size=len(body), sha256=hashlib.sha256(body).hexdigest())
        )
        self._lines.clear()
        self._items = 0


def items_of(lake: Lake, manifest: BackupManifest, table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table in a backup, one part in memory at a time. Raises PermanentFailure for a part that is
    missing or is not as it was written."""
    for part in parts_of(manifest, table):
        for line in lines_of(lake, manifest, part):
            yield msgspec.json.decode(line)


def parts_of(manifest: BackupManifest, table: str) -> Iterable[BackupPart]:
    """Raises PermanentFailure for a table that the backup does not hold: it is younger than the backup."""
    if table not in manifest.tables:
        raise PermanentFailure(
            f"backup {manifest.backup_id} holds no table {table}: it is older than the table; leave the table out "
            "with --tables, or name a newer backup with --backup"
        )
    return manifest.tables[table].parts


def lines_of(lake: Lake, manifest: BackupManifest, part: BackupPart) -> list[bytes]:
    """The lines of one part, every check made."""
    body = lake.get(part.key)
    if body is None:
        raise _broken(manifest, part, "it is missing: it has expired, or somebody deleted it")
    if len(body) != part.size:
        raise _broken(manifest, part, f"it has {len(body):,} bytes instead of {part.size:,}")
    if hashlib.sha256(body).hexdigest() != part.sha256:
        raise _broken(manifest, part, "its content is not the one that was written (sha256)")
    with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
        lines = stream.read().split(b"\n")[:-1]
    if len(lines) != part.items:
        raise _broken(manifest, part, f"it has {len(lines):,} lines instead of {part.items:,}")
    return lines


def _broken(manifest: BackupManifest, part: BackupPart, why: str) -> PermanentFailure:
    return PermanentFailure(
        f"part {part.key} of backup {manifest.backup_id} cannot be used: {why}. The object's earlier version may "
        "still be there (S3 keeps it for a day); else name another backup with --backup, see `prism backup --list`"
    )
