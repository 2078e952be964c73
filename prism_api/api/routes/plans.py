"""Stored plans of a week.

Belongs here: reading them. Does not belong here: making and publishing them (the capacity engine).
"""

from prism_api.api.crud import crud
from prism_api.api.resource import Resource
from prism_core.models.alerts import Plan, PlanStatus
from prism_core.tables import PLANS

RESOURCE = Resource(
    path="/api/plans",
    spec=PLANS,
    model=Plan,
    noun="plan",
    example={},
    ways=("by_id", "by_week", "by_status"),
    everything=lambda _: {"status": tuple(PlanStatus)},
    filters={"plan_id": str, "week": str, "status": PlanStatus, "created_by": str},
    sorts=("week", "created", "objective", "scenario"),
    search=("scenario",),
    of_everybody=True,
)
router = crud(RESOURCE, "lg")
