"""Mending of S3 objects that a kill tore in two.

Belongs here: the one torn state the emulator can leave. It writes an object's body, then a sidecar with
its size and ETag; a kill between the two leaves a new body under an old description. Such a put was never
answered, so the old version is put back where it is kept, and the description is dropped where it is not.
And the one orphan: a bucket of a deployment that was killed before it was saved.
Does not belong here: table state (snapshots.py).
"""

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

_SIDECAR = ".meta.json"
_VERSIONS = ".versions"
_log = logging.getLogger("prism.emulator.recovery")


def mend_torn_objects(s3: Path) -> list[str]:
    """Repair below the emulator's S3 folder; returns the `bucket/key` of every object that was mended."""
    mended: list[str] = []
    for account in sorted(path for path in s3.iterdir() if path.is_dir() and path.name != _VERSIONS):
        for leftover in account.rglob("*.tmp"):
            leftover.unlink()
        for body, sidecar in _torn(account):
            relative = body.relative_to(account)
            if not _restore_previous(s3, account.name, relative, body, sidecar):
                sidecar.unlink()
            mended.append(str(relative))
            _log.warning("mended %s: its last put was not finished", relative)
    return mended


def forget_unsaved_buckets(s3: Path, saved: Path | None) -> list[str]:
    """Remove empty bucket folders that the newest snapshot does not know; returns their names.

    The emulator would take such a folder for a bucket, and CloudFormation could never create it again. A
    folder that holds an object is kept in any case.
    """
    state = saved / "state" / "s3.json" if saved else None
    known = state.read_text() if state is not None and state.exists() else ""
    forgotten: list[str] = []
    for account in (path for path in s3.iterdir() if path.is_dir() and path.name != _VERSIONS):
        for bucket in account.iterdir():
            holds_nothing = not any(path.is_file() for path in bucket.rglob("*"))
            if f"'{bucket.name}'" not in known and holds_nothing:
                shutil.rmtree(bucket)
                forgotten.append(bucket.name)
    return forgotten


def _torn(account: Path) -> Iterator[tuple[Path, Path]]:
    for sidecar in account.rglob(f"*{_SIDECAR}"):
        body = sidecar.with_name(sidecar.name.removesuffix(_SIDECAR))
        # The body is always written first: a body younger than its sidecar is a put that did not finish.
        if body.is_file() and body.stat().st_mtime_ns > sidecar.stat().st_mtime_ns:
            yield body, sidecar


def _restore_previous(s3: Path, account: str, relative: Path, body: Path, sidecar: Path) -> bool:
    try:
        version = json.loads(sidecar.read_text()).get("version_id")
    except ValueError:
        return False
    if not version:
        return False
    bucket, key = relative.parts[0], Path(*relative.parts[1:])
    kept = s3 / _VERSIONS / account / bucket / version / key
    if not kept.is_file():
        return False
    temporary = body.with_name(body.name + ".tmp")
    shutil.copyfile(kept, temporary)
    temporary.replace(body)
    sidecar.touch()
    return True
