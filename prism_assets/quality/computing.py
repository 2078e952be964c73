"""A week of quality scores, computed from the tables.

Belongs here: the order in which a week is read and computed, what its figures rest on, and what it shows.
Does not belong here: the score (prism_core), reading reviews (reviews.py) and replacing the week (computed.py).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import dagster as dg

from prism_assets.computed import ComputedWeek
from prism_assets.quality.reviews import ReviewedWeek, Reviews, raw_categories
from prism_assets.resources import PrismResource
from prism_assets.standing import standing
from prism_core.calendar import Week
from prism_core.charts import Interval, as_markdown, interval_chart
from prism_core.corrections import effect_text
from prism_core.evidence import CORRECTIONS, RESOLUTION, TAXONOMY, Evidence, Part
from prism_core.lake_tables import QUALITY_SCORES
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.work import QualityReview
from prism_core.quality import accuracy
from prism_core.quality_scores import Cells, QualityScore, overall, week_scores
from prism_core.quality_subjects import is_settled
from prism_core.restatements import Figures
from prism_core.tables import PROJECTS
from prism_core.taxonomy import Taxonomy

FIGURES = Figures(
    keys=("member_id", "project_id", "category"),
    measures=("reviewed", "correct", "score"),
    # Reviews go on for weeks after the work: more of them move no figure that people plan with, the share does.
    main="correct",
    per="reviewed",
    totals=("reviewed",),
)
MOST_SHOWN = 20


class QualityComputation:
    """Quality scores of the weeks of a run: registers, taxonomy and each week's reviews are read once."""

    def __init__(self, prism: PrismResource, weeks: Iterable[Week], now: datetime) -> None:
        self._reviews = Reviews(prism, now)
        self._projects = standing(prism, PROJECTS, Project, ProjectStatus, weeks, now)

    def week(self, week: Week) -> ComputedWeek:
        window = self._reviews.window(week)
        here, taxonomy = window[week], self._reviews.taxonomy
        rows = week_scores(week, {at: one.cells for at, one in window.items()}, self._targets(here))
        counts = _counts(here)
        return ComputedWeek(
            QUALITY_SCORES,
            week,
            [row.lake_row() for row in rows],
            FIGURES,
            evidence_of(here, taxonomy),
            counts,
            {**counts, **_facts(here, rows, taxonomy)},
            f"quality scores of {week}: {len(here.stored)} reviews",
        )

    def _targets(self, reviewed: ReviewedWeek) -> dict[str, Decimal | None]:
        """The quality target of each project as it stood at the end of the week."""
        standing_then = self._projects.of(reviewed.week, (key.project_id for key in reviewed.cells))
        return {project_id: project.quality_target for project_id, project in standing_then.items()}


def evidence_of(reviewed: ReviewedWeek, taxonomy: Taxonomy) -> Evidence:
    """What the figures of a week rest on: the stored reviews, the names that registers resolved, what corrections
    moved, and what raw categories are called."""
    # Names of workers and jobs are no keys of the figures once somebody has said who they are.
    imported = [(a, b) for a, b in zip(reviewed.stored, reviewed.settled, strict=True) if not is_settled(a)]
    monday = reviewed.week.monday
    return Evidence(
        {
            "reviews": _reviews(("member_id", "project_id"), filter(is_settled, reviewed.stored)),
            "imported_reviews": _reviews(("member", "project"), (stored for stored, _ in imported)),
            RESOLUTION: Part(("member", "project"), {_place(a): "|".join(_place(b)) for a, b in imported}),
            CORRECTIONS: Part(("correction_id", "member_id", "project_id"), _moved(reviewed)),
            TAXONOMY: Part(
                ("raw", "category"),
                {(raw, taxonomy.map(raw, monday).label): "" for raw in {one.category for one in reviewed.stored}},
            ),
        }
    )


def _moved(reviewed: ReviewedWeek) -> dict[tuple[str, str, str], str]:
    """What each correction does, at every place that it takes work from or gives it to. All are there, idle ones,
    too: a review that comes late and is moved by one of them has not been corrected since."""
    texts = {one.correction_id: effect_text(one) for one in reviewed.corrections}
    found = {(name, "", ""): text for name, text in texts.items()}
    for before, after in zip(reviewed.settled, reviewed.corrected, strict=True):
        for place in (_place(before), _place(after.review)):
            found |= {(name, *place): texts[name] for name in after.by}
    return found


def _reviews(names: tuple[str, str], reviews: Iterable[QualityReview]) -> Part:
    return Part((*names, "review_id"), {(*_place(one), one.review_id): _digest(one) for one in reviews})


def _place(review: QualityReview) -> tuple[str, str]:
    return review.member_id, review.project_id


def _digest(review: QualityReview) -> str:
    return f"{review.category}|{review.reviewed}|{review.correct}|{review.severity or ''}"


def counted(reviews: Sequence[QualityReview]) -> dict[str, int]:
    """Reviews and pieces as they are stored."""
    return {
        "reviews": len(reviews),
        "reviewed": sum(review.reviewed for review in reviews),
        "correct": sum(review.correct for review in reviews),
    }


def _counts(reviewed: ReviewedWeek) -> dict[str, int]:
    """The counts that the manifest keeps: what was read, so that checks can compare with it."""
    return {
        **counted(reviewed.stored),
        "unmapped": sum(cell.reviewed for key, cell in reviewed.cells.items() if not key.mapped),
        "corrections": len(reviewed.corrections),
        "moved": reviewed.moved,
    }


def _facts(reviewed: ReviewedWeek, rows: list[QualityScore], taxonomy: Taxonomy) -> dict[str, object]:
    total = overall(reviewed.cells)
    found = accuracy(total.correct, total.reviewed)
    facts: dict[str, object] = {
        "taxonomy": "none in force" if taxonomy.version is None else taxonomy.version.taxonomy_id,
        "unmapped_categories": dg.MetadataValue.json(raw_categories(reviewed, taxonomy)),
        "below_target": dg.MetadataValue.json(_below_target(rows)),
        "correct_by_category": dg.MetadataValue.md(_picture(reviewed.week, reviewed.cells)),
    }
    if found.share is not None:
        facts |= {"share": float(found.share), "low": float(found.low), "high": float(found.high)}
        facts["score"] = round(float(total.score), 4)
    return facts


def _below_target(rows: list[QualityScore]) -> dict[str, int]:
    """Members surely below the target of a project: the whole interval lies under it. By project."""
    sure = [row for row in rows if row.target is not None and row.high < row.target]
    return dict(Counter(row.project_id for row in sure).most_common(MOST_SHOWN))


def _picture(week: Week, cells: Cells) -> str:
    """Share of correct pieces by category with its interval, the largest categories first."""
    by_category = {key.category: overall(cells, key.category) for key in cells}
    shown: list[Interval] = []
    for name, cell in sorted(by_category.items(), key=lambda pair: (-pair[1].reviewed, pair[0]))[:MOST_SHOWN]:
        found = accuracy(cell.correct, cell.reviewed)
        shown.append(Interval(name, float(found.low), float(found.share or 0), float(found.high)))
    return as_markdown("Correct pieces by category", interval_chart(f"Correct pieces by category, {week}", shown))
