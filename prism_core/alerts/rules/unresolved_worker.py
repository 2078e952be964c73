"""Work that is nobody's.

Belongs here: workers and labelling jobs under whose name tasks were handed in, and nobody said whose they are.
Does not belong here: guessing who they may be (prism_core/suggestions.py).
The register decides, not the figures: those of a week are computed anew only some time after a name is resolved.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date

from prism_core.alerts.findings import EvidenceRow, Finding, Judgement, fingerprint, judgement
from prism_core.alerts.snapshot import AlertSnapshot, WorkerState, is_open
from prism_core.calendar import Week
from prism_core.models.alerts import AlertRule
from prism_core.models.work import Severity
from prism_core.models.workers import JOB_PREFIX, WorkerStatus
from prism_core.quality_subjects import WORKER_PREFIX

RULE = AlertRule.UNRESOLVED_WORKER
NOT_QUEUED = "not queued"
_Days = dict[date, Mapping[str, int]]


def judge(snapshot: AlertSnapshot) -> Judgement:
    """A finding for each name with tasks in the weeks that were read; high once it has waited long.

    Mended is only what the register says: a name that is ignored, or somebody's on every day since it was first
    seen on which it may have had tasks. That its tasks left those weeks mends nothing.
    """
    if not snapshot.work:
        return Judgement(RULE, abstained="no week of throughput was read")
    open_days = _open_days(snapshot)
    findings = [_finding(snapshot, name, days) for name, days in open_days.items()]
    still_open, read_since = {_key(name) for name in open_days}, _read_since(snapshot)
    mended = [
        fingerprint(RULE, _subject(key), "")
        for key, worker in snapshot.workers.items()
        if key not in still_open and _is_settled(worker, read_since)
    ]
    return judgement(RULE, [one for one in findings if one is not None], mended=mended)


def _read_since(snapshot: AlertSnapshot) -> date:
    """The first day from which on no ended week is missing."""
    week = snapshot.ended + 1
    while week + -1 in snapshot.work:
        week += -1
    return week.monday


def _is_settled(worker: WorkerState, read_since: date) -> bool:
    """Whether it is known whose it was on every day before `read_since`; the days since then were looked at."""
    if worker.status is not WorkerStatus.RESOLVED or worker.worker_key.startswith(JOB_PREFIX):
        return worker.status is not WorkerStatus.UNRESOLVED
    day = read_since if worker.first_seen is None else worker.first_seen.date()
    for first, end in sorted(worker.periods, key=lambda period: period[0]):
        if first > day:
            break
        day = read_since if end is None else max(day, end)
    return day >= read_since


def _open_days(snapshot: AlertSnapshot) -> dict[str, _Days]:
    """Tasks by name, day and project, of the days on which the name is nobody's."""
    found: defaultdict[str, _Days] = defaultdict(dict)
    for week in snapshot.work.values():
        for name, days in week.open_tasks.items():
            worker = snapshot.workers.get(_key(name))
            for day, tasks in days.items():
                if any(tasks.values()) and (worker is None or not worker.settled_on(day)):
                    found[name][day] = tasks
    return found


def _finding(snapshot: AlertSnapshot, name: str, days: _Days) -> Finding | None:
    by_project = Counter[str]()
    for of_day in days.values():
        by_project.update(of_day)
    worker, tasks = snapshot.workers.get(_key(name)), by_project.total()
    since = _since(worker, min(days))
    age = (snapshot.as_of.date() - since).days
    if tasks < snapshot.thresholds.unresolved_min_tasks or age < snapshot.thresholds.unresolved_days:
        return None
    subject, kind = _subject(_key(name)), "labelling job" if name.startswith(JOB_PREFIX) else "worker"
    status = NOT_QUEUED if worker is None else worker.status.value
    figures = {
        "status": f"{status}, but not for these days" if status == WorkerStatus.RESOLVED else status,
        "tasks": f"{tasks} tasks",
        "days with tasks": f"{len(days)}, from {min(days)} to {max(days)}",
        "waiting since": since.isoformat(),
        "age": f"{age} days",
    }
    known = [(project, done) for project, done in by_project.most_common() if done and not is_open(project)]
    rows = [EvidenceRow(f"projects/{project}", {"tasks": f"{done} tasks"}) for project, done in known]
    return Finding(
        RULE,
        subject,
        Week.of(max(days)),
        Severity.HIGH if age >= snapshot.thresholds.unresolved_high_days else Severity.MEDIUM,
        f"{kind} {_key(name)} is nobody's: {tasks} tasks, waiting for {age} days",
        (EvidenceRow(subject, figures), *rows),
        project_id=name if kind == "labelling job" else None,
        projects=tuple(project for project, _ in known),  # who is told of these is told of the name
    )


def _since(worker: WorkerState | None, first_day: date) -> date:
    """A name that waits has waited since it was first seen; one with other owners, since the first day without."""
    if worker is None or worker.first_seen is None or worker.status is not WorkerStatus.UNRESOLVED:
        return first_day
    return min(first_day, worker.first_seen.date())


def _key(name: str) -> str:
    """As in the table of workers: a job keeps its prefix."""
    return name.removeprefix(WORKER_PREFIX)


def _subject(key: str) -> str:
    return f"workers/{key}"
