"""Starting and stopping the emulator process from outside.

Belongs here: the parent's side. The child lives on the pipe to its standard input: when the parent is
gone, however it went, the child sees the end of the pipe and stops cleanly.
Does not belong here: what the child does (server.py) and who may start one (platform.py).
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.local.emulator.environment import LOOPBACK, EmulatorHome, emulator_environment
from infra.local.emulator.guard import TOKEN_HEADER
from infra.local.emulator.snapshots import Snapshots
from prism_core.failures import PermanentFailure, TransientFailure
from prism_resources.aws import LOCAL_KEY

# Each grows with the state: a stop may wait for a snapshot that is being written, and then writes its own; a start
# may wait for a predecessor that does so, and then loads.
START_SECONDS = 90
STOP_SECONDS = 60
TOLD_SECONDS = 30.0
REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class EmulatorAddress:
    """Where a running emulator is, and the token that its administration asks for."""

    port: int
    token: str

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def administer(self, action: str) -> None:
        """`flush` or `hold` (server.py). Raises TransientFailure with the emulator's own words."""
        request = urllib.request.Request(  # noqa: S310 - the scheme is ours
            f"{self.url}/_prism/{action}", method="POST", headers={TOKEN_HEADER: self.token}
        )
        try:
            with urllib.request.urlopen(request, timeout=150) as answer:  # noqa: S310
                answer.read()
        except urllib.error.HTTPError as error:
            raise TransientFailure(f"the embedded AWS did not {action}: {error.read().decode()}") from error
        except OSError as error:
            raise TransientFailure(f"the embedded AWS at {self.url} is not there: {error}") from error

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=5) as answer:  # noqa: S310
                return answer.status == 200
        except OSError:
            return False


class EmulatorProcess:
    """A running emulator that this process owns."""

    def __init__(
        self, address: EmulatorAddress, child: "subprocess.Popen[bytes]", log: Path, snapshots: Snapshots
    ) -> None:
        self.address, self._child, self._log = address, child, log
        self._snapshots = snapshots

    @property
    def pid(self) -> int:
        return self._child.pid

    @classmethod
    def start(
        cls,
        root: Path,
        *,
        port: int,
        token: str,
        region: str,
        account_id: str,
        smtp_port: int,
        log: Path,
        origins: Sequence[str] = (),
        enforce_rights: bool = False,
    ) -> "EmulatorProcess":
        """Start and wait until it serves. Raises PermanentFailure with the child's reason when it does not."""
        home = EmulatorHome(root)
        home.create()
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = [sys.executable, "-m", "infra.local.emulator.server", "--root", str(root), "--port", str(port)]
        for origin in origins:
            command += ["--origin", origin]
        environment = emulator_environment(
            home,
            port=port,
            region=region,
            account_id=account_id,
            smtp_port=smtp_port,
            key=LOCAL_KEY,
            enforce_rights=enforce_rights,
        )
        with open_log(log) as errors:
            child = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment | {"PYTHONPATH": str(REPOSITORY)},
                cwd=REPOSITORY,
                start_new_session=True,  # a Ctrl-C in the terminal is for the parent, which stops us in order
            )
        process = cls(EmulatorAddress(port, token), child, log, Snapshots(home.snapshots))
        stdin, stdout = child.stdin, child.stdout
        if stdin is None or stdout is None:
            raise PermanentFailure("the emulator was started without its pipes")
        try:
            with contextlib.suppress(BrokenPipeError):  # it ended at once; _await_ready says why
                stdin.write(token.encode() + b"\n")
                stdin.flush()
            process._await_ready(stdout)
        except BaseException:
            child.kill()
            child.wait()
            raise
        return process

    def _await_ready(self, stdout: IO[bytes]) -> None:
        lines: queue.Queue[bytes] = queue.Queue()
        limit = START_SECONDS + 3 * self._snapshots.seconds_more()
        # The thread goes on draining, so that a chatty child never blocks on a full pipe.
        threading.Thread(target=_drain, args=(stdout, lines), daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=limit)
            except queue.Empty:
                message = f"the embedded AWS was not ready in {limit} s; see {self._log}"
                raise TransientFailure(message) from None
            if not line:
                raise PermanentFailure(f"the embedded AWS ended while it started; see {self._log}")
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict) and "error" in message:
                raise PermanentFailure(f"the embedded AWS refuses to start: {message['error']}")
            if isinstance(message, dict) and message.get("ready"):
                return

    def is_alive(self) -> bool:
        return self._child.poll() is None

    def stop(self, say: Callable[[str], None] | None = None) -> None:
        """Stop cleanly: everything written is in the snapshot when this returns, else TransientFailure. `say` is
        told when it takes long."""
        if self._child.stdin is not None and not self._child.stdin.closed:
            self._child.stdin.close()
        limit = stop_seconds(self._snapshots)
        code = self._ended(min(limit, TOLD_SECONDS))
        if code is None:
            if say is not None:
                say(f"the embedded AWS saves its state, which may take {limit} s")
            code = self._ended(limit)
        if code is None:
            self._child.kill()
            self._child.wait()
            raise TransientFailure(f"the embedded AWS did not stop in {limit} s and was killed; see {self._log}")
        if code != 0:
            raise TransientFailure(
                f"the embedded AWS ended with {code} and did not save its last state; see {self._log}"
            )

    def _ended(self, seconds: float) -> int | None:
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """SIGKILL, for tests of what survives it."""
        self._child.kill()
        self._child.wait()


def stop_seconds(snapshots: Snapshots) -> int:
    """The longest that an emulator with these snapshots may take to stop."""
    return STOP_SECONDS + 2 * snapshots.seconds_more()


def open_log(path: Path) -> IO[bytes]:
    """A log to append to, private to its owner."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")


def _drain(stream: IO[bytes], lines: "queue.Queue[bytes]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(b"")
