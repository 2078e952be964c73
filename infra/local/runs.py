"""Runs whose process is gone.

Belongs here: which process carries out a run, and ending the runs of one that was killed, so that they do not hold
their place in the queue. Does not belong here: starting runs.
Dagster's code server watches the runs that it started itself; it knows nothing of those of `prism materialize`,
nor of those of a platform that was killed as a whole.
"""

import os
from pathlib import Path

import dagster as dg
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus

PROCESS_TAG = "prism/process"
_CARRIED_OUT = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


class LocalRunLauncher(DefaultRunLauncher):
    """Dagster's own, which also answers whether the process of a run lives: its run monitoring asks."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        process = run.tags.get(PROCESS_TAG)
        if process is None or is_alive(process):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"its process, {process}, is gone")


def this_process() -> str:
    """The name of this process, which no other one gets."""
    return _name(os.getpid())


def is_alive(process: str) -> bool:
    """Whether the process of this name runs: not another one that got its number."""
    number = process.partition(".")[0]
    if not number.isdecimal() or int(number) < 1:  # zero would be our own group
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it is not ours any more
        return False
    return _name(int(number)) == process


def end_abandoned(instance: dg.DagsterInstance) -> int:
    """Fail every run that seems to be at work; for a start, when nothing of this home can be. Answers how many."""
    left = [
        record.dagster_run
        for record in instance.get_run_records(dg.RunsFilter(statuses=_CARRIED_OUT))
        if not is_alive(record.dagster_run.tags.get(PROCESS_TAG, ""))
    ]
    for run in left:
        instance.report_run_failed(run, "The platform was ended while this run was at work; start it again.")
    return len(left)


def _name(number: int) -> str:
    """The number and, where the system tells, the tick of its start."""
    try:
        words = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return str(number)
    return str(number) if words[0] == "Z" else f"{number}.{words[19]}"
