"""How the synthetic programme came to be: what each item was, step by step, until it is what it is now.

Belongs here: believable instants, and earlier states of members, projects, plans and whatever is decided. Does not
belong here: what the items are today (people.py, records.py) and writing them (load.py).
The last step of an item is the item itself, and no step lies behind the end of the sample.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from infra.local.sample.people import Programme
from prism_core.calendar import WeekRange
from prism_core.models.base import Versioned
from prism_core.models.bugs import Bug, BugStatus
from prism_core.models.disputes import Dispute, DisputeStatus
from prism_core.models.people import Availability, AvailabilityStatus, Member
from prism_core.models.projects import Project, ProjectStatus, Request, RequestStatus
from prism_core.models.taxonomy import TaxonomyStatus, TaxonomyVersion
from prism_core.models.work import Allocation
from prism_core.models.workers import Worker

T = TypeVar("T", bound=Versioned)
# Who works and on what was set up two months before the first week: the earliest time off was asked for after it.
SET_UP_DAYS = 60
MORE_HOURS = Decimal("1.00")


@dataclass(frozen=True, slots=True)
class Step(Generic[T]):
    """What an item was from an instant on."""

    at: datetime
    item: T


Story = list[Step[Any]]


def stories(programme: Programme, weeks: WeekRange, until: datetime) -> list[tuple[str, list[Story]]]:
    """The steps of every item, by table, in an order in which nothing is named before it exists."""
    clock = _Clock(weeks, until)
    records = programme.records
    told: list[tuple[str, Iterator[Story]]] = [
        ("members", (_member(clock, n, one) for n, one in enumerate(programme.members, 1))),
        ("projects", (_project(clock, n, one) for n, one in enumerate(programme.projects, 1))),
        ("workers", (_worker(clock, one) for one in programme.workers)),
        ("taxonomy", (_taxonomy(clock, one) for one in records.taxonomy)),
        ("availability", (_time_off(one) for one in programme.availability)),
        ("requests", (_request(one) for one in programme.requests)),
        ("allocations", (_allocation(n, one) for n, one in enumerate(programme.allocations, 1))),
        ("quality", ([Step(one.reviewed_at, one)] for one in records.reviews)),
        ("bugs", (_bug(one) for one in records.bugs)),
        ("disputes", (_dispute(one) for one in records.disputes)),
        ("recipients", ([Step(clock.set_up + timedelta(days=1), one)] for one in programme.recipients)),
        ("corrections", ([Step(one.created, one)] for one in records.corrections)),
    ]
    return [(table, [clock.told(story) for story in of_table]) for table, of_table in told]


class _Clock:
    """The instants that stories share."""

    def __init__(self, weeks: WeekRange, until: datetime) -> None:
        self._until = until
        self.first, self.last = weeks.first.start, weeks.last.start
        self.set_up = self.first - timedelta(days=SET_UP_DAYS)
        self.half_way = (weeks.first + len(weeks) // 2).start

    def told(self, story: Story) -> Story:
        """Without steps that change nothing, none of them later than the sample's end."""
        kept: Story = []
        for step in story:
            if not kept or step.item != kept[-1].item:
                kept.append(Step(min(step.at, self._until), step.item))
        return kept


def _told(
    final: Versioned, created: datetime, at_first: Mapping[str, Any], *edits: tuple[datetime, Mapping[str, Any]]
) -> Story:
    """From the first state through the edits to what the item is now, which is never later than the last edit."""
    item = final.model_copy(update=dict(at_first))
    found: Story = [Step(created, item)]
    for at, change in sorted(edits, key=lambda edit: edit[0]):
        item = item.model_copy(update=dict(change))
        found.append(Step(at, item))
    return [*found, Step(found[-1].at, final)]


def _member(clock: _Clock, number: int, member: Member) -> Story:
    """Some worked an hour a day more until half-way; some learned their first skill half-way."""
    created, at_first, edits = clock.set_up + timedelta(hours=9), {}, []
    if number % 8 == 0:
        at_first["hours"] = {day: hours + MORE_HOURS for day, hours in member.hours.items()}
        edits.append((clock.half_way + timedelta(hours=8), {"hours": member.hours}))
    if number % 9 == 0:
        at_first["skills"] = member.skills[1:]
        edits.append((clock.half_way + timedelta(days=2, hours=10), {"skills": member.skills}))
    return _told(member, created, at_first, *edits)


def _project(clock: _Clock, number: int, project: Project) -> Story:
    """Half-way some became more urgent, or larger, or waited two days for a guideline; some were planned first."""
    created, at_first, edits = clock.set_up + timedelta(hours=10), dict[str, Any](), list[tuple[datetime, Any]]()
    if number % 6 == 0:
        at_first["priority"] = project.priority % 5 + 1
        edits.append((clock.half_way + timedelta(days=2, hours=10), {"priority": project.priority}))
    if number % 7 == 0:
        at_first["demand_hours"] = (project.demand_hours * Decimal("0.75")).quantize(Decimal("0.01"))
        edits.append((clock.half_way + timedelta(days=1, hours=14), {"demand_hours": project.demand_hours}))
    if number % 11 == 3:
        at_first["status"] = ProjectStatus.PLANNED
        edits.append((clock.first - timedelta(days=3), {"status": project.status}))
    if number % 11 == 5:
        edits.append((clock.half_way + timedelta(days=1, hours=15), {"status": ProjectStatus.PAUSED}))
        edits.append((clock.half_way + timedelta(days=3, hours=9), {"status": project.status}))
    return _told(project, created, at_first, *edits)


def _worker(clock: _Clock, worker: Worker) -> Story:
    """Resolved on the first Monday; seen again until now."""
    seen = (clock.last + timedelta(hours=1), {"last_seen": worker.last_seen})
    return _told(
        worker, clock.first + timedelta(hours=1), {"last_seen": worker.first_seen or worker.last_seen}, seen
    )


def _taxonomy(clock: _Clock, version: TaxonomyVersion) -> Story:
    published = (clock.set_up + timedelta(days=3), {"status": version.status})
    return _told(version, clock.set_up + timedelta(days=1), {"status": TaxonomyStatus.DRAFT}, published)


def _time_off(entry: Availability) -> Story:
    """Asked for, then decided."""
    created = entry.created or entry.week.start
    if entry.decided is None:
        return [Step(created, entry)]
    asked = {"status": AvailabilityStatus.REQUESTED, "decided": None, "decided_by": None, "answer": None}
    return _told(entry, created, asked, (entry.decided, _as_is(entry, asked)))


def _request(request: Request) -> Story:
    """Submitted, triaged, decided, fulfilled: as far as it has come."""
    at_first = {"status": RequestStatus.SUBMITTED, "triaged": None, "decided": None, "decided_by": None,
                "decision": None, "fulfilled": None}  # fmt: skip
    edits: list[tuple[datetime, Mapping[str, Any]]] = []
    if request.triaged is not None:
        edits.append((request.triaged, {"status": RequestStatus.TRIAGED, "triaged": request.triaged}))
    if request.decided is not None:
        decided = RequestStatus.APPROVED if request.fulfilled is not None else request.status
        edits.append(
            (request.decided, {"status": decided, **_as_is(request, ("decided", "decided_by", "decision"))})
        )
    if request.fulfilled is not None:
        edits.append((request.fulfilled, {"status": request.status, "fulfilled": request.fulfilled}))
    return _told(request, request.created, at_first, *edits)


def _allocation(number: int, allocation: Allocation) -> Story:
    """Planned on the Thursday before the week. Of every 40, one was put right on the Tuesday of it."""
    planned = allocation.week.start - timedelta(days=4) + timedelta(hours=15)
    if number % 40:
        return [Step(planned, allocation)]
    day = min(allocation.hours)
    at_first = {"hours": allocation.hours | {day: allocation.hours[day] + Decimal("0.50")}}
    edited = allocation.week.start + timedelta(days=1, hours=10)
    return _told(allocation, planned, at_first, (edited, {"hours": allocation.hours}))


def _bug(bug: Bug) -> Story:
    if bug.status is BugStatus.NEW:
        return [Step(bug.created, bug)]
    at_first = {"status": BugStatus.NEW, "assignee": None, "resolved": None}
    taken = bug.resolved or bug.created + timedelta(days=1)
    return _told(bug, bug.created, at_first, (taken, _as_is(bug, at_first)))


def _dispute(dispute: Dispute) -> Story:
    if dispute.status is DisputeStatus.OPEN:
        return [Step(dispute.opened, dispute)]
    at_first = {"status": DisputeStatus.OPEN, "decided": None, "decided_by": None, "answer": None}
    ended = dispute.decided or dispute.opened + timedelta(hours=1)
    return _told(dispute, dispute.opened, at_first, (ended, _as_is(dispute, at_first)))


def _as_is(item: Versioned, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}
