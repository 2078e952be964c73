"""Cases of the rule about work that is nobody's.

Belongs here: snapshots with names that wait to be resolved, and with names that do not. Does not belong here: the
rule (rules/unresolved_worker.py).
"""

from datetime import UTC, date, datetime
from typing import Final

from prism_core.alerts.cases.case import ENDED, MON, Case, snapshot, work, worked
from prism_core.alerts.snapshot import AlertSnapshot, Worked, WorkerState
from prism_core.alerts.thresholds import Thresholds
from prism_core.models.work import Severity
from prism_core.models.workers import WorkerStatus

_LAST_TUESDAY: Final = ENDED.days[1]
_STRANGER: Final = ("workers/pool#sub-1", "")
_ROW: Final = worked("worker:pool#sub-1", "P-1", _LAST_TUESDAY, "2.00")


def _of(*rows: Worked, worker: WorkerState | None = None, thresholds: Thresholds | None = None) -> AlertSnapshot:
    return snapshot(
        work=work(*rows),
        workers={} if worker is None else {worker.worker_key: worker},
        thresholds=thresholds or Thresholds(),
    )


def _worker(status: str, *periods: tuple[date, date | None], first_seen: datetime | None = None) -> WorkerState:
    return WorkerState("pool#sub-1", WorkerStatus(status), first_seen, periods)


CASES: Final = (
    Case(
        "a worker in the queue with tasks", _of(_ROW, worker=_worker("unresolved")), {_STRANGER: Severity.MEDIUM}
    ),
    Case(
        "a worker who has waited for more than a week",
        _of(_ROW, worker=_worker("unresolved", first_seen=datetime(2026, 11, 2, 9, tzinfo=UTC))),
        {_STRANGER: Severity.HIGH},
    ),
    Case("tasks under a name that is not even queued", _of(_ROW), {_STRANGER: Severity.MEDIUM}),
    Case(
        "a labelling job of no project",
        _of(
            worked("M-1", "job:new-batch-7", MON, "1.00"),
            worker=WorkerState("job:new-batch-7", WorkerStatus("unresolved")),
        ),
        {("workers/job:new-batch-7", ""): Severity.MEDIUM},
    ),
    Case(
        "a worker who was resolved, but not for the day of the tasks",
        _of(_ROW, worker=_worker("resolved", (_LAST_TUESDAY.replace(day=1), _LAST_TUESDAY))),
        {_STRANGER: Severity.MEDIUM},
    ),
    Case(
        "a worker who is resolved while the figures of the week are not computed anew yet",
        _of(_ROW, worker=_worker("resolved", (_LAST_TUESDAY.replace(day=1), None))),
    ),
    Case("a worker whom somebody ignores", _of(_ROW, worker=_worker("ignored"))),
    Case("the work of members", _of(worked("M-1", "P-1", _LAST_TUESDAY, "2.00"))),
    Case(
        "a worker who waits, without a task",
        _of(worked("M-1", "P-1", _LAST_TUESDAY, "2.00"), worker=_worker("unresolved")),
    ),
    Case("a row without tasks", _of(worked("worker:pool#sub-1", "P-1", _LAST_TUESDAY, "0.00", tasks=0))),
    Case("fewer tasks than are told", _of(_ROW, thresholds=Thresholds(unresolved_min_tasks=11))),
    Case("a name that may wait some days more", _of(_ROW, thresholds=Thresholds(unresolved_days=7))),
)
