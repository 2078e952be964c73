"""Whose rows a caller sees.

Belongs here: from a Cognito subject to a member, and from access to a set of members. Does not belong here:
whether an operation is open at all (matrix.py).
"""

from dataclasses import dataclass

from prism_api.api import backend
from prism_api.api.calls import Access, Call, Caller, Role
from prism_core.models.people import Member
from prism_core.settings import LeadScope
from prism_core.tables import MEMBERS

_OWN = "own member"


@dataclass(frozen=True, slots=True)
class Visible:
    """The members whose rows the caller sees; None is everybody's."""

    members: frozenset[str] | None

    def sees(self, member_id: str | None) -> bool:
        """Whether a row of this member may be shown. A row of nobody is shown to who sees everybody."""
        return self.members is None or member_id in self.members


EVERYBODY = Visible(None)


def own_member(call: Call) -> Member | None:
    """The member that the caller is, or None for a user who is no member."""
    if _OWN not in call.found:
        members = backend.reader(MEMBERS, Member).query("by_subject", cognito_sub=call.caller.sub, limit=1)
        call.found[_OWN] = next(members, None)
    return call.found[_OWN]


def visible(call: Call) -> Visible:
    """By the operation's access: own rows, the team of a lead where the settings say so, or all."""
    if call.access is Access.OWN:
        member = own_member(call)
        return Visible(frozenset() if member is None else frozenset({member.member_id}))
    return _team(call) if sees_one_team(call.caller) else EVERYBODY


def sees_one_team(caller: Caller) -> bool:
    """Whether a caller is a lead and no more, where the settings show a lead the own team only."""
    only_lead = caller.roles & {Role.ADMIN, Role.ANALYST, Role.LEAD} == {Role.LEAD}
    return only_lead and backend.settings().lead_scope is LeadScope.TEAM


def actor(call: Call) -> str:
    """Who the change log names: the member, else the Cognito subject."""
    member = own_member(call)
    return member.member_id if member is not None else f"user:{call.caller.sub}"


def selves(call: Call) -> frozenset[str]:
    """Every name under which things of the caller stand: the member, and the account from before it was linked."""
    return frozenset({actor(call), f"user:{call.caller.sub}"})


def _team(call: Call) -> Visible:
    member = own_member(call)
    if member is None or member.team is None:
        return Visible(frozenset() if member is None else frozenset({member.member_id}))
    found = backend.reader(MEMBERS, Member).query("by_team", team=member.team)
    return Visible(frozenset(one.member_id for one in found))
