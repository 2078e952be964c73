"""Corrections: work that counts for somebody else than the records say.

Belongs here: the resource. The throughput asset applies it when the week is materialised.
Does not belong here: the figures (throughput.py) and disputes, which may ask for one (disputes.py).
"""

from http import HTTPStatus
from typing import Any

from prism_api.api.calls import Call
from prism_api.api.crud import crud
from prism_api.api.inputs import refuse_without_effect
from prism_api.api.problems import Problem
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor, visible
from prism_core import clock
from prism_core.models.base import instant_text
from prism_core.models.disputes import Correction, FactTable
from prism_core.tables import CORRECTIONS

EXAMPLE = {
    "week": "2026-W02",
    "from_member": "m-017",
    "from_project": "p-042",
    "to_member": "m-021",
    "days": ["2026-01-06"],
    "reason": "worked under a colleague's account",
}


def _complete(call: Call, _: dict[str, Any]) -> dict[str, Any]:
    return {"created": instant_text(call.now), "created_by": actor(call)}


def _judge(call: Call, before: Correction | None, after: Correction | None) -> None:
    """Who plans one team moves work within it: both ends must be theirs, an unresolved source may be anybody's."""
    seen = visible(call)
    for correction in (before, after):
        members = () if correction is None else (correction.from_member, correction.to_member)
        if any(member is not None and ":" not in member and not seen.sees(member) for member in members):
            raise Problem(HTTPStatus.FORBIDDEN, "The correction moves work of members who are not yours to plan.")


def _hidden(call: Call, correction: Any) -> bool:
    seen = visible(call)
    return not (seen.sees(correction.from_member) or seen.sees(correction.to_member))


RESOURCE = Resource(
    path="/api/corrections",
    spec=CORRECTIONS,
    model=Correction,
    noun="correction",
    example=EXAMPLE,
    ways=("by_from_member", "by_to_member", "by_from_project", "by_to_project", "by_week"),
    everything=lambda _: {"week": tuple(week.label for week in clock.this_week().window(12))},
    filters={
        "week": str,
        "from_member": str,
        "to_member": str,
        "from_project": str,
        "to_project": str,
        "table": FactTable,
    },
    sorts=("week", "created", "from_member", "to_member"),
    search=("reason",),
    server=("created", "created_by", "dispute_id"),
    complete=_complete,
    judge=_judge,
    rule=refuse_without_effect,
    hidden=_hidden,
    generated="c",
)
router = crud(RESOURCE, "lcgdb")
