"""Attach to the running platform of a PRISM_HOME, or start one for as long as it is needed.

Belongs here: the file lock that makes one process the owner, and what the others do meanwhile.
Does not belong here: what is served beside the emulator (serving.py) and what a command does (infra/cli).
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from infra.local.emulator.environment import LOOPBACK
from infra.local.emulator.process import EmulatorAddress, EmulatorProcess
from infra.local.home import Home, Ports, write_json
from prism_core.failures import TransientFailure
from prism_core.settings import Environment, Settings, load_settings

WAIT_SECONDS = 600
_POLL_SECONDS = 0.2
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform that answers. `emulator` is None in `aws`; `owned` when this process started it."""

    settings: Settings
    home: Home
    ports: Ports
    emulator: EmulatorAddress | None
    owned: bool

    def flush(self) -> None:
        """Everything written so far survives a kill when this returns."""
        if self.emulator is not None:
            self.emulator.administer("flush")

    def hold(self) -> None:
        """No snapshot until the next flush: what lies between is kept whole or not at all."""
        if self.emulator is not None:
            self.emulator.administer("hold")

    def environment(self) -> dict[str, str]:
        """Variables for a child process that is to use this platform."""
        variables = {"PRISM_HOME": str(self.home.root), "DAGSTER_HOME": str(self.home.dagster)}
        if self.emulator is not None:
            variables["PRISM_AWS_ENDPOINT_URL"] = self.emulator.url
        return variables


@contextmanager
def attached(say: Say, *, port: int | None = None, serving: bool = False) -> Iterator[Platform]:
    """Use the platform of PRISM_HOME.

    A running `prism up` is used as it is. Otherwise the emulator runs for the length of the `with` block,
    under the lock; a second command waits for the first with a message. `serving` asks for ownership in
    any case: it waits rather than attach. Raises TransientFailure when the wait is too long.
    """
    settings = load_settings()
    home = Home(settings.home)
    if settings.environment is Environment.AWS:
        home.create()
        yield Platform(settings, home, Ports(0), None, owned=False)
        return
    home.create()
    handle = _wait_for_lock(home, say, attach=not serving)
    if handle is None:
        yield _running(home, settings)
        return
    try:
        with _owned(home, settings, port, serving=serving) as platform:
            yield platform
    finally:
        os.close(handle)


def running_platform(home: Home) -> dict[str, object] | None:
    """What serves this home, or None. The file alone proves nothing: the lock must be held too."""
    if not home.running.exists() or not is_locked(home):
        return None
    try:
        facts = json.loads(home.running.read_text())
    except (ValueError, FileNotFoundError):  # it is being removed
        return None
    return facts if EmulatorAddress(facts["emulator_port"], "").is_healthy() else None


def is_locked(home: Home) -> bool:
    """Whether some process owns this home."""
    if not home.lock.exists():
        return False
    handle = _try_lock(home)
    if handle is None:
        return True
    os.close(handle)
    return False


def _wait_for_lock(home: Home, say: Say, *, attach: bool) -> int | None:
    """The lock's handle, or None when a serving platform can be used instead."""
    deadline, told = time.monotonic() + WAIT_SECONDS, False
    while True:
        handle = _try_lock(home)
        if handle is not None:
            home.running.unlink(missing_ok=True)
            return handle
        if attach and running_platform(home) is not None:
            return None
        if not told:
            say(f"another prism command is using {home.root}; waiting for it to end")
            told = True
        if time.monotonic() > deadline:
            raise TransientFailure(f"{home.root} was in use for {WAIT_SECONDS} s; see `prism status`")
        time.sleep(_POLL_SECONDS)


def _try_lock(home: Home) -> int | None:
    handle = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


@contextmanager
def _owned(home: Home, settings: Settings, port: int | None, *, serving: bool) -> Iterator[Platform]:
    ports, token = home.ports(port), home.token()
    process = EmulatorProcess.start(
        home.emulator,
        port=ports.emulator,
        token=token,
        region=settings.region,
        account_id=settings.account_id,
        smtp_port=ports.smtp,
        log=home.logs / "emulator.log",
        origins=[f"http://{name}:{ports.screens}" for name in (LOOPBACK, "localhost")],
    )
    try:
        if serving:
            write_json(home.running, {"pid": os.getpid(), "emulator_port": ports.emulator})
        settings = _with_endpoint(settings, process.address.url)
        yield Platform(settings, home, ports, process.address, owned=True)
    finally:
        home.running.unlink(missing_ok=True)
        process.stop()


def _running(home: Home, settings: Settings) -> Platform:
    ports = home.ports()
    address = EmulatorAddress(ports.emulator, home.token())
    return Platform(_with_endpoint(settings, address.url), home, ports, address, owned=False)


def _with_endpoint(settings: Settings, url: str) -> Settings:
    # The process's own variables too: libraries and assets that load their settings see the same platform.
    os.environ["PRISM_AWS_ENDPOINT_URL"] = url
    return load_settings(home=settings.home)
