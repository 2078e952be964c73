"""Workers: identities in the labelling tool, and whose they were; and labelling jobs that no project claims.

Belongs here: the queue, resolving an identity from a day on, leaving one aside. Does not belong here: guessing
(prism_core/suggestions.py) and computing the weeks again (the sensor of resolved workers).
"""

from http import HTTPStatus
from typing import Any

from prism_api.api import backend
from prism_api.api.actions import action
from prism_api.api.calls import Call
from prism_api.api.crud import crud
from prism_api.api.problems import FieldError, Problem, invalid
from prism_api.api.resource import Resource
from prism_api.api.visibility import visible
from prism_core.models.base import Day, Id, Model
from prism_core.models.people import Member
from prism_core.models.workers import Worker, WorkerStatus
from prism_core.tables import MEMBERS, WORKERS

EXAMPLE = {
    "worker_key": "us-east-1_Pool#0a1b2c3d",
    "pool": "us-east-1_Pool",
    "sub": "0a1b2c3d",
    "last_seen": "2026-01-05T06:00:00Z",
}


def _judge(call: Call, before: Worker | None, after: Worker | None) -> None:
    """Who plans one team says who its workers are: a period that changes or stops to count must be of theirs."""
    was = () if before is None else before.periods
    becomes = () if after is None else after.periods
    whole = before is None or after is None or before.status is not after.status
    if whole and not was and not becomes:
        _refuse_shared(call)
    touched = [one for one in (*was, *becomes) if whole or (one in was) is not (one in becomes)]
    _refuse_others(call, {period.member for period in touched})


def _refuse_others(call: Call, members: set[str]) -> None:
    seen = visible(call)
    if not all(seen.sees(member) for member in members):
        raise Problem(HTTPStatus.FORBIDDEN, "The worker would count for members who are not yours to plan.")


def _refuse_shared(call: Call) -> None:
    """A worker whom nobody has resolved may be anybody's."""
    if visible(call).members is not None:
        words = "The worker may be of any team: who sees all of them sets it aside, or says whose it is."
        raise Problem(HTTPStatus.FORBIDDEN, words)


def _hidden(call: Call, worker: Any) -> bool:
    """Somebody else's. One whom nobody has resolved is everybody's to resolve."""
    seen = visible(call)
    return bool(worker.periods) and not any(seen.sees(period.member) for period in worker.periods)


def _narrowed(call: Call, worker: Any) -> Any:
    """Without suggestions of members who are not the caller's to plan."""
    seen = visible(call)
    if seen.members is None or worker.is_job or not worker.suggestions:
        return worker
    theirs = tuple(one for one in worker.suggestions if seen.sees(one.candidate))
    return worker.model_copy(update={"suggestions": theirs})


RESOURCE = Resource(
    path="/api/workers",
    spec=WORKERS,
    model=Worker,
    noun="worker",
    example=EXAMPLE,
    ways=("by_id", "by_status"),
    everything=lambda _: {"status": tuple(WorkerStatus)},
    filters={"worker_key": str, "status": WorkerStatus, "is_job": bool},
    sorts=("last_seen", "first_seen", "worker_key", "status"),
    search=("worker_key",),
    judge=_judge,
    hidden=_hidden,
    narrow=_narrowed,
    names_others=("suggestions", "periods"),
    opaque=True,
)
router = crud(RESOURCE, "lgpd")


class Resolution(Model):
    """From a day on (until before another) the worker is this member."""

    member: Id
    valid_from: Day
    valid_to: Day | None = None


def _resolve(call: Call, worker: Worker, body: Resolution) -> dict[str, Any]:
    if worker.is_job:
        detail = "A labelling job belongs to a project: add it to the project's labeling_jobs."
        raise Problem(HTTPStatus.CONFLICT, detail)
    _refuse_others(call, {body.member})
    if backend.reader(MEMBERS, Member).get(member_id=body.member) is None:
        raise invalid((FieldError("body.member", f"there is no member {body.member}"),))
    kept: list[dict[str, Any]] = []
    for period in worker.periods:
        if period.from_ >= body.valid_from and (body.valid_to is None or period.from_ < body.valid_to):
            raise Problem(
                HTTPStatus.CONFLICT,
                f"The worker is {period.member} from {period.from_} already; edit that period first.",
            )
        plain: dict[str, Any] = {**period.plain()}
        if period.from_ < body.valid_from and (period.to is None or period.to > body.valid_from):
            _refuse_others(call, {period.member})
            plain["to"] = body.valid_from.isoformat()  # the one before ends where the new one begins
        kept.append(plain)
    new = {"member": body.member, "from": body.valid_from.isoformat()}
    if body.valid_to is not None:
        new["to"] = body.valid_to.isoformat()
    periods = sorted([*kept, new], key=lambda one: one["from"])
    return {"status": WorkerStatus.RESOLVED.value, "periods": periods, "suggestions": None}


def _ignore(call: Call, worker: Worker, _: None) -> dict[str, Any]:
    _refuse_others(call, {period.member for period in worker.periods})
    if not worker.periods:
        _refuse_shared(call)
    if worker.status is WorkerStatus.RESOLVED:
        raise Problem(HTTPStatus.CONFLICT, "The worker is resolved; its work counts for a member.")
    return {"status": WorkerStatus.IGNORED.value}


action(router, RESOURCE, "resolve", Resolution, "Say who a worker is from a day on", _resolve)
action(router, RESOURCE, "ignore", None, "Leave a worker or labelling job aside", _ignore)
