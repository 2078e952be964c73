"""How good a week's work was, by member, project and today's category.

Belongs here: gathering reviews into cells, the severity-weighted score, the interval, the trend over four weeks.
Does not belong here: reading reviews, corrections and the taxonomy (the asset), and alerts about a score.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.base import measure
from prism_core.models.work import QualityReview, Severity
from prism_core.quality import accuracy
from prism_core.taxonomy import Taxonomy

# How much one error counts beside one correct piece. A review knows the severity of its worst error only.
WEIGHTS: Final[Mapping[Severity, Decimal]] = {
    Severity.LOW: Decimal("0.5"),
    Severity.MEDIUM: Decimal(1),
    Severity.HIGH: Decimal(2),
    Severity.CRITICAL: Decimal(5),
}
ORDINARY: Final = Decimal(1)
WINDOW_WEEKS: Final = 4
_NOTHING: Final = Decimal(0)
_RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}


class CellKey(NamedTuple):
    """Whose work, for which project, of which of today's categories (`unmapped:<raw>` where none names it)."""

    member_id: str
    project_id: str
    category: str
    mapped: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """The reviews of one key in one week, added up. `error_weight` is what its errors count together."""

    reviews: int = 0
    reviewed: int = 0
    correct: int = 0
    error_weight: Decimal = _NOTHING
    worst: Severity | None = None

    @property
    def score(self) -> Decimal:
        """Correct pieces over all pieces, each error with its weight: 1 without an error, 0 with nothing right."""
        return self.correct / (self.correct + self.error_weight) if self.reviewed else _NOTHING

    def plus(self, review: QualityReview) -> "Cell":
        errors = review.reviewed - review.correct
        return Cell(
            self.reviews + 1,
            self.reviewed + review.reviewed,
            self.correct + review.correct,
            self.error_weight + weight_of_errors(errors, review.severity),
            _worse(self.worst, review.severity if errors else None),
        )


Cells = Mapping[CellKey, Cell]


@dataclass(frozen=True, slots=True)
class QualityScore:
    """One row of the lake's `quality_scores`. `trend` is the change of the score a week, over the window."""

    member_id: str
    project_id: str
    category: str
    mapped: bool
    reviews: int
    reviewed: int
    correct: int
    share: Decimal | None
    low: Decimal
    high: Decimal
    score: Decimal
    trend: Decimal | None
    weeks_in_window: int
    target: Decimal | None
    worst_severity: str | None

    def lake_row(self) -> dict[str, Any]:
        """The row as the lake's columns: measures as doubles."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def weight_of_errors(errors: int, worst: Severity | None) -> Decimal:
    """What the errors of one review count. The worst one has its severity's weight.

    Nothing is known of the others but that none is worse: they count as ordinary errors, or less where even the
    worst one does. Without a severity all are ordinary.
    """
    if errors <= 0:
        return _NOTHING
    heaviest = ORDINARY if worst is None else WEIGHTS[worst]
    return heaviest + (errors - 1) * min(ORDINARY, heaviest)


def cells_of(reviews: Iterable[QualityReview], taxonomy: Taxonomy) -> dict[CellKey, Cell]:
    """The reviews of one week, added up. The taxonomy is read on the week's Monday, as everywhere."""
    found: dict[CellKey, Cell] = {}
    for review in reviews:
        mapped = taxonomy.map(review.category, review.week.monday)
        key = CellKey(review.member_id, review.project_id, mapped.label, mapped.category is not None)
        found[key] = found.get(key, Cell()).plus(review)
    return found


def week_scores(
    week: Week, window: Mapping[Week, Cells], targets: Mapping[str, Decimal | None]
) -> list[QualityScore]:
    """A row for every key that was reviewed in `week`, in order; `window` has the cells of its last four weeks.

    Weeks of the window before the first one of the programme may be missing. Raises BadUsage when the week
    itself is, or when another week is given.
    """
    span = set(week.window(WINDOW_WEEKS))
    if week not in window or not set(window) <= span:
        raise BadUsage(f"the window of {week} has {week} and up to {WINDOW_WEEKS - 1} weeks before it, no others")
    return [_row(key, week, window, targets) for key in sorted(window[week])]


def _row(
    key: CellKey, week: Week, window: Mapping[Week, Cells], targets: Mapping[str, Decimal | None]
) -> QualityScore:
    cell = window[week][key]
    past = {at - week: cells[key] for at, cells in window.items() if key in cells}
    found = accuracy(cell.correct, cell.reviewed)
    return QualityScore(
        *key,
        reviews=cell.reviews,
        reviewed=cell.reviewed,
        correct=cell.correct,
        share=found.share,
        low=found.low,
        high=found.high,
        score=measure(cell.score),
        trend=trend(past),
        weeks_in_window=len(past),
        target=targets.get(key.project_id),
        worst_severity=None if cell.worst is None else cell.worst.value,
    )


def trend(cells: Mapping[int, Cell]) -> Decimal | None:
    """Change of the score a week: the line of least squares through the weeks (by number), each weighing as many
    pieces as were reviewed, so that a week of three pieces does not turn it. None with fewer than two weeks."""
    known = {at: cell for at, cell in cells.items() if cell.reviewed}
    if len(known) < 2:
        return None
    pieces = sum(cell.reviewed for cell in known.values())
    middle = Decimal(sum(at * cell.reviewed for at, cell in known.items())) / pieces
    level = sum((cell.score * cell.reviewed for cell in known.values()), _NOTHING) / pieces
    rise = sum(((at - middle) * (one.score - level) * one.reviewed for at, one in known.items()), _NOTHING)
    run = sum(((at - middle) ** 2 * cell.reviewed for at, cell in known.items()), _NOTHING)
    return measure(rise / run)


def overall(cells: Cells, category: str | None = None) -> Cell:
    """All cells of a week together, or those of one category."""
    total = Cell()
    for key, cell in cells.items():
        if category in {None, key.category}:
            total = replace(
                total,
                reviews=total.reviews + cell.reviews,
                reviewed=total.reviewed + cell.reviewed,
                correct=total.correct + cell.correct,
                error_weight=total.error_weight + cell.error_weight,
                worst=_worse(total.worst, cell.worst),
            )
    return total


def _worse(one: Severity | None, other: Severity | None) -> Severity | None:
    return max((s for s in (one, other) if s is not None), key=_RANKS.__getitem__, default=None)
