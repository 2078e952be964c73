"""Known holes of what is locked: `python -m infra.packaging.audit`, a part of `make check`.

Belongs here: asking the auditors of uv and npm, and telling a hole from a list that nobody reaches. Does not
belong here: which packages there are (uv.lock, web/package-lock.json).
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from infra.packaging.libraries import find_uv

ROOT: Final = Path(__file__).resolve().parents[2]
_UNREACHABLE: Final = re.compile(
    r"error sending request|dns error|failed to fetch|audit endpoint returned an error"
    r"|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN",
    re.IGNORECASE,
)
_UV: Final = ("audit", "--locked", "--preview-features", "audit-command")
_NPM: Final = ("audit", "--package-lock-only", "--omit=dev", "--audit-level=moderate")


class Verdict(Enum):
    """What an auditor found."""

    CLEAN = "no known hole"
    HOLES = "known holes"
    UNREACHABLE = "skipped: the list of holes cannot be reached from here"


@dataclass(frozen=True, slots=True)
class Auditor:
    """A program and what it looks through."""

    lock: str
    command: tuple[str, ...]


def auditors() -> tuple[Auditor, ...]:
    """Both, for the two locks."""
    npm = (sys.executable, "-m", "infra.packaging.npm")
    return (Auditor("uv.lock", (find_uv(), *_UV)), Auditor("web/package-lock.json", (*npm, *_NPM)))


def verdict(code: int, said: str) -> Verdict:
    """Of an exit code and all that was printed. A failure that is no list of holes counts as one: look at it."""
    if code == 0:
        return Verdict.CLEAN
    return Verdict.UNREACHABLE if _UNREACHABLE.search(said) else Verdict.HOLES


def main() -> int:
    """0 unless an auditor found something; a skipped audit is said, because it is no clean one."""
    failed = False
    for one in auditors():
        done = subprocess.run(one.command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        said = done.stdout + done.stderr
        found = verdict(done.returncode, said)
        sys.stdout.write(f"audit of {one.lock}: {found.value}\n")
        if found is Verdict.HOLES:
            sys.stdout.write(said)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
