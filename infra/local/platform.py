"""Attach to the running platform of a PRISM_HOME, or start one for as long as it is needed.

Belongs here: the file lock that makes one process the owner, and what the others do meanwhile.
Does not belong here: what is served beside the emulator (serving.py) and what a command does (infra/cli).
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import AnyHttpUrl

from infra.local.emulator.environment import LOOPBACK, EmulatorHome
from infra.local.emulator.process import EmulatorAddress, EmulatorProcess
from infra.local.home import Home, Ports, write_json
from infra.local.standins.world import ACCOUNT_ID
from prism_core.failures import TransientFailure
from prism_core.settings import Environment, Settings, load_settings, prism_home

WAIT_SECONDS = 600
_POLL_SECONDS = 0.2
# Which services a child process talks to, and about which account.
_OUTSIDE = ("meta_api_url", "meta_account_id", "hubspot_api_url", "claude_api_url", "rekognition_api_url")
Say = Callable[[str], None]
Beside = Callable[[Home, Ports], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform that answers. `emulator` is None in `aws`; `process` is there when this process started it."""

    settings: Settings
    home: Home
    ports: Ports
    emulator: EmulatorAddress | None
    process: EmulatorProcess | None = None

    @property
    def owned(self) -> bool:
        return self.process is not None

    def announce(self) -> None:
        """From here on other commands attach to this platform; until then they wait."""
        _note_running(self.home, self.ports, ready=True)

    def flush(self) -> None:
        """Everything written so far survives a kill when this returns."""
        if self.emulator is not None:
            self.emulator.administer("flush")

    def hold(self) -> None:
        """Flush, and then no snapshot until the next flush, not even at a stop."""
        if self.emulator is not None:
            self.emulator.administer("hold")

    @contextmanager
    def whole_or_not_at_all(self) -> Iterator[None]:
        """Keep what the block writes only when it ends well: a kill or a failure leaves the state of before.

        But a platform that somebody else serves goes on with a half change, and keeps it.
        """
        self.hold()
        try:
            yield
        except BaseException:
            if not self.owned:
                self.flush()
            raise
        self.flush()

    def environment(self) -> dict[str, str]:
        """Variables for a child process that is to use this platform."""
        variables = {"PRISM_HOME": str(self.home.root), "DAGSTER_HOME": str(self.home.dagster)}
        if self.emulator is not None:
            variables["PRISM_AWS_ENDPOINT_URL"] = self.emulator.url
            variables |= {f"PRISM_{name.upper()}": str(getattr(self.settings, name) or "") for name in _OUTSIDE}
        return variables


@contextmanager
def attached(
    say: Say,
    *,
    port: int | None = None,
    serving: bool = False,
    beside: Beside | None = None,
    unchecked: bool = False,
) -> Iterator[Platform]:
    """Use the platform of PRISM_HOME.

    A `prism up` that serves is used as it is. Otherwise the emulator runs for the length of the `with`
    block, under the lock; a second command waits for the first with a message. `serving` leaves a note for
    `prism status` and `prism down`. `beside` is up before the emulator and down after it: the mail sink, because
    the emulator relays a mail once and loses it when nobody takes it. Raises TransientFailure when the wait is
    too long, PermanentFailure when `port` is not the one of this platform. On AWS raises BadUsage when settings
    that readers and writers agree on are not those that are deployed, unless `unchecked`: a deployment
    changes them, and the doctor tells it as a finding.
    """
    settings = load_settings(home=prism_home())  # absolute: other processes have another working directory
    home = Home(settings.home)
    if settings.environment is Environment.AWS:
        if not unchecked:
            from infra.deployed import refuse_unlike  # a local platform asks nobody

            refuse_unlike(settings)
        home.create()
        yield Platform(settings, home, Ports(0), None)
        return
    home.create()
    handle = _wait_for_lock(home, say)
    if handle is None:
        yield _running(home, settings, port)
        return
    try:
        with _owned(home, settings, port, say, serving=serving, beside=beside) as platform:
            yield platform
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Running:
    """A `prism up` that is alive. `ready` when its main job is done: before, its data are those of a start."""

    pid: int
    emulator_port: int
    ready: bool


def running_platform(home: Home) -> Running | None:
    """What serves this home, or None. The file alone proves nothing: the lock must be held too."""
    if not home.running.exists() or not home.lock.exists() or not _is_held(home.lock):
        return None
    try:
        running = Running(**json.loads(home.running.read_text()))
    except (ValueError, TypeError, FileNotFoundError):  # it is being removed, or was damaged
        return None
    return running if EmulatorAddress(running.emulator_port, "").is_healthy() else None


def is_locked(home: Home) -> bool:
    """Whether some process uses this home: a command, or an emulator that still saves after its command."""
    return any(path.exists() and _is_held(path) for path in (home.lock, EmulatorHome(home.emulator).lock))


@contextmanager
def locked(home: Home) -> Iterator[bool]:
    """Keep every command away for the length of the block. False when one is there already."""
    handle = _try_lock(home.lock)
    if handle is None:
        yield False
        return
    try:
        emulator = EmulatorHome(home.emulator).lock
        yield not (emulator.exists() and _is_held(emulator))
    finally:
        os.close(handle)


def _wait_for_lock(home: Home, say: Say) -> int | None:
    """The lock's handle, or None when a serving platform can be used instead."""
    deadline, told = time.monotonic() + WAIT_SECONDS, False
    while True:
        handle = _try_lock(home.lock)
        if handle is not None:
            home.running.unlink(missing_ok=True)
            return handle
        running = running_platform(home)
        if running is not None and running.ready:
            return None
        if not told:
            say(f"another prism command is using {home.root}; waiting for it to end")
            told = True
        if time.monotonic() > deadline:
            raise TransientFailure(f"{home.root} was in use for {WAIT_SECONDS} s; see `prism status`")
        time.sleep(_POLL_SECONDS)


def _is_held(path: Path) -> bool:
    handle = _try_lock(path)
    if handle is None:
        return True
    os.close(handle)
    return False


def _try_lock(path: Path) -> int | None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


@contextmanager
def _owned(
    home: Home, settings: Settings, port: int | None, say: Say, *, serving: bool, beside: Beside | None
) -> Iterator[Platform]:
    ports = home.ports(port)
    around = beside(home, ports) if beside is not None else nullcontext()
    with around, _emulator(home, settings, ports, say) as process:
        try:
            if serving:
                _note_running(home, ports, ready=False)
            settings = _with_endpoint(settings, process.address.url)
            yield Platform(settings, home, ports, process.address, process)
        finally:
            home.running.unlink(missing_ok=True)


@contextmanager
def _emulator(home: Home, settings: Settings, ports: Ports, say: Say) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess.start(
        home.emulator,
        port=ports.emulator,
        token=home.token(),
        region=settings.region,
        account_id=settings.account_id,
        smtp_port=ports.smtp,
        log=home.logs / "emulator.log",
        origins=[f"http://{name}:{ports.screens}" for name in (LOOPBACK, "localhost")],
        enforce_rights=settings.enforce_rights,
    )
    try:
        yield process
    finally:
        process.stop(say)


def _note_running(home: Home, ports: Ports, *, ready: bool) -> None:
    write_json(home.running, asdict(Running(os.getpid(), ports.emulator, ready)))


def _running(home: Home, settings: Settings, port: int | None) -> Platform:
    ports = home.ports(port)
    address = EmulatorAddress(ports.emulator, home.token())
    return Platform(_with_endpoint(settings, address.url), home, ports, address)


def _with_endpoint(settings: Settings, url: str) -> Settings:
    # The process's own variables too: libraries and assets that load their settings see the same platform.
    os.environ |= _reaching(settings, url)
    return load_settings(home=settings.home)


def standin_urls(ports: Ports) -> dict[str, str]:
    """Where the stand-ins of a platform are, by the name of the service."""
    door = f"http://{LOOPBACK}:{ports.standins}"
    return {name: f"{door}/{name.lower()}" for name in ("Meta", "HubSpot", "Claude", "Rekognition")}


def _reaching(settings: Settings, emulator: str) -> dict[str, str]:
    """Variables by which this process finds the embedded AWS and the stand-ins.

    A service that a person named stays; one on this machine is the stand-in of whichever platform was here before.
    """
    found = {"PRISM_AWS_ENDPOINT_URL": emulator}
    for name, url in standin_urls(Ports.of_emulator(AnyHttpUrl(emulator).port or 0)).items():
        field = f"{name.lower()}_api_url"
        if field not in settings.model_fields_set or getattr(settings, field).host == LOOPBACK:
            found[f"PRISM_{field.upper()}"] = url
    if settings.meta_account_id is None:
        found["PRISM_META_ACCOUNT_ID"] = ACCOUNT_ID
    return found
