"""Published figures that were changed afterwards, and why.

Belongs here: reading them. Does not belong here: finding and recording them (the restatements asset).
"""

from prism_api.api.crud import crud
from prism_api.api.resource import Resource
from prism_core.evidence import Cause
from prism_core.models.restatements import Restatement
from prism_core.tables import RESTATEMENTS

RESOURCE = Resource(
    path="/api/restatements",
    spec=RESTATEMENTS,
    model=Restatement,
    noun="restatement",
    example={},
    ways=("by_week", "by_member", "by_project", "by_cause"),
    everything=lambda _: {"cause": tuple(Cause)},
    filters={"week": str, "member_id": str, "project_id": str, "cause": Cause, "table": str, "measure": str},
    sorts=("restated_at", "week", "table", "measure"),
    search=("subject", "reason"),
    owner=lambda one: one.member_id,
)
router = crud(RESOURCE, "l")
