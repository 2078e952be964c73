"""Members: who works, with which skills, when.

Belongs here: the description of the resource. Does not belong here: time off (availability.py) and identities in
the labelling tool (workers.py).
"""

from prism_api.api.crud import crud
from prism_api.api.resource import Resource
from prism_core.models.people import Member, MemberStatus
from prism_core.tables import MEMBERS

EXAMPLE = {
    "member_id": "m-017",
    "name": "Ada Example",
    "email": "ada@example.com",
    "time_zone": "Europe/Madrid",
    "skills": [{"name": "lidar", "level": 4}],
    "hours": {"mon": 8, "tue": 8, "wed": 8, "thu": 8, "fri": 6.5},
}

RESOURCE = Resource(
    path="/api/members",
    spec=MEMBERS,
    model=Member,
    noun="member",
    example=EXAMPLE,
    ways=("by_id", "by_team", "by_status"),
    everything=lambda _: {"status": tuple(MemberStatus)},
    filters={"member_id": str, "team": str, "location": str, "status": MemberStatus},
    sorts=("name", "member_id", "status", "team", "location", "time_zone"),
    search=("name", "email", "member_id"),
    owner=lambda member: member.member_id,
)
router = crud(RESOURCE)
