"""Accuracy with its Wilson interval: known values, and what must hold of any counts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.failures import BadUsage
from prism_core.quality import Z_95, accuracy, accuracy_of
from tests.unit.test_corrections import REVIEW


@pytest.mark.parametrize(
    ("correct", "reviewed", "low", "high"),
    # R. G. Newcombe, Two-sided confidence intervals for the single proportion, Stat. Med. 17 (1998), table I
    [
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0.0000", "0.1611"),
        (1, 29, "0.0061", "0.1718"),
    ],
)
def test_the_interval_is_that_of_the_literature(correct: int, reviewed: int, low: str, high: str) -> None:
    found = accuracy(correct, reviewed)

    assert (str(found.low), str(found.high)) == (low, high)


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_the_share_lies_within_its_interval_and_the_interval_within_nought_and_one(a: int, b: int) -> None:
    found = accuracy(min(a, b), b)

    assert found.share is not None
    assert Decimal(0) <= found.low <= found.share <= found.high <= Decimal(1)


@given(st.integers(1, 999), st.integers(1000, 10_000))
def test_an_end_of_the_interval_is_where_the_share_is_just_as_far_off_as_chance_allows(a: int, b: int) -> None:
    """Wilson's own definition: |share - p| = z * sqrt(p * (1 - p) / n) at both ends."""
    found = accuracy(a, b)

    for end in (found.low, found.high):
        by_chance = Z_95 * (end * (1 - end) / b).sqrt()
        assert abs(abs(Decimal(a) / b - end) - by_chance) < Decimal("0.002")


@given(st.integers(1, 100), st.integers(2, 50))
def test_more_reviews_of_the_same_share_are_surer(reviewed: int, times: int) -> None:
    few, many = accuracy(reviewed // 2, reviewed), accuracy(reviewed // 2 * times, reviewed * times)

    assert many.high - many.low <= few.high - few.low


def test_nothing_reviewed_says_nothing() -> None:
    assert accuracy(0, 0).share is None
    assert (accuracy(0, 0).low, accuracy(0, 0).high) == (0, 1)


def test_many_reviews_count_by_their_pieces() -> None:
    small = REVIEW.model_copy(update={"reviewed": 2, "correct": 0})

    found = accuracy_of([REVIEW, small])

    assert (found.reviewed, found.correct, found.share) == (12, 9, Decimal("0.7500"))


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(BadUsage, match="11 correct of 10"):
        accuracy(11, 10)
