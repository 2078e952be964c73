"""Disputes: a member says that a figure is wrong, a lead answers with a correction or a reason.

Belongs here: the resource and its answers. Does not belong here: the flow (prism_core/disputes.py).
"""

from typing import Annotated, Any

from pydantic import Field

from prism_api.api import backend
from prism_api.api.actions import action
from prism_api.api.calls import Call
from prism_api.api.crud import crud
from prism_api.api.inputs import refuse_not_counted
from prism_api.api.problems import FieldError, invalid
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor, own_member
from prism_core.disputes import check_figure, correct, decline, withdraw
from prism_core.models.base import Id, Model, Text, instant_text
from prism_core.models.disputes import Correction, Dispute, DisputeStatus, FactTable
from prism_core.tables import CORRECTIONS, DISPUTES

EXAMPLE = {
    "table": "throughput",
    "week": "2026-W02",
    "member_id": "m-017",
    "project_id": "p-042",
    "field": "tasks_submitted",
    "shown": "412",
    "expected": "450",
    "reason": "Tuesday afternoon is missing",
}


def _complete(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    opened = {"opened": instant_text(call.now), "opened_by": actor(call)}
    mine = own_member(call) if "member_id" not in given else None
    return opened if mine is None else opened | {"member_id": mine.member_id}


def _judge(_: Call, before: Dispute | None, after: Dispute | None) -> None:
    if before is None and after is not None:
        check_figure(after)


RESOURCE = Resource(
    path="/api/disputes",
    spec=DISPUTES,
    model=Dispute,
    noun="dispute",
    example=EXAMPLE,
    ways=("by_id", "by_member", "by_project", "by_week", "by_status"),
    everything=lambda _: {"status": tuple(DisputeStatus)},
    filters={
        "dispute_id": str,
        "member_id": str,
        "project_id": str,
        "week": str,
        "status": DisputeStatus,
        "table": FactTable,
    },
    sorts=("opened", "week", "member_id", "status"),
    search=("reason", "field"),
    owner=lambda dispute: dispute.member_id,
    server=("status", "opened", "opened_by", "decided", "decided_by", "answer", "correction_id"),
    complete=_complete,
    filled=("member_id",),
    judge=_judge,
    generated="d",
)
router = crud(RESOURCE, "lcg")


class Declined(Model):
    """Why the figure is right."""

    answer: Annotated[str, Field(min_length=1, max_length=10_000)]


class Corrected(Model):
    """The correction of that week which answers it; none where a quality review was edited."""

    correction_id: Id | None = None
    answer: Text = ""


def _decline(call: Call, dispute: Dispute, body: Declined) -> Any:
    return decline(dispute, actor=actor(call), now=call.now, answer=body.answer)


def _correct(call: Call, dispute: Dispute, body: Corrected) -> Any:
    correction = None
    if body.correction_id is not None:
        found = backend.reader(CORRECTIONS, Correction).get(week=dispute.week, correction_id=body.correction_id)
        if found is None:
            words = f"there is no correction {body.correction_id} of {dispute.week}"
            raise invalid((FieldError("body.correction_id", words),))
        refuse_not_counted(call, found)
        correction = found
    return correct(dispute, correction, actor=actor(call), now=call.now, answer=body.answer)


def _withdraw(call: Call, dispute: Dispute, _: None) -> Any:
    return withdraw(dispute, actor=actor(call))


action(router, RESOURCE, "decline", Declined, "Answer a dispute with a reason", _decline)
action(router, RESOURCE, "correct", Corrected, "Answer a dispute with a correction", _correct)
action(router, RESOURCE, "withdraw", None, "Take a dispute back", _withdraw)
