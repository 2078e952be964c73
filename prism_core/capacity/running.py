"""The rest of a running week: what is left to plan, and what of it can still be changed.

Belongs here: which days of a week have passed, what they leave of hours, demand, pins and published hours, and
which weeks are planned and published at all. Does not belong here: what those days looked like (the allocations).
A day that has passed stays as it was planned, also when a plan of the week is published.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from prism_core.calendar import Week
from prism_core.capacity.problem import NO_HOURS, DemandLine, Exclusion, Pair, Pin, PlanMember, PlanProblem
from prism_core.failures import BadUsage
from prism_core.models.work import Allocation
from prism_core.publications import Days, Replacement, hours_of, replaced_by


def check_plannable(week: Week, first_week: Week) -> None:
    """Raises BadUsage for a week before the first one of the settings, of which nothing is known."""
    if week < first_week:
        raise BadUsage(f"{week} lies before {first_week}, the first week of the settings; plan a later one")


def check_publishable(week: Week, today: date) -> None:
    """Raises BadUsage for a week that has ended: its allocations say what was planned."""
    if week.sunday < today:
        raise BadUsage(
            f"{week} ended on {week.sunday}: nobody can work by a plan of it any more, and its allocations stay "
            "as they were planned; publish a plan of the running week or a later one, or take that back"
        )


def with_passed_days(planned: Mapping[Pair, Days], current: Mapping[Pair, Days], today: date) -> dict[Pair, Days]:
    """The hours of a plan from today on, and before that those that are allocated; no day of zero hours."""
    found: dict[Pair, Days] = {}
    for pair in sorted({*planned, *current}):
        passed = {day: hours for day, hours in current.get(pair, {}).items() if day < today and hours}
        days = passed | {day: hours for day, hours in planned.get(pair, {}).items() if day >= today and hours}
        if days:
            found[pair] = days
    return found


def replaced_on(
    today: date, week: Week, plan_id: str, planned: Mapping[Pair, Days], current: Iterable[Allocation]
) -> tuple[dict[Pair, Days], list[Replacement]]:
    """What a plan that is published on `today` makes of the rows of its week: its hours by day, those of days that
    have passed as they stand, and the rows that are replaced. A preview and the publication both go by it."""
    rows = list(current)
    kept = with_passed_days(planned, hours_of(one for one in rows if not one.pinned), today)
    return kept, replaced_by(week, plan_id, kept, rows, today)


def rest_of(problem: PlanProblem, today: date, allocated: Mapping[Pair, Days]) -> PlanProblem:
    """The week from today on. What is `allocated` before counts for the demand, for the lines that end first.

    A line whose day has passed is still wanted. Who was pinned to a project for days that have passed alone works
    no more on it; nothing needs to be said of who has left since. Limits of people and projects hold for the days
    that are left.
    """
    passed: dict[Pair, Decimal] = {}
    done: defaultdict[str, Decimal] = defaultdict(lambda: NO_HOURS)
    worked: defaultdict[str, defaultdict[date, Decimal]] = defaultdict(lambda: defaultdict(lambda: NO_HOURS))
    for pair, days in allocated.items():
        before = {day: hours for day, hours in days.items() if day < today}
        passed[pair] = sum(before.values(), NO_HOURS)
        done[pair[1]] += passed[pair]
        for day, hours in before.items():
            worked[pair[0]][day] += hours
    lines: list[DemandLine] = []
    for line in sorted(problem.lines, key=problem.ends):
        met = min(line.hours, done[line.project_id])
        done[line.project_id] -= met
        until = line.until if line.until is not None and line.until >= today else None
        if line.hours > met:
            lines.append(replace(line, hours=line.hours - met, until=until))
    pins = [_rest(pin, today) for pin in problem.pins]
    members, projects = (
        {one.member_id for one in problem.members},
        {one.project_id for one in problem.projects},
    )
    over = [
        Exclusion(one.member_id, one.project_id)
        for one in pins
        if not one.hours and one.member_id in members and one.project_id in projects
    ]
    total = sum(passed.values(), NO_HOURS)
    words = f"the days before {today} have passed: their {total} allocated hours stay and count for the demand"
    return replace(
        problem,
        members=[_member(one, today, worked[one.member_id]) for one in problem.members],
        lines=sorted(lines, key=lambda line: (line.project_id, line.line_id)),
        pins=[pin for pin in pins if pin.hours],
        exclusions=[*problem.exclusions, *over],
        published={
            pair: left for pair, hours in problem.published.items() if (left := hours - passed.get(pair, NO_HOURS))
        },
        since=today,
        remarks=[*problem.remarks, ("the week", words)],
    )


def _member(member: PlanMember, today: date, worked: Days) -> PlanMember:
    """The days that are left of a member, and the overtime that the days before leave."""
    used = sum((max(hours - member.hours.get(day, NO_HOURS), NO_HOURS) for day, hours in worked.items()), NO_HOURS)
    return replace(
        member,
        hours=_from(member.hours, today),
        off=_from(member.off, today),
        overtime_hours=max(member.overtime_hours - used, NO_HOURS),
    )


def _rest(pin: Pin, today: date) -> Pin:
    by_day = _from(pin.by_day or {}, today)
    return replace(pin, hours=sum(by_day.values(), NO_HOURS), by_day=by_day)


def _from(days: Days, today: date) -> dict[date, Decimal]:
    return {day: hours for day, hours in days.items() if day >= today}
