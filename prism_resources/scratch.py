"""Folders for what is more than memory should hold, for as long as a process needs them.

Belongs here: making one, and removing those that killed processes left. Does not belong here: what lies in them.
Each is locked by its process for as long as that lives, however it ends: one that can be locked belongs to nobody.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PREFIX: Final = "prism-scratch-"


class Scratch:
    """A folder of its own. A context manager: it goes with it."""

    def __init__(self, purpose: str) -> None:
        """`purpose` is part of the name, for whoever finds a full disk."""
        self._lock: int | None = None
        remove_left_behind()
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-"))
            self._lock = _lock(self.path)
            if self._lock is not None and self.path.is_dir():
                return
            self.close()  # somebody took it for one that was left behind

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder and all that is in it. Closing twice is fine."""
        if self._lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = None


def remove_left_behind() -> None:
    """Remove the folders of processes that are no more; those of other users stay."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the lock of a folder; None when another process has it, or the folder is gone."""
    try:
        found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # gone, or somebody else's
        return None
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(found)
        return None
    return found
