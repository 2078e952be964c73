"""Recipients: who gets which report.

Belongs here: the description of the resource. Does not belong here: sending (prism_resources/mail).
"""

from prism_api.api.crud import crud
from prism_api.api.resource import Resource
from prism_core.models.reports import Recipient, RecipientStatus
from prism_core.tables import RECIPIENTS

EXAMPLE = {
    "recipient_id": "board-1",
    "name": "Bo Example",
    "email": "bo@example.com",
    "time_zone": "Europe/Madrid",
    "subscriptions": [{"report": "campaign"}],
}

RESOURCE = Resource(
    path="/api/recipients",
    spec=RECIPIENTS,
    model=Recipient,
    noun="recipient",
    example=EXAMPLE,
    ways=("by_id", "by_member", "by_status"),
    everything=lambda _: {"status": tuple(RecipientStatus)},
    filters={"recipient_id": str, "member_id": str, "status": RecipientStatus},
    sorts=("name", "recipient_id", "status"),
    search=("name", "email", "recipient_id"),
)
router = crud(RESOURCE)
