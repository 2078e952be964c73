"""What a case of a rule is, and short ways to write its snapshot.

Belongs here: the type, the week that all cases are of, and builders of rows. Does not belong here: the cases, one
file a rule, and checking them (prism_core/alerts/fixtures.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from prism_core.alerts.snapshot import AlertSnapshot, MemberState, Planned, ProjectState, Worked, WorkWeek
from prism_core.calendar import Week
from prism_core.models.work import Severity

WEEK: Final = Week.parse("2026-W48")
ENDED: Final = WEEK + -1
AS_OF: Final = datetime(2026, 11, 23, 7, tzinfo=UTC)
MON, TUE, WED, THU, FRI, SAT, SUN = WEEK.days
FULL_TIME: Final = (Decimal("8.00"),) * 5 + (Decimal("0.00"),) * 2

# What a finding is about: subject and scope.
About = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """A snapshot and all that the rule must find in it: nothing more, nothing less. `name` is a sentence."""

    name: str
    snapshot: AlertSnapshot
    expected: Mapping[About, Severity] = field(default_factory=dict[About, Severity])

    @property
    def true(self) -> bool:
        """Whether there is anything to find."""
        return bool(self.expected)


def snapshot(*, as_of: datetime = AS_OF, **parts: Any) -> AlertSnapshot:
    """A snapshot of the week of all cases, on its Monday morning unless `as_of` says otherwise."""
    return AlertSnapshot(as_of=as_of, week=WEEK, ended=ENDED, **parts)


def members(*found: MemberState) -> dict[str, MemberState]:
    return {member.member_id: member for member in found}


def projects(*found: ProjectState) -> dict[str, ProjectState]:
    return {project.project_id: project for project in found}


def planned(member: str, project: str, hours: Mapping[date, str]) -> Planned:
    """An allocation of the week of its first day."""
    return Planned(member, Week.of(min(hours)), project, {day: Decimal(text) for day, text in hours.items()})


def worked(member: str, project: str, day: date, hours: str, tasks: int = 10) -> Worked:
    return Worked(project, member, day, tasks, int(Decimal(hours) * 3600))


def work(*rows: Worked) -> dict[Week, WorkWeek]:
    """Rows by their week."""
    weeks = {Week.of(row.day) for row in rows}
    return {week: WorkWeek.of(row for row in rows if row.day in week.days) for week in sorted(weeks)}
