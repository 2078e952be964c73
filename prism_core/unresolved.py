"""Work of a week that belongs to nobody yet: unresolved workers and unmapped labelling jobs.

Belongs here: the rows of a week, each with the likeliest member or project from four weeks of evidence.
Does not belong here: the ranking (suggestions.py), reading (the asset) and deciding (a person).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.people import Member
from prism_core.models.projects import Project
from prism_core.models.work import Allocation, ThroughputWeek
from prism_core.models.workers import JOB_PREFIX, Suggestion
from prism_core.quality_subjects import WORKER_PREFIX
from prism_core.suggestions import Colleague, Seen, suggest_members, suggest_projects

WINDOW_WEEKS: Final = 4
NOT_QUEUED: Final = "not queued"


@dataclass(frozen=True, slots=True)
class UnresolvedRow:
    """One row of the lake's `unresolved_workers`. `status` is what the workers table says of the name today."""

    subject: str
    kind: str
    tasks_submitted: int
    first_day: date
    last_day: date
    status: str
    suggestion: str | None
    suggestion_score: Decimal | None

    def lake_row(self) -> dict[str, Any]:
        """The row as the lake's columns: the score as a double."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {
            "suggestion_score": None if self.suggestion_score is None else float(self.suggestion_score)
        }


def _counters() -> defaultdict[str, Counter[str]]:
    return defaultdict(Counter)


def _days() -> defaultdict[str, Counter[date]]:
    return defaultdict(Counter)


def _hours() -> defaultdict[str, defaultdict[str, Decimal]]:
    return defaultdict(lambda: defaultdict(Decimal))


@dataclass(slots=True)
class WeekEvidence:
    """What a week says about who may be who, small enough to keep four of them.

    Tasks of each unresolved subject by day, and of each worker by project; of each member the planned hours by
    project, and the tasks of their own account.
    """

    by_day: defaultdict[str, Counter[date]] = field(default_factory=_days)
    by_project: defaultdict[str, Counter[str]] = field(default_factory=_counters)
    planned: defaultdict[str, defaultdict[str, Decimal]] = field(default_factory=_hours)
    busy: Counter[str] = field(default_factory=Counter[str])

    @classmethod
    def of(cls, throughput: Iterable[ThroughputWeek], allocations: Iterable[Allocation]) -> "WeekEvidence":
        found = cls()
        for item in throughput:
            tasks = {day.day: day.tasks_submitted for day in item.days}
            if item.project_id.startswith(JOB_PREFIX):
                found.by_day[item.project_id].update(tasks)
            if item.member_id.startswith(WORKER_PREFIX):
                found.by_day[item.member_id].update(tasks)
                found.by_project[item.member_id][item.project_id] += item.tasks_submitted
            else:
                found.busy[item.member_id] += item.tasks_submitted
        for allocation in allocations:
            found.planned[allocation.member_id][allocation.project_id] += allocation.total
        return found


class Guesses:
    """The likeliest candidate of a name, from a window of weeks."""

    def __init__(
        self, window: Iterable[WeekEvidence], members: Iterable[Member], projects: Iterable[Project]
    ) -> None:
        self._weeks = list(window)
        self._projects = list(projects)
        self._planned, self._busy = _hours(), Counter[str]()
        for week in self._weeks:
            self._busy.update(week.busy)
            for member, hours in week.planned.items():
                for project, planned in hours.items():
                    self._planned[member][project] += planned
        self._on_project: defaultdict[str, list[Member]] = defaultdict(list)
        for member in members:
            for project in self._planned.get(member.member_id, ()):
                self._on_project[project].append(member)

    def best(self, subject: str) -> Suggestion | None:
        """The first suggestion for `worker:…` or `job:…`; None when nobody is likely."""
        if subject.startswith(JOB_PREFIX):
            found = suggest_projects(subject.removeprefix(JOB_PREFIX), self._projects, most=1)
        else:
            found = suggest_members(self._seen(subject), self._colleagues(subject), most=1)
        return found[0] if found else None

    def _seen(self, subject: str) -> Seen:
        by_project, by_day = Counter[str](), Counter[date]()
        for week in self._weeks:
            by_project.update(week.by_project.get(subject, {}))
            by_day.update(week.by_day.get(subject, {}))
        return Seen(by_project, by_day)

    def _colleagues(self, subject: str) -> list[Colleague]:
        """Who was planned on a project of this worker: nobody else reaches the least score of a suggestion."""
        projects = {project for week in self._weeks for project in week.by_project.get(subject, Counter[str]())}
        members = {m.member_id: m for project in projects for m in self._on_project.get(project, ())}
        return [Colleague(members[key], self._planned[key], self._busy.get(key, 0)) for key in sorted(members)]


def week_unresolved(
    week: Week,
    window: Mapping[Week, WeekEvidence],
    members: Iterable[Member],
    projects: Iterable[Project],
    statuses: Mapping[str, str],
) -> list[UnresolvedRow]:
    """A row for every name that did work in `week` and belongs to nobody, the most work first.

    `statuses` are those of the workers table by its key. Raises BadUsage when the window has another week, or
    not this one.
    """
    if week not in window or not set(window) <= set(week.window(WINDOW_WEEKS)):
        raise BadUsage(f"the window of {week} has {week} and up to {WINDOW_WEEKS - 1} weeks before it, no others")
    guesses = Guesses(window.values(), members, projects)
    rows = [_row(subject, days, guesses, statuses) for subject, days in window[week].by_day.items()]
    return sorted(rows, key=lambda row: (-row.tasks_submitted, row.subject))


def _row(subject: str, days: Mapping[date, int], guesses: Guesses, statuses: Mapping[str, str]) -> UnresolvedRow:
    best = guesses.best(subject)
    return UnresolvedRow(
        subject,
        "job" if subject.startswith(JOB_PREFIX) else "worker",
        sum(days.values()),
        min(days),
        max(days),
        statuses.get(subject.removeprefix(WORKER_PREFIX), NOT_QUEUED),
        None if best is None else best.candidate,
        None if best is None else best.score,
    )
