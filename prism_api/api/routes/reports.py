"""Editions of reports.

Belongs here: which were made, and their content. Does not belong here: making and sending them.
"""

import base64
import hashlib
import json
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from prism_api.api import backend, documents, objects
from prism_api.api.calls import current
from prism_api.api.crud import crud, respond
from prism_api.api.problems import not_found
from prism_api.api.resource import Resource
from prism_api.api.writes import read_item
from prism_core.models.base import Count, Model
from prism_core.models.reports import Edition, EditionStatus, ReportKind
from prism_core.tables import EDITIONS
from prism_resources.aws import client
from prism_resources.letters import letter_of

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


class LetterPicture(Model):
    """A PNG in base64 that the HTML names as `cid:` with this id."""

    cid: str
    png: str


class LetterFile(Model):
    """A list that went with the mail, CSV."""

    name: str
    csv: str


class LetterAnswer(Model):
    """One of the letters of an edition: whoever is told the same gets the same one.

    `recipients` is how many get it; absent where everybody does who is subscribed as it is sent.
    """

    number: Annotated[int, Field(ge=1)]
    letters: Count
    recipients: Count | None = None
    subject: str
    text: str
    html: str | None = None
    pictures: list[LetterPicture]
    files: list[LetterFile]


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


@router.get(
    "/api/reports/<key>/letters/<number>",
    **documents.operation(
        "What an edition says to some of its readers", "reports", LetterAnswer, reads=True, item=True
    ),
)
def letter(
    key: Annotated[str, Path(min_length=1, max_length=1_024)],
    number: Annotated[int, Path(ge=1, le=10_000, description="from 1 on")],
) -> Response[LetterAnswer]:
    edition: Edition = read_item(RESOURCE, current(), key)
    body = objects.get(edition.content) or b""
    if hashlib.sha256(body).hexdigest()[: len(edition.content_hash)] != edition.content_hash:
        raise not_found(f"the content of {edition.edition_id} as it was stored")
    letters = json.loads(body)["letters"]
    if number > len(letters):
        raise not_found(f"letter {number} of {edition.edition_id}")
    found = letter_of(letters[number - 1])
    return respond(
        LetterAnswer(
            number=number,
            letters=len(letters),
            recipients=None if found.recipients is None else len(found.recipients),
            subject=found.subject,
            text=found.text,
            html=found.html,
            pictures=[
                LetterPicture(cid=one.cid, png=base64.b64encode(one.png).decode()) for one in found.pictures
            ],
            files=[LetterFile(name=one.name, csv=one.csv.decode("utf-8-sig")) for one in found.attached],
        )
    )
