"""Whose work it was, and for which project.

Belongs here: pure resolution of a worker to a member and of a labelling job to a project, on a day.
Does not belong here: guessing (suggestions) and queueing what stays unresolved (the throughput assets).
A day is never resolved by luck: where two answers are equally good there is none, and it is reported.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from prism_core.models.projects import LabelingJob, Project
from prism_core.models.workers import Worker, WorkerStatus


def resolve_member(worker: Worker, day: date) -> str | None:
    """The member who was this worker on a day: `from` is included, `to` is not. None when nobody was."""
    if worker.status is WorkerStatus.IGNORED:
        return None
    for period in worker.periods:
        if period.from_ <= day and (period.to is None or day < period.to):
            return period.member
    return None


@dataclass(frozen=True, slots=True)
class JobMatch:
    """What a job resolves to on a day. `candidates` are the equally good projects, sorted."""

    job: str
    day: date
    candidates: tuple[str, ...]

    @property
    def project_id(self) -> str | None:
        return self.candidates[0] if len(self.candidates) == 1 else None

    @property
    def ambiguous(self) -> bool:
        return len(self.candidates) > 1


@dataclass(frozen=True, slots=True)
class _Rule:
    project_id: str
    entry: LabelingJob
    expression: re.Pattern[str]

    @property
    def rank(self) -> tuple[bool, int]:
        """An exact name beats every pattern, a longer pattern beats a shorter one."""
        return (not self.entry.is_pattern, len(self.entry.job))

    def valid_on(self, day: date) -> bool:
        return self.entry.valid_from <= day and (self.entry.valid_to is None or day < self.entry.valid_to)


class JobResolver:
    """Maps a labelling job on a day to its project.

    Rules that match a name are looked up once a name: a week holds a hundred thousand records of a hundred
    jobs.
    """

    def __init__(self, projects: Iterable[Project]) -> None:
        rules = [
            _Rule(project.project_id, entry, _expression(entry.job))
            for project in projects
            for entry in project.labeling_jobs
        ]
        self._rules = sorted(rules, key=lambda rule: rule.rank, reverse=True)
        self._matching: dict[str, list[_Rule]] = {}

    def resolve(self, job: str, day: date) -> str | None:
        """The project of a job on a day; None when no rule matches or two projects match equally well."""
        return self.explain(job, day).project_id

    def explain(self, job: str, day: date) -> JobMatch:
        """The same with its candidates, so that an ambiguous job can be reported as such."""
        if job not in self._matching:
            self._matching[job] = [rule for rule in self._rules if rule.expression.fullmatch(job)]
        valid = [rule for rule in self._matching[job] if rule.valid_on(day)]
        best = {rule.project_id for rule in valid if rule.rank == valid[0].rank}
        return JobMatch(job, day, tuple(sorted(best)))


def _expression(job: str) -> re.Pattern[str]:
    """Only `*` is special: a job name may hold no character that fnmatch would read otherwise, but its
    classes and `?` would be a second syntax."""
    return re.compile(".*".join(re.escape(part) for part in job.split("*")), re.DOTALL)
