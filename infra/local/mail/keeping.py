"""How a message lies on disk, and nothing else.

Belongs here: file names, the envelope lines in front of a message, and reading, listing and deleting the
files. The sink writes through this module and the mailbox reads through it, so that the two cannot drift.
Does not belong here: SMTP (sink) and what a message means (parsing).
"""

import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prism_core.clock import now

SUFFIX = ".eml"
UNFINISHED_SUFFIX = ".part"
# Only such stems are ever turned into a path: no separator, no leading dot, so no way out of the directory.
SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")

_RECEIVED, _FROM, _TO = b"X-Prism-Received", b"X-Prism-Envelope-From", b"X-Prism-Envelope-To"
# Closes the lines that we wrote, so that equal lines of the message itself are never taken for ours.
_END = b"X-Prism-Envelope-End: 1\r\n"
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_STAMP = "%Y%m%dT%H%M%S%fZ"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Envelope:
    """What SMTP was told, which the headers do not say: here is the only trace of a BCC."""

    sender: str
    recipients: tuple[str, ...]
    received: datetime


@dataclass(frozen=True)
class Entry:
    """One file of the directory. `key` orders entries by arrival."""

    id: str
    key: str
    size: int
    modified_ns: int

    @property
    def modified(self) -> datetime:
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)


def keep(directory: Path, sender: str, recipients: list[str], message: bytes) -> str:
    """Writes one message and returns its id; on return it survives a power cut.

    The file appears under its name whole or not at all. Raises OSError when the directory is full or
    cannot be written; nothing is left behind then.
    """
    envelope = Envelope(sender, tuple(recipients), now())
    message_id = new_id(envelope.received)
    unfinished = directory / f".{message_id}{UNFINISHED_SUFFIX}"
    try:
        with unfinished.open("xb") as file:
            file.write(envelope_lines(envelope))
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(directory / f"{message_id}{SUFFIX}")
        _sync(directory)
    except OSError:
        # After a rename whose directory sync failed the file stays: twice in the mailbox, never lost.
        with _ignoring_oserror():
            unfinished.unlink(missing_ok=True)
        raise
    return message_id


def new_id(received: datetime) -> str:
    """A name that sorts by the platform's time, then by real arrival (PRISM_NOW may stand still)."""
    return f"{received.strftime(_STAMP)}-{_base32(time.time_ns(), 13)}{_base32(secrets.randbits(65), 13)}"


def envelope_lines(envelope: Envelope) -> bytes:
    lines = [(_RECEIVED, envelope.received.isoformat()), (_FROM, envelope.sender)]
    lines += [(_TO, recipient) for recipient in envelope.recipients]
    return b"".join(name + b": " + _one_line(value) + b"\r\n" for name, value in lines) + _END


def split_envelope(raw: bytes) -> tuple[Envelope | None, bytes]:
    """The envelope and the message exactly as it was sent; no envelope for a file from elsewhere."""
    end = raw.find(_END) if raw.startswith(_RECEIVED) else -1
    if end < 0:
        return None, raw
    values: dict[bytes, list[str]] = {_RECEIVED: [], _FROM: [], _TO: []}
    for line in raw[:end].splitlines():
        name, _, value = line.partition(b": ")
        values.setdefault(name, []).append(value.decode("utf-8", "replace"))
    try:
        received = datetime.fromisoformat(values[_RECEIVED][0]).astimezone(UTC)
        return Envelope(values[_FROM][0], tuple(values[_TO]), received), raw[end + len(_END) :]
    except (IndexError, ValueError):  # edited by hand: shown as any foreign file
        return None, raw


def entries(directory: Path) -> list[Entry]:
    """Every message of the directory, newest first. Raises OSError; a missing directory is empty."""
    found: list[Entry] = []
    try:
        with os.scandir(directory) as files:
            for file in files:
                stem, dot_eml = file.name[: -len(SUFFIX)], file.name.endswith(SUFFIX)
                if not (dot_eml and SAFE_ID.fullmatch(stem) and file.is_file(follow_symlinks=False)):
                    continue
                try:
                    status = file.stat(follow_symlinks=False)
                except FileNotFoundError:  # deleted since the listing
                    continue
                found.append(Entry(stem, _sort_key(stem, status.st_mtime_ns), status.st_size, status.st_mtime_ns))
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda entry: entry.key, reverse=True)


def find(directory: Path, message_id: str) -> Entry | None:
    """The entry of one id, None when there is none or the id is not one that could be ours."""
    path = _path(directory, message_id)
    if path is None:
        return None
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    key = _sort_key(message_id, status.st_mtime_ns)
    return Entry(message_id, key, status.st_size, status.st_mtime_ns)


def read(directory: Path, entry: Entry, limit: int = -1) -> bytes:
    """The first `limit` bytes of a message file, all of it by default. Raises OSError."""
    descriptor = os.open(directory / f"{entry.id}{SUFFIX}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit)


def delete_up_to(directory: Path, key: str) -> tuple[int, list[str]]:
    """Deletes the messages up to `key` in order of arrival: how many went, and why others did not."""
    deleted, failed = 0, []
    for entry in entries(directory):
        if entry.key > key:
            continue
        try:
            (directory / f"{entry.id}{SUFFIX}").unlink(missing_ok=True)
            deleted += 1
        except OSError as error:
            failed.append(f"{entry.id}: {error.strerror or error}")
    return deleted, failed


def remove_unfinished(directory: Path) -> None:
    """Deletes what a killed writer left half written; none of it was ever answered with 250."""
    for path in directory.glob(f".*{UNFINISHED_SUFFIX}"):
        path.unlink(missing_ok=True)


def _path(directory: Path, message_id: str) -> Path | None:
    return directory / f"{message_id}{SUFFIX}" if SAFE_ID.fullmatch(message_id) else None


def _sort_key(stem: str, modified_ns: int) -> str:
    if re.match(r"\d{8}T\d{12}Z-", stem):
        return stem
    # A file that somebody put here has no stamp in its name; it sorts by when it was written.
    return f"{datetime.fromtimestamp(modified_ns / 1e9, UTC).strftime(_STAMP)}-{stem}"


def _one_line(value: str) -> bytes:
    return _CONTROL.sub(b"?", value.encode("utf-8", "surrogateescape"))


def _base32(number: int, length: int) -> str:
    return "".join(_CROCKFORD[(number >> 5 * place) & 31] for place in reversed(range(length)))


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _ignoring_oserror() -> Iterator[None]:
    try:
        yield
    except OSError:
        # The first failure is the one to report; this one only says that the clean-up failed as well.
        return
