"""A day has 24 hours: what a member is planned for on all projects together.

Belongs here: which writes of allocations overfill a day, and the words for it. Does not belong here: contracted
hours and time off (a plan may ask for overtime) and reading the other allocations of the week.
A write that leaves an overfull day as it is, or shortens it, is not to blame.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from prism_core.calendar import Week
from prism_core.models.work import Allocation

HOURS_A_DAY: Final = Decimal(24)
_ZERO: Final = Decimal("0.00")

Hours = Mapping[date, Decimal]
# One member and week: the hours by day of each project.
OfWeek = Mapping[str, Hours]


@dataclass(frozen=True, slots=True)
class Overfull:
    """A day of an allocation that would have more than 24 hours; `others` are the member's other projects."""

    member_id: str
    day: date
    hours: Decimal
    others: tuple[tuple[str, Decimal], ...]

    @property
    def total(self) -> Decimal:
        return sum((hours for _, hours in self.others), self.hours)

    @property
    def message(self) -> str:
        elsewhere = ", ".join(f"{hours} for {project}" for project, hours in self.others)
        beside = f" beside {elsewhere}" if elsewhere else ""
        return f"{self.member_id} would work {self.total} hours on {self.day}: {self.hours} here{beside}"


def overfull(of_week: OfWeek, before: Allocation | None, after: Allocation) -> list[Overfull]:
    """The days that a write overfills; what `of_week`, the member's week, says of its project is left out."""
    found: list[Overfull] = []
    for day, hours in sorted(after.hours.items()):
        if hours <= (_ZERO if before is None else before.hours.get(day, _ZERO)):
            continue
        others = tuple(
            (project, of_day[day])
            for project, of_day in sorted(of_week.items())
            if project != after.project_id and of_day.get(day, _ZERO)
        )
        if sum((one for _, one in others), hours) > HOURS_A_DAY:
            found.append(Overfull(after.member_id, day, hours, others))
    return found


def overfilling(
    stored: Iterable[Allocation], writes: Sequence[tuple[Allocation | None, Allocation]]
) -> dict[int, Overfull]:
    """Of many writes at once, those that cannot stand with the others, by their position.

    What one takes away makes room for another, so all are looked at together; a refused one takes nothing away.
    """
    kept = {(one.member_id, one.week, one.project_id): one.hours for one in stored}
    refused: dict[int, Overfull] = {}
    while True:
        left = [number for number in range(len(writes)) if number not in refused]
        after = kept | {_place(writes[number][1]): writes[number][1].hours for number in left}
        weeks: defaultdict[tuple[str, Week], dict[str, Hours]] = defaultdict(dict)
        for (member, week, project), hours in after.items():
            weeks[member, week][project] = hours
        found = {
            number: days[0]
            for number in left
            if (days := overfull(weeks[writes[number][1].member_id, writes[number][1].week], *writes[number]))
        }
        if not found:
            return refused
        refused |= found


def _place(allocation: Allocation) -> tuple[str, Week, str]:
    return allocation.member_id, allocation.week, allocation.project_id
