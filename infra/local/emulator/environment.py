"""What the embedded AWS is told through its environment, and nothing else.

Belongs here: the emulator's variables, its pinned version, the folders it may use. The child gets exactly
this environment: Lambda workers inherit it, so a credential of the user must never be in it.
Does not belong here: how the process is started (process.py) or guarded (guard.py).
"""

import sys
from dataclasses import dataclass
from pathlib import Path

PINNED_VERSION = "1.5.33"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class EmulatorHome:
    """The folders of one emulator, below `root`."""

    root: Path

    @property
    def work(self) -> Path:
        """Working directory of the process; its `state` is the live copy of the newest snapshot."""
        return self.root / "work"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def s3(self) -> Path:
        return self.root / "s3"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    def create(self) -> None:
        """Make the folders, readable by their owner alone."""
        for folder in (self.root, self.work, self.snapshots, self.s3, self.tmp):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


# STATE_DIR is relative on purpose: a forked snapshot changes its working directory and thereby writes
# somewhere else than its parent, without touching a line of the emulator.
STATE_DIR = "state"


def emulator_environment(
    home: EmulatorHome,
    *,
    port: int,
    region: str,
    account_id: str,
    smtp_port: int,
    key: str,
    enforce_rights: bool = False,
) -> dict[str, str]:
    """The complete environment of the emulator process."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home.tmp),
        "TMPDIR": str(home.tmp),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": account_id,
        "AWS_DEFAULT_REGION": region,
        # The key our own clients sign with: presigned URLs are verified against this one.
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": key,
        # Our own key is the account's root; functions get a session of their role.
        "AUTH": "true" if enforce_rights else "false",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent.sock",
        "PERSIST_STATE": "1",
        "STATE_DIR": STATE_DIR,
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home.s3),
        "ATHENA_ENGINE": "duckdb",
        "LAMBDA_EXECUTOR": "local",
        "SMTP_HOST": f"{LOOPBACK}:{smtp_port}",
        "LOG_LEVEL": "WARNING",  # INFO is hundreds of lines a start, and what functions print is in their logs
    }
