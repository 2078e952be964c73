"""Throughput the slow and obvious way, to compare the engine with. No tests here.

One dictionary entry an id, one group a row, the statistics module; nothing is shared with the engine but the
row type and the check of a single line.
"""

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from prism_core.calendar import Week
from prism_core.worker_activity.record import Activity, RecordRejected, decode_landed, read_activity
from prism_core.worker_activity.throughput import ThroughputRow

COLUMN = {
    "TasksSubmitted": "tasks_submitted",
    "TasksReturned": "tasks_returned",
    "TasksDeclined": "tasks_declined",
    "TasksAccepted": "tasks_accepted",
}
Resolve = Callable[[str, date], str | None]


def reference_rows(
    week: Week,
    lines: list[bytes],
    resolve_member: Resolve,
    resolve_project: Resolve,
    active: Mapping[tuple[str, int, int], int],
) -> tuple[list[ThroughputRow], int, int, int]:
    """Rows, records, duplicates, invalid lines."""
    copies: defaultdict[str, list[tuple[datetime, Activity]]] = defaultdict(list)
    invalid = 0
    for line in lines:
        try:
            landed = decode_landed(line)
            activity = read_activity(bytes(landed.record))
        except RecordRejected:
            invalid += 1
            continue
        if activity.week != week:
            invalid += 1
            continue
        copies[landed.id].append((landed.received_at, activity))
    groups: defaultdict[tuple[str, str, date, bool, bool], list[Activity]] = defaultdict(list)
    for same in copies.values():
        _, activity = min(same, key=lambda copy: (copy[0], _content(copy[1])))
        day = datetime.fromtimestamp(activity.event_s, UTC).date()
        member, project = resolve_member(activity.worker_key, day), resolve_project(activity.job_name, day)
        subject = (
            project if project is not None else f"job:{activity.job_name}",
            member if member is not None else f"worker:{activity.worker_key}",
            day,
            member is not None,
            project is not None,
        )
        groups[subject].append(activity)
    rows = [_row(subject, groups[subject], active) for subject in sorted(groups)]
    return rows, len(copies), sum(map(len, copies.values())) - len(copies), invalid


def _content(activity: Activity) -> tuple[int, int, int, str, str, str]:
    return (
        activity.outcome_s,
        activity.accepted_s,
        activity.event_s,
        activity.job_name,
        activity.worker_key,
        activity.event_type,
    )


def _row(
    subject: tuple[str, str, date, bool, bool],
    activities: list[Activity],
    active: Mapping[tuple[str, int, int], int],
) -> ThroughputRow:
    tasks = dict.fromkeys([*COLUMN.values(), "tasks_other"], 0)
    for activity in activities:
        tasks[COLUMN.get(activity.event_type, "tasks_other")] += 1
    submitted = [activity for activity in activities if activity.event_type == "TasksSubmitted"]
    durations = [activity.outcome_s - activity.accepted_s for activity in submitted]
    keys = [(one.worker_key.rpartition("#")[2], one.accepted_s, one.outcome_s) for one in submitted]
    known = [active[key] for key in keys if key in active]
    wall = sum(durations)
    project_id, member_id, day, worker_resolved, project_resolved = subject
    return ThroughputRow(
        project_id=project_id,
        member_id=member_id,
        day=day,
        **tasks,
        wall_seconds=wall,
        active_seconds=int(_round(Fraction(sum(known), 1000), "1")) if known else None,
        active_tasks=len(known),
        median_handle_seconds=_round(statistics.median(map(Fraction, durations)), "0.01") if durations else None,
        mean_handle_seconds=_round(Fraction(wall, len(durations)), "0.01") if durations else None,
        tasks_per_hour=_round(Fraction(len(durations) * 3600, wall), "0.01") if wall else None,
        worker_resolved=worker_resolved,
        project_resolved=project_resolved,
    )


def _round(value: Fraction, step: str) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(step), ROUND_HALF_UP)
