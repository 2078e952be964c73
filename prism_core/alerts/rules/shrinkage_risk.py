"""Planned hours without work.

Belongs here: members whose work of an ended week lacks more of the planned hours than their projects allow,
excused time off taken out. Does not belong here: the running week, and the utilisation of the lake.
Hours under names that are nobody's may be theirs: while those could explain what lacks, nothing is said.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from prism_core.alerts.findings import (
    EvidenceRow,
    Finding,
    Judgement,
    fingerprint,
    hours_text,
    judgement,
    share_text,
)
from prism_core.alerts.snapshot import NO_HOURS, AlertSnapshot, WorkWeek
from prism_core.alerts.time_off import days_off
from prism_core.models.alerts import AlertRule
from prism_core.models.work import Severity
from prism_core.models.workers import JOB_PREFIX

RULE = AlertRule.SHRINKAGE_RISK
# A day on which nobody at all worked while so many were planned has no data, rather than no work.
_PLANNED_PEOPLE: Final = 3
_TWICE: Final = 2

_ByProject = defaultdict[str, Decimal]


@dataclass(slots=True)
class _Plan:
    """A member's week in hours: planned, excused, and what is expected of each project."""

    planned: Decimal
    excused: Decimal
    expected: _ByProject

    @property
    def total(self) -> Decimal:
        return sum(self.expected.values(), NO_HOURS)


def judge(snapshot: AlertSnapshot) -> Judgement:
    """A finding for each member of the last ended week: high where twice as much lacks as is allowed.

    Abstains where the plan, the time off or the work of the week was not read, or nobody worked at all.
    """
    week = snapshot.ended
    work = snapshot.work.get(week)
    if work is None or week not in snapshot.planned or week not in snapshot.time_off:
        return Judgement(RULE, abstained=f"plan, time off and work of {week} were not all read")
    if not work.hours_by_day:
        return Judgement(RULE, abstained=f"nobody worked in {week}, so its work is missing")
    findings: list[Finding] = []
    undecided: list[str] = []
    missing_days = _days_without_data(snapshot, work)
    unmapped = sum((hours for job, hours in work.open_hours.items() if job.startswith(JOB_PREFIX)), NO_HOURS)
    for member, plan in _plans(snapshot, missing_days).items():
        days = work.hours_by_day.get(member, {})
        worked = sum((hours for day, hours in days.items() if day not in missing_days), NO_HOURS)
        allowed = sum(
            (hours * snapshot.limits(project).shrinkage_limit for project, hours in plan.expected.items()),
            NO_HOURS,
        )
        excess = plan.total - worked - allowed
        if plan.total < snapshot.thresholds.shrinkage_min_hours or excess <= NO_HOURS:
            continue
        perhaps_theirs = unmapped + sum((work.open_hours.get(p, NO_HOURS) for p in plan.expected), NO_HOURS)
        if excess <= perhaps_theirs:
            undecided.append(fingerprint(RULE, f"members/{member}", week.label))
        else:
            findings.append(_finding(snapshot, member, plan, worked, allowed))
    return judgement(RULE, findings, weeks=[week], undecided=undecided)


def _days_without_data(snapshot: AlertSnapshot, work: WorkWeek) -> frozenset[date]:
    worked = {day for days in work.hours_by_day.values() for day, hours in days.items() if hours}
    people: defaultdict[date, set[str]] = defaultdict(set)
    for allocation in snapshot.planned[snapshot.ended]:
        for day, hours in allocation.hours.items():
            if hours and day not in worked:
                people[day].add(allocation.member_id)
    return frozenset(day for day, members in people.items() if len(members) >= _PLANNED_PEOPLE)


def _plans(snapshot: AlertSnapshot, missing_days: frozenset[date]) -> dict[str, _Plan]:
    """Each member's plan of the week. What time off takes of a day, it takes of all its projects alike."""
    week = snapshot.ended
    off = days_off(snapshot, week)
    days: defaultdict[tuple[str, date], dict[str, Decimal]] = defaultdict(dict)
    for allocation in snapshot.planned[week]:
        for day, hours in allocation.hours.items():
            if hours and day not in missing_days:
                days[allocation.member_id, day][allocation.project_id] = hours
    plans: dict[str, _Plan] = {}
    for place, by_project in days.items():
        plan = plans.setdefault(place[0], _Plan(NO_HOURS, NO_HOURS, defaultdict(Decimal)))
        planned = sum(by_project.values(), NO_HOURS)
        away = off.get(place)
        excused = away.taken(planned) if away is not None and away.binding else NO_HOURS
        plan.planned += planned
        plan.excused += excused
        for project, hours in by_project.items():
            plan.expected[project] += hours if not excused else hours * (planned - excused) / planned
    return plans


def _finding(snapshot: AlertSnapshot, member: str, plan: _Plan, worked: Decimal, allowed: Decimal) -> Finding:
    week, expected = snapshot.ended, plan.total
    lacks = expected - worked
    figures = {
        "planned": hours_text(plan.planned),
        "excused": hours_text(plan.excused),
        "expected": hours_text(expected),
        "worked": hours_text(worked),
        "without work": f"{hours_text(lacks)}, {share_text(lacks / expected)}",
        "allowed": f"{hours_text(allowed)}, {share_text(allowed / expected)}",
    }
    rows = [
        EvidenceRow(f"allocations/{member}/{week}#{project}", {"expected": hours_text(hours)})
        for project, hours in sorted(plan.expected.items())
    ]
    return Finding(
        RULE,
        f"members/{member}",
        week,
        Severity.HIGH if lacks > _TWICE * allowed else Severity.MEDIUM,
        f"{member} worked {hours_text(worked)} of {hours_text(expected)} expected in {week}",
        (EvidenceRow(f"utilisation/{week}/{member}", figures), *rows),
        scope=week.label,
        member_id=member,
        project_id=next(iter(plan.expected)) if len(plan.expected) == 1 else None,
        projects=tuple(sorted(plan.expected)),
    )
