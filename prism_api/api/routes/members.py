"""Members: who works, with which skills, when.

Belongs here: the description of the resource, and which fields decide what somebody may read.
Does not belong here: time off (availability.py) and identities in the labelling tool (workers.py).
"""

from http import HTTPStatus

from prism_api.api import backend
from prism_api.api.calls import Call, Role
from prism_api.api.crud import crud
from prism_api.api.problems import Problem
from prism_api.api.resource import Resource
from prism_core.availability import public_holidays
from prism_core.models.people import Member, MemberStatus
from prism_core.settings import LeadScope
from prism_core.tables import MEMBERS
from prism_resources.tables.claims import ACCOUNTS, claimed

EXAMPLE = {
    "member_id": "m-017",
    "name": "Ada Example",
    "email": "ada@example.com",
    "time_zone": "Europe/Madrid",
    "skills": [{"name": "lidar", "level": 4}],
    "hours": {"mon": 8, "tue": 8, "wed": 8, "thu": 8, "fri": 6.5},
}


def _judge(call: Call, before: Member | None, after: Member | None) -> None:
    """A location is one whose public holidays are known. Who a member is, and under a scope by team whose, says
    what a caller reads: an admin decides on both."""
    if after is None:
        return
    if after.location is not None and (before is None or before.location != after.location):
        public_holidays(after.location, call.now.year)  # raises BadUsage for a location that nobody knows
    subject = None if before is None else before.cognito_sub
    team = None if before is None else before.team
    if Role.ADMIN not in call.caller.roles:
        if after.cognito_sub != subject:
            raise Problem(HTTPStatus.FORBIDDEN, "Only an admin links a member to an account (cognito_sub).")
        if after.team != team and backend.settings().lead_scope is LeadScope.TEAM:
            raise Problem(HTTPStatus.FORBIDDEN, "Leads see their team only; so an admin says who is in it (team).")
    if after.cognito_sub is not None and after.cognito_sub != subject:
        _refuse_held_account(after)


def _refuse_held_account(member: Member) -> None:
    """An account that is two members would be one or the other by chance."""
    holders = backend.reader(MEMBERS, Member).query("by_subject", cognito_sub=member.cognito_sub)
    for holder in holders:
        if holder.member_id != member.member_id:
            raise Problem(HTTPStatus.CONFLICT, f"The account is the member {holder.member_id} already.")


def _closed(call: Call) -> frozenset[str]:
    """What an admin alone sets: who cannot send it back anew need not send it back at all."""
    if Role.ADMIN in call.caller.roles:
        return frozenset()
    scoped = backend.settings().lead_scope is LeadScope.TEAM
    return frozenset({"cognito_sub", "team"}) if scoped else frozenset({"cognito_sub"})


def _claim(call: Call, before: Member | None, after: Member | None) -> None:
    """Of two members that are given one account at once, one gets it: each of them has seen that it is free."""
    subject = None if after is None else after.cognito_sub
    if after is None or subject is None or (before is not None and before.cognito_sub == subject):
        return
    if not claimed(backend.dynamodb(), backend.settings(), ACCOUNTS, subject, after.member_id, call.request_id):
        words = "The account is being given to another member at this moment; look again in a minute."
        raise Problem(HTTPStatus.CONFLICT, words)


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
    judge=_judge,
    kept=_closed,
    claim=_claim,
)
router = crud(RESOURCE)
