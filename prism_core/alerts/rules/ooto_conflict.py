"""Planned on a day off.

Belongs here: hours that are planned on exactly the dates off, beyond what a partial day leaves, in the running
week and those ahead. Does not belong here: overtime, and hours on a weekday without contract, are no conflict.
Allocations and time off are both of the member's own calendar dates, so no instant and no zone is computed with.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from prism_core.alerts.findings import EvidenceRow, Finding, Judgement, hours_text, judgement
from prism_core.alerts.snapshot import NO_HOURS, AlertSnapshot
from prism_core.alerts.time_off import DayOff, days_off
from prism_core.calendar import Week
from prism_core.models.alerts import AlertRule
from prism_core.models.work import Severity

RULE = AlertRule.OOTO_CONFLICT


def judge(snapshot: AlertSnapshot) -> Judgement:
    """A finding for each member and date.

    High for a whole day off, medium for part of one or a public holiday, low where it is only asked for. Nothing
    new is said of a day of the running week that has passed wherever the member is: nobody can plan it anew.
    """
    weeks = [week for week in snapshot.plans if week in snapshot.planned and week in snapshot.time_off]
    if not weeks:
        return Judgement(RULE, abstained=f"no plan with its time off was read for {snapshot.plans}")
    found = [one for week in weeks for one in _of_week(snapshot, week)]
    # A week that has ended is judged as a whole, to see what would have been told.
    first = snapshot.ended.monday if snapshot.ended == snapshot.week else snapshot.as_of.date() - timedelta(days=1)
    passed = {one.fingerprint for one in found if date.fromisoformat(one.scope) < first}
    return judgement(RULE, [one for one in found if one.fingerprint not in passed], weeks=weeks, undecided=passed)


def _of_week(snapshot: AlertSnapshot, week: Week) -> Iterator[Finding]:
    off = days_off(snapshot, week)
    planned: defaultdict[tuple[str, date], dict[str, Decimal]] = defaultdict(dict)
    for allocation in snapshot.planned[week]:
        for day, hours in allocation.hours.items():
            if hours and (allocation.member_id, day) in off:
                planned[allocation.member_id, day][allocation.project_id] = hours
    for place, by_project in planned.items():
        total = sum(by_project.values(), NO_HOURS)
        if off[place].collision(total):
            yield _finding(week, off[place], by_project, total)


def _finding(week: Week, off: DayOff, by_project: dict[str, Decimal], total: Decimal) -> Finding:
    collision = off.collision(total)
    subject = f"members/{off.member_id}" if off.entry is None else f"availability/{off.member_id}/{off.day}"
    figures = {
        "status": "public holiday" if off.entry is None else off.entry.status.value,
        "hours off": hours_text(off.off),
        "contracted": hours_text(off.contracted),
        "left to plan": hours_text(off.left),
        "planned": hours_text(total),
        "in conflict": hours_text(collision),
    }
    if total > off.contracted:
        figures["of it beyond the contract"] = hours_text(total - off.contracted)
    rows = [
        EvidenceRow(f"allocations/{off.member_id}/{week}#{project}", {f"hours on {off.day}": hours_text(hours)})
        for project, hours in sorted(by_project.items())
    ]
    return Finding(
        RULE,
        subject,
        week,
        _severity(off),
        _title(off, total),
        (EvidenceRow(subject, figures), *rows),
        scope=off.day.isoformat(),
        member_id=off.member_id,
        project_id=next(iter(by_project)) if len(by_project) == 1 else None,
        projects=tuple(sorted(by_project)),
    )


def _severity(off: DayOff) -> Severity:
    if not off.binding:
        return Severity.LOW
    return Severity.MEDIUM if off.left or off.entry is None else Severity.HIGH


def _title(off: DayOff, total: Decimal) -> str:
    hours = hours_text(off.taken(total))
    if not off.binding:
        return f"{off.member_id} asks for time off on {off.day} and is planned for {hours} of it"
    if off.entry is None:
        return f"{off.member_id} is planned for {hours} on {off.day}, a public holiday ({off.holiday})"
    if off.left:
        return f"{off.member_id} is planned for {hours} of the time off on {off.day}"
    return f"{off.member_id} is planned for {hours} on {off.day}, a day off"
