"""The emulator process: our guard around MiniStack, on loopback, with snapshots.

Belongs here: what runs inside that process, from self-check to clean stop. It is started by process.py,
with the environment of environment.py already set: MiniStack reads it while it is imported.
Does not belong here: anything the parent does.

It says one line of JSON, `{"ready": true}` or `{"error": "…"}`, and stops cleanly on SIGTERM, SIGINT or at the
end of its standard input, which is how a killed parent is noticed.
"""

import argparse
import asyncio
import fcntl
import importlib.metadata
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from infra.local.emulator.environment import LOOPBACK, PINNED_VERSION, EmulatorHome
from infra.local.emulator.executions import forget_ended
from infra.local.emulator.guard import App, Guard, Receive, Scope, Send
from infra.local.emulator.recovery import forget_unsaved_buckets, mend_torn_objects
from infra.local.emulator.snapshots import Pace, SnapshotError, Snapshots

QUIET_SECONDS = 0.5
LOCK_WAIT_SECONDS = 60
HOLD_LIMIT_SECONDS = 300
LOAD_SECONDS = 80
_AFRESH = "`prism reset --yes`"
_log = logging.getLogger("prism.emulator")


class SelfCheckFailed(Exception):
    """The emulator must not serve; the message says why and what to do."""


def self_check(port: int) -> None:
    """Refuse to serve on anything but the measured version, with DuckDB, on a free port."""
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError as error:
        raise SelfCheckFailed("ministack is not installed; run `make clean up`") from error
    if found != PINNED_VERSION:
        raise SelfCheckFailed(f"ministack {found} is installed, {PINNED_VERSION} is pinned; run `make clean up`")
    try:
        import duckdb

        duckdb.connect().execute("SELECT 1").fetchall()
    except Exception as error:
        raise SelfCheckFailed(f"DuckDB does not work here: {error}; run `make clean up`") from error
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise SelfCheckFailed(
                f"port {port} on {LOOPBACK} is taken: {error}. This state directory is bound to it; stop the "
                f"other program, or start afresh with {_AFRESH}"
            ) from error


class Emulator:
    """Holds the snapshot loop and the administration actions of one running emulator."""

    def __init__(self, home: EmulatorHome) -> None:
        self.snapshots = Snapshots(home.snapshots)
        self.stopping = asyncio.Event()
        self._stopped = False
        self._dirty = asyncio.Event()
        self._pace = Pace(QUIET_SECONDS)
        self._writing = asyncio.Lock()
        self._held_until = 0.0

    def mark_dirty(self) -> None:
        self._dirty.set()

    async def administer(self, action: str) -> tuple[int, dict[str, Any]]:
        """`flush`: everything written so far is on disk when this answers.

        `hold`: the same, and then no snapshot until the next flush, not even at a stop: what lies between is
        kept whole or not at all.
        """
        if action not in {"flush", "hold"}:
            return 404, {"title": "Unknown action", "status": 404, "detail": f"{action!r} is not flush or hold"}
        self._held_until = 0.0
        try:
            await self.snapshot()
        except SnapshotError as error:
            return 500, {"title": "Snapshot failed", "status": 500, "detail": str(error)}
        if action == "flush":
            return 200, {"flushed": True}
        self._held_until = time.monotonic() + HOLD_LIMIT_SECONDS
        return 200, {"held_seconds": HOLD_LIMIT_SECONDS}

    async def snapshot_loop(self) -> None:
        """Snapshot while dirty, until cancelled."""
        while True:
            await self._dirty.wait()
            await asyncio.sleep(self._pace.delay())
            if time.monotonic() < self._held_until:
                await asyncio.sleep(0.1)
                continue
            try:
                await self.snapshot()
            except SnapshotError:
                _log.exception("state is not saved; trying again")
                await asyncio.sleep(1)

    async def snapshot(self) -> None:
        """Write a snapshot. Raises SnapshotError, and stays dirty, when it cannot be written."""
        # A caller that is cancelled must not leave the child behind: the next snapshot waits for this one.
        await asyncio.shield(asyncio.create_task(self._snapshot()))

    async def _snapshot(self) -> None:
        async with self._writing:
            if self._stopped:
                return
            self._dirty.clear()
            started = time.monotonic()
            try:
                pid, target = self.snapshots.begin()
                _, status = await asyncio.to_thread(os.waitpid, pid, 0)
                self.snapshots.finish(target, status)
            except (SnapshotError, OSError) as error:
                self._dirty.set()
                raise SnapshotError(str(error)) from error
            self._pace.finished(started)

    async def save_for_good(self) -> None:
        """The last snapshot, in this process. Within a hold the one from before it stands."""
        async with self._writing:
            self._stopped = True
            if time.monotonic() < self._held_until:
                _log.warning("stopped within a hold: what came after it is dropped")
                return
            self.snapshots.write_in_process()


async def serve(home: EmulatorHome, port: int, token: str, origins: list[str]) -> None:
    """Serve until asked to stop, then leave a complete snapshot behind."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack import app

    emulator = Emulator(home)
    loading = _LoadErrors()
    logging.getLogger().addHandler(loading)
    guard = Guard(
        _refusing_to_start_empty(app.app),
        port=port,
        token=token,
        origins=origins,
        administer=emulator.administer,
        on_write=emulator.mark_dirty,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, emulator.stopping.set)
    threading.Thread(target=_stop_with_parent, args=(loop, emulator.stopping), daemon=True).start()
    config = Config()
    config.bind = [f"{LOOPBACK}:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 3
    config.startup_timeout = LOAD_SECONDS + emulator.snapshots.seconds_more()
    config.loglevel = "WARNING"
    announcer = asyncio.create_task(_announce_when_serving(port, loading))
    saver = asyncio.create_task(emulator.snapshot_loop())
    forgetter = asyncio.create_task(forget_ended())
    try:
        await hypercorn_serve(guard, config, shutdown_trigger=emulator.stopping.wait)  # type: ignore[arg-type]
    finally:
        announcer.cancel()
        saver.cancel()
        forgetter.cancel()
        await asyncio.gather(announcer, saver, forgetter, return_exceptions=True)
        if loading.passed:
            await emulator.save_for_good()


def _refusing_to_start_empty(app: App) -> App:
    """The server goes on without its start hook when that fails, which here means without the saved state."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                _log.exception("the emulator did not start")
                _fail(f"the saved state does not load: {error}; see the log, or start afresh with {_AFRESH}")
            raise

    return wrapped


async def _announce_when_serving(port: int, loading: "_LoadErrors") -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        loading.passed = True
        logging.getLogger().removeHandler(loading)
        _say({"ready": True})
        return


def _stop_with_parent(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(stopping.set)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _take_lock(path: Path, seconds: float) -> int:
    """Hold the state directory for the life of the process; a predecessor may still be saving."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f"another emulator holds {path}; stop it with `prism down`"
                raise SelfCheckFailed(message) from None
            time.sleep(0.05)
        else:
            return handle


class _LoadErrors(logging.Handler):
    """The emulator goes on with an empty service when a state file does not load. We do not."""

    _MARKS = (
        "persisted state",
        "persisted S3 data",
        "Persistence: failed to load",
        "refusing to load",
        "module failed to load",
    )

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.passed = False

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if any(mark in text for mark in self._MARKS):
            _fail(f"the saved state does not load: {text}; see the log, or start afresh with {_AFRESH}")


def _fail(message: str) -> NoReturn:
    _say({"error": message})
    os._exit(1)


def main() -> None:
    """Entry point of the child: `python -m infra.local.emulator.server`. The token comes on standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--origin", action="append", default=[])
    arguments = parser.parse_args()
    token = sys.stdin.buffer.readline().decode().strip()
    os.umask(0o077)
    logging.basicConfig(
        level=os.environ.get("LOG_LEVEL", "WARNING"), format="%(asctime)s %(levelname)s [%(name)s] %(message)s"
    )
    if not token:  # the parent is gone already
        _fail("no token was given on standard input")
    home = EmulatorHome(arguments.root)
    home.create()
    try:
        lock = _take_lock(home.lock, LOCK_WAIT_SECONDS + 2 * Snapshots(home.snapshots).seconds_more())
        self_check(arguments.port)
    except SelfCheckFailed as error:
        _fail(str(error))
    mend_torn_objects(home.s3)
    restored = Snapshots(home.snapshots).restore(home.work)
    forget_unsaved_buckets(home.s3, restored)
    os.chdir(home.work)
    asyncio.run(serve(home, arguments.port, token, arguments.origin))
    os.close(lock)


if __name__ == "__main__":
    main()
