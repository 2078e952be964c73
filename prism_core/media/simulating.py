"""What other limits would change, and what another model would: without asking the analyser.

Belongs here: images whose verdict flips, and what differs between two analyses of the same bytes. Does not belong
here: which images are compared, and printing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from prism_core.media.gate import held_back, judge_pixels
from prism_core.media.thresholds import GateThresholds
from prism_core.models.images import Analysis, Finding, Image, ImageState

# A model never answers the same to four decimals twice; less than this is no drift.
MOVED: Final = Decimal(5)


@dataclass(frozen=True, slots=True)
class Flip:
    """An image that would be decided otherwise, and the finding that decides."""

    article_id: str
    image_id: str
    finding: Finding
    accepted_now: bool
    accepted_then: bool


def flips(images: Iterable[Image], now: GateThresholds, then: GateThresholds) -> list[Flip]:
    """The images whose verdict would change. One that a person decided stays as it is."""
    found: list[Flip] = []
    for image in images:
        if image.state is not ImageState.ANALYSED or image.analysis is None:
            continue
        before, after = judge_pixels(image, now).accepted, judge_pixels(image, then).accepted
        if before != after:
            stricter = held_back(image.analysis.moderation, now if after else then)
            found.append(Flip(image.article_id, image.image_id, stricter[0], before, after))
    return sorted(found, key=lambda one: (-one.finding.confidence, one.article_id, one.image_id))


@dataclass(frozen=True, slots=True)
class Drift:
    """A label that two analyses see differently; None where one does not see it."""

    name: str
    before: Decimal | None
    after: Decimal | None


def drift(before: Analysis, after: Analysis) -> list[Drift]:
    """Labels of either kind that came, went, or moved by five percent or more, the largest move first."""
    old, new = _by_name(before), _by_name(after)
    moved = [
        Drift(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if abs(old.get(name, Decimal(0)) - new.get(name, Decimal(0))) >= MOVED
    ]
    return sorted(moved, key=lambda one: -abs((one.before or Decimal(0)) - (one.after or Decimal(0))))


def _by_name(analysis: Analysis) -> dict[str, Decimal]:
    return {one.name: one.confidence for one in (*analysis.labels, *analysis.moderation)}
