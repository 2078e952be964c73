"""State of the embedded AWS that survives a kill.

Belongs here: writing the emulator's state from a forked child, choosing the newest complete one at start.
The emulator saves only at a clean stop. A fork costs a pause of milliseconds and freezes one consistent
state of all services; the child serialises it while the parent goes on serving.
Does not belong here: S3 objects. They are on disk the moment they are put (recovery.py mends torn ones).
"""

import gc
import logging
import os
import secrets
import shutil
import signal
import time
import warnings
from pathlib import Path
from typing import NoReturn

from infra.local.emulator.environment import STATE_DIR

# A child that hangs ends by it. Python writes a state with 5 MB a second where nothing else runs; a limit must
# hold where ten others do.
CHILD_LIMIT_SECONDS = 120
BYTES_A_SECOND = 500_000
_BLOBS = "lambda-blobs"  # content-addressed by the emulator: linked, never copied
_log = logging.getLogger("prism.emulator.snapshots")


class SnapshotError(Exception):
    """A snapshot could not be written whole; the one before it stands."""


class Snapshots:
    """Numbered folders, each one consistent state. A folder whose name is nothing but its number is complete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest(self) -> Path | None:
        complete = [path for path in self.folder.iterdir() if path.name.isdigit() and (path / STATE_DIR).is_dir()]
        return max(complete, key=lambda path: int(path.name), default=None)

    def seconds_more(self) -> int:
        """What the size of the newest snapshot adds to the longest that a save of the state, or its load, may
        take: a hundred thousand events are some hundred megabytes."""
        newest = self.newest()
        try:
            files = list((newest / STATE_DIR).glob("*.json")) if newest is not None else []
            return sum(path.stat().st_size for path in files) // BYTES_A_SECOND
        except FileNotFoundError:  # a newer one has just taken its place
            return self.seconds_more()

    def restore(self, work: Path) -> Path | None:
        """Lay the newest snapshot into the live state folder; returns it, None when there is none.

        Key material that the emulator writes at once (Cognito) stays as it is in the live folder.
        """
        live = work / STATE_DIR
        live.mkdir(parents=True, exist_ok=True, mode=0o700)
        for stale in live.glob("*.json"):
            stale.unlink()
        source = self.newest()
        if source is not None:
            shutil.copytree(source / STATE_DIR, live, dirs_exist_ok=True, copy_function=_link_or_copy)
        return source

    def begin(self) -> tuple[int, Path]:
        """Fork the child that writes the next snapshot; returns its process id and where it writes.

        The caller awaits the child. Raises OSError when none can be started.
        """
        target, limit = self._next_partial(), CHILD_LIMIT_SECONDS + self.seconds_more()
        gc.freeze()  # the child must not copy pages only because its collector walks them
        try:
            with warnings.catch_warnings():
                # The child touches no lock of another thread: it serialises and leaves by os._exit.
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
            if pid == 0:
                _child(target, limit)
        finally:
            gc.unfreeze()
        return pid, target

    def finish(self, target: Path, wait_status: int) -> Path:
        """Publish what the child wrote. Raises SnapshotError, or OSError, when that is not possible."""
        code = os.waitstatus_to_exitcode(wait_status)
        if code != 0:
            shutil.rmtree(target, ignore_errors=True)
            raise SnapshotError(f"the snapshot process ended with {code}")
        return self._publish(target)

    def write_in_process(self) -> Path:
        """Write a snapshot without a fork: at a clean stop, when nothing else runs any more."""
        target = self._next_partial()
        here = Path.cwd()
        try:
            _serialise(target)
        finally:
            os.chdir(here)
        return self._publish(target)

    def _next_partial(self) -> Path:
        for leftover in self.folder.glob("*.partial"):
            shutil.rmtree(leftover, ignore_errors=True)
        newest = self.newest()
        number = max((int(path.name) for path in self.folder.iterdir() if path.name.isdigit()), default=0) + 1
        # A name of its own: the child of a predecessor that was killed may still be writing to the same number.
        target = self.folder / f"{number:08d}.{secrets.token_hex(4)}.partial"
        (target / STATE_DIR).mkdir(parents=True, mode=0o700)
        if newest is not None and (newest / STATE_DIR / _BLOBS).is_dir():
            shutil.copytree(newest / STATE_DIR / _BLOBS, target / STATE_DIR / _BLOBS, copy_function=os.link)
        return target

    def _publish(self, partial: Path) -> Path:
        final = self.folder / partial.name.partition(".")[0]
        partial.rename(final)
        for older in self.folder.iterdir():
            if older.name.isdigit() and int(older.name) < int(final.name):
                shutil.rmtree(older, ignore_errors=True)
        return final


class _Errors(logging.Handler):
    """Remembers whether the emulator logged an error: it swallows what goes wrong while saving."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _serialise(target: Path) -> None:
    from ministack import app
    from ministack.core.persistence import save_all

    errors = _Errors()
    logging.getLogger().addHandler(errors)
    os.chdir(target)
    try:
        save_all(app._build_persistence_save_dict())  # noqa: SLF001 - the emulator's own list of what to save
    finally:
        logging.getLogger().removeHandler(errors)
    if errors.messages:
        raise SnapshotError("; ".join(errors.messages))


def _child(target: Path, limit_seconds: int) -> NoReturn:
    code = 1
    try:
        gc.disable()
        signal.set_wakeup_fd(-1)  # else a signal would write into whatever file has that number next
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(limit_seconds)
        logging.disable(logging.INFO)  # sixty lines a snapshot
        os.closerange(3, 65536)  # the parent's sockets: a client must see the parent close them
        _serialise(target)
        code = 0
    except BaseException:  # noqa: BLE001 - nothing may leave a forked child but its exit code
        _log.exception("snapshot failed")
    finally:
        os._exit(code)


def _link_or_copy(source: str, target: str) -> None:
    path = Path(target)
    if _BLOBS in path.parts:
        path.unlink(missing_ok=True)
        os.link(source, target)
    else:
        shutil.copy2(source, target)


class Pace:
    """When the next snapshot may start: at once after a quiet time, else after as long as the last one took.

    So a snapshot never takes more than half of one core, and at most `quiet` + twice its own duration of
    table writes can be missing after a kill.
    """

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet, self._last_end, self._last_duration = quiet_seconds, 0.0, 0.0

    def delay(self) -> float:
        due = self._last_end + max(self._quiet, self._last_duration)
        return max(0.0, due - time.monotonic())

    def finished(self, started: float) -> None:
        self._last_end = time.monotonic()
        self._last_duration = self._last_end - started
