"""Editions of reports.

Belongs here: which were made, and their content. Does not belong here: making and sending them.
"""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from prism_api.api import backend, documents
from prism_api.api.calls import current
from prism_api.api.crud import crud, respond
from prism_api.api.resource import Resource
from prism_api.api.writes import read_item
from prism_core.models.base import Model
from prism_core.models.reports import Edition, EditionStatus, ReportKind
from prism_core.tables import EDITIONS
from prism_resources.aws import client

LINK_SECONDS = 300

EXAMPLE = {
    "edition_id": "campaign-2026-W02-1",
    "report": "campaign",
    "week": "2026-W02",
    "number": 1,
    "title": "Campaign, week 2 of 2026",
    "status": "sent",
    "content": "editions/campaign/2026-W02-1.html",
    "content_hash": "5d41402abc4b2a76b9719d911017c592",
    "created": "2026-01-12T05:30:00Z",
    "sent": "2026-01-12T06:00:00Z",
}

RESOURCE = Resource(
    path="/api/reports",
    spec=EDITIONS,
    model=Edition,
    noun="edition",
    example=EXAMPLE,
    ways=("by_id", "by_week", "by_report"),
    everything=lambda _: {"report": tuple(ReportKind)},
    filters={"edition_id": str, "week": str, "report": ReportKind, "status": EditionStatus},
    sorts=("week", "created", "title"),
    search=("title",),
    of_everybody=True,
)
router = crud(RESOURCE, "lg")


class Content(Model):
    """Where the content can be read, for five minutes."""

    url: str
    seconds: int


@router.get(
    "/api/reports/<key>/content",
    **documents.operation("A link to the content of an edition", "reports", Content, reads=True, item=True),
)
def content(key: Annotated[str, Path(min_length=1, max_length=1_024)]) -> Response[Content]:
    edition: Edition = read_item(RESOURCE, current(), key)
    settings = backend.settings()
    place: dict[str, Any] = {"Bucket": settings.lake_bucket, "Key": edition.content}
    url = client(settings, "s3").generate_presigned_url("get_object", Params=place, ExpiresIn=LINK_SECONDS)
    return respond(Content(url=url, seconds=LINK_SECONDS))
