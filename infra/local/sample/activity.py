"""Synthetic worker activity: what the synthetic programme's members did.

Belongs here: drawing tasks from the real handle times and hours of day, and writing them as Ground Truth
records. Does not belong here: who exists (people.py).
Handle time is a draw from the real distribution times the project's complexity; a member's day is worked in
whole hours chosen by the real hour-of-day weights, one task after the other.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from itertools import accumulate

import numpy as np

from infra.local.sample.people import POOL, UNMAPPED_JOBS, UNRESOLVED_WORKERS, Programme, job_of, subject
from infra.local.sample.profile import real_profile
from prism_core.calendar import Week
from prism_core.worker_activity.record import MONTHS, WEEKDAYS

COMPLEXITY = (2, 3, 4, 5)
RETURNED_SHARE, DECLINED_SHARE = 0.03, 0.01
WORKED_SHARE = (0.75, 1.0)
_ACCOUNT = "000000000000"
_TEAM = f"arn:aws:sagemaker:us-east-1:{_ACCOUNT}:workteam/private-crowd/synthetic"
_JOB = f"arn:aws:sagemaker:us-east-1:{_ACCOUNT}:labeling-job/"


def week_lines(programme: Programme, week: Week, until: datetime, seed: int) -> Iterator[bytes]:
    """The records of one week as JSON lines, up to `until`. The same for the same week and seed."""
    rng = np.random.default_rng([seed, week.monday.toordinal()])
    jobs = {project.project_id: job_of(project) for project in programme.projects}
    complexity = {p.project_id: COMPLEXITY[i % len(COMPLEXITY)] for i, p in enumerate(programme.projects)}
    subs = {member.member_id: member.cognito_sub or "" for member in programme.members}
    plan: dict[tuple[str, date], list[tuple[str, float]]] = {}
    for allocation in programme.allocations:
        if allocation.week == week:
            for day, hours in allocation.hours.items():
                plan.setdefault((allocation.member_id, day), []).append((allocation.project_id, float(hours)))
    for (member, day), parts in sorted(plan.items()):
        worked = _hours_of_day(rng, [hours for _, hours in parts])
        for (project, _), hours_of_day in zip(parts, worked, strict=True):
            yield from _day_lines(rng, day, hours_of_day, subs[member], jobs[project], complexity[project], until)
    for number in range(1, UNRESOLVED_WORKERS + 1):
        job = next(iter(jobs.values())) if number > UNMAPPED_JOBS else f"orphan-synthetic-job-{number}"
        (worked,) = _hours_of_day(rng, [1.5])
        yield from _day_lines(rng, week.days[number % 5], worked, subject("stranger", number), job, 3, until)


def _hours_of_day(rng: np.random.Generator, planned: list[float]) -> list[list[int]]:
    """When each planned part of a day is worked: whole hours of the day, one part after the other."""
    weights = np.array(real_profile().hour_counts, dtype=float)
    counts = [max(1, round(hours * rng.uniform(*WORKED_SHARE))) for hours in planned]
    chosen = sorted(rng.choice(24, size=sum(counts), replace=False, p=weights / weights.sum()).tolist())
    ends = list(accumulate(counts))
    return [chosen[end - count : end] for count, end in zip(counts, ends, strict=True)]


def _day_lines(
    rng: np.random.Generator,
    day: date,
    hours_of_day: list[int],
    sub: str,
    job: str,
    complexity: int,
    until: datetime,
) -> Iterator[bytes]:
    profile = real_profile()
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=until.tzinfo).timestamp())
    last, day_text = int(until.timestamp()), f"{WEEKDAYS[day.weekday()]} {MONTHS[day.month - 1]} {day.day:02d}"
    for hour in hours_of_day:
        at, end = hour * 3600, min((hour + 1) * 3600, 86_398)
        while True:
            handle = max(1, int(np.interp(rng.random() * 200, range(201), profile.handle_seconds)) * complexity)
            if at + handle >= end or midnight + at + handle > last:
                break
            yield _line(sub, job, day_text, day.year, at, at + handle, midnight, rng.random())
            at += handle + 2


def _line(sub: str, job: str, day: str, year: int, accepted: int, ended: int, midnight: int, luck: float) -> bytes:
    outcome = "Declined" if luck < DECLINED_SHARE else "Returned" if luck < RETURNED_SHARE else "Submitted"
    times = {f"task_{name.lower()}_time": "" for name in ("Submitted", "Returned", "Declined")}
    times[f"task_{outcome.lower()}_time"] = _time(day, year, ended)
    record = {
        "worker_id": sub.replace("-", "")[:16],
        "cognito_user_pool_id": POOL,
        "cognito_sub_id": sub,
        "task_accepted_time": _time(day, year, accepted),
        **times,
        "workteam_arn": _TEAM,
        "labeling_job_arn": _JOB + job,
        "work_requester_account_id": _ACCOUNT,
        "job_reference_code": "synthetic",
        "job_type": "Private",
        "event_type": f"Tasks{outcome}",
        "event_timestamp": str(midnight + ended),
    }
    return json.dumps(record).encode() + b"\n"


def _time(day: str, year: int, second: int) -> str:
    return f"{day} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d} UTC {year}"
