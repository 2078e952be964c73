"""Mending of S3 objects that a kill tore in two.

Belongs here: the one torn state the emulator can leave. It writes an object's body, then a sidecar with
its size and ETag; a kill between the two leaves a new body under an old description. Such a put was never
answered, so the old version is put back where it is kept, and the body is described anew where it is not.
And the one orphan: a bucket of a deployment that was killed before it was saved.
Does not belong here: table state (snapshots.py).
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SIDECAR = ".meta.json"
_VERSIONS = ".versions"
# The bucket of the functions' code: a deployment fills it, and every deployment can fill it again.
_REBUILT = "-artifacts-"
_log = logging.getLogger("prism.emulator.recovery")


def mend_torn_objects(s3: Path) -> list[str]:
    """Repair below the emulator's S3 folder; returns the `bucket/key` of every object that was mended."""
    mended: list[str] = []
    for account in sorted(path for path in s3.iterdir() if path.is_dir() and path.name != _VERSIONS):
        for leftover in account.rglob("*.tmp"):
            if leftover.is_file():  # no key ends so on disk, but a bucket may
                leftover.unlink()
        for body, sidecar in list(_younger_than_their_sidecars(account)):
            relative, meta = body.relative_to(account), _read(sidecar)
            # A deleted object keeps its last body, which is described nowhere. A body that fits its
            # description is a copy of the folder that did not keep the times of its files.
            if meta.get("is_delete_marker") or _describes(meta, body):
                sidecar.touch()
                continue
            kept = _kept_version(s3, account.name, relative, meta)
            if kept is not None:
                _replace(body, kept.read_bytes())
                sidecar.touch()
            else:
                _describe_anew(body, sidecar, meta)
            mended.append(str(relative))
            _log.warning("mended %s: its last put was not finished", relative)
    return mended


def forget_unsaved_buckets(s3: Path, saved: Path | None) -> list[str]:
    """Remove empty bucket folders that the newest snapshot does not know; returns their names.

    The emulator would take such a folder for a bucket, and CloudFormation could never create it again. A
    folder that holds an object is kept in any case, except one of code.
    """
    state = saved / "state" / "s3.json" if saved else None
    known = state.read_text() if state is not None and state.exists() else ""
    forgotten: list[str] = []
    for account in (path for path in s3.iterdir() if path.is_dir() and path.name != _VERSIONS):
        for bucket in account.iterdir():
            dispensable = _REBUILT in bucket.name or not any(path.is_file() for path in bucket.rglob("*"))
            if f"'{bucket.name}'" not in known and dispensable:
                shutil.rmtree(bucket)
                forgotten.append(bucket.name)
    return forgotten


def _younger_than_their_sidecars(account: Path) -> Iterator[tuple[Path, Path]]:
    for sidecar in account.rglob(f"*{_SIDECAR}"):
        body = sidecar.with_name(sidecar.name.removesuffix(_SIDECAR))
        # The body is always written first: a body younger than its sidecar is a put that did not finish.
        if body.is_file() and body.stat().st_mtime_ns > sidecar.stat().st_mtime_ns:
            yield body, sidecar


def _read(sidecar: Path) -> dict[str, Any]:
    try:
        found = json.loads(sidecar.read_text())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _describes(meta: dict[str, Any], body: Path) -> bool:
    return meta.get("size") == body.stat().st_size and meta.get("etag") == _etag(body)


def _etag(body: Path) -> str:
    with body.open("rb") as file:
        return f'"{hashlib.file_digest(file, _md5).hexdigest()}"'


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)


def _kept_version(s3: Path, account: str, relative: Path, meta: dict[str, Any]) -> Path | None:
    if not meta:
        return None
    bucket, key = relative.parts[0], Path(*relative.parts[1:])
    # An object from before versioning was switched on is kept under the name "null".
    kept = s3 / _VERSIONS / account / bucket / (meta.get("version_id") or "null") / key
    return kept if kept.is_file() else None


def _describe_anew(body: Path, sidecar: Path, meta: dict[str, Any]) -> None:
    # The rest stays, above all the key: one that does not fit into a path lies under a hash of it.
    kept = {name: value for name, value in meta.items() if name != "checksums"}
    _replace(sidecar, json.dumps(kept | {"size": body.stat().st_size, "etag": _etag(body)}).encode())


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    temporary.replace(path)
