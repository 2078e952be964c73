"""The weeks in which a subject has rows: where a change of a register can move figures.

Belongs here: looking touched subjects up in throughput and among the corrections, by their indexes.
Does not belong here: which subjects a change touches (prism_core/touched.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from prism_core.calendar import Week, WeekRange
from prism_core.models.disputes import Correction, FactTable
from prism_core.models.work import ThroughputWeek
from prism_core.touched import Span, Touched
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
            for first, last in self._ranges(spans[subject]):
                days = ((row.week, entry.day) for row in rows(subject, first, last) for entry in row.days)
                found |= {week for week, day in days if any(day in span for span in spans[subject])}
                found |= set(self._corrected(source, subject, first, last))
        return found

    def _ranges(self, spans: Iterable[Span]) -> Iterator[tuple[Week, Week]]:
        """One range around all spans, cut to the weeks that there are."""
        first_day, end = self._weeks.first.monday, (self._weeks.last + 1).monday
        within = [Span(max(span.first, first_day), min(span.until, end)) for span in spans]
        within = [span for span in within if span.first < span.until]
        if within:
            yield Week.of(min(span.first for span in within)), _last_week(max(span.until for span in within))

    def _corrected(self, source: str, subject: str, first: Week, last: Week) -> Iterator[Week]:
        """What a correction has moved away stands under another name; what it finds changes with the register."""
        named: dict[str, Any] = {source: subject}
        found = self._corrections.query(f"by_{source}", first=first, last=last, **named)
        return (one.week for one in found if one.table is FactTable.THROUGHPUT)


def _last_week(until: date) -> Week:
    return Week.of(date.fromordinal(until.toordinal() - 1))
