"""The memory of an export: real runs over a million items, of a register with a past, of facts, of three tables.

Belongs here: the runs and their promise. Does not belong here: what answers them (export_service.py), and time:
the service takes most of it, on the same cores (see export_emulator.py and export_client.py).
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.export_service import WEEKS
from benchmarks.harness import Target, compare
from prism_core.calendar import WeekRange
from prism_core.lake import LakeTable
from prism_core.lake_tables import ALLOCATIONS, PROJECTS, QUALITY

PEAK_MIB = 600


def main(argv: list[str] | None = None) -> dict[str, dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=100_000, help="items of the register that have changed")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/export_memory_*.json")
    options = parser.parse_args(argv)
    return {run.__name__.lower(): _measured(run, options) for run in (Register, Facts, Three)}


def _measured(run: type["_Run"], options: argparse.Namespace) -> dict[str, Any]:
    """The items are spread over the tables of a run."""
    tables = len(run.tables)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(options.items // tables, options.changes // tables) as port,
    ):
        return compare(
            f"export_memory_{run.__name__.lower()}",
            {"prism": f"benchmarks.export_memory:{run.__name__}"},
            Path(folder),
            repeats=1,
            save=options.save,
            probe="benchmarks.prepared",
            environment={"PRISM_AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "PRISM_HOME": folder},
            facts={"items": options.items, "changes": options.changes, "weeks": len(WEEKS), "tables": tables},
            targets=_memory,
        )


def _memory(result: Mapping[str, Any]) -> Sequence[Target]:
    return [Target("MiB at its peak", PEAK_MIB, result["contenders"]["prism"]["peak_rss_mib"])]


@contextmanager
def serving(items: int, changes: int) -> Iterator[int]:
    """The port of a service with so many items a table, and changes of one."""
    command = [sys.executable, "-m", "benchmarks.export_service", str(items), str(changes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own module
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.kill()


class _Run:
    """Three weeks, the last of which is running."""

    share = 1
    tables: tuple[LakeTable, ...]

    def __init__(self, _: Path) -> None:
        from prism_core.settings import load_settings  # noqa: PLC0415 - its own memory is measured
        from prism_resources.export.engine import Export  # noqa: PLC0415
        from prism_resources.lake import Lake  # noqa: PLC0415

        settings = load_settings()
        self._export = Export(settings, Lake(settings), now=WEEKS[-1].start + timedelta(hours=9))

    def __call__(self) -> str:
        done = self._export.run(self.tables, WeekRange(WEEKS[0], WEEKS[-1]))
        items, rows, written = (sum(getattr(one, name) for one in done) for name in ("items", "rows", "written"))
        return f"{items} items, {rows} rows, {written} weeks written"


class Register(_Run):
    tables = (PROJECTS,)


class Facts(_Run):
    tables = (QUALITY,)


class Three(_Run):
    """As many as are exported at once: a register, plans and facts."""

    tables = (PROJECTS, ALLOCATIONS, QUALITY)


if __name__ == "__main__":
    main()
