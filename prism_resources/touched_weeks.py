"""The weeks in which a subject has rows: where a change of a register can move figures.

Belongs here: looking touched subjects up in throughput, among the corrections and the reviews, by their indexes.
Does not belong here: which subjects a change touches (prism_core/touched.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from prism_core.calendar import Week, WeekRange
from prism_core.models.disputes import Correction, FactTable
from prism_core.models.work import QualityReview, ThroughputWeek
from prism_core.models.workers import JOB_PREFIX
from prism_core.table_spec import AFTER_ALL
from prism_core.touched import JobRule, Span, Touched, patterns_overlap
from prism_resources.ahead import read_ahead
from prism_resources.tables.generations import Generations
from prism_resources.tables.reader import TableReader

_Rows = Callable[[str, Week, Week], Iterable[ThroughputWeek]]


class TouchedWeeks:
    """Answers within `weeks`, the ones that can be materialised."""

    def __init__(
        self, throughput: Generations[ThroughputWeek], corrections: TableReader[Correction], weeks: WeekRange
    ) -> None:
        self._throughput, self._corrections, self._weeks = throughput, corrections, weeks

    def of_members(self, touched: Iterable[Touched]) -> set[Week]:
        """Weeks with work of these members or workers on a day of their spans."""
        return self._of(touched, self._throughput.member, "from_member")

    def of_projects(self, touched: Iterable[Touched]) -> set[Week]:
        """Weeks with work for these projects or labelling jobs on a day of their spans."""
        return self._of(touched, self._throughput.project, "from_project")

    def _of(self, touched: Iterable[Touched], rows: _Rows, source: str) -> set[Week]:
        spans: defaultdict[str, list[Span]] = defaultdict(list)
        for one in touched:
            spans[one.subject].append(one.span)
        found: set[Week] = set()
        for subject in sorted(spans):
            around = _around(spans[subject], self._weeks)
            if around is not None:
                first, last = around.first, around.last
                days = ((row.week, entry.day) for row in rows(subject, first, last) for entry in row.days)
                found |= {week for week, day in days if any(day in span for span in spans[subject])}
                found |= set(self._corrected(source, subject, first, last))
        return found

    def _corrected(self, source: str, subject: str, first: Week, last: Week) -> Iterator[Week]:
        """What a correction has moved away stands under another name; what it finds changes with the register."""
        named: dict[str, Any] = {source: subject}
        found = self._corrections.query(f"by_{source}", first=first, last=last, **named)
        return (one.week for one in found if one.table is FactTable.THROUGHPUT)


class TouchedReviews:
    """Answers for reviews that a file gave to workers and labelling jobs. A review is of a week and has no day."""

    def __init__(self, reviews: TableReader[QualityReview], weeks: WeekRange) -> None:
        self._reviews, self._weeks = reviews, weeks

    def of_workers(self, touched: Iterable[Touched]) -> set[Week]:
        """Weeks with a review of these workers in their spans."""
        found: set[Week] = set()
        for one in touched:
            around = _around([one.span], self._weeks)
            if around is not None:
                subject, first, last = one.subject, around.first, around.last
                rows = self._reviews.query("by_member", member_id=subject, first=first, last=last)
                found |= {row.week for row in rows}
        return found

    def of_jobs(self, rules: Iterable[JobRule]) -> set[Week]:
        """Weeks with a review of a labelling job that fits a rule while it holds."""
        names: defaultdict[Week, set[str]] = defaultdict(set)
        for rule in rules:
            for week in _around([rule.span], self._weeks) or ():
                names[week].add(rule.job)
        jobs = zip(names, read_ahead(self._jobs, names), strict=True)
        return {
            week
            for week, found in jobs
            if any(patterns_overlap(pattern, job) for pattern in names[week] for job in found)
        }

    def of_project(self, project_id: str, until: Week) -> set[Week]:
        """Weeks before `until` with a review that names a project."""
        return {one.week for one in self._reviews.query("by_project", project_id=project_id, last=until + -1)}

    def _jobs(self, week: Week) -> set[str]:
        """The labelling jobs that reviews of a week name."""
        found = self._reviews.query("by_week", week=week, first=JOB_PREFIX, last=JOB_PREFIX + AFTER_ALL)
        return {review.project_id.removeprefix(JOB_PREFIX) for review in found}


def _around(spans: Iterable[Span], weeks: WeekRange) -> WeekRange | None:
    """One range around all spans, cut to the weeks that there are."""
    first_day, end = weeks.first.monday, (weeks.last + 1).monday
    within = [Span(max(span.first, first_day), min(span.until, end)) for span in spans]
    within = [span for span in within if span.first < span.until]
    if not within:
        return None
    last_day = date.fromordinal(max(span.until for span in within).toordinal() - 1)
    return WeekRange(Week.of(min(span.first for span in within)), Week.of(last_day))
