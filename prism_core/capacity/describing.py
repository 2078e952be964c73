"""From the items of a programme to the description of a week to plan.

Belongs here: who counts as able to work, what of the present is kept, what the past says. Does not belong here:
reading the items (prism_resources/planning.py) and solving.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final

from prism_core.availability import day_hours, holidays_on
from prism_core.calendar import Week
from prism_core.capacity.demand import Demanded, demanded
from prism_core.capacity.problem import (
    HOURS_A_DAY,
    Exclusion,
    Pair,
    Pin,
    PlanMember,
    PlanProblem,
    PlanProject,
    Weights,
)
from prism_core.capacity.running import rest_of
from prism_core.models.people import Availability, AvailabilityStatus, Member, MemberStatus
from prism_core.models.projects import Project, Request
from prism_core.models.work import Allocation, QualityReview
from prism_core.quality import accuracy_of

# How far back reviews say how good a member is on a project.
QUALITY_WEEKS: Final = 4
_AWAY: Final = frozenset({AvailabilityStatus.APPROVED, AvailabilityStatus.REQUESTED})


@dataclass(frozen=True, slots=True)
class Items:
    """What a week is planned from. `allocations` are those of the week, `before` those of the week before.

    `is_published`: a plan of this week has been published, so that it changes as little as can be. `publication`
    is the number of the last one, taken back or not; 0 for none. `today`, in UTC as weeks are: of a running week
    the days before it have passed; None plans every day. `overtime_hours_a_day`: no more overtime on a day.
    """

    members: Sequence[Member] = ()
    projects: Sequence[Project] = ()
    requests: Sequence[Request] = ()
    availability: Sequence[Availability] = ()
    allocations: Sequence[Allocation] = ()
    before: Sequence[Allocation] = ()
    reviews: Sequence[QualityReview] = ()
    is_published: bool = False
    today: date | None = None
    overtime_hours_a_day: Decimal = HOURS_A_DAY
    publication: int = 0


@dataclass(frozen=True, slots=True)
class Described:
    """A week to plan, and what of its requests no project takes up."""

    problem: PlanProblem
    unplaced: Mapping[str, str] = field(default_factory=dict[str, str])


def describe(week: Week, items: Items, weights: Weights | None = None) -> Described:
    """The description of a week.

    Active members can work, on their contracted hours minus time off (approved, or asked for: what is planned on
    it would be a conflict as soon as it is approved) and public holidays. Pinned allocations are kept as they
    are, one of no hours keeps the member off the project, where there are both to plan; others are kept only where
    a plan of the week was published, as far as can be. Of a running week the days that are left are planned
    (running.py). A location of which no holidays are known has none, and is told.
    """
    asked = demanded(week, items.projects, items.requests, items.today)
    pinned = [one for one in sorted(items.allocations, key=_pair) if one.pinned]
    pins = tuple(_pin(one) for one in pinned if one.total)
    away = _by_member(items.availability)
    members = sorted(items.members, key=lambda one: one.member_id)
    active = [one for one in members if one.status is MemberStatus.ACTIVE]
    projects = _projects(items.projects, asked, pins)
    known = {one.member_id for one in active}, {one.project_id for one in projects}
    problem = PlanProblem(
        week=week,
        members=tuple(_member(week, one, away.get(one.member_id, ())) for one in active),
        projects=projects,
        lines=asked.lines,
        pins=pins,
        exclusions=tuple(
            Exclusion(*_pair(one))
            for one in pinned
            if not one.total and one.member_id in known[0] and one.project_id in known[1]
        ),
        previous=_hours(items.before),
        published=_hours(items.allocations) if items.is_published else {},
        quality=_quality(items.reviews),
        weights=weights or Weights(),
        overtime_hours_a_day=items.overtime_hours_a_day,
        remarks=tuple(_unknown_locations(week, active)),
    )
    if items.today is not None and week.sunday < items.today:
        over = "the week", "has ended: this plan is a look back and cannot be published"
        problem = replace(problem, remarks=(*problem.remarks, over))
    elif items.today is not None and week.monday < items.today:
        problem = rest_of(problem, items.today, {_pair(one): one.hours for one in items.allocations})
    return Described(problem, asked.unplaced)


def _unknown_locations(week: Week, members: Iterable[Member]) -> Iterator[tuple[str, str]]:
    for one in members:
        if holidays_on(one.location, week.days) is None:
            yield (
                f"member {one.member_id}",
                f"no holidays of {one.location} are known; planned as if there were none",
            )


def _member(week: Week, member: Member, entries: Iterable[Availability]) -> PlanMember:
    granted = [one.model_copy(update={"status": AvailabilityStatus.APPROVED}) for one in entries]
    days = day_hours(member, week.days, granted)
    return PlanMember(
        member_id=member.member_id,
        hours={day.day: day.available for day in days if day.available},
        off={day.day: day.off for day in days if day.off},
        skills={skill.name: skill.level for skill in member.skills},
        max_projects=member.max_projects,
        overtime_hours=member.overtime_hours,
    )


def _projects(projects: Iterable[Project], asked: Demanded, pins: Iterable[Pin]) -> tuple[PlanProject, ...]:
    wanted = {line.project_id for line in asked.lines} | {pin.project_id for pin in pins}
    return tuple(
        PlanProject(
            project_id=one.project_id,
            priority=one.priority,
            sla_date=one.sla_date,
            quality_target=one.quality_target,
            min_people=one.min_people,
            max_people=one.max_people,
            min_block_hours=one.min_block_hours,
            skills={skill.name: skill.level for skill in one.skills},
        )
        for one in sorted(projects, key=lambda one: one.project_id)
        if one.project_id in wanted
    )


def _pin(allocation: Allocation) -> Pin:
    by_day: dict[date, Decimal] = {day: hours for day, hours in sorted(allocation.hours.items()) if hours}
    return Pin(allocation.member_id, allocation.project_id, allocation.total, by_day)


def _pair(allocation: Allocation) -> Pair:
    return allocation.member_id, allocation.project_id


def _hours(allocations: Iterable[Allocation]) -> dict[Pair, Decimal]:
    return {_pair(one): one.total for one in sorted(allocations, key=_pair) if one.total}


def _by_member(entries: Iterable[Availability]) -> dict[str, list[Availability]]:
    found: defaultdict[str, list[Availability]] = defaultdict(list)
    for entry in entries:
        if entry.status in _AWAY:
            found[entry.member_id].append(entry)
    return dict(found)


def _quality(reviews: Iterable[QualityReview]) -> dict[Pair, Decimal]:
    """The upper end of each share's 95 % interval: few reviews say little against anybody."""
    of_pair: defaultdict[Pair, list[QualityReview]] = defaultdict(list)
    for review in reviews:
        of_pair[review.member_id, review.project_id].append(review)
    found = {pair: accuracy_of(of_pair[pair]) for pair in sorted(of_pair)}
    return {pair: one.high for pair, one in found.items() if one.reviewed}
