"""A plan of a week: who works how long on what, what stays open, and how good that is at least and at most.

Belongs here: the answer of the engine as plain values, without numpy. Does not belong here: its making (solve.py),
what it is worth (scoring.py), whether it keeps the rules (verifying.py) and why it is as it is (explanations).
Hours and points are Decimals; points have four places.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from prism_core.calendar import Week
from prism_core.capacity.problem import NO_HOURS, Level, Pair

_ONE: Final = Decimal(1)


class PlanState(StrEnum):
    """`optimum`: no better plan exists, proven. `bound`: none is better than the bound; the gap says by how much.

    `timed`: as `bound`, and a time limit ended the search, so that the same input may give another plan.
    """

    OPTIMUM = "optimum"
    BOUND = "bound"
    TIMED = "timed"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A member's hours on a project. `by_day`, and `by_line` with `beyond_demand` (of pins), sum to `hours`."""

    member_id: str
    project_id: str
    hours: Decimal
    by_day: Mapping[date, Decimal]
    by_line: Mapping[str, Decimal]
    beyond_demand: Decimal = NO_HOURS
    pinned: bool = False

    @property
    def pair(self) -> Pair:
        return self.member_id, self.project_id


@dataclass(frozen=True, slots=True)
class Unmet:
    """Hours of a demand line that nobody works."""

    line_id: str
    project_id: str
    hours: Decimal


@dataclass(frozen=True, slots=True)
class MemberLoad:
    """A member's week: hours they have, hours planned, and how many of these are above those of their day."""

    member_id: str
    available: Decimal
    planned: Decimal
    overtime: Decimal

    @property
    def idle(self) -> Decimal:
        return self.available - (self.planned - self.overtime)


@dataclass(frozen=True, slots=True)
class PlanResult:
    """`objective` and `bound` in points, `terms` sum to the objective. `assignments` by member and project.

    `moved_hours`: of a week planned again, the published hours that are no longer where they were.
    `seconds` by phase differ from run to run; the rest does not, unless the state is `timed`.
    """

    week: Week
    level: Level
    state: PlanState
    objective: Decimal
    bound: Decimal
    terms: Mapping[str, Decimal]
    assignments: tuple[Assignment, ...]
    unmet: tuple[Unmet, ...]
    loads: tuple[MemberLoad, ...]
    moved_hours: Decimal
    notes: tuple[str, ...]
    seconds: Mapping[str, float]

    @property
    def gap(self) -> Decimal:
        """How far the objective may lie below the best one, as a share of it."""
        return (self.bound - self.objective) / max(abs(self.objective), _ONE)

    @property
    def assigned_hours(self) -> Decimal:
        return sum((one.hours for one in self.assignments), NO_HOURS)

    @property
    def unmet_hours(self) -> Decimal:
        return sum((one.hours for one in self.unmet), NO_HOURS)
