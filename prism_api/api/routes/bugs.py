"""Bugs of the platform, as people report them.

Belongs here: the resource, and the screenshot, which is fetched on demand. Does not belong here: pictures of
articles.
"""

import base64
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from prism_api.api import documents
from prism_api.api.calls import Access, Call, Role, current
from prism_api.api.crud import crud
from prism_api.api.problems import FieldError, Problem, invalid, not_found
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor, selves
from prism_api.api.writes import read_item
from prism_core.models.base import instant_text
from prism_core.models.bugs import Bug, BugStatus, BugSummary
from prism_core.models.work import Severity
from prism_core.tables import BUGS

EXAMPLE = {
    "title": "The week picker jumps back",
    "description": "After a filter is set, the picker shows the running week again.",
    "steps": "1. Choose 2026-W02. 2. Filter by team.",
    "expected": "2026-W02 stays",
    "actual": "the running week is chosen",
    "severity": "medium",
    "category": "screens",
    "page": "/throughput?week=2026-W02",
    "browser": "Firefox 150",
}
# What the first bytes say, not what a name claims: a picture is sent back to browsers.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"RIFF", "image/webp"),
)


def _complete(call: Call, _: dict[str, Any]) -> dict[str, Any]:
    return {"reporter": actor(call), "created": instant_text(call.now)}


def _judge(call: Call, before: Bug | None, after: Bug | None) -> None:
    """Who reports a bug does not say what became of it; leads and admins do."""
    decides = bool({Role.ADMIN, Role.LEAD} & call.caller.roles)
    if before is None and after is not None and not decides:
        decided = (after.status is not BugStatus.NEW, after.assignee is not None, after.resolved is not None)
        if any(decided):
            detail = "A new bug is unassigned; a lead sets status, assignee and resolved."
            raise Problem(HTTPStatus.FORBIDDEN, detail)
    shot = after.screenshot if after is not None else None
    if shot is not None and (before is None or before.screenshot != shot) and picture_type(shot) is None:
        raise invalid((FieldError("body.screenshot", "neither PNG, JPEG nor WebP"),))


def picture_type(screenshot: str) -> str | None:
    """The media type of a picture in base64, by its first bytes."""
    start = base64.b64decode(screenshot[:16])
    for signature, media_type in _SIGNATURES:
        if start.startswith(signature) and (media_type != "image/webp" or start[8:12] == b"WEBP"):
            return media_type
    return None


def _hidden(call: Call, bug: Any) -> bool:
    return call.access is Access.OWN and bug.reporter not in selves(call)


RESOURCE = Resource(
    path="/api/bugs",
    spec=BUGS,
    model=Bug,
    noun="bug",
    example=EXAMPLE,
    ways=("by_reporter", "by_assignee", "by_status"),
    everything=lambda _: {"status": tuple(BugStatus)},
    filters={"status": BugStatus, "severity": Severity, "category": str, "reporter": str, "assignee": str},
    sorts=("created", "title", "status", "category"),
    search=("title", "description"),
    server=("reporter", "created"),
    complete=_complete,
    judge=_judge,
    hidden=_hidden,
    mine="reporter",
    kept=lambda _: frozenset({"screenshot"}),  # no answer has it to send back
    row=BugSummary,
    answer=BugSummary,
    generated="b",
    never_in_history=("screenshot",),  # a page of changes would be megabytes of them
)
router = crud(RESOURCE)


@router.get(
    "/api/bugs/<key>/screenshot",
    **documents.operation(
        "The screenshot of a bug, as a picture", "bugs", None, reads=True, item=True, media="image/*"
    ),
)
def screenshot(key: Annotated[str, Path(min_length=1, max_length=1_024)]):  # no type: bytes are not validated
    """Lists and items leave it out: it may take 100 kB."""
    bug: Bug = read_item(RESOURCE, current(), key)
    if bug.screenshot is None:
        raise not_found(f"screenshot of bug {key}")
    media_type = picture_type(bug.screenshot) or "application/octet-stream"
    return Response(
        HTTPStatus.OK, media_type, base64.b64decode(bug.screenshot), headers={"etag": f'"{bug.version}"'}
    )
