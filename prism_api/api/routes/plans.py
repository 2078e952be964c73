"""Stored plans, of all weeks.

Belongs here: the resource and its list. Does not belong here: what is done with the plans of a week (capacity.py).
"""

from prism_api.api.crud import crud
from prism_api.api.resource import Resource
from prism_core.models.alerts import Plan, PlanStatus
from prism_core.tables import PLANS

EXAMPLE = {
    "plan_id": "plan-2026-W02-1",
    "week": "2026-W02",
    "status": "draft",
    "scenario": "base",
    "objective": "1840.0000",
    "bound": "1846.5000",
    "gap": "0.0035",
    "assigned_hours": "1520.00",
    "unmet_hours": "36.00",
    "over": 0,
    "body": "plans/week=2026-W02/plan-2026-W02-1-5d41402abc4b2a76.json.gz",
    "created": "2026-01-02T09:00:00Z",
    "created_by": "m-017",
}

RESOURCE = Resource(
    path="/api/plans",
    spec=PLANS,
    model=Plan,
    noun="plan",
    example=EXAMPLE,
    ways=("by_id", "by_week", "by_status"),
    everything=lambda _: {"status": tuple(PlanStatus)},
    filters={"plan_id": str, "week": str, "status": PlanStatus, "created_by": str},
    sorts=("week", "created", "objective", "scenario"),
    search=("scenario",),
    of_everybody=True,
)
router = crud(RESOURCE, "lg")
