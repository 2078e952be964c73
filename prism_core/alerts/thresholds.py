"""Where each rule begins to speak.

Belongs here: every figure that a person may move, its default and its unit; what a project may say instead.
Does not belong here: the rules, and reading settings or projects.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from prism_core.models.base import Count, Hours, Measure, Model, Share

_Days = Annotated[int, Field(ge=0, le=366)]


class ProjectLimits(Model):
    """What a project says instead of the defaults of `Thresholds`; an absent figure is the default."""

    quality_min_reviewed: Annotated[int, Field(ge=1)] | None = None
    shrinkage_limit: Share | None = None
    late_request_days: _Days | None = None
    sla_slack_days: _Days | None = None
    sla_productive_share: Annotated[Share, Field(gt=0)] | None = None


class Thresholds(Model):
    """The defaults, which the settings may replace one by one. Shares run from 0 to 1."""

    ahead_weeks: Annotated[int, Field(ge=0, le=12)] = Field(
        default=2, description="weeks after the running one that are judged for time off and capacity"
    )
    quality_min_reviewed: Annotated[int, Field(ge=1)] = Field(
        default=50, description="pieces reviewed in the week, below which nothing is said of its quality"
    )
    quality_falling_z: Annotated[Measure, Field(ge=0)] = Field(
        default=Decimal("1.645"),
        description="how many standard errors the trend of four weeks must lie below zero (1.645: 95 %)",
    )
    shrinkage_limit: Share = Field(
        default=Decimal("0.30"), description="share of the planned hours that may go without work"
    )
    shrinkage_min_hours: Hours = Field(
        default=Decimal("8.00"), description="planned hours of a week, below which nothing is said of it"
    )
    unresolved_min_tasks: Annotated[int, Field(ge=1)] = Field(
        default=1, description="tasks under a name that is nobody's, from which it is told"
    )
    unresolved_days: _Days = Field(default=0, description="days that a name may wait to be resolved")
    unresolved_high_days: _Days = Field(default=7, description="days after which it is urgent")
    late_request_days: _Days = Field(default=0, description="days after the due date that are let pass")
    late_request_high_days: _Days = Field(default=3, description="days of lateness from which it is urgent")
    capacity_short_share: Share = Field(
        default=Decimal("0.05"), description="share of a week's demand that may lack supply"
    )
    capacity_short_hours: Hours = Field(
        default=Decimal("8.00"), description="hours of a week's demand that may lack supply"
    )
    sla_slack_days: _Days = Field(default=0, description="days after the SLA date that are let pass")
    sla_productive_share: Annotated[Share, Field(gt=0)] = Field(
        default=Decimal("0.80"), description="hours on tasks that an hour of demand stands for"
    )
    sla_min_weeks: Annotated[int, Field(ge=3, le=8)] = Field(
        default=3, description="ended weeks that a trend needs"
    )
    repeat_days: Annotated[Count, Field(ge=1, le=366)] = Field(
        default=7, description="days after which an alert that nobody has taken up is told again"
    )

    def of(self, limits: ProjectLimits | None) -> "Thresholds":
        """These, with what a project says instead."""
        said = {} if limits is None else limits.model_dump(exclude_none=True)
        return self.model_copy(update=said) if said else self
