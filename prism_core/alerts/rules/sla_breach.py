"""Work that will not be done by its SLA date.

Belongs here: when a project's work will be done at the pace of its last weeks, with the range, and its SLA date.
Does not belong here: quality and single requests. A project has no volume, it has hours a week. Its work is what
it asks for until the SLA date: what the weeks of the window asked for and did not get, and the demand of the days
left. An hour on tasks serves more than an hour of demand (`sla_productive_share`): nobody is on tasks all day.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from prism_core.alerts.findings import EvidenceRow, Finding, Judgement, fingerprint, hours_text, judgement
from prism_core.alerts.snapshot import HISTORY_WEEKS, NO_HOURS, AlertSnapshot, ProjectState
from prism_core.alerts.thresholds import Thresholds
from prism_core.calendar import Week
from prism_core.models.alerts import AlertRule
from prism_core.models.projects import ProjectStatus
from prism_core.models.work import Severity

RULE = AlertRule.SLA_BREACH
# Student's t that leaves 5 % above, by degrees of freedom: both ends of a range that holds 90 times of 100.
_T_90: Final = {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943}
_SOON_DAYS: Final = 28
_LEAST_OPEN: Final = Decimal(1)
_FAR: Final = 3_650


@dataclass(frozen=True, slots=True)
class Pace:
    """Hours of demand that a week serves, as expected of the next one, and the ends of its range."""

    hours: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Outlook:
    """A project's open hours and the days on which they will be done; None is never within ten years."""

    open_hours: Decimal
    pace: Pace
    weekly: dict[Week, Decimal]
    expected: date | None
    earliest: date | None
    latest: date | None


def judge(snapshot: AlertSnapshot) -> Judgement:
    """A finding for each active project that is done after its SLA date even at the upper end of its pace, or
    whose SLA date has passed with work open. High within four weeks of the date, critical once it has passed.

    Undecided with too few weeks, while the range holds the SLA date but the expected day lies after it, and once
    the date has passed: the weeks with the backlog leave the window.
    """
    if not snapshot.work:
        return Judgement(RULE, abstained="no week of throughput was read")
    findings: list[Finding] = []
    undecided: list[str] = []
    past = [week for week in snapshot.ended.window(HISTORY_WEEKS) if week in snapshot.work]
    judged: list[str] = []
    for project in snapshot.projects.values():
        if project.status is not ProjectStatus.ACTIVE or project.sla_date is None:
            continue
        judged.append(project.project_id)
        limits = snapshot.limits(project.project_id)
        last = project.sla_date + timedelta(days=limits.sla_slack_days)
        outlook = _outlook(snapshot, project, limits, past)
        passed = snapshot.as_of.date() > last
        if outlook is None or (passed and outlook.open_hours < _LEAST_OPEN):
            undecided.append(_fingerprint(project))
        elif outlook.open_hours < _LEAST_OPEN:
            continue
        elif passed or _after(outlook.earliest, last):
            findings.append(_finding(snapshot, project, outlook))
        elif _after(outlook.expected, last):
            undecided.append(_fingerprint(project))
    return judgement(RULE, findings, undecided=undecided, projects=judged)


def pace_of(weekly: list[float]) -> Pace:
    """The line of least squares through three to eight weeks, read at the week after them, with the range that
    holds the line there 90 times of 100. It is not followed further: a trend of weeks is none of months."""
    n = len(weekly)
    middle, level = (n - 1) / 2, sum(weekly) / n
    run = sum((at - middle) ** 2 for at in range(n))
    slope = sum((at - middle) * (hours - level) for at, hours in enumerate(weekly)) / run
    squares = sum((hours - level - slope * (at - middle)) ** 2 for at, hours in enumerate(weekly))
    reach = _T_90[n - 2] * math.sqrt(squares / (n - 2) * (1 / n + (n - middle) ** 2 / run))
    expected = level + slope * (n - middle)
    return Pace(*(max(0.0, hours) for hours in (expected, expected - reach, expected + reach)))


def _outlook(
    snapshot: AlertSnapshot, project: ProjectState, limits: Thresholds, past: list[Week]
) -> _Outlook | None:
    sla = project.sla_date or snapshot.ended.sunday
    weeks = [week for week in past if week in project.asked]
    if len(weeks) < limits.sla_min_weeks:
        return None
    served = {
        week: snapshot.work[week].hours_by_project.get(project.project_id, NO_HOURS) / limits.sla_productive_share
        for week in weeks
    }
    asked = sum((project.asked[week] for week in weeks if week.monday <= sla), NO_HOURS)
    start = snapshot.ended.sunday + timedelta(days=1)
    ahead = project.demand_hours * max(0, (sla - start).days + 1) / 7
    left = max(NO_HOURS, asked - sum(served.values(), NO_HOURS)) + ahead
    pace = pace_of([float(served[week]) for week in weeks])
    ends = [_done(start, float(left), hours) for hours in (pace.hours, pace.high, pace.low)]
    return _Outlook(left, pace, served, *ends)


def _done(start: date, hours: float, pace: float) -> date | None:
    """The day on which the hours are done; the last day worked, so that an exact fit ends on the SLA date."""
    days = math.ceil(round(hours / pace * 7, 6)) if pace > 0 else _FAR
    return None if days >= _FAR else start + timedelta(days=max(0, days - 1))


def _after(day: date | None, last: date) -> bool:
    return day is None or day > last


def _finding(snapshot: AlertSnapshot, project: ProjectState, outlook: _Outlook) -> Finding:
    name, sla = project.project_id, project.sla_date or snapshot.ended.sunday
    passed = snapshot.as_of.date() > sla
    soon = (sla - snapshot.as_of.date()).days <= _SOON_DAYS
    span = f"{_day(outlook.earliest)} to {_day(outlook.latest)}"
    figures = {
        "SLA date": sla.isoformat(),
        "open until then": hours_text(outlook.open_hours),
        "pace": f"{outlook.pace.hours:.2f} h a week",
        "range of the pace": f"{outlook.pace.low:.2f} to {outlook.pace.high:.2f} h a week",
        "expected": _day(outlook.expected),
        "range": span,
    }
    weeks = tuple(
        EvidenceRow(f"throughput/{week}/{name}", {"demand served": hours_text(hours)})
        for week, hours in outlook.weekly.items()
    )
    return Finding(
        RULE,
        f"projects/{name}",
        snapshot.week,
        Severity.CRITICAL if passed else Severity.HIGH if soon else Severity.MEDIUM,
        _title(name, sla, outlook, span, passed=passed),
        (EvidenceRow(f"projects/{name}", figures), *weeks),
        scope=sla.isoformat(),
        project_id=name,
    )


def _title(name: str, sla: date, outlook: _Outlook, span: str, *, passed: bool) -> str:
    if passed:
        return f"project {name} is open past its SLA date of {sla}"
    if outlook.expected is None:
        best = "" if outlook.earliest is None else f", at best on {outlook.earliest}"
        return f"project {name} will not be done at its pace{best}; its SLA date is {sla}"
    return f"project {name} will be done about {outlook.expected} ({span}), after its SLA date of {sla}"


def _day(day: date | None) -> str:
    return "never at this pace" if day is None else day.isoformat()


def _fingerprint(project: ProjectState) -> str:
    return fingerprint(RULE, f"projects/{project.project_id}", str(project.sla_date))
