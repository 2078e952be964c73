"""The backups that there are.

Belongs here: listing manifests, reading one, which one a restore starts from, proving that every part of one is
there and as it was written.
Does not belong here: making a backup (taking.py) and restoring one (restoring.py).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prism_core.backups import (
    BACKUPS,
    BackupManifest,
    base_of,
    began_of,
    checked_backup_id,
    manifest_key,
)
from prism_core.failures import BadUsage, PermanentFailure
from prism_resources.backup.parts import lines_of
from prism_resources.lake import Lake

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Listed:
    """One backup in the bucket. `manifest` is None where `problem` says why it does not count; `damaged` when it
    should."""

    backup_id: str
    manifest: BackupManifest | None
    problem: str = ""
    damaged: bool = False


def listed(lake: Lake, *, now: datetime, retention_days: int) -> list[Listed]:
    """Every backup, oldest first, also those that do not count: killed before their end, damaged, or about to
    expire, since the service may have deleted some of their parts already."""
    found: dict[str, list[str]] = {}
    for key in lake.keys(BACKUPS):
        backup_id = key.removeprefix(BACKUPS).partition("/")[0]
        found.setdefault(backup_id, []).append(key)
    return [_listed(lake, one, keys, now, retention_days) for one, keys in sorted(found.items())]


def _listed(lake: Lake, backup_id: str, keys: list[str], now: datetime, retention_days: int) -> Listed:
    try:
        began = began_of(backup_id)
    except BadUsage:
        return Listed(backup_id, None, "it is no backup: something else was put there")
    if manifest_key(backup_id) not in keys:
        return Listed(backup_id, None, "it is running, or was killed before its end")
    if now - began >= timedelta(days=retention_days):
        return Listed(backup_id, None, f"it is older than {retention_days} days: its parts expire")
    try:
        manifest = read_manifest(lake, backup_id)
    except PermanentFailure as damaged:
        return Listed(backup_id, None, str(damaged), damaged=True)
    missing = [part.key for one in manifest.tables.values() for part in one.parts if part.key not in keys]
    if missing:
        says = f"{len(missing)} of its parts are missing, such as {missing[0]}"
        return Listed(backup_id, None, says, damaged=True)
    return Listed(backup_id, manifest)


def read_manifest(lake: Lake, backup_id: str) -> BackupManifest:
    """Raises PermanentFailure when there is none or when it is damaged."""
    key = manifest_key(checked_backup_id(backup_id))
    body = lake.get(key)
    if body is None:
        raise PermanentFailure(
            f"there is no backup {backup_id}, or it was killed before its end: {key} is missing"
        )
    manifest = BackupManifest.decoded(body, key)
    if manifest.backup_id != backup_id:
        raise PermanentFailure(f"{key} is the manifest of {manifest.backup_id}: somebody copied it there")
    return manifest


def usable(backups: Sequence[Listed]) -> list[BackupManifest]:
    """Those that count."""
    return [one.manifest for one in backups if one.manifest is not None]


def base_among(backups: Sequence[Listed], at: datetime) -> BackupManifest:
    """The backup to start from. Raises PermanentFailure when there is none, and when a damaged one may have been
    it: with another in its place nobody would notice."""
    whole, damaged = usable(backups), [one for one in backups if one.damaged]
    if not whole:
        _refuse(damaged)
    base = base_of(whole, at)
    # Of a damaged one only the start is known, by its id; it may have ended right then.
    if base.ended <= at:
        _refuse(one for one in damaged if one.backup_id > base.backup_id and began_of(one.backup_id) <= at)
    else:
        _refuse(one for one in damaged if one.backup_id < base.backup_id or began_of(one.backup_id) <= at)
    return base


def newest_among(backups: Sequence[Listed]) -> BackupManifest | None:
    """The newest backup; None when there is none. Raises PermanentFailure when a damaged one is newer."""
    newest = max(usable(backups), key=lambda one: (one.ended, one.backup_id), default=None)
    _refuse(one for one in backups if one.damaged and (newest is None or one.backup_id > newest.backup_id))
    return newest


def _refuse(damaged: Iterable[Listed]) -> None:
    for one in sorted(damaged, key=lambda one: one.backup_id, reverse=True):
        raise PermanentFailure(
            f"backup {one.backup_id} cannot be used: {one.problem}. Name another one with --backup"
        )


def verify(lake: Lake, manifest: BackupManifest, progress: Progress = lambda *_: None) -> int:
    """Read every part back and check its length, hash and lines; answers the items.

    Raises PermanentFailure for the first part that is not as it was written.
    """
    parts = [(name, part) for name, one in manifest.tables.items() for part in one.parts]
    items = 0
    for done, (name, part) in enumerate(parts):
        progress(name, done, len(parts))
        items += len(lines_of(lake, manifest, part))
    if items != manifest.items:
        raise PermanentFailure(f"backup {manifest.backup_id} holds {items:,} items, and says {manifest.items:,}")
    return items
