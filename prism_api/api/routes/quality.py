"""Quality reviews: entered by hand or in bulk, corrected under their version.

Belongs here: the resource. Does not belong here: scores and trends (the quality assets).
"""

from typing import Any

from prism_api.api import backend
from prism_api.api.calls import Call
from prism_api.api.crud import crud
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor
from prism_core import clock
from prism_core.models.base import instant_text
from prism_core.models.work import QualityReview, Severity
from prism_core.tables import QUALITY

EXAMPLE = {
    "member_id": "m-017",
    "week": "2026-W02",
    "project_id": "p-042",
    "category": "lidar-3d",
    "reviewed": 50,
    "correct": 47,
    "severity": "low",
}


def _complete(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    return {"reviewer": actor(call), "reviewed_at": given.get("reviewed_at") or instant_text(call.now)}


def _category(review: QualityReview) -> str:
    """What the raw category of that week is called today."""
    return backend.taxonomy().map(review.category, review.week.monday).label


RESOURCE = Resource(
    path="/api/quality",
    spec=QUALITY,
    model=QualityReview,
    noun="quality review",
    example=EXAMPLE,
    ways=("by_member", "by_project", "by_week"),
    everything=lambda _: {"week": (clock.this_week().label,)},
    filters={"member_id": str, "project_id": str, "week": str, "category": str, "severity": Severity},
    sorts=("member_id", "project_id", "week", "reviewed", "correct", "reviewed_at"),
    search=("member_id", "project_id", "category", "reviewer"),
    owner=lambda review: review.member_id,
    server=("reviewer",),
    filled=("reviewed_at",),
    derived={"category_name": (str, _category)},
    complete=_complete,
    generated="q",
)
router = crud(RESOURCE)
