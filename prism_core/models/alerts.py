"""Alerts and stored plans: what the engines leave behind for people.

Belongs here: an alert with its evidence and what people made of it, a plan with its pointer.
Does not belong here: the rules and the solver, which compute them.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from prism_core.calendar import Week
from prism_core.models.base import Choice, Count, Hours, Id, Instant, Many, Measure, Model, Name, Text, Versioned
from prism_core.models.reports import ObjectKey
from prism_core.models.work import FactSubject, Severity

_Actor = Annotated[str, Field(min_length=1, max_length=200)]
EVIDENCE_MAX = 200


class AlertRule(StrEnum):
    """The seven rules."""

    OOTO_CONFLICT = "ooto_conflict"
    QUALITY_DEGRADATION = "quality_degradation"
    SHRINKAGE_RISK = "shrinkage_risk"
    UNRESOLVED_WORKER = "unresolved_worker"
    LATE_REQUEST = "late_request"
    CAPACITY_RISK = "capacity_risk"
    SLA_BREACH = "sla_breach"


class AlertStatus(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    RESOLVED = "resolved"


class Ending(StrEnum):
    """How an alert was resolved. `over`: its week went by; nothing was mended, so nobody is told."""

    MENDED = "mended"
    OVER = "over"


class Verdict(StrEnum):
    """What a person said of it: a rule's precision is measured by these."""

    USEFUL = "useful"
    NOT_USEFUL = "not_useful"


class Evidence(Model):
    """A row that the alert rests on: its item key, and the figures that mattered, as text with their unit."""

    item: Annotated[str, Field(min_length=3, max_length=1_024)]
    figures: Annotated[dict[Name, Annotated[str, Field(max_length=500)]], Field(max_length=20)]


class Alert(Versioned):
    """Rule + subject + evidence. `fingerprint` is its identity: the same finding is the same alert.

    One that comes back is the same alert again: `episodes` counts how often it was open, `opened` is since when it
    is this time. `projects` are all that it is about, also those that its evidence has no row of. `told` and
    `resolved_told` are the instants of the digests that said so, `told_to` the recipients who were told of it
    since it was opened. `acknowledged_severity` is what it was when somebody took it up.
    """

    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    rule: Choice[AlertRule]
    severity: Choice[Severity]
    title: Name
    # A name of the labelling tool (600 characters) behind the name of its table.
    subject: Annotated[str, Field(min_length=1, max_length=620, description="item key of what it is about")]
    member_id: Id | None = None
    project_id: FactSubject | None = None
    projects: Many[FactSubject] = ()
    week: Week
    evidence: Annotated[Many[Evidence], Field(max_length=EVIDENCE_MAX)] = ()
    status: Choice[AlertStatus] = AlertStatus.OPEN
    first_seen: Instant
    last_seen: Instant
    opened: Instant | None = None
    episodes: Annotated[int, Field(ge=1)] = 1
    told: Instant | None = None
    told_severity: Choice[Severity] | None = None
    told_to: Many[Id] = ()
    resolved: Instant | None = None
    resolved_told: Instant | None = None
    ending: Choice[Ending] | None = None
    acknowledged: Instant | None = None
    acknowledged_by: _Actor | None = None
    acknowledged_severity: Choice[Severity] | None = None
    silenced_until: Instant | None = None
    silence_reason: Text | None = None
    silenced_by: _Actor | None = None
    verdict: Choice[Verdict] | None = None
    verdict_by: _Actor | None = None
    verdict_note: Text | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.last_seen < self.first_seen:
            raise ValueError("last_seen lies before first_seen")
        if self.status is AlertStatus.SILENCED and (self.silenced_until is None or not self.silence_reason):
            raise ValueError("a silenced alert has an end (silenced_until) and a reason (silence_reason)")
        if self.status is AlertStatus.RESOLVED and self.resolved is None:
            raise ValueError("a resolved alert says since when (resolved)")
        return self


class PlanStatus(StrEnum):
    """`queued`: asked for; `solving`: being worked on; `failed`: `errors` say why.

    `draft`: solved. `superseded`: published once, replaced since.
    """

    QUEUED = "queued"
    SOLVING = "solving"
    FAILED = "failed"
    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


_Finding = Annotated[str, Field(min_length=1, max_length=2_000)]
PLAN_ERRORS_MAX = 100
UNSOLVED = frozenset({PlanStatus.QUEUED, PlanStatus.SOLVING, PlanStatus.FAILED})


class Plan(Versioned):
    """A stored plan of a week: its figures here, its assignments with their reasons in S3.

    Figures and body are absent until it is solved. `fingerprint` is that of the week as it was described: the same
    one, the same plan. `over` is the publication of the week that it was made over (0: none), which publishing it
    replaces. `attempts` counts how often somebody began to solve it; by `due`, in time as it passes, they should
    be done, and behind it it is asked for again.
    """

    plan_id: Id
    week: Week
    status: Choice[PlanStatus] = PlanStatus.DRAFT
    scenario: Name
    objective: Measure | None = None
    bound: Measure | None = None
    gap: Annotated[Measure, Field(ge=0)] | None = None
    assigned_hours: Hours | None = None
    unmet_hours: Hours | None = None
    body: ObjectKey | None = Field(default=None, description="S3 key of assignments and reasons")
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    over: Count = 0
    errors: Annotated[Many[_Finding], Field(max_length=PLAN_ERRORS_MAX)] = ()
    attempts: Count = 0
    due: Instant | None = None
    created: Instant
    created_by: _Actor
    solved: Instant | None = None
    published: Instant | None = None
    published_by: _Actor | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.status is PlanStatus.PUBLISHED and (self.published is None or self.published_by is None):
            raise ValueError("a published plan says when and by whom (published, published_by)")
        if self.status is PlanStatus.FAILED and not self.errors:
            raise ValueError("a failed plan says why (errors)")
        if self.is_solved and (self.objective is None or self.body is None):
            raise ValueError("a solved plan has an objective and a body")
        return self

    @property
    def is_solved(self) -> bool:
        """Whether there is a plan to look at."""
        return self.status not in {*UNSOLVED, PlanStatus.DISCARDED}
