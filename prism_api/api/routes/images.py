"""Images of articles: an upload that goes straight to S3, and what people say about what was found.

Belongs here: handing out the form, the alternative text, the override. Does not belong here: the analysis
(prism_api/images) and whether an article may be published (articles.py).
"""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field

from prism_api.api import backend, documents, objects
from prism_api.api.actions import action
from prism_api.api.answers import respond
from prism_api.api.calls import Call, current
from prism_api.api.crud import Idempotency, Reason, crud
from prism_api.api.problems import Problem
from prism_api.api.resource import Resource
from prism_api.api.routes import articles
from prism_api.api.visibility import actor
from prism_api.api.writes import author_of, read_item
from prism_core.failures import StaleVersion
from prism_core.media import flow
from prism_core.media.keys import OriginalKey
from prism_core.models.articles import Article
from prism_core.models.base import Id, Model
from prism_core.models.images import Image, ImageState, ObjectVersion, Override
from prism_core.tables import IMAGES
from prism_resources.media.objects import Originals

MAX_UPLOAD_BYTES = 15 * objects.MIB
MAX_IMAGES = 100
# Any letters, also those of other alphabets; the ending says the type, in small letters, as the filters of S3
# have it.
FILE_NAME = r"^[^/\\\x00-\x1f\x7f]{1,150}\.(jpg|jpeg|png|webp)$"
EXAMPLE = {
    "article_id": "a-01kbm0c3vq3w4x5y6z7a8b9c0d",
    "image_id": "i-01kbm0c3vq3w4x5y6z7a8b9c0e",
    "file_name": "point cloud.jpg",
    "state": "analysed",
    "requested": "2026-01-05T07:00:00Z",
    "requested_by": "m-017",
    "object_key": "originals/a-01kbm0c3vq3w4x5y6z7a8b9c0d/i-01kbm0c3vq3w4x5y6z7a8b9c0e/point cloud.jpg",
    "alt": "Two people in front of a point cloud",
}
_OF_A_PERSON = ("version", "article_id", "image_id", "alt")
_FOUND = tuple(name for name in Image.model_fields if name not in _OF_A_PERSON)
# Nobody changes it: whoever describes a picture names the upload that they saw.
_SEEN = "object_version"
SERVER = tuple(name for name in _FOUND if name != _SEEN)


class ImageWish(Model):
    """The name of the file that will be uploaded; its ending says the type."""

    file_name: Annotated[str, Field(pattern=FILE_NAME, examples=["point cloud.jpg"])]


class UploadForm(Model):
    """POST the `fields`, in this order, and then the file as `file`, to `url` as multipart/form-data, within
    `seconds`. Whoever uploads again replaces the image, and closes the gate until that is analysed."""

    image_id: Id
    key: str
    url: str
    fields: dict[str, str]
    most_bytes: int
    seconds: int


class Decision(Model):
    """What a person makes of an upload that they saw, and why; another upload ends it."""

    object_version: ObjectVersion
    accepted: bool
    reason: Annotated[str, Field(min_length=3, max_length=1_000)]


def _rule(call: Call, before: Image | None, after: Image | None) -> None:
    """What was uploaded and found is nobody's to write, an admin's neither."""
    if before is None or after is None:
        return
    if after.object_version != before.object_version:
        raise _other_upload(after.object_version, before)
    found = [name for name in SERVER if getattr(before, name) != getattr(after, name)]
    if found:
        words = f"{', '.join(found)} of an image changes by uploads and decisions alone."
        raise Problem(HTTPStatus.CONFLICT, words)
    if before.alt != after.alt:
        _seen(call, before)


def _seen(call: Call, image: Image) -> None:
    """Words are about an upload that their author saw: its name stands beside them, or If-Match has the ETag."""
    named = isinstance(call.body, dict) and _SEEN in call.body
    if image.object_version is None or named or call.headers.get("if-match", "").strip() != "*":
        return
    words = f"Send {_SEEN} of the upload that you describe, or its ETag in If-Match: * may be another picture."
    raise Problem(HTTPStatus.PRECONDITION_REQUIRED, words)


def _other_upload(seen: str | None, image: Image) -> Problem:
    words = (
        f"You saw the upload {seen}, and the image is {image.object_version or 'not uploaded'} now; look again."
    )
    return Problem(HTTPStatus.CONFLICT, words)


RESOURCE = Resource(
    path="/api/images",
    spec=IMAGES,
    model=Image,
    noun="image",
    example=EXAMPLE,
    ways=("by_article", "by_state"),
    everything=lambda _: {"state": tuple(ImageState)},
    filters={"article_id": str, "state": ImageState},
    sorts=("requested", "file_name", "state"),
    search=("file_name", "alt"),
    server=SERVER,
    rule=_rule,
)
router = crud(RESOURCE, "lgpd")
Key = Annotated[str, Path(description="names the article: `key` of its answer", min_length=1, max_length=1_024)]


@router.post(
    "/api/articles/<key>/images",
    **documents.operation(
        "A form that takes the file of a new image", "images", UploadForm, status=HTTPStatus.CREATED, item=True
    ),
)
def add(
    key: Key, body: Annotated[ImageWish, Body()], reason: Reason = None, idempotency_key: Idempotency = None
) -> Response[UploadForm]:
    """Nobody waits for the analysis: the file goes straight to S3, and the gate of the article tells of it."""
    call = current()
    article = _editable(call, key)
    if len(articles.images_of(article.article_id)) >= MAX_IMAGES:
        raise Problem(HTTPStatus.CONFLICT, f"The article has {MAX_IMAGES} images, which is the most.")
    image_id = objects.new_id(call, "i")
    image = Image(
        article_id=article.article_id,
        image_id=image_id,
        file_name=body.file_name,
        requested=call.now,
        requested_by=actor(call),
        object_key=str(OriginalKey(article.article_id, image_id, body.file_name)),
    )
    try:
        made = backend.store(IMAGES, Image).create(image, **author_of(call).of())
    except StaleVersion as stale:
        raise Problem(HTTPStatus.CONFLICT, "This call has made an image already; make a new call.") from stale
    return respond(_form(made), HTTPStatus.CREATED)


@router.post(
    "/api/images/<key>/upload",
    **documents.of(RESOURCE, "A form that replaces the file of an image", UploadForm, item=True),
)
def upload_again(
    key: Annotated[str, Path(description="names the image: `key` of its answer", min_length=1, max_length=1_024)],
) -> Response[UploadForm]:
    """For a form that has run out, and for another picture. Nothing changes until the file is there."""
    call = current()
    image: Image = read_item(RESOURCE, call, key)
    _editable(call, image.article_id)
    return respond(_form(image))


def _editable(call: Call, key: str) -> Article:
    article: Article = read_item(articles.RESOURCE, call, key)
    if article.status not in flow.EDITABLE:
        words = f"The article is {article.status}; reopen or restore it before it is given images."
        raise Problem(HTTPStatus.CONFLICT, words)
    return article


def _form(image: Image) -> UploadForm:
    form = Originals(backend.settings()).form(image.object_key, MAX_UPLOAD_BYTES, objects.UPLOAD_SECONDS)
    return UploadForm(
        image_id=image.image_id,
        key=RESOURCE.key_text(image),
        url=form["url"],
        fields=form["fields"],
        most_bytes=MAX_UPLOAD_BYTES,
        seconds=objects.UPLOAD_SECONDS,
    )


def _decide(call: Call, image: Image, body: Decision) -> dict[str, Any]:
    """An override is of one S3 version, and of one that was looked at."""
    if image.state is not ImageState.ANALYSED or image.object_version is None:
        words = f"The image is {image.state}; only one that is analysed can be decided on."
        raise Problem(HTTPStatus.CONFLICT, words)
    if body.object_version != image.object_version:
        raise _other_upload(body.object_version, image)
    decided = Override(
        object_version=image.object_version,
        accepted=body.accepted,
        by=actor(call),
        at=call.now,
        reason=body.reason,
    )
    return {"override": decided.plain()}


action(router, RESOURCE, "decision", Decision, "Accept or reject an image against the limits", _decide)
