"""Accuracy, and how sure it is.

Belongs here: share of correct work with its Wilson interval, for one review and for many. Does not belong
here: weights, trends and targets (the quality assets) and alerts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from prism_core.failures import BadUsage
from prism_core.models.base import measure
from prism_core.models.work import QualityReview

# The normal quantile of a two-sided interval of 95 %.
Z_95: Final = Decimal("1.959964")
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`correct` of `reviewed`, the share, and the interval that holds the true share 95 times of 100."""

    reviewed: int
    correct: int
    share: Decimal | None
    low: Decimal
    high: Decimal


def accuracy(correct: int, reviewed: int, z: Decimal = Z_95) -> Accuracy:
    """Shares at four places. Nothing reviewed: no share, and anything from 0 to 1 may be true.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927). Holds for small samples and near 0 and 1, where
    the usual interval leaves the range. Raises BadUsage for impossible counts.
    """
    if not 0 <= correct <= reviewed:
        raise BadUsage(f"{correct} correct of {reviewed} reviewed is impossible")
    if not reviewed:
        return Accuracy(0, 0, None, Decimal("0.0000"), Decimal("1.0000"))
    n, share, square = Decimal(reviewed), Decimal(correct) / reviewed, z * z
    centre = (share + square / (2 * n)) / (1 + square / n)
    reach = z / (1 + square / n) * (share * (1 - share) / n + square / (4 * n * n)).sqrt()
    low = Decimal(0) if correct == 0 else max(Decimal(0), centre - reach)
    high = _ONE if correct == reviewed else min(_ONE, centre + reach)
    return Accuracy(reviewed, correct, measure(share), measure(low), measure(high))


def accuracy_of(reviews: Iterable[QualityReview]) -> Accuracy:
    """Accuracy of many reviews together: each reviewed piece counts once."""
    correct = reviewed = 0
    for review in reviews:
        correct, reviewed = correct + review.correct, reviewed + review.reviewed
    return accuracy(correct, reviewed)
