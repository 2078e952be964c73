"""Cases of the rule about quality below its target and falling.

Belongs here: snapshots of four weeks of reviews. Does not belong here: the rule (rules/quality_degradation.py).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from prism_core.alerts.cases.case import ENDED, Case, projects, snapshot
from prism_core.alerts.snapshot import AlertSnapshot, ProjectState, Reviewed
from prism_core.alerts.thresholds import ProjectLimits
from prism_core.models.work import Severity

_PROJECT: Final = ("projects/P-1", "")
_MEMBER: Final = ("members/M-1", "P-1")

# Reviewed and correct pieces of M-1, week by week, the last ended week last.
Weeks = Sequence[tuple[int, int]]


def _of(
    weeks: Weeks,
    *more: Reviewed,
    target: str | None = "0.95",
    limits: ProjectLimits | None = None,
    member: str = "M-1",
) -> AlertSnapshot:
    first = ENDED + (1 - len(weeks))
    quality = {
        first + number: (Reviewed(member, "P-1", reviewed, correct), *(more if first + number == ENDED else ()))
        for number, (reviewed, correct) in enumerate(weeks)
        if reviewed
    }
    project = ProjectState("P-1", quality_target=None if target is None else Decimal(target), limits=limits)
    return snapshot(projects=projects(project), quality={ENDED: ()} | quality)


_FALLING: Final = ((200, 196), (200, 190), (200, 182), (200, 170))

CASES: Final = (
    Case(
        "below the target for certain and falling",
        _of(_FALLING),
        {_PROJECT: Severity.HIGH, _MEMBER: Severity.HIGH},
    ),
    Case(
        "just below the target, of many pieces",
        _of(((2000, 1960), (2000, 1930), (2000, 1900), (2000, 1870))),
        {_PROJECT: Severity.MEDIUM, _MEMBER: Severity.MEDIUM},
    ),
    Case(
        "one member's fall that colleagues make up for",
        _of(_FALLING, Reviewed("M-2", "P-1", 2000, 1990)),
        {_MEMBER: Severity.HIGH},
    ),
    Case(
        "a project whose limit of pieces is lower",
        _of(((40, 39), (40, 36), (40, 33), (40, 27)), limits=ProjectLimits(quality_min_reviewed=30)),
        {_PROJECT: Severity.HIGH, _MEMBER: Severity.HIGH},
    ),
    Case(
        "work of somebody who is not resolved is told of the project alone",
        _of(_FALLING, member="worker:pool#sub-1"),
        {_PROJECT: Severity.HIGH},
    ),
    Case("the same fall of a few pieces", _of(((20, 20), (20, 19), (20, 18), (20, 17)))),
    Case("falling, but above the target", _of(((200, 200), (200, 199), (200, 197), (200, 195)))),
    Case("below the target, and not falling", _of(((200, 170),) * 4)),
    Case("below the target, and rising", _of(((200, 150), (200, 160), (200, 168), (200, 176)))),
    Case(
        "up and down by more than chance, without a trend", _of(((500, 495), (500, 440), (500, 490), (500, 445)))
    ),
    Case("below the target within the reach of chance", _of(((100, 97), (100, 96), (100, 95), (100, 94)))),
    Case("two weeks are no trend", _of(((200, 196), (200, 170)))),
    Case("a project without a target", _of(_FALLING, target=None)),
    Case("nothing reviewed in the last week", _of((*_FALLING, (0, 0)))),
)
