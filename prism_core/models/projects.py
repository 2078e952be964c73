"""Projects and requests for capacity.

Belongs here: what has to be done, by when, with which skills, and who asked for it. Does not belong here:
which project a labelling job belongs to on a day (prism_core/identity.py) and the taxonomy of categories.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from prism_core.alerts.thresholds import ProjectLimits
from prism_core.models.base import (
    Choice,
    Count,
    Day,
    Deadline,
    Hours,
    Id,
    Instant,
    Level,
    Many,
    Model,
    Name,
    Share,
    Text,
    Versioned,
)
from prism_core.models.people import SKILLS_MAX, Skills, refuse_repeated_skills

# Of 60 to 200 bytes each, and a change stands in the log with those before and after it: an item holds 400 kB.
LABELING_JOBS_MAX = 500


class ProjectStatus(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"


class LabelingJob(Model):
    """A labelling job, by name or by a pattern in which `*` stands for any characters.

    Valid from `valid_from` until before `valid_to`; without `valid_to`, until further notice.
    """

    job: Annotated[str, Field(pattern=r"^[A-Za-z0-9*][A-Za-z0-9*-]{0,127}$")]
    valid_from: Day
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if "**" in self.job:
            raise ValueError("** means the same as *; the longer pattern wins, so it may not be padded")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} must lie after valid_from {self.valid_from}")
        return self

    @property
    def is_pattern(self) -> bool:
        return "*" in self.job


class SkillDemand(Model):
    """Hours a week of a project's demand that need one more skill, at this level or above."""

    name: Name
    level: Level
    hours: Hours


class Project(Versioned):
    """Work to be done. `category` is the raw id: the taxonomy maps it when it is read."""

    project_id: Id
    name: Name
    category: Annotated[str, Field(min_length=1, max_length=128)]
    status: Choice[ProjectStatus] = ProjectStatus.ACTIVE
    priority: Annotated[int, Field(ge=1, le=5, description="1 is the most urgent")] = 3
    demand_hours: Hours = Field(description="hours a week")
    demand_by_skill: Annotated[Many[SkillDemand], Field(max_length=SKILLS_MAX)] = Field(
        default=(), description="what of demand_hours needs a skill beside `skills`"
    )
    quality_target: Share | None = None
    sla_date: Deadline | None = None
    skills: Skills = ()
    min_people: Count = 0
    max_people: Annotated[int, Field(ge=1)] | None = None
    min_block_hours: Hours = Field(default=Decimal("0.00"), description="no shorter piece of work a day")
    labeling_jobs: Annotated[Many[LabelingJob], Field(max_length=LABELING_JOBS_MAX)] = ()
    alert_limits: ProjectLimits | None = Field(
        default=None, description="where alerts of this project begin, instead of the settings"
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        refuse_repeated_skills(self.skills)
        refuse_repeated_skills(self.demand_by_skill)
        by_skill = sum((one.hours for one in self.demand_by_skill), Decimal(0))
        if by_skill > self.demand_hours:
            raise ValueError(f"demand_by_skill asks for {by_skill} h, more than demand_hours {self.demand_hours}")
        if self.max_people is not None and self.max_people < self.min_people:
            raise ValueError(f"max_people {self.max_people} is below min_people {self.min_people}")
        return self


class RequestStatus(StrEnum):
    SUBMITTED = "submitted"
    TRIAGED = "triaged"
    APPROVED = "approved"
    DECLINED = "declined"
    FULFILLED = "fulfilled"


class Request(Versioned):
    """Someone asks for capacity by a day. The instants say when each step of the decision was taken."""

    request_id: Id
    status: Choice[RequestStatus] = RequestStatus.SUBMITTED
    due_date: Deadline
    hours: Hours
    skills: Skills = ()
    project_id: Id | None = None
    requester: Name
    reason: Text
    created: Instant
    triaged: Instant | None = None
    decided: Instant | None = None
    decided_by: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    decision: Text | None = Field(default=None, description="why it was approved or declined")
    fulfilled: Instant | None = None
