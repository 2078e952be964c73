"""A week of utilisation, computed from the tables.

Belongs here: the order in which a week is read and computed, what its figures rest on, and what it shows.
Does not belong here: the rows (prism_core) and replacing the week (computed.py).
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import dagster as dg

from prism_assets.computed import ComputedWeek
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import content_part, week_of
from prism_assets.standing import standing
from prism_assets.throughput.publish import RehearsedWeek
from prism_core.calendar import Week
from prism_core.charts import as_markdown, grouped_bar_chart
from prism_core.evidence import Evidence, Part
from prism_core.lake_tables import THROUGHPUT, UTILISATION
from prism_core.models.people import Availability, Member, MemberStatus
from prism_core.models.work import Allocation, ThroughputWeek
from prism_core.quality_subjects import WORKER_PREFIX
from prism_core.restatements import Figures
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS
from prism_core.utilisation import UtilisationRow, WeekInputs, week_utilisation

FIGURES = Figures(
    keys=("member_id", "day"),
    measures=("contracted_hours", "off_hours", "allocated_hours", "worked_hours", "active_hours"),
    main="worked_hours",
    totals=("allocated_hours",),
)
READ_PLAN, READ_WORK = "read_plan_seconds", "read_work_seconds"
_HOURS = ("contracted_hours", "off_hours", "available_hours", "allocated_hours", "worked_hours")


class UtilisationComputation:
    """Utilisation of the weeks of a run: the register of members is read once."""

    def __init__(self, prism: PrismResource, weeks: Iterable[Week], now: datetime) -> None:
        self._prism = prism
        self._allocations = prism.settled(ALLOCATIONS, Allocation)
        self._availability = prism.settled(AVAILABILITY, Availability)
        self._members = standing(prism, MEMBERS, Member, MemberStatus, weeks, now)

    def week(self, week: Week, rehearsed: RehearsedWeek | None = None) -> ComputedWeek:
        """Of the throughput that is published, or of a week of it that was only rehearsed."""
        below = None if rehearsed is None else rehearsed.comparison
        work = (
            week_of(self._prism, THROUGHPUT, week)
            if below is None
            else content_part(THROUGHPUT, below.content.content_hash)
        )
        inputs = self._read(week, self._prism.throughput().week(week) if rehearsed is None else rehearsed.rows)
        rows = week_utilisation(week, inputs)
        return ComputedWeek(
            UTILISATION,
            week,
            [row.lake_row() for row in rows],
            FIGURES,
            evidence_of(inputs, work),
            _counts(rows) | read_of(inputs),
            _facts(week, rows),
            f"utilisation of {week}: {len(rows)} days of members",
            below,
        )

    def _read(self, week: Week, work: Iterable[ThroughputWeek]) -> WeekInputs:
        """A member who was recorded only after the week, but was planned or worked in it, counts as of now."""
        allocations = tuple(self._allocations.of_week(week))
        availability = tuple(self._availability.of_week(week))
        throughput = tuple(work)
        needed = {item.member_id for item in (*allocations, *availability, *throughput)}
        members = tuple(self._members.of(week, needed).values())
        return WeekInputs(members, availability, allocations, throughput)


def evidence_of(inputs: WeekInputs, throughput: Part) -> Evidence:
    """What the figures of a week rest on: plan, time off, contracts, and the throughput that was published."""
    plans = {(one.member_id, one.project_id): _hours(one) for one in inputs.allocations}
    days_off = {
        (one.member_id, one.date.isoformat()): f"{one.hours_off}|{one.status}" for one in inputs.availability
    }
    contracts = {(one.member_id,): _contract(one) for one in inputs.members}
    return Evidence(
        {
            "allocations": Part(("member_id", "project_id"), plans),
            "availability": Part(("member_id", "day"), days_off),
            "members": Part(("member_id",), contracts),
            "throughput": throughput,
        }
    )


def read_of(inputs: WeekInputs) -> dict[str, int]:
    """Seconds of plan and work that were read, for the manifest: what the rows are checked against."""
    wall = sum(day.wall_seconds for item in inputs.throughput for day in item.days)
    return {READ_PLAN: planned_seconds(inputs.allocations), READ_WORK: wall}


def planned_seconds(allocations: Iterable[Allocation]) -> int:
    return round(sum((one.total for one in allocations), Decimal(0)) * 3600)


def _hours(allocation: Allocation) -> str:
    return ";".join(f"{day.isoweekday()}={allocation.hours[day]}" for day in sorted(allocation.hours))


def _contract(member: Member) -> str:
    hours = ";".join(f"{day}={member.hours[day]}" for day in sorted(member.hours))
    return f"{member.status}|{member.location or ''}|{hours}"


def _counts(rows: list[UtilisationRow]) -> dict[str, int]:
    """Seconds and members for the manifest, whose counts are whole numbers."""
    seconds = {name.replace("hours", "seconds"): round(_sum(rows, name) * 3600) for name in _HOURS}
    members = {row.member_id for row in rows if not row.member_id.startswith(WORKER_PREFIX)}
    return {"members": len(members), **seconds}


def _sum(rows: Iterable[UtilisationRow], name: str) -> Decimal:
    return sum((getattr(row, name) for row in rows), Decimal(0))


def _facts(week: Week, rows: list[UtilisationRow]) -> dict[str, object]:
    hours = {name: round(float(_sum(rows, name)), 2) for name in _HOURS}
    allocated = hours["allocated_hours"]
    return {
        "members": _counts(rows)["members"],
        **hours,
        "shrinkage": round(1 - hours["worked_hours"] / allocated, 4) if allocated else "nothing was allocated",
        "worked_without_allocation": dg.MetadataValue.json(_unplanned(rows)),
        "hours_by_day": dg.MetadataValue.md(_picture(week, rows)),
    }


def _unplanned(rows: list[UtilisationRow], most: int = 10) -> dict[str, float]:
    """Hours that were worked on days without any allocation, by member, the most first."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.worked_hours and not row.allocated_hours:
            found[row.member_id] += row.worked_hours
    largest = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    return {member: round(float(hours), 2) for member, hours in largest}


def _picture(week: Week, rows: list[UtilisationRow]) -> str:
    series = ("available", "allocated", "worked")

    def of(day: date) -> list[float]:
        here = [row for row in rows if row.day == day]
        return [float(_sum(here, f"{name}_hours")) for name in series]

    days = [(f"{day:%a %d %b}", of(day)) for day in week.days]
    return as_markdown("Hours by day", grouped_bar_chart(f"Hours by day, {week}", series, days))
