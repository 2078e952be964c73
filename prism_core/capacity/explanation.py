"""Why a plan is as it is: of every assignment, every open hour and every member, as plain values.

Belongs here: the answer of explain.py, without numpy. Does not belong here: how it is found (explain.py) and its
sentences (wording.py).
Points are Decimals of four places, hours of two. "An hour" is an hour at the margin: a figure holds for as many
hours as stand beside it, and beyond them a change costs at least as much or gains at most as much.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from prism_core.calendar import Week
from prism_core.capacity.problem import Pair


class Constraint(StrEnum):
    """What keeps hours open, or a member idle.

    `nobody`: the week has no members. `no_skill`: nobody has the skills. `no_hours`: everybody who could has
    better work. `time_off`: the same, and time off of those who could would cover the open hours. `people_limit`,
    `few_people`, `project_limit`, `block`: the most people of a project, the fewest at once, the most projects of
    a member, the shortest piece of work. `choice`: nothing but whom the plan chose; a better choice lies within
    its gap. `pin`, `excluded`: what a person decided. `published`: hours that the plan keeps where they were
    published. `no_demand`: nothing is open that they could do. `not_worth`: the hours would cost more points than
    they earn.
    """

    NOBODY = "nobody"
    NO_SKILL = "no_skill"
    NO_HOURS = "no_hours"
    TIME_OFF = "time_off"
    PEOPLE_LIMIT = "people_limit"
    FEW_PEOPLE = "few_people"
    PROJECT_LIMIT = "project_limit"
    BLOCK = "block"
    CHOICE = "choice"
    PIN = "pin"
    EXCLUDED = "excluded"
    PUBLISHED = "published"
    NO_DEMAND = "no_demand"
    NOT_WORTH = "not_worth"


class ChangeKind(StrEnum):
    """What a person can change about one member so that a line gets an hour more.

    `overtime`: an hour more of it allowed. `hours`: an hour more by contract. `time_off`: an hour of it worked.
    `skill`: the skills of the line learnt. `exclusion`: taken away. `person`: joins the project beyond its
    limit. `alone`: works on the project, which asks for one person at once instead of several. `join`: joins the
    project, as its limits allow. `project`: one project more than the member may have. `block`: works shorter
    pieces. `unpin`: an hour less of a pin on another project. `pin`: an hour more of the pin on this one.
    """

    OVERTIME = "overtime"
    HOURS = "hours"
    TIME_OFF = "time_off"
    SKILL = "skill"
    EXCLUSION = "exclusion"
    PERSON = "person"
    ALONE = "alone"
    JOIN = "join"
    PROJECT = "project"
    BLOCK = "block"
    UNPIN = "unpin"
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class Switch:
    """An hour taken from an assignment, everything else planned anew at best.

    `member_id`: who takes it over, None when it stays open. `cost`: points an hour that the plan loses;
    `hours`: for how many hours that holds.
    """

    member_id: str | None
    cost: Decimal
    hours: Decimal


@dataclass(frozen=True, slots=True)
class AssignmentWhy:
    """The terms of an assignment's points; those of the load are the member's (MemberWhy).

    `switch` is None where `held` says what keeps every hour in place.
    """

    member_id: str
    project_id: str
    hours: Decimal
    terms: Mapping[str, Decimal]
    switch: Switch | None
    held: Constraint | None

    @property
    def pair(self) -> Pair:
        return self.member_id, self.project_id


@dataclass(frozen=True, slots=True)
class Change:
    """The change that gives a line an hour for the most points.

    `gain`: points an hour that the plan gains at least when the line gets it, for `hours` hours. `day`: of time
    off. `project_id`: of the pin that gives the hour. `skills`: those that are missing, with the level needed.
    """

    kind: ChangeKind
    member_id: str
    gain: Decimal
    hours: Decimal
    day: date | None = None
    project_id: str | None = None
    skills: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class UnmetWhy:
    """What keeps the hours of a line open; `change` is None when no change of one member would be worth it."""

    line_id: str
    project_id: str
    hours: Decimal
    constraint: Constraint
    change: Change | None


@dataclass(frozen=True, slots=True)
class MemberWhy:
    """A member's week. `terms`: what the load costs. `idle_why` is None for those who are full or away.

    `next_hour`: points that one hour more of theirs would earn at least, None without any hours this week.
    """

    member_id: str
    available: Decimal
    idle: Decimal
    overtime: Decimal
    terms: Mapping[str, Decimal]
    idle_why: Constraint | None
    next_hour: Decimal | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody with the skills of a line, and an hour more of theirs on it, everything else planned anew.

    `gain`: points an hour that the plan gains, below 0 for what it loses; `hours`: for how many hours that holds.
    `kept_out`: the decision or limit that would have to give way first.
    """

    member_id: str
    gain: Decimal
    hours: Decimal
    kept_out: Constraint | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan explained whole, each part in the order of the plan. `relative_to`: what is taken as given.

    `given_up`: points that the best plan with the same choices has more, where days are too short for its pieces
    of work; the costs are those around that plan.
    """

    week: Week
    relative_to: tuple[Constraint, ...]
    given_up: Decimal
    assignments: tuple[AssignmentWhy, ...]
    unmet: tuple[UnmetWhy, ...]
    members: tuple[MemberWhy, ...]
