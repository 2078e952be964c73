"""The folder of one local platform (PRISM_HOME): what lies where, on which ports.

Belongs here: paths, the fixed ports, the token, and the settings that the first start decided for good.
Does not belong here: processes (platform.py). Everything here is private to its owner.
"""

import json
import os
import random
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.emulator.environment import LOOPBACK
from prism_core.failures import PermanentFailure
from prism_core.settings import HOME_FILE

DEFAULT_BASE_PORT = 7070
DEFAULT_HOME = ".prism"
PORTS_PER_PLATFORM = 10
MAX_BASE_PORT = 65_535 - PORTS_PER_PLATFORM + 1
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Ports:
    """Ten ports in a row belong to one platform; a state directory keeps its own, because URLs embed them."""

    base: int

    @classmethod
    def of_emulator(cls, port: int) -> "Ports":
        """The ports of the platform whose embedded AWS is on `port`."""
        return cls(port - 3)

    @property
    def screens(self) -> int:
        return self.base

    @property
    def dagster(self) -> int:
        return self.base + 1

    @property
    def mailbox(self) -> int:
        return self.base + 2

    @property
    def emulator(self) -> int:
        return self.base + 3

    @property
    def smtp(self) -> int:
        return self.base + 4

    @property
    def standins(self) -> int:
        return self.base + 5


class Home:
    """Paths below PRISM_HOME, and the small files that must outlive a process."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def emulator(self) -> Path:
        return self.root / "emulator"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def mail(self) -> Path:
        return self.root / "mail"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def rejects(self) -> Path:
        return self.root / "rejects"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def running(self) -> Path:
        """Written by whoever serves, removed at a clean stop. Only valid while the lock is held."""
        return self.root / "running.json"

    @property
    def first_start(self) -> Path:
        """Decisions of the first `prism up`: the sample or none, and that the stacks were deployed."""
        return self.root / "first_start.json"

    @property
    def settings_file(self) -> Path:
        return self.root / HOME_FILE

    def create(self) -> None:
        for folder in (self.root, self.dagster, self.mail, self.logs, self.rejects):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def token(self) -> str:
        """The token of the emulator's administration; made on first use."""
        return self.secret("token", lambda: secrets.token_urlsafe(32))

    def secret(self, name: str, draw: Callable[[], str]) -> str:
        """A secret of this platform, private to its owner; drawn on first use."""
        path = self.root / name
        if not path.exists():
            _write_private(path, draw())
        return path.read_text().strip()

    def ports(self, wanted: int | None = None) -> Ports:
        """The ports of this platform, chosen once.

        Raises PermanentFailure when `wanted` differs from what is fixed, or is not free at the first start.
        """
        path = self.root / "ports.json"
        if path.exists():
            base = _read_json(path).get("base")
            if not isinstance(base, int):
                raise _damaged(path)
            fixed = Ports(base)
            if wanted is not None and wanted != fixed.base:
                raise PermanentFailure(
                    f"{self.root} is bound to port {fixed.base} since its first start; leave out --port, "
                    "or use another PRISM_HOME"
                )
            return fixed
        chosen = Ports(wanted if wanted is not None else _free_base(self.root))
        if wanted is not None and not _all_free(wanted):
            raise PermanentFailure(
                f"not all of the ports {wanted} to {wanted + PORTS_PER_PLATFORM - 1} are free; name another --port"
            )
        write_json(path, {"base": chosen.base})
        return chosen

    def read_first_start(self) -> dict[str, Any]:
        return _read_json(self.first_start) if self.first_start.exists() else {}

    def note_first_start(self, **facts: object) -> None:
        write_json(self.first_start, self.read_first_start() | facts)

    def fix_settings(self, **values: object) -> None:
        """Keep settings that must not change between two commands, such as the first week."""
        known = _read_json(self.settings_file) if self.settings_file.exists() else {}
        write_json(self.settings_file, known | values)


def write_json(path: Path, value: object) -> None:
    """Replace a small file whole."""
    _write_private(path, json.dumps(value, indent=2, default=str) + "\n")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _damaged(path)
    return found


def _damaged(path: Path) -> PermanentFailure:
    return PermanentFailure(f"{path} is damaged; restore it, or start afresh with `prism reset --yes`")


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    temporary.replace(path)


def _free_base(root: Path) -> int:
    # Only the home that everybody has gets the port that everybody remembers: two homes must not be bound to one.
    candidates = [DEFAULT_BASE_PORT] if root.name == DEFAULT_HOME else []
    candidates += [random.randrange(20_000, 29_990, PORTS_PER_PLATFORM) for _ in range(_TRIES)]  # noqa: S311 - a port
    for base in candidates:
        if _all_free(base):
            return base
    raise PermanentFailure(f"found no {PORTS_PER_PLATFORM} free ports in a row; name some with --port")


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _all_free(base: int) -> bool:
    return all(is_free(port) for port in range(base, base + PORTS_PER_PLATFORM))
