"""The processes in which the embedded AWS runs functions, for tests that kill one."""

from benchmarks import processes
from infra.local.platform import Platform


def workers(platform: Platform, function: str) -> list[int]:
    """The processes of a function: children of the emulator whose environment names it."""
    return processes.workers(platform.home, f"{platform.settings.name_prefix}-{function}")
