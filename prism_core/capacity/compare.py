"""Two plans of a week side by side: who works where instead, what stays open instead, and what that is worth.

Belongs here: the differences as plain values. Does not belong here: making the plans (solve.py) and sentences
(wording.py).
Hours have two places and points four; a difference is the second plan less the first.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from prism_core.calendar import Week
from prism_core.capacity.plan import PlanResult
from prism_core.capacity.problem import NO_HOURS, Pair
from prism_core.failures import BadUsage

_NO_POINTS = Decimal("0.0000")


@dataclass(frozen=True, slots=True)
class AssignmentChange:
    """Hours of a member on a project that differ."""

    member_id: str
    project_id: str
    before: Decimal
    after: Decimal

    @property
    def hours(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class UnmetChange:
    """Open hours of a demand line that differ; a line that a plan does not have has none open there."""

    line_id: str
    project_id: str
    before: Decimal
    after: Decimal

    @property
    def hours(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """What the second plan has otherwise. `terms` of the objective in points, those that do not differ left out.

    `by_member`, `by_project`: planned hours. `moved_hours`: those of the first plan that are no longer where they
    were. `objective` is comparable only where weights and demand are the same.
    """

    week: Week
    objective: Decimal
    terms: Mapping[str, Decimal]
    assignments: tuple[AssignmentChange, ...]
    unmet: tuple[UnmetChange, ...]
    by_member: Mapping[str, Decimal]
    by_project: Mapping[str, Decimal]
    moved_hours: Decimal
    unmet_hours: Decimal


def difference(before: PlanResult, after: PlanResult) -> PlanDifference:
    """What changes from one plan to the other. Raises BadUsage when they are of different weeks."""
    if before.week != after.week:
        raise BadUsage(f"a plan of {before.week} and one of {after.week} cannot be compared; take two of one week")
    changes = tuple(_assignments(before, after))
    by_member: defaultdict[str, Decimal] = defaultdict(lambda: NO_HOURS)
    by_project: defaultdict[str, Decimal] = defaultdict(lambda: NO_HOURS)
    for one in changes:
        by_member[one.member_id] += one.hours
        by_project[one.project_id] += one.hours
    names = dict.fromkeys((*before.terms, *after.terms))
    terms = {name: after.terms.get(name, _NO_POINTS) - before.terms.get(name, _NO_POINTS) for name in names}
    return PlanDifference(
        week=before.week,
        objective=after.objective - before.objective,
        terms={name: points for name, points in terms.items() if points},
        assignments=changes,
        unmet=tuple(_unmet(before, after)),
        by_member={name: hours for name, hours in sorted(by_member.items()) if hours},
        by_project={name: hours for name, hours in sorted(by_project.items()) if hours},
        moved_hours=sum((-one.hours for one in changes if one.hours < 0), NO_HOURS),
        unmet_hours=after.unmet_hours - before.unmet_hours,
    )


def _assignments(before: PlanResult, after: PlanResult) -> list[AssignmentChange]:
    first: dict[Pair, Decimal] = {one.pair: one.hours for one in before.assignments}
    second: dict[Pair, Decimal] = {one.pair: one.hours for one in after.assignments}
    return [
        AssignmentChange(*pair, first.get(pair, NO_HOURS), second.get(pair, NO_HOURS))
        for pair in sorted({*first, *second})
        if first.get(pair) != second.get(pair)
    ]


def _unmet(before: PlanResult, after: PlanResult) -> list[UnmetChange]:
    first = {one.line_id: one for one in before.unmet}
    second = {one.line_id: one for one in after.unmet}
    found: list[UnmetChange] = []
    for line_id, one in sorted({**first, **second}.items()):
        was = first[line_id].hours if line_id in first else NO_HOURS
        now = second[line_id].hours if line_id in second else NO_HOURS
        if was != now:
            found.append(UnmetChange(line_id, one.project_id, was, now))
    return found
