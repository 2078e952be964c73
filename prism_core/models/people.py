"""Members and the time they are away.

Belongs here: who works, with which skills, when, and when not. Does not belong here: identities in the
labelling tool (workers) and what a member did (work).
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Protocol, Self

from pydantic import Field, model_validator

from prism_core.calendar import Week
from prism_core.models.base import (
    Choice,
    Day,
    DayHours,
    Email,
    Hours,
    Id,
    Instant,
    Level,
    Many,
    Model,
    Name,
    Text,
    Versioned,
    Zone,
)


class MemberStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"


class Weekday(StrEnum):
    """In the order of `date.isoweekday()`."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


SKILLS_MAX = 200


class Named(Protocol):
    """What is told apart by its name."""

    @property
    def name(self) -> str: ...


class Skill(Model):
    """A named skill at a level from 1 (learning) to 5 (teaches it): what a member has or a project needs."""

    name: Name
    level: Level


Skills = Annotated[Many[Skill], Field(max_length=SKILLS_MAX)]


class Member(Versioned):
    """A person who works. `hours` are the contracted hours by weekday; a missing weekday is a day off.

    `location` decides the public holidays: an ISO 3166 country, or one of its subdivisions such as `ES-MD`.
    """

    member_id: Id
    name: Name
    email: Email
    status: Choice[MemberStatus] = MemberStatus.ACTIVE
    skills: Skills = ()
    hours: dict[Choice[Weekday], DayHours] = Field(default_factory=dict[Weekday, DayHours])
    time_zone: Zone
    team: Id | None = None
    location: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] | None = None
    cognito_sub: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    max_projects: Annotated[int, Field(ge=1, le=1_000, description="at most so many in a week")] | None = None
    overtime_hours: Hours = Field(default=Decimal("0.00"), description="hours a week that a plan may add")

    @model_validator(mode="after")
    def _each_skill_once(self) -> Self:
        refuse_repeated_skills(self.skills)
        return self


class AvailabilityStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class ReasonCode(StrEnum):
    """What a lead may see of the reason; the text is for the member and an administrator."""

    VACATION = "vacation"
    SICK = "sick"
    HOLIDAY = "holiday"
    TRAINING = "training"
    OTHER = "other"


class Availability(Versioned):
    """Out of the office: hours off on one date. One entry per member and date."""

    member_id: Id
    date: Day
    hours_off: DayHours
    code: Choice[ReasonCode] = ReasonCode.OTHER
    reason: Text = ""
    status: Choice[AvailabilityStatus] = AvailabilityStatus.REQUESTED
    created: Instant | None = None
    decided: Instant | None = None
    decided_by: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    answer: Text | None = Field(default=None, description="why it was declined, for the member to read")

    @property
    def week(self) -> Week:
        return Week.of(self.date)


def refuse_repeated_skills(skills: Sequence[Named]) -> None:
    names = [skill.name for skill in skills]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"each skill once; repeated: {', '.join(repeated)}")
