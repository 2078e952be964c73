"""Who an unresolved worker may be, and which project a labelling job may belong to.

Belongs here: ranked guesses with their reasons, the same for the same input. Does not belong here: deciding
(a person does) and gathering the evidence (who calls). A score is a ranking between 0 and 1, no probability.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from difflib import SequenceMatcher
from zoneinfo import ZoneInfo

from prism_core.availability import contracted
from prism_core.models.base import measure
from prism_core.models.people import Member, MemberStatus
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.workers import Suggestion

MOST = 5
LEAST_SCORE = Decimal("0.15")
# Being planned on the very projects says more than working at plausible hours, which many colleagues do.
PROJECTS_WEIGHT, HOURS_WEIGHT = Decimal("0.75"), Decimal("0.25")
# Whose own account is busy already is rarely a second worker, but a new pool gives everybody a second one.
BUSY_FACTOR = Decimal("0.50")
DAY_STARTS, DAY_ENDS = 7, 20  # local hours in which people plausibly work
_ZERO, _ONE = Decimal(0), Decimal(1)
_WORD = re.compile(r"[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Seen:
    """What an unresolved worker did: tasks by project, by day, and by the start of the hour where it is known."""

    tasks_by_project: Mapping[str, int]
    tasks_by_day: Mapping[date, int]
    tasks_by_hour: Mapping[datetime, int] = field(default_factory=dict[datetime, int])


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member who may be the worker: hours planned by project in the same weeks, tasks of their own account."""

    member: Member
    allocated_hours: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    busy_tasks: int = 0


def suggest_members(seen: Seen, colleagues: Iterable[Colleague], most: int = MOST) -> tuple[Suggestion, ...]:
    """The likeliest members first; ties by member id. Inactive members and scores below the least are left out."""
    found = [_of_colleague(seen, one) for one in colleagues if one.member.status is MemberStatus.ACTIVE]
    return _ranked(found, most)


def suggest_projects(job: str, projects: Iterable[Project], most: int = MOST) -> tuple[Suggestion, ...]:
    """The projects whose id, name or labelling jobs resemble the job's name most; closed ones are left out."""
    return _ranked([_of_project(job, p) for p in projects if p.status is not ProjectStatus.CLOSED], most)


def _ranked(found: Iterable[Suggestion], most: int) -> tuple[Suggestion, ...]:
    good = [suggestion for suggestion in found if suggestion.score >= LEAST_SCORE]
    return tuple(sorted(good, key=lambda suggestion: (-suggestion.score, suggestion.candidate))[:most])


def _of_colleague(seen: Seen, colleague: Colleague) -> Suggestion:
    member, planned = colleague.member, colleague.allocated_hours
    on_projects, shared = _project_overlap(seen.tasks_by_project, planned)
    at_work, when = _presence(seen, member)
    score = PROJECTS_WEIGHT * on_projects + HOURS_WEIGHT * at_work
    reasons = [_shared_reason(seen, shared), f"{_percent(at_work)} of the tasks {when}"]
    if not shared:
        score *= HOURS_WEIGHT  # hours alone fit half of the team
    if colleague.busy_tasks:
        score *= BUSY_FACTOR
        reasons.append(f"but their own account did {colleague.busy_tasks} tasks in the same weeks")
    return Suggestion(candidate=member.member_id, score=measure(score), why="; ".join(reasons))


def _project_overlap(tasks: Mapping[str, int], planned: Mapping[str, Decimal]) -> tuple[Decimal, list[str]]:
    """How well the worker's projects are those of the plan, both ways, and the projects in common.

    The share of the tasks on planned projects, times how much of the plan those projects are: who was planned
    on ten projects is a poorer match than who was planned on just these.
    """
    shared = sorted(project for project in tasks if planned.get(project, _ZERO) > 0)
    total, hours = sum(tasks.values()), sum(planned.values(), _ZERO)
    if not shared or not total or not hours:
        return _ZERO, []
    covered = Decimal(sum(tasks[project] for project in shared)) / total
    explained = sum((planned[project] for project in shared), _ZERO) / hours
    return covered * (_ONE + explained) / 2, shared


def _presence(seen: Seen, member: Member) -> tuple[Decimal, str]:
    """The share of the tasks at the member's working hours; on their weekdays where only days are known."""
    if seen.tasks_by_hour:
        zone = ZoneInfo(member.time_zone)
        local = {hour: hour.astimezone(zone) for hour in seen.tasks_by_hour}
        inside = sum(
            tasks
            for hour, tasks in seen.tasks_by_hour.items()
            if DAY_STARTS <= local[hour].hour < DAY_ENDS and contracted(member, local[hour].date())
        )
        return Decimal(inside) / sum(seen.tasks_by_hour.values()), f"at working hours in {member.time_zone}"
    inside = sum(tasks for day, tasks in seen.tasks_by_day.items() if contracted(member, day))
    total = sum(seen.tasks_by_day.values())
    return Decimal(inside) / total if total else _ZERO, "on weekdays that they work"


def _shared_reason(seen: Seen, shared: list[str]) -> str:
    if not shared:
        return "planned on none of the worker's projects"
    tasks = Decimal(sum(seen.tasks_by_project[project] for project in shared))
    share = tasks / sum(seen.tasks_by_project.values())
    return f"planned on {', '.join(shared)}, where {_percent(share)} of the tasks were done"


def _of_project(job: str, project: Project) -> Suggestion:
    named = [(project.project_id, "its id"), (project.name, "its name")]
    named += [(entry.job.replace("*", ""), f"its labelling job {entry.job}") for entry in project.labeling_jobs]
    score, what = max(((_likeness(job, text), what) for text, what in named if text), key=lambda pair: pair[0])
    return Suggestion(candidate=project.project_id, score=measure(score), why=f"resembles {what}")


def _likeness(job: str, text: str) -> Decimal:
    """Words in common, and the text inside each other: `birds-2024-batch-3` is like `Birds 2024`."""
    left, right = _words(job), _words(text)
    if not left or not right:
        return _ZERO
    common = sum(len(word) for word in set(left) & set(right))
    words = Decimal(2 * common) / (sum(map(len, set(left))) + sum(map(len, set(right))))
    # Without junk detection: it would make the answer depend on the length of the names.
    matcher = SequenceMatcher(None, " ".join(left), " ".join(right), autojunk=False)
    return (words + Decimal(str(matcher.ratio()))) / 2


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _percent(share: Decimal) -> str:
    return f"{share:.0%}"
