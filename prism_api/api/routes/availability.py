"""Time off: asked for by the member, decided by a lead; and public holidays.

Belongs here: the resource and its steps. A lead sees the reason's code, not its text. What one may edit depends on
whose entry it is, not on the role: a lead's own time off is that of a member.
Does not belong here: who may make which step (prism_core/availability.py).
"""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from prism_api.api import backend, documents
from prism_api.api.actions import action
from prism_api.api.calls import Call, Role
from prism_api.api.crud import crud, respond
from prism_api.api.problems import Problem
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor, own_member
from prism_core import clock
from prism_core.availability import Standing, check_hours, move, public_holidays
from prism_core.failures import BadUsage
from prism_core.models.base import Choice, Model, Text, instant_text
from prism_core.models.people import Availability, AvailabilityStatus, Member, ReasonCode
from prism_core.tables import AVAILABILITY, MEMBERS

# The places of an installation, and the years that a calendar touches.
MAX_LOCATIONS, MAX_YEARS = 100, 3
EXAMPLE = {
    "member_id": "m-017",
    "date": "2026-02-16",
    "hours_off": 8,
    "code": "vacation",
    "reason": "a long weekend",
}


def _complete(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    asked = {"status": AvailabilityStatus.REQUESTED.value, "created": instant_text(call.now)}
    mine = own_member(call) if "member_id" not in given else None
    return asked if mine is None else asked | {"member_id": mine.member_id}


def _judge(call: Call, before: Availability | None, after: Availability | None) -> None:
    if before is not None and Role.ADMIN not in call.caller.roles:
        _refuse_edit(before, after, own=_is_own(call, before))
    if after is None or (before is not None and before.hours_off == after.hours_off):
        return
    member = backend.reader(MEMBERS, Member).get(member_id=after.member_id)
    if member is not None:  # that there is one is judged for every table alike
        check_hours(after, member)


def _refuse_edit(before: Availability, after: Availability | None, *, own: bool) -> None:
    """What was decided stays decided for its member, and nobody overwrites a text that they cannot read."""
    if own and before.status is AvailabilityStatus.APPROVED:
        raise Problem(HTTPStatus.CONFLICT, "Approved time off is cancelled by a decision, not edited or deleted.")
    if after is None:
        return
    declined = before.status is AvailabilityStatus.DECLINED
    if own and declined and after.hours_off != before.hours_off:
        raise Problem(HTTPStatus.CONFLICT, "The hours were declined; ask again by a decision, then change them.")
    if not own and after.reason != before.reason:
        raise Problem(HTTPStatus.FORBIDDEN, "The reason is changed by the member and an admin only.")


def _is_own(call: Call, entry: Availability) -> bool:
    mine = own_member(call)
    return mine is not None and mine.member_id == entry.member_id


def _secret(call: Call, entry: Any) -> frozenset[str]:
    if Role.ADMIN in call.caller.roles or _is_own(call, entry):
        return frozenset()
    return frozenset({"reason"})


RESOURCE = Resource(
    path="/api/availability",
    spec=AVAILABILITY,
    model=Availability,
    noun="time off",
    example=EXAMPLE,
    ways=("by_member", "by_week", "by_status"),
    everything=lambda _: {"week": tuple((clock.this_week() + n).label for n in range(-1, 12))},
    filters={
        "member_id": str,
        "week": str,
        "date": str,
        "status": AvailabilityStatus,
        "code": ReasonCode,
    },
    sorts=("date", "member_id", "status", "hours_off"),
    owner=lambda entry: entry.member_id,
    server=("status", "created", "decided", "decided_by", "answer"),
    complete=_complete,
    filled=("member_id",),
    judge=_judge,
    secret=_secret,
    never_in_history=("reason",),
)
router = crud(RESOURCE, "lcgpdb")


class Step(Model):
    """What becomes of it. Only a lead or an admin approves or declines; a declined one has an answer."""

    status: Choice[AvailabilityStatus]
    answer: Annotated[Text, Field(description="for the member to read; needed to decline")] = ""


def _move(call: Call, entry: Availability, body: Step) -> Any:
    standing = Standing.ADMIN if Role.ADMIN in call.caller.roles else Standing.LEAD
    if standing is Standing.LEAD and (Role.LEAD not in call.caller.roles or _is_own(call, entry)):
        standing = Standing.MEMBER
    return move(entry, body.status, standing=standing, actor=actor(call), now=call.now, answer=body.answer)


action(router, RESOURCE, "decision", Step, "Approve, decline, cancel or ask again for time off", _move)


class Holiday(Model):
    """A public holiday."""

    location: str
    date: date
    name: str


class Holidays(Model):
    """Public holidays of some locations in some years, by location and date; `unknown` are locations of which none
    are known."""

    items: list[Holiday]
    unknown: list[str]


_Location = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
_Year = Annotated[int, Field(ge=1970, le=2100)]


@router.get(
    "/api/holidays", **documents.operation("Public holidays of locations", "availability", Holidays, reads=True)
)
def holidays(
    location: Annotated[list[_Location], Query(max_length=MAX_LOCATIONS, description="ES or ES-MD; repeatable")],
    year: Annotated[list[_Year], Query(max_length=MAX_YEARS, description="repeatable")],
) -> Response[Holidays]:
    """One location of which nothing is known keeps no other from being answered, as in a plan."""
    items: list[Holiday] = []
    unknown: list[str] = []
    for place in sorted(set(location)):
        try:
            days = {day: name for each in sorted(set(year)) for day, name in public_holidays(place, each).items()}
        except BadUsage:
            unknown.append(place)
            continue
        items += [Holiday(location=place, date=day, name=name) for day, name in days.items()]
    return respond(Holidays(items=items, unknown=unknown))
