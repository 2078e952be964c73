"""Saved views: named states of a screen, private or shared.

Belongs here: the resource; everybody reads shared ones, only the owner changes one. Does not belong here: screens.
"""

from http import HTTPStatus
from typing import Any

from prism_api.api.calls import Call, Role
from prism_api.api.crud import crud
from prism_api.api.problems import Problem
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor, selves
from prism_core.models.base import instant_text
from prism_core.models.views import SavedView, Screen, Visibility
from prism_core.tables import SAVED_VIEWS

EXAMPLE = {
    "screen": "throughput",
    "name": "My team, last four weeks",
    "visibility": "private",
    "state": {"team": ["lidar"], "weeks": ["4"]},
}


def _complete(call: Call, _: dict[str, Any]) -> dict[str, Any]:
    return {"owner": actor(call), "created": instant_text(call.now)}


def _judge(call: Call, before: SavedView | None, _: SavedView | None) -> None:
    if before is not None and before.owner not in selves(call) and Role.ADMIN not in call.caller.roles:
        raise Problem(HTTPStatus.FORBIDDEN, f"The view belongs to {before.owner}; save it under your own name.")


def _hidden(call: Call, view: Any) -> bool:
    return view.visibility is Visibility.PRIVATE and view.owner not in selves(call)


RESOURCE = Resource(
    path="/api/saved-views",
    spec=SAVED_VIEWS,
    model=SavedView,
    noun="saved view",
    example=EXAMPLE,
    ways=("by_owner", "by_visibility"),
    everything=lambda _: {"visibility": tuple(Visibility)},
    filters={"owner": str, "visibility": Visibility, "screen": Screen},
    sorts=("name", "screen", "created"),
    search=("name",),
    server=("owner", "created"),
    complete=_complete,
    judge=_judge,
    hidden=_hidden,
    mine="owner",
    never_in_history=("state",),
    past=False,
    generated="v",
)
router = crud(RESOURCE, "lcgupd")
