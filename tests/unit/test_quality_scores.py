"""Scores of a week: known values by hand, what must hold of any reviews, and today's categories over old rows."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.taxonomy import TaxonomyStatus, TaxonomyVersion
from prism_core.models.work import QualityReview, Severity
from prism_core.quality_scores import Cell, QualityScore, cells_of, overall, trend, week_scores, weight_of_errors
from prism_core.taxonomy import Taxonomy, in_force
from tests.unit.test_corrections import REVIEW, WEEK

UNMAPPED = Taxonomy(None)


def review(number: int = 1, **fields: Any) -> QualityReview:
    return QualityReview.model_validate(REVIEW.model_dump() | {"review_id": f"Q-{number}"} | fields)


def taxonomy(effective: date = WEEK.monday, **entries: str) -> TaxonomyVersion:
    return TaxonomyVersion.model_validate(
        {
            "taxonomy_id": f"t-{effective}",
            "title": "t",
            "status": TaxonomyStatus.PUBLISHED,
            "effective": effective,
            "entries": [{"raw": raw.replace("_", "-"), "category": name} for raw, name in entries.items()],
        }
    )


def scores(reviews: Sequence[QualityReview], week: Week = WEEK, using: Taxonomy = UNMAPPED) -> list[QualityScore]:
    by_week = {at: [one for one in reviews if one.week == at] for at in week.window(4)}
    return week_scores(week, {at: cells_of(mine, using) for at, mine in by_week.items()}, {})


@pytest.mark.parametrize(
    ("errors", "worst", "weight"),
    [
        (0, Severity.CRITICAL, "0"),
        (1, Severity.CRITICAL, "5"),
        (3, Severity.HIGH, "4"),  # the worst one counts 2, the two others as ordinary errors
        (3, Severity.LOW, "1.5"),  # none is worse than the worst
        (3, None, "3"),
    ],
)
def test_the_worst_error_has_its_weight_and_the_others_are_not_worse(
    errors: int, worst: Severity | None, weight: str
) -> None:
    assert weight_of_errors(errors, worst) == Decimal(weight)


def test_a_row_has_the_share_its_interval_the_score_the_target_and_the_worst_severity() -> None:
    reviews = [review(1, severity="high"), review(2, reviewed=20, correct=17, severity="low")]

    (row,) = week_scores(WEEK, {WEEK: cells_of(reviews, UNMAPPED)}, {"birds": Decimal("0.95")})

    assert (row.reviews, row.reviewed, row.correct, row.share) == (2, 30, 26, Decimal("0.8667"))
    assert (row.low, row.high) == (Decimal("0.7032"), Decimal("0.9469"))
    assert row.score == Decimal("0.8814")  # 26 / (26 + 2 + 3 * 0.5)
    assert (row.target, row.worst_severity, row.weeks_in_window, row.trend) == (Decimal("0.95"), "high", 1, None)


def test_an_error_free_review_says_nothing_of_severity() -> None:
    (row,) = scores([review(correct=10, severity="critical")])

    assert (row.score, row.worst_severity) == (1, None)


def test_old_and_new_raw_ids_are_reported_together_by_todays_taxonomy_and_unmapped_ones_are_shown() -> None:
    before = taxonomy(date(2020, 1, 1), raw_old="Cars")
    today = taxonomy(date(2026, 1, 1), raw_old="Vehicles", raw_new="Vehicles")
    reviews = [
        review(1, week=WEEK + -1, category="raw-old", correct=5),
        review(2, category="raw-new", correct=10),
        review(3, category="raw-other"),
    ]

    rows = scores(reviews, using=Taxonomy(in_force([before, today], date(2026, 2, 1))))

    assert [(row.category, row.mapped, row.weeks_in_window) for row in rows] == [
        ("Vehicles", True, 2),
        ("unmapped:raw-other", False, 1),
    ]
    assert rows[0].trend == Decimal("0.5")


def test_the_trend_is_the_slope_of_the_score_by_week() -> None:
    shares = {-3: 6, -2: 7, -1: 8, 0: 9}
    reviews = [review(week=WEEK + at, correct=correct) for at, correct in shares.items()]

    (row,) = scores(reviews)

    assert (row.trend, row.weeks_in_window) == (Decimal("0.1"), 4)


def test_a_week_of_few_pieces_hardly_turns_the_trend() -> None:
    steady = {at: Cell(1, 100, 90, Decimal(10)) for at in (-3, -2, -1)}

    turned = trend(steady | {0: Cell(1, 2, 0, Decimal(2))})
    unweighted = Decimal("-0.27")

    assert turned is not None
    assert unweighted / 5 < turned < 0


def test_what_was_not_reviewed_in_the_week_itself_has_no_row() -> None:
    assert scores([review(week=WEEK + -1)]) == []


def test_a_window_without_its_week_or_with_a_fifth_one_is_refused() -> None:
    with pytest.raises(BadUsage, match="the window of"):
        week_scores(WEEK, {WEEK + -1: {}}, {})
    with pytest.raises(BadUsage, match="the window of"):
        week_scores(WEEK, {WEEK: {}, WEEK + -4: {}}, {})


@st.composite
def any_review(draw: st.DrawFn) -> QualityReview:
    reviewed = draw(st.integers(1, 60))
    return review(
        draw(st.integers(1, 10**6)),
        member_id=draw(st.sampled_from(("ann", "bob"))),
        project_id=draw(st.sampled_from(("birds", "cars"))),
        category=draw(st.sampled_from(("raw-1", "raw-2", "raw-3"))),
        week=WEEK + -draw(st.integers(0, 3)),
        reviewed=reviewed,
        correct=draw(st.integers(0, reviewed)),
        severity=draw(st.none() | st.sampled_from(list(Severity))),
    )


@given(st.lists(any_review(), max_size=30))
def test_every_piece_counts_once_and_every_figure_is_within_its_range(reviews: list[QualityReview]) -> None:
    rows = scores(reviews, using=Taxonomy(taxonomy(raw_1="A", raw_2="A")))

    mine = [one for one in reviews if one.week == WEEK]
    assert sum(row.reviews for row in rows) == len(mine)
    assert sum(row.reviewed for row in rows) == sum(one.reviewed for one in mine)
    assert sum(row.correct for row in rows) == sum(one.correct for one in mine)
    for row in rows:
        assert row.share is not None
        assert 0 <= row.low <= row.share <= row.high <= 1
        assert 0 <= row.score <= 1
        assert (row.trend is None) is (row.weeks_in_window < 2)


@given(st.lists(any_review(), min_size=1, max_size=30))
def test_all_cells_together_are_all_reviews_together(reviews: list[QualityReview]) -> None:
    here = [one.model_copy(update={"week": WEEK}) for one in reviews]

    total = overall(cells_of(here, UNMAPPED))

    assert (total.reviews, total.reviewed) == (len(here), sum(one.reviewed for one in here))
    assert total.error_weight == sum(weight_of_errors(one.reviewed - one.correct, one.severity) for one in here)


@given(st.lists(any_review(), min_size=1, max_size=20), st.sampled_from(list(Severity)))
def test_a_worse_severity_never_raises_a_score(reviews: list[QualityReview], severity: Severity) -> None:
    order = list(Severity)
    worse = [one.model_copy(update={"severity": max(one.severity or order[0], severity, key=order.index)})
             for one in reviews]  # fmt: skip
    low = [one.model_copy(update={"severity": one.severity or order[0]}) for one in reviews]

    before, after = scores(low), scores(worse)

    assert all(b.score <= a.score for a, b in zip(before, after, strict=True))
