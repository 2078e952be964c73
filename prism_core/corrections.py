"""Human corrections of a week, applied.

Belongs here: whose work a record counts as once corrected, and the same for weeks that are added up already.
Does not belong here: storing corrections, and the raw records, which are never touched.
Corrections of one instant (one call) apply at once, each to what it found: two people who swapped accounts are
two corrections of one call. Later ones see what the earlier ones left. Every task counts exactly once.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.disputes import Correction, FactTable
from prism_core.models.work import QualityReview, ThroughputDay, ThroughputWeek

_EFFECTIVE = (
    "week", "correction_id", "table", "review_id", "from_member", "from_project", "to_member", "to_project",
    "days", "created",
)  # fmt: skip
_WORDLESS = {"reason": "as it was", "created_by": "as it was"}
_OUTCOMES = ("tasks_submitted", "tasks_returned", "tasks_declined", "tasks_accepted", "tasks_other")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose work for which project, and whether each of them is known."""

    project_id: str
    member_id: str
    project_resolved: bool
    worker_resolved: bool


@dataclass(frozen=True, slots=True)
class Reassigned:
    """Whose it is after all corrections, and the corrections that moved it, in order."""

    subject: Subject
    by: tuple[str, ...] = ()


class Reassignment:
    """The corrections of one week and table."""

    def __init__(self, corrections: Iterable[Correction], table: FactTable = FactTable.THROUGHPUT) -> None:
        """Raises BadUsage for corrections of two weeks."""
        mine = sorted((c for c in corrections if c.table is table), key=lambda c: (c.created, c.correction_id))
        weeks = sorted({correction.week for correction in mine})
        if len(weeks) > 1:
            raise BadUsage(f"corrections are applied week by week, not to {', '.join(map(str, weeks))} at once")
        self.ids = tuple(correction.correction_id for correction in mine)
        # Within one instant the most specific correction wins.
        self._rounds = [
            sorted(together, key=lambda c: (-_conditions(c), c.correction_id))
            for _, together in groupby(mine, key=lambda correction: correction.created)
        ]

    def apply(self, subject: Subject, day: date | None, review_id: str | None = None) -> Reassigned:
        """The subject of what was done on a day, or reviewed in the week (no day)."""
        by: list[str] = []
        for together in self._rounds:
            found = next((c for c in together if _matches(c, subject, day, review_id)), None)
            if found is not None:
                subject = _target(found, subject)
                by.append(found.correction_id)
        return Reassigned(subject, tuple(by))


@dataclass(frozen=True, slots=True)
class Corrected:
    """Rows after the corrections. `tasks` counts what each correction moved; `idle` are those that moved none."""

    rows: tuple[ThroughputWeek, ...]
    tasks: dict[str, int]
    idle: tuple[str, ...]


def corrected_weeks(rows: Iterable[ThroughputWeek], corrections: Iterable[Correction]) -> Corrected:
    """What a week would look like: a preview from rows that are added up already.

    Counts and seconds equal those of a recomputation from the records; active seconds may differ by the rounding
    of each row. The median of two rows is not known here and left out. Raises BadUsage for two weeks.
    """
    reassignment, tasks = Reassignment(corrections), Counter[str]()
    weeks: set[Week] = set()
    gathered: dict[Subject, dict[date, ThroughputDay]] = {}
    for row in rows:
        weeks.add(row.week)
        before = Subject(row.project_id, row.member_id, row.project_resolved, row.worker_resolved)
        for day in row.days:
            moved = reassignment.apply(before, day.day)
            tasks.update(dict.fromkeys(moved.by, _tasks(day)))
            of_subject = gathered.setdefault(moved.subject, {})
            of_subject[day.day] = _merged(of_subject[day.day], day) if day.day in of_subject else day
    if len(weeks) > 1:
        raise BadUsage("corrections are applied week by week")
    return Corrected(
        tuple(_rows(weeks, gathered)), dict(tasks), tuple(one for one in reassignment.ids if one not in tasks)
    )


@dataclass(frozen=True, slots=True)
class CorrectedReview:
    """A review as it counts, and the corrections that moved it, in order."""

    review: QualityReview
    by: tuple[str, ...]


def corrected_reviews(
    reviews: Sequence[QualityReview], corrections: Iterable[Correction]
) -> tuple[CorrectedReview, ...]:
    """Reviews of one week as they count once corrected: reviewed and correct pieces stay the same in sum."""
    reassignment = Reassignment(corrections, FactTable.QUALITY)

    def corrected(review: QualityReview) -> CorrectedReview:
        before = Subject(review.project_id, review.member_id, project_resolved=True, worker_resolved=True)
        found = reassignment.apply(before, None, review.review_id)
        place = {"project_id": found.subject.project_id, "member_id": found.subject.member_id}
        return CorrectedReview(review.model_copy(update=place), found.by)

    return tuple(map(corrected, reviews))


def members_behind(member_id: str, corrections: Iterable[Correction], table: FactTable) -> frozenset[str] | None:
    """Whose work may count as this member's once corrected, the member among them: no others' need be read.

    None where a correction moves work of nobody in particular: it may be anybody's.
    """
    moved = [(c.from_member, c.to_member) for c in corrections if c.table is table and c.to_member]
    found, known = {member_id}, 0
    while len(found) > known:
        known = len(found)
        behind = {giver for giver, taker in moved if taker in found}
        if None in behind:
            return None
        found |= {giver for giver in behind if giver is not None}
    return frozenset(found)


def effect_text(correction: Correction) -> str:
    """What a correction does, without its words: they are for people, and may change."""
    plain = correction.plain()
    return json.dumps({name: plain[name] for name in _EFFECTIVE if name in plain}, sort_keys=True)


def of_effect_text(text: str) -> Correction:
    """The inverse of `effect_text`, without the words."""
    return Correction.from_plain(json.loads(text) | _WORDLESS)


def _conditions(correction: Correction) -> int:
    named = (correction.from_member, correction.from_project, correction.review_id, correction.days or None)
    return sum(one is not None for one in named)


def _matches(correction: Correction, subject: Subject, day: date | None, review_id: str | None) -> bool:
    return (
        correction.from_member in {None, subject.member_id}
        and correction.from_project in {None, subject.project_id}
        and (not correction.days or day in correction.days)
        and correction.review_id in {None, review_id}
    )


def _target(correction: Correction, subject: Subject) -> Subject:
    """Targets are members and projects, so they are known."""
    return Subject(
        correction.to_project or subject.project_id,
        correction.to_member or subject.member_id,
        project_resolved=subject.project_resolved or correction.to_project is not None,
        worker_resolved=subject.worker_resolved or correction.to_member is not None,
    )


def _rows(weeks: set[Week], gathered: dict[Subject, dict[date, ThroughputDay]]) -> Iterable[ThroughputWeek]:
    """One row a project and member. A member that is resolved on some days only is not resolved in the week."""
    subjects = sorted(gathered, key=lambda subject: (subject.project_id, subject.member_id))
    for (project_id, member_id), same in groupby(subjects, key=lambda s: (s.project_id, s.member_id)):
        parts = list(same)
        days: dict[date, ThroughputDay] = {}
        for part in parts:
            for day, entry in gathered[part].items():
                days[day] = _merged(days[day], entry) if day in days else entry
        yield ThroughputWeek(
            project_id=project_id,
            week=next(iter(weeks)),
            member_id=member_id,
            days=tuple(days[day] for day in sorted(days)),
            worker_resolved=all(part.worker_resolved for part in parts),
            project_resolved=all(part.project_resolved for part in parts),
        )


def _tasks(day: ThroughputDay) -> int:
    return sum(int(getattr(day, outcome)) for outcome in _OUTCOMES)


def _merged(one: ThroughputDay, other: ThroughputDay) -> ThroughputDay:
    submitted = one.tasks_submitted + other.tasks_submitted
    wall = one.wall_seconds + other.wall_seconds
    active = [day.active_seconds for day in (one, other) if day.active_seconds is not None]
    # With tasks on one side only, its median is the median of both.
    medians = [day.median_handle_seconds for day in (one, other) if day.tasks_submitted]
    return ThroughputDay(
        day=one.day,
        **{outcome: getattr(one, outcome) + getattr(other, outcome) for outcome in _OUTCOMES},
        wall_seconds=wall,
        active_seconds=sum(active) if active else None,
        median_handle_seconds=medians[0] if len(medians) == 1 else None,
        mean_handle_seconds=Decimal(wall) / submitted if submitted else None,
        tasks_per_hour=Decimal(submitted * 3600) / wall if wall else None,
    )
