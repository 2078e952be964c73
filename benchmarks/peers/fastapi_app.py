"""Five routes of the API as one would write them with FastAPI and Mangum.

Belongs here: the same models and stores as ours, and the framework's own way for everything else. It asks for no
role and writes no line of log, which ours does. Does not belong here: measuring. Stores are imported by the routes
that use them, as in ours, so that the difference is the frameworks'.
"""

from functools import cache
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Query, Response
from mangum import Mangum
from pydantic import BaseModel, Field

from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.base import Choice, DayHours, Id, Many, Name, Zone
from prism_core.models.bugs import BugStatus
from prism_core.models.people import AvailabilityStatus, Member, MemberStatus, ReasonCode, Skill, Weekday
from prism_core.models.projects import ProjectStatus, RequestStatus
from prism_core.models.work import AllocationSource, Severity
from prism_core.models.workers import WorkerStatus
from prism_core.settings import load_settings

CHOICES = (
    MemberStatus, Weekday, AvailabilityStatus, ReasonCode, ProjectStatus, RequestStatus, AllocationSource,
    Severity, WorkerStatus, BugStatus,
)  # fmt: skip
VERSION = "0.1.0"

app = FastAPI(title="PRISM", version="1.0.0")


class Meta(BaseModel):
    version: str
    environment: str
    first_week: Week
    this_week: Week
    choices: dict[str, list[str]]


class MemberAnswer(Member):
    key: str


class MemberPage(BaseModel):
    items: list[MemberAnswer]
    next: str | None = None


class MemberCreate(BaseModel):
    member_id: Id
    name: Name
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
    status: Choice[MemberStatus] = MemberStatus.ACTIVE
    skills: Many[Skill] = ()
    hours: dict[Choice[Weekday], DayHours] = Field(default_factory=dict[Weekday, DayHours])
    time_zone: Zone
    team: Id | None = None
    location: str | None = None
    cognito_sub: str | None = None


class MemberPatch(BaseModel):
    name: Name | None = None
    email: str | None = None
    status: Choice[MemberStatus] | None = None
    skills: Many[Skill] | None = None
    hours: dict[Choice[Weekday], DayHours] | None = None
    time_zone: Zone | None = None
    team: Id | None = None
    location: str | None = None
    cognito_sub: str | None = None


@app.get("/api/meta")
def meta() -> Meta:
    settings = load_settings()
    return Meta(
        version=VERSION,
        environment=settings.environment.value,
        first_week=settings.first_week,
        this_week=clock.this_week(),
        choices={choice.__name__: [value.value for value in choice] for choice in CHOICES},
    )


@app.get("/api/members")
def list_members(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> MemberPage:
    found: list[Member] = []
    for status in MemberStatus:
        if len(found) < limit:
            found += _store().query("by_status", status=status, limit=limit - len(found))
    return MemberPage(items=[_answer(member) for member in found])


@app.post("/api/members", status_code=201)
def create_member(body: MemberCreate, response: Response) -> MemberAnswer:
    return _written(response, _store().create(Member.model_validate(body.model_dump()), **_author()))


@app.get("/api/members/{member_id}")
def get_member(member_id: str, response: Response) -> MemberAnswer:
    return _written(response, _read(member_id))


@app.patch("/api/members/{member_id}")
def patch_member(
    member_id: str, body: MemberPatch, response: Response, if_match: Annotated[str, Header()]
) -> MemberAnswer:
    before = _read(member_id)
    if if_match != f'"{before.version}"':
        raise HTTPException(412, "somebody else changed it")
    changed = Member.model_validate(before.model_dump() | body.model_dump(exclude_unset=True))
    return _written(response, _store().update(changed, expected_version=before.version, **_author()))


def _store() -> Any:
    from prism_api.api import backend  # noqa: PLC0415
    from prism_core.tables import MEMBERS  # noqa: PLC0415

    return backend.store(MEMBERS, Member)


def _read(member_id: str) -> Member:
    found = _store().get(member_id=member_id)
    if found is None:
        raise HTTPException(404, "there is no such member")
    return found


def _written(response: Response, member: Member) -> MemberAnswer:
    response.headers["etag"] = f'"{member.version}"'
    return _answer(member)


def _answer(member: Member) -> MemberAnswer:
    return MemberAnswer(**member.model_dump(), key=member.member_id)


def _author() -> dict[str, Any]:
    return {"actor": "user:benchmark", "reason": "", "request_id": "request-1", "now": clock.now()}


@cache
def function() -> Mangum:
    """The entry. Mangum opens an event loop when it is made, which no module of ours does at import."""
    return Mangum(app, lifespan="off")
