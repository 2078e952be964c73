"""What processes beside the measuring one use: CPU time and memory, as Linux tells.

Belongs here: finding the workers of a function, and reading /proc. Does not belong here: contenders, which measure
themselves (harness.py).
"""

import os
from collections.abc import Iterable
from pathlib import Path

from infra.local.home import Home

_PROC, _KIB_A_MIB = Path("/proc"), 1024
# Of the line behind the name of the process: user and system time, in ticks.
_USER, _SYSTEM = 11, 12


def workers(home: Home, function: str) -> list[int]:
    """The processes in which the embedded AWS of a home runs a function, whose environment names both."""
    name, root = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode(), str(home.root).encode()
    found: list[int] = []
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                said = (folder / "environ").read_bytes().split(b"\0")
            except OSError:  # it has ended, or is somebody else's
                continue
            if name in said and any(root in one for one in said):
                found.append(int(folder.name))
    return found


def cpu_seconds(processes: Iterable[int]) -> float:
    """User and system time since their start, without their children; none of one that has ended."""
    ticks = 0
    for process in processes:
        try:
            said = (_PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        fields = said.rpartition(")")[2].split()
        ticks += int(fields[_USER]) + int(fields[_SYSTEM])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mib(process: int) -> float:
    """The most memory that a process ever had; nothing for one that has ended."""
    try:
        status = (_PROC / str(process) / "status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    line = next((one for one in status.splitlines() if one.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) / _KIB_A_MIB
