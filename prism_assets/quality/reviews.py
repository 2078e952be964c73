"""The reviews of weeks, as they count today.

Belongs here: reading a week of reviews and its corrections once, however many windows it stands in.
Does not belong here: the rules (prism_core), and the snapshot of the reviews in the lake (the export).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.corrections import CorrectedReview, corrected_reviews
from prism_core.models.disputes import Correction, FactTable
from prism_core.models.taxonomy import TaxonomyStatus, TaxonomyVersion
from prism_core.models.work import QualityReview
from prism_core.quality_scores import WINDOW_WEEKS, Cell, CellKey, cells_of
from prism_core.quality_subjects import ReviewSubjects
from prism_core.tables import QUALITY, TAXONOMY
from prism_core.taxonomy import Taxonomy, in_force


@dataclass(frozen=True, slots=True)
class ReviewedWeek:
    """One week: its reviews as they are stored, with workers and jobs settled, and as they count corrected."""

    week: Week
    stored: tuple[QualityReview, ...]
    settled: tuple[QualityReview, ...]
    corrected: tuple[CorrectedReview, ...]
    corrections: tuple[Correction, ...]
    cells: Mapping[CellKey, Cell]

    @property
    def counted(self) -> tuple[QualityReview, ...]:
        return tuple(one.review for one in self.corrected)

    @property
    def moved(self) -> int:
        """Reviews that count for somebody else, or for another project, than they say."""
        pairs = zip(self.stored, self.counted, strict=True)
        return sum(1 for a, b in pairs if (a.member_id, a.project_id) != (b.member_id, b.project_id))


class Reviews:
    """Reads weeks with today's registers and today's taxonomy; keeps the last four."""

    def __init__(self, prism: PrismResource, now: datetime) -> None:
        self._prism = prism
        self.taxonomy = todays_taxonomy(prism, now)
        self.subjects = _subjects(prism)
        self._stored = prism.settled(QUALITY, QualityReview)
        self._kept: dict[Week, ReviewedWeek] = {}

    def window(self, week: Week) -> dict[Week, ReviewedWeek]:
        """The week and up to three before it, from the first week of the settings on."""
        first = self._prism.settings().first_week
        asked = [at for at in week.window(WINDOW_WEEKS) if at >= min(first, week)]
        self._kept = {at: self._kept.get(at) or self._read(at) for at in asked}
        return dict(self._kept)

    def _read(self, week: Week) -> ReviewedWeek:
        found = self._stored.of_week(week)
        stored = tuple(sorted(found, key=lambda review: (review.member_id, review.project_id, review.review_id)))
        settled = tuple(self.subjects.settled(review) for review in stored)
        every = self._prism.corrections().query("by_week", week=week, consistent=True)
        corrections = tuple(one for one in every if one.table is FactTable.QUALITY)
        corrected = corrected_reviews(settled, corrections)
        cells = cells_of((one.review for one in corrected), self.taxonomy)
        return ReviewedWeek(week, stored, settled, corrected, corrections, cells)


def todays_taxonomy(prism: PrismResource, now: datetime) -> Taxonomy:
    """The version that is in force today, for records of any week."""
    published = prism.settled(TAXONOMY, TaxonomyVersion).of_statuses(TaxonomyStatus.PUBLISHED)
    return Taxonomy(in_force(published, now.date()))


def raw_categories(reviewed: ReviewedWeek, taxonomy: Taxonomy) -> dict[str, int]:
    """Pieces of the week by raw id that the taxonomy does not name, the most first."""
    pieces = Counter[str]()
    for review in reviewed.counted:
        if taxonomy.map(review.category, review.week.monday).category is None:
            pieces[review.category] += review.reviewed
    return dict(pieces.most_common())


def _subjects(prism: PrismResource) -> ReviewSubjects:
    registers = prism.registers()
    return ReviewSubjects(registers.workers.values(), registers.jobs)
