"""Planned work, done work, and how good it was.

Belongs here: allocations, throughput by week, quality reviews. Does not belong here: how they are computed
(engines) and how a week of throughput is replaced (prism_resources/tables/generations.py).
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from prism_core.calendar import Week
from prism_core.models.base import Choice, Count, Day, DayHours, Id, Instant, Many, Measure, Model, Text, Versioned


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class AllocationSource(StrEnum):
    """Who put it there: a person, the plan, or an imported workbook."""

    PERSON = "person"
    PLAN = "plan"
    IMPORT = "import"


class Allocation(Versioned):
    """A member's hours by day on a project in a week. A pinned one is kept by the planner."""

    member_id: Id
    week: Week
    project_id: Id
    hours: Annotated[dict[Day, DayHours], Field(min_length=1)]
    pinned: bool = False
    source: Choice[AllocationSource] = AllocationSource.PERSON
    plan_id: Id | None = None

    @model_validator(mode="after")
    def _days_of_the_week(self) -> Self:
        outside = sorted(day.isoformat() for day in self.hours if day not in self.week.days)
        if outside:
            raise ValueError(
                f"{', '.join(outside)}: outside {self.week} ({self.week.monday} to {self.week.sunday})"
            )
        return self

    @property
    def total(self) -> Decimal:
        """Hours of the week."""
        return sum(self.hours.values(), Decimal("0.00"))


# What the labelling tool calls a worker or a job is not ours to choose: no character is refused but control ones.
# The last part of a key, so `#` in it is harmless; `~` first would be a control item.
FactSubject = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f~][^\x00-\x1f\x7f]*$", max_length=600)]


class ThroughputDay(Model):
    """One UTC day: tasks by outcome, seconds on the wall clock and, where it is known, of activity.

    Handle seconds are submitted minus accepted time of submitted tasks; absent without such a task.
    """

    day: Day
    tasks_submitted: Count = 0
    tasks_returned: Count = 0
    tasks_declined: Count = 0
    tasks_accepted: Count = 0
    tasks_other: Count = 0
    wall_seconds: Count = 0
    active_seconds: Count | None = None
    median_handle_seconds: Measure | None = None
    mean_handle_seconds: Measure | None = None
    tasks_per_hour: Measure | None = None


class ThroughputWeek(Model):
    """What was done by one member on one project in one week. A fact: recomputed, never edited.

    An unresolved worker stands as `worker:<key>` in `member_id`, an unmapped job as `job:<name>` in `project_id`.
    """

    project_id: FactSubject
    week: Week
    member_id: FactSubject
    days: Annotated[Many[ThroughputDay], Field(min_length=1, max_length=7)]
    worker_resolved: bool
    project_resolved: bool
    generation: Annotated[int, Field(ge=0, lt=1_000_000, description="stamped when the week is published")] = 0

    @model_validator(mode="after")
    def _days_of_the_week(self) -> Self:
        days = [entry.day for entry in self.days]
        if days != sorted(set(days)):
            raise ValueError("each day once, in order")
        outside = [day.isoformat() for day in days if day not in self.week.days]
        if outside:
            raise ValueError(
                f"{', '.join(outside)}: outside {self.week} ({self.week.monday} to {self.week.sunday})"
            )
        return self

    @property
    def tasks_submitted(self) -> int:
        return sum(entry.tasks_submitted for entry in self.days)


class QualityReview(Versioned):
    """One review of a member's work of a week. `category` is the raw id of what was reviewed."""

    member_id: Id
    week: Week
    project_id: Id
    review_id: Id
    category: Annotated[str, Field(min_length=1, max_length=128)]
    reviewed: Annotated[int, Field(ge=1)]
    correct: Count
    severity: Choice[Severity] | None = Field(default=None, description="of the worst error; none without one")
    reviewer: Annotated[str, Field(min_length=1, max_length=200)]
    reviewed_at: Instant
    notes: Text = ""

    @model_validator(mode="after")
    def _no_more_than_reviewed(self) -> Self:
        if self.correct > self.reviewed:
            raise ValueError(f"correct {self.correct} exceeds reviewed {self.reviewed}")
        return self
