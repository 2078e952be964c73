"""What the API answers of a plan: its result, why it is so, what another has otherwise, who else could.

Belongs here: the models of these answers, and making them of what a plan keeps. Does not belong here: routes.
Hours have two places and points four, as texts; days are local dates of the week.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Annotated, Any, TypeVar

from pydantic import Field

from prism_core.calendar import Week
from prism_core.capacity.compare import PlanDifference
from prism_core.capacity.explanation import Candidate, ChangeKind, Constraint, Explanation
from prism_core.capacity.plan import PlanState
from prism_core.capacity.problem import Level
from prism_core.models.base import Choice, Count, Day, Hours, Id, Instant, Many, Measure, Model
from prism_core.models.published import PublicationState

_M = TypeVar("_M", bound=Model)


class AssignmentOf(Model):
    """A member's hours on a project. `by_line` and `beyond_demand`, which is of pins, sum to `hours`."""

    member_id: str
    project_id: str
    hours: Hours
    by_day: dict[Day, Hours]
    by_line: dict[str, Hours]
    beyond_demand: Hours
    pinned: bool


class UnmetOf(Model):
    """Hours of a demand line that nobody works."""

    line: str
    project_id: str
    hours: Hours


class LoadOf(Model):
    """A member's week."""

    member_id: str
    available_hours: Hours
    planned_hours: Hours
    overtime_hours: Hours


class PlanDocument(Model):
    """A plan, whole: as `prism plan --json` prints it. `gap` is a fraction, `unplaced` has requests that no
    project takes up."""

    week: Week
    state: Choice[PlanState]
    level: Choice[Level]
    objective: Measure
    bound: Measure
    gap: Annotated[float, Field(ge=0)]
    terms: dict[str, Measure]
    assigned_hours: Hours
    unmet_hours: Hours
    moved_hours: Hours
    assignments: Many[AssignmentOf]
    unmet: Many[UnmetOf]
    members: Many[LoadOf]
    unplaced: dict[str, str]
    notes: Many[str]


class SwitchOf(Model):
    """An hour taken from an assignment: what it costs, for how many hours, and who takes it over."""

    member_id: str | None
    cost: Measure
    hours: Hours


class AssignmentReason(Model):
    """Points of an assignment by term; `held` says what keeps it where `switch` is null."""

    member_id: str
    project_id: str
    hours: Hours
    terms: dict[str, Measure]
    switch: SwitchOf | None
    held: Choice[Constraint] | None


class ChangeOf(Model):
    """The change of one member that gives a line an hour for the most points."""

    kind: Choice[ChangeKind]
    member_id: str
    gain: Measure
    hours: Hours
    day: Day | None
    project_id: str | None
    skills: dict[str, int] | None


class UnmetReason(Model):
    """What keeps the hours of a line open."""

    line_id: str
    project_id: str
    hours: Hours
    constraint: Choice[Constraint]
    change: ChangeOf | None


class MemberReason(Model):
    """Why a member is idle or full; `next_hour` is what an hour more of theirs would earn at least."""

    member_id: str
    available: Hours
    idle: Hours
    overtime: Hours
    terms: dict[str, Measure]
    idle_why: Choice[Constraint] | None
    next_hour: Measure | None


class ExplanationOf(Model):
    """Why a plan is as it is; `sentences` say the same to a person."""

    week: Week
    relative_to: Many[Choice[Constraint]]
    given_up: Measure
    assignments: Many[AssignmentReason]
    unmet: Many[UnmetReason]
    members: Many[MemberReason]
    sentences: list[str]


class AssignmentChanged(Model):
    """Hours of a member on a project that differ."""

    member_id: str
    project_id: str
    before: Hours
    after: Hours


class UnmetChanged(Model):
    """Open hours of a demand line that differ."""

    line_id: str
    project_id: str
    before: Hours
    after: Hours


class DifferenceOf(Model):
    """What a plan has otherwise than another: this one less that one."""

    week: Week
    objective: Measure
    terms: dict[str, Measure]
    assignments: Many[AssignmentChanged]
    unmet: Many[UnmetChanged]
    by_member: dict[str, Measure]
    by_project: dict[str, Measure]
    moved_hours: Hours
    unmet_hours: Measure
    sentences: list[str]


class PlanFigures(Model):
    """The figures of the plan that is published."""

    plan_id: Id
    scenario: str
    objective: Measure | None
    bound: Measure | None
    gap: Measure | None
    assigned_hours: Hours | None
    unmet_hours: Hours | None
    fingerprint: str | None
    over: Count
    created: Instant
    created_by: str


class WeekPlan(Model):
    """What is published of a week: `publication` 0 is nothing, then they are counted, undone ones too.

    `plan` is absent where nothing was published, or it was taken back; `undoes` names the publication that was.
    `changed` rows differ from those before it, `edited` ones are not as the plan has them.
    """

    week: Week
    publication: Count = 0
    state: Choice[PublicationState] | None = None
    plan_id: Id | None = None
    plan: PlanFigures | None = None
    replaced: Id | None = None
    undoes: Count | None = None
    changed: Count = 0
    edited: Count = 0
    published: Instant | None = None
    published_by: str | None = None
    reason: str = ""


class HoursChanged(Model):
    """A member's hours by day on a project, before and after."""

    member_id: str
    project_id: str
    before: dict[Day, Hours]
    after: dict[Day, Hours]


class PairOf(Model):
    """A member on a project."""

    member_id: str
    project_id: str


class PreviewOf(Model):
    """What publishing a plan would change as the week stands: `publication` is the one that it would go over."""

    publication: Count
    changes: Many[HoursChanged]


class PublicationOf(Model):
    """A publication that is written: what it changed, and the rows that it left as somebody wrote them."""

    week: WeekPlan
    changes: Many[HoursChanged]
    kept: Many[PairOf]


class CandidateOf(Model):
    """Somebody with the skills of a line: what an hour more of theirs on it would gain, below 0 for a cost."""

    member_id: str
    gain: Measure
    hours: Hours
    kept_out: Choice[Constraint] | None
    sentence: str


class CandidatesOf(Model):
    """Who could work on a line, the best first; those whom a decision or a limit keeps out come last."""

    line: str
    candidates: list[CandidateOf]


def document_of(document: Mapping[str, Any], member_id: str | None, project_id: str | None) -> PlanDocument:
    """The document of a plan, of one member or project where one is named; figures stay those of the whole."""

    def kept(row: Mapping[str, Any]) -> bool:
        return member_id in {None, row.get("member_id")} and project_id in {None, row.get("project_id")}

    part = {
        "assignments": [one for one in document["assignments"] if kept(one)],
        "unmet": [one for one in document["unmet"] if project_id in {None, one["project_id"]}],
        "members": [one for one in document["members"] if member_id in {None, one["member_id"]}],
    }
    return PlanDocument.model_validate({**document, **part})


def explanation_of(found: Explanation, sentences: Iterable[str]) -> ExplanationOf:
    """An explanation as an answer."""
    return _made(
        ExplanationOf,
        found,
        assignments=tuple(
            _made(AssignmentReason, one, switch=None if one.switch is None else _made(SwitchOf, one.switch))
            for one in found.assignments
        ),
        unmet=tuple(
            _made(UnmetReason, one, change=None if one.change is None else _made(ChangeOf, one.change))
            for one in found.unmet
        ),
        members=tuple(_made(MemberReason, one) for one in found.members),
        sentences=[*sentences],
    )


def difference_of(found: PlanDifference, sentences: Iterable[str]) -> DifferenceOf:
    """A difference as an answer."""
    return _made(
        DifferenceOf,
        found,
        assignments=tuple(_made(AssignmentChanged, one) for one in found.assignments),
        unmet=tuple(_made(UnmetChanged, one) for one in found.unmet),
        sentences=[*sentences],
    )


def candidate_of(found: Candidate, sentence: str) -> CandidateOf:
    """A candidate as an answer."""
    return _made(CandidateOf, found, sentence=sentence)


def _made(model: type[_M], of: Any, **instead: Any) -> _M:
    """A model with the fields of a dataclass, some of them given."""
    values = {field.name: getattr(of, field.name) for field in fields(of)} | instead
    return model.model_validate(values)
