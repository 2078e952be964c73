"""Run a command that must not outlive the process that started it.

Belongs here: `python -m infra.local.tether COMMAND…`, which ends the whole process group of the command
when its own standard input ends, that is, when the parent is gone, even by SIGKILL.
Does not belong here: what is run.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 15


def main() -> int:
    """Returns the command's exit code."""
    os.umask(0o077)  # what the command writes lies in PRISM_HOME, which is private to its owner
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _end(child))
    threading.Thread(target=_end_with_parent, args=(child,), daemon=True).start()
    code = child.wait()
    _signal_group(child, signal.SIGKILL)  # what the command left behind
    return code


def _end_with_parent(child: "subprocess.Popen[bytes]") -> None:
    sys.stdin.buffer.read()
    _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    _signal_group(child, signal.SIGTERM)
    killer = threading.Timer(GRACE_SECONDS, _signal_group, (child, signal.SIGKILL))
    killer.daemon = True
    killer.start()


def _signal_group(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    sys.exit(main())
