"""The description of a week to plan: people, projects, demand, wishes of a person, and what an hour is worth.

Belongs here: the input of the engine as plain values, without numpy. Does not belong here: where the values come
from (tables, scenarios), what is wrong with them (checking.py) and how they are solved.
Hours are Decimals of two places, days are local dates of the week, a quality score is a share from 0 to 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from prism_core.calendar import Week

NO_HOURS: Final = Decimal("0.00")
HOURS_A_DAY: Final = Decimal(24)
# Who counts for the fewest people of a project works at least so long on it in the week.
PRESENCE: Final = Decimal("0.25")

# A member and a project.
Pair = tuple[str, str]


class Level(StrEnum):
    """How finely the days are told apart. `auto`: as far as the answer depends on it, so nothing is lost.

    `week`: every member's week is one sum; refused when a line ends inside the week. `day`: every day of
    everybody, needed or not; the objective is that of `auto`.
    """

    AUTO = "auto"
    WEEK = "week"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class PlanMember:
    """Who can work. `hours` by day after time off; a day without hours is a day off. `off`: hours off by day.

    `overtime_hours`: how many more a week, on days that the member works, at the price of the weights; as many of
    them a day as the problem allows.
    """

    member_id: str
    hours: Mapping[date, Decimal]
    off: Mapping[date, Decimal] = field(default_factory=dict[date, Decimal])
    skills: Mapping[str, int] = field(default_factory=dict[str, int])
    max_projects: int | None = None
    overtime_hours: Decimal = NO_HOURS


@dataclass(frozen=True, slots=True)
class PlanProject:
    """What work is for. `quality_target` from 0 to 1; a project that is worked on has at least `min_people`
    with a quarter of an hour or more; a pin waives that.

    `min_block_hours`: no shorter piece of work of a member on a day.
    """

    project_id: str
    priority: int = 3
    sla_date: date | None = None
    quality_target: Decimal | None = None
    min_people: int = 0
    max_people: int | None = None
    min_block_hours: Decimal = NO_HOURS
    skills: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class DemandLine:
    """Hours that a project needs this week from people who have all of `skills` (those of the project among them).

    `source` is `project`, `skill:<name>` or `request:<id>`. `until`: the last day on which the work is of use.
    """

    line_id: str
    project_id: str
    hours: Decimal
    skills: Mapping[str, int] = field(default_factory=dict[str, int])
    source: str = "project"
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """A person decided: exactly these hours of a member on a project, by day or (None) on days of our choice.

    They count for every line of the project, whatever its skills.
    """

    member_id: str
    project_id: str
    hours: Decimal
    by_day: Mapping[date, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A person decided: no hour of this member on this project."""

    member_id: str
    project_id: str


@dataclass(frozen=True, slots=True)
class Weights:
    """What an hour is worth, in points; two places. The sum is what a plan maximises (docs/capacity.md).

    A step of priority (20) outweighs what people prefer of each other (continuity, level, fairness: 15 together).
    """

    priority: tuple[Decimal, ...] = (Decimal(100), Decimal(80), Decimal(60), Decimal(40), Decimal(20))
    sla_this_week: Decimal = Decimal(20)
    sla_next_week: Decimal = Decimal(10)
    continuity: Decimal = Decimal(5)
    level_surplus: Decimal = Decimal(1)
    quality: Decimal = Decimal(1)
    overtime: Decimal = Decimal(30)
    fairness: Decimal = Decimal(6)


UNITS: Final[Mapping[str, str]] = {
    "priority": "points per hour of demand met, for priority 1 to 5",
    "sla_this_week": "points per hour of demand met when the SLA date lies in the week or before it",
    "sla_next_week": "points per hour of demand met when the SLA date lies in the week after",
    "continuity": "points per hour, up to the hours of last week with the same member and project",
    "level_surplus": "points per hour and level above the need, of the skill that is least above it",
    "quality": "points off per hour and percentage point of the member's quality below the project's target",
    "overtime": "points off per hour of overtime, beside the whole of fairness",
    "fairness": "points off per hour in the last quarter of a member's hours; two thirds, a third, none before",
}


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """A week to plan, whole. `previous`: hours of last week; `published`: of this week when it is planned again.

    `move_budget_hours`: how many published hours may be taken from where they are; None: as few as can be.
    `quality`: known scores of a member on a project. `overtime_hours_a_day`: no more overtime on a day, but for
    what pins by day ask. `since`: the first day that is left to plan, None for the whole week. `remarks`: what was
    worth knowing when the week was described, as what it is about and words.
    """

    week: Week
    members: Sequence[PlanMember]
    projects: Sequence[PlanProject]
    lines: Sequence[DemandLine]
    pins: Sequence[Pin] = ()
    exclusions: Sequence[Exclusion] = ()
    previous: Mapping[Pair, Decimal] = field(default_factory=dict[Pair, Decimal])
    published: Mapping[Pair, Decimal] = field(default_factory=dict[Pair, Decimal])
    quality: Mapping[Pair, Decimal] = field(default_factory=dict[Pair, Decimal])
    weights: Weights = field(default_factory=Weights)
    move_budget_hours: Decimal | None = None
    level: Level = Level.AUTO
    overtime_hours_a_day: Decimal = HOURS_A_DAY
    since: date | None = None
    remarks: Sequence[tuple[str, str]] = ()

    def ends(self, line: DemandLine) -> date:
        """The last day of the week on which hours count for the line."""
        return self.week.sunday if line.until is None else min(line.until, self.week.sunday)

    @property
    def is_limited(self) -> bool:
        """Whether a limit of people, projects or blocks makes the problem more than a network."""
        return any(member.max_projects is not None for member in self.members) or any(
            project.max_people is not None or project.min_people > 1 or project.min_block_hours
            for project in self.projects
        )
