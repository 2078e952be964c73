"""A week of landed activity to throughput: who did how much of which project on which day.

Belongs here: resolving workers and jobs, adding up, and the counts that prove nothing was lost.
Does not belong here: reading lines (columns.py), de-duplication (unique.py), and the registers of workers and
labelling jobs, whose look-ups are passed in.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import numpy as np

from prism_core.calendar import Week
from prism_core.corrections import Reassigned, Reassignment, Subject
from prism_core.worker_activity.columns import Encoded, InvalidLine, read_columns
from prism_core.worker_activity.fields import Integers
from prism_core.worker_activity.responses import ActiveMilliseconds
from prism_core.worker_activity.unique import Gathered, UniqueActivity

ResolveMember = Callable[[str, date], str | None]
ResolveProject = Callable[[str, date], str | None]

# The columns of a row, in order; what is none of the first four is `tasks_other`.
_COUNTED = ("TasksSubmitted", "TasksReturned", "TasksDeclined", "TasksAccepted")
_OTHER = len(_COUNTED)
_KINDS = _OTHER + 1
_SUBMITTED = 0

_Subject = tuple[str, str, date, bool, bool]  # project, member, day, worker resolved, project resolved


class ThroughputRow(msgspec.Struct, frozen=True):
    """One project, member and UTC day of event_timestamp. Wall time is submitted minus accepted.

    An unresolved worker or job is kept as `worker:<worker key>` or `job:<job name>`.
    """

    project_id: str
    member_id: str
    day: date
    tasks_submitted: int
    tasks_returned: int
    tasks_declined: int
    tasks_accepted: int
    tasks_other: int
    wall_seconds: int
    active_seconds: int | None
    active_tasks: int
    median_handle_seconds: Decimal | None
    mean_handle_seconds: Decimal | None
    tasks_per_hour: Decimal | None
    worker_resolved: bool
    project_resolved: bool

    @property
    def tasks(self) -> int:
        """All records of the row, whatever their outcome."""
        return (
            self.tasks_submitted
            + self.tasks_returned
            + self.tasks_declined
            + self.tasks_accepted
            + self.tasks_other
        )


class WeekCounts(msgspec.Struct, frozen=True):
    """What came in. `lines` = `records` + `duplicates` + `invalid_lines`; blank lines are not counted.

    `by_correction` are the records that each correction of the week moved; 0 where it found none.
    """

    lines: int
    records: int
    duplicates: int
    invalid_lines: int
    by_event_type: dict[str, int]
    by_day: dict[date, int]
    late: int
    unresolved_by_worker: dict[str, int]
    unresolved_by_job: dict[str, int]
    first_event: datetime | None
    last_event: datetime | None
    by_correction: dict[str, int] = {}


class WeekThroughput(msgspec.Struct, frozen=True):
    """Rows sorted by project, member and day; `invalid` quotes the first INVALID_LISTED_MAX invalid lines."""

    week: Week
    rows: list[ThroughputRow]
    counts: WeekCounts
    invalid: list[InvalidLine]

    @property
    def conserved(self) -> bool:
        """Every line is a record, a duplicate or invalid, and every record is in exactly one row."""
        counts = self.counts
        return (
            counts.records == sum(row.tasks for row in self.rows)
            and counts.lines == counts.records + counts.duplicates + counts.invalid_lines
        )


def week_throughput(
    week: Week,
    landed: Iterable[bytes | bytearray | memoryview],
    resolve_member: ResolveMember,
    resolve_project: ResolveProject,
    active: ActiveMilliseconds | None = None,
    published_at: datetime | None = None,
    corrections: Reassignment | None = None,
) -> WeekThroughput:
    """Throughput of one week from all its landed objects, given as chunks of JSON Lines in any order.

    Of several lines with one id the one received first counts (on a tie the smallest by content), so the rows
    do not depend on the order of the lines or on how they are split into objects. `active` gives milliseconds
    by worker, accepted and submitted second; `published_at` is when the week's figures went out: records
    received after it are late. `corrections` move work before it is added up, so that medians are true.
    """
    gathered = Gathered()
    for columns in read_columns(week, landed):
        gathered.add(columns)
    activity = gathered.unique(week)
    days = [week.monday + timedelta(days=number) for number in range(7)]
    resolver = _Resolver(days, resolve_member, resolve_project, corrections)
    rows = _rows(activity, resolver, active or {})
    counts = WeekCounts(
        lines=gathered.lines,
        records=len(activity.event_s),
        duplicates=gathered.valid - len(activity.event_s),
        invalid_lines=gathered.invalid_lines,
        by_event_type=_tally(activity.kinds),
        by_day=dict(zip(days, np.bincount(activity.day, minlength=7).tolist(), strict=True)),
        late=_late(activity, published_at),
        unresolved_by_worker=resolver.by_worker,
        unresolved_by_job=resolver.by_job,
        first_event=_instant(int(activity.event_s.min())) if len(activity.event_s) else None,
        last_event=_instant(int(activity.event_s.max())) if len(activity.event_s) else None,
        by_correction=resolver.by_correction,
    )
    return WeekThroughput(week, rows, counts, gathered.invalid)


class _Resolver:
    """Whose each group of records is, and what was found on the way."""

    def __init__(
        self,
        days: list[date],
        resolve_member: ResolveMember,
        resolve_project: ResolveProject,
        corrections: Reassignment | None,
    ) -> None:
        self._days, self._member, self._project = days, resolve_member, resolve_project
        self._corrections = corrections
        self.by_worker: dict[str, int] = {}
        self.by_job: dict[str, int] = {}
        self.by_correction: dict[str, int] = dict.fromkeys(corrections.ids, 0) if corrections is not None else {}

    def subject(self, worker: str, job: str, day_number: int, records: int) -> _Subject:
        day = self._days[day_number]
        member_id, project_id = self._member(worker, day), self._project(job, day)
        subject = Subject(
            f"job:{job}" if project_id is None else project_id,
            f"worker:{worker}" if member_id is None else member_id,
            project_resolved=project_id is not None,
            worker_resolved=member_id is not None,
        )
        moved = Reassigned(subject) if self._corrections is None else self._corrections.apply(subject, day)
        for correction in moved.by:
            self.by_correction[correction] += records
        subject = moved.subject
        if not subject.worker_resolved:
            self.by_worker[worker] = self.by_worker.get(worker, 0) + records
        if not subject.project_resolved:
            self.by_job[job] = self.by_job.get(job, 0) + records
        return subject.project_id, subject.member_id, day, subject.worker_resolved, subject.project_resolved


def _rows(activity: UniqueActivity, resolver: _Resolver, active: ActiveMilliseconds) -> list[ThroughputRow]:
    keys, group_of, sizes = _group(activity)
    subjects = [resolver.subject(*key, size) for key, size in zip(keys, sizes, strict=True)]
    ordered = sorted(set(subjects))
    position = {subject: number for number, subject in enumerate(ordered)}
    # two workers of one member, or two jobs of one project, become one row here, before any median is taken
    row_of = np.array([position[subject] for subject in subjects], np.int64)[group_of]
    figures = _Figures.of(activity, row_of, len(ordered), active)
    return [figures.row(number, subject) for number, subject in enumerate(ordered)]


def _group(activity: UniqueActivity) -> tuple[list[tuple[str, str, int]], Integers, list[int]]:
    """Groups of (worker, job, day number), the group of each record, and the size of each group."""
    workers, jobs = activity.workers, activity.jobs
    packed = (workers.codes * len(jobs.values) + jobs.codes) * 7 + activity.day
    groups, group_of, sizes = np.unique(packed, return_inverse=True, return_counts=True)
    keys: list[tuple[str, str, int]] = []
    packed_groups: list[int] = groups.tolist()
    for group in packed_groups:
        pair, day = divmod(group, 7)
        worker, job = divmod(pair, len(jobs.values))
        keys.append((workers.values[worker], jobs.values[job], day))
    return keys, group_of.astype(np.int64), sizes.tolist()


class _Figures(msgspec.Struct, frozen=True):
    """The sums of all rows as columns, and the sorted wall times of submitted tasks for the medians."""

    tasks: list[list[int]]
    wall_s: list[int]
    sorted_wall_s: Integers
    first: list[int]
    active_ms: list[int]
    active_tasks: list[int]

    @classmethod
    def of(cls, activity: UniqueActivity, row_of: Integers, rows: int, active: ActiveMilliseconds) -> "_Figures":
        kind_of_code = [_COUNTED.index(kind) if kind in _COUNTED else _OTHER for kind in activity.kinds.values]
        kind = np.array(kind_of_code, np.int64)[activity.kinds.codes]
        tasks = np.bincount(row_of * _KINDS + kind, minlength=rows * _KINDS).reshape(rows, _KINDS)
        submitted = np.flatnonzero(kind == _SUBMITTED)
        wall_s, row = activity.wall_s[submitted], row_of[submitted]
        sorted_wall_s = wall_s[np.lexsort((wall_s, row))]
        ends = np.concatenate([[0], np.cumsum(tasks[:, _SUBMITTED])])
        running = np.concatenate([[0], np.cumsum(sorted_wall_s)])
        active_ms, active_tasks = _active(activity, submitted, row, rows, active)
        return cls(
            tasks.tolist(),
            np.diff(running[ends]).tolist(),
            sorted_wall_s,
            ends.tolist(),
            active_ms,
            active_tasks,
        )

    def row(self, number: int, subject: _Subject) -> ThroughputRow:
        project_id, member_id, day, worker_resolved, project_resolved = subject
        submitted, returned, declined, accepted, other = self.tasks[number]
        wall_s, active_tasks = self.wall_s[number], self.active_tasks[number]
        return ThroughputRow(
            project_id,
            member_id,
            day,
            submitted,
            returned,
            declined,
            accepted,
            other,
            wall_seconds=wall_s,
            active_seconds=(self.active_ms[number] + 500) // 1000 if active_tasks else None,
            active_tasks=active_tasks,
            median_handle_seconds=self._median(number, submitted) if submitted else None,
            mean_handle_seconds=_ratio(wall_s, submitted) if submitted else None,
            tasks_per_hour=_ratio(submitted * 3600, wall_s) if wall_s else None,
            worker_resolved=worker_resolved,
            project_resolved=project_resolved,
        )

    def _median(self, number: int, submitted: int) -> Decimal:
        lower = self.first[number] + (submitted - 1) // 2
        upper = self.first[number] + submitted // 2
        return _ratio(int(self.sorted_wall_s[lower]) + int(self.sorted_wall_s[upper]), 2)


def _active(
    activity: UniqueActivity, submitted: Integers, row: Integers, rows: int, active: ActiveMilliseconds
) -> tuple[list[int], list[int]]:
    milliseconds, tasks = [0] * rows, [0] * rows
    if not active:
        return milliseconds, tasks
    subs = np.array([worker.rpartition("#")[2] for worker in activity.workers.values], np.object_)
    keys = zip(
        subs[activity.workers.codes[submitted]].tolist(),
        activity.accepted_s[submitted].tolist(),
        activity.outcome_s[submitted].tolist(),
        strict=True,
    )
    for found, at in zip(map(active.get, keys), row.tolist(), strict=True):
        if found is not None:
            milliseconds[at] += found
            tasks[at] += 1
    return milliseconds, tasks


def _ratio(numerator: int, denominator: int) -> Decimal:
    """Two places, half up, in whole numbers: the same on every machine."""
    return Decimal((200 * numerator + denominator) // (2 * denominator)).scaleb(-2)


def _tally(column: Encoded) -> dict[str, int]:
    return dict(zip(column.values, np.bincount(column.codes, minlength=len(column.values)).tolist(), strict=True))


def _late(activity: UniqueActivity, published_at: datetime | None) -> int:
    if published_at is None:
        return 0
    published_us = int(published_at.timestamp()) * 1_000_000 + published_at.microsecond
    return int(np.count_nonzero(activity.received_us > published_us))


def _instant(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
