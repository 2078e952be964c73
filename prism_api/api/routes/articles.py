"""Articles: written, reviewed, published, taken back.

Belongs here: the resource, its steps, and what the gate says of its images. Does not belong here: images
(images.py), the gate (prism_core/media/gate.py), and what the public reads (prism_api/public).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from prism_api.api import backend, documents
from prism_api.api.actions import action
from prism_api.api.answers import respond
from prism_api.api.calls import Call, current
from prism_api.api.crud import IfMatch, Reason, crud
from prism_api.api.problems import RETRY_SECONDS, FieldError, Problem
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor
from prism_api.api.writes import author_of, change_item, matched, read_item
from prism_core.failures import PermanentFailure
from prism_core.media import flow
from prism_core.media.gate import Blocker, blockers, judge_image
from prism_core.media.slugs import candidates
from prism_core.models.articles import Article, ArticleStatus, ArticleSummary
from prism_core.models.base import Id, Model, instant_text
from prism_core.models.images import Image, ImageState, ObjectVersion, Standing
from prism_core.tables import ARTICLES, IMAGES
from prism_resources.media.reading import standing
from prism_resources.tables.claims import claimed
from prism_resources.tables.codec import Attribute

if TYPE_CHECKING:
    from prism_resources.media.publishing import Undrawn

EXAMPLE = {
    "title": "How we label lidar",
    "summary": "Point clouds, frame by frame.",
    "tags": ["lidar"],
    "slug": "how-we-label-lidar",
    "body": "# Lidar\n\nOne frame takes a minute.",
}
SERVER = ("author", "created", "status", "published_at", "publication")
_SLUGS = "slug of an article"
_log = logging.getLogger("prism.api")


class ImageStanding(Model):
    """An image of an article: where it is, and what keeps it from being public. Whoever describes it or decides on
    it sends the `object_version` that they saw."""

    image_id: Id
    key: str
    object_version: ObjectVersion | None
    file_name: str
    state: ImageState
    accepted: bool
    reasons: list[str]
    alt: str | None = None
    alt_suggestion: str | None = None


class GateReason(Model):
    """One thing that keeps an article from being published; without `image_id` it is about the text."""

    reason: str
    image_id: Id | None = None


class Gate(Model):
    """What to ask again until nothing is waiting: the images as they are now, and whether all may be public.

    `withdrawn` are the images of the publication that the public is not shown any more, since they were removed,
    replaced or rejected after it.
    """

    open: bool
    waiting: int
    withdrawn: list[Id]
    reasons: list[GateReason]
    images: list[ImageStanding]


@dataclass(slots=True)
class Images:
    """The images of an article as they are now; `unreadable` are the rows that are none, by image id, as far as
    the public is shown their pictures."""

    readable: list[Image]
    unreadable: dict[str, Standing | None]

    def __len__(self) -> int:
        return len(self.readable) + len(self.unreadable)

    @property
    def standings(self) -> list[Image | Standing]:
        return [*self.readable, *(one for one in self.unreadable.values() if one is not None)]


def images_of(article_id: str) -> Images:
    """One that cannot be read closes the gate of its own article and says so; the others stay what they are."""
    table, unreadable = backend.reader(IMAGES, Image), dict[str, Standing | None]()

    def told(raw: Attribute, failure: PermanentFailure) -> None:
        _log.error("an image keeps articles/%s from being published: %s", article_id, failure)
        unreadable[raw["image_id"]["S"]] = standing(article_id, raw)

    rows = table.raw(IMAGES.condition("by_article", {"article_id": article_id}), consistent=True)
    return Images(list(table.readable(rows, told)), unreadable)


def standing_of(image: Image, key: str) -> ImageStanding:
    verdict = judge_image(image, backend.settings().image_thresholds)
    return ImageStanding(
        image_id=image.image_id,
        key=key,
        object_version=image.object_version,
        file_name=image.file_name,
        state=image.state,
        accepted=verdict.accepted,
        reasons=list(verdict.reasons),
        alt=image.alt,
        alt_suggestion=image.alt_suggestion,
    )


def gate_of(article: Article) -> Gate:
    """The gate of an article as it stands now."""
    from prism_api.api.routes.images import RESOURCE as OF_IMAGES  # noqa: PLC0415 - each describes the other

    images = images_of(article.article_id)
    found = blockers(article, images.readable, backend.settings().image_thresholds, images.unreadable)
    waiting = sum(image.state in {ImageState.WAITING, ImageState.ANALYSING} for image in images.readable)
    public = article.publication
    return Gate(
        open=not found,
        waiting=waiting,
        withdrawn=[] if public is None else sorted(flow.withdrawn(public, images.standings)),
        reasons=[GateReason(reason=one.reason, image_id=one.image_id) for one in found],
        images=[standing_of(image, OF_IMAGES.key_text(image)) for image in images.readable],
    )


def _complete(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"author": actor(call), "created": instant_text(call.now)}
    if fields.get("slug") is None and isinstance(fields.get("title"), str):
        made["slug"] = next((one for one in candidates(fields["title"]) if _holder(one) is None), None)
    return made


def _holder(slug: str) -> str | None:
    """The article that has a slug."""
    rows = backend.reader(ARTICLES, Article).query_as(ArticleSummary, "by_slug", slug=slug, limit=1)
    return next((row.article_id for row in rows), None)


def _rule(_: Call, before: Article | None, after: Article | None) -> None:
    """Steps are taken by their own routes, an admin's too: whoever publishes has asked the gate."""
    if after is None:
        raise Problem(HTTPStatus.CONFLICT, "An article is deleted by its own route, so that it can be restored.")
    if before is None:
        return
    steps = [name for name in SERVER if getattr(before, name) != getattr(after, name)]
    if steps:
        raise Problem(HTTPStatus.CONFLICT, f"{', '.join(steps)} changes by the steps of an article alone.")
    if before.status not in flow.EDITABLE:
        words = f"The article is {before.status}; reopen or restore it before it is edited."
        raise Problem(HTTPStatus.CONFLICT, words)
    if before.slug != after.slug and before.published_at is not None:
        raise Problem(HTTPStatus.CONFLICT, "The slug of what was published stays: people have its address.")


def _claim(call: Call, before: Article | None, after: Article | None) -> None:
    """Of two articles that are given one slug at once, one gets it: each of them has seen that it is free."""
    if after is None or (before is not None and before.slug == after.slug):
        return
    holder = _holder(after.slug)
    free = holder in {None, after.article_id} and claimed(
        backend.dynamodb(), backend.settings(), _SLUGS, after.slug, after.article_id, call.request_id
    )
    if not free:
        raise Problem(HTTPStatus.CONFLICT, f"The slug {after.slug} is taken; choose another one.")


RESOURCE = Resource(
    path="/api/articles",
    spec=ARTICLES,
    model=Article,
    noun="article",
    example=EXAMPLE,
    ways=("by_slug", "by_author", "by_status"),
    everything=lambda _: {"status": tuple(one for one in ArticleStatus if one is not ArticleStatus.DELETED)},
    filters={"status": ArticleStatus, "author": str, "slug": str, "tags": str},
    sorts=("created", "title", "author", "status", "published_at"),
    search=("title", "summary"),
    server=SERVER,
    complete=_complete,
    rule=_rule,
    claim=_claim,
    mine="author",
    row=ArticleSummary,
    generated="a",
    filled=("slug",),
    derived={"gate": (Gate, gate_of)},
)
router = crud(RESOURCE, "lcgup")
Key = Annotated[str, Path(description="names the article: `key` of its answer", min_length=1, max_length=1_024)]


@router.get(
    "/api/articles/<key>/gate",
    **documents.of(RESOURCE, "Whether an article may be published, and its images", Gate, reads=True, item=True),
)
def gate(key: Key) -> Response[Gate]:
    """What a page asks every second while images are analysed."""
    return respond(gate_of(read_item(RESOURCE, current(), key)))


@router.delete(
    "/api/articles/<key>",
    **documents.of(
        RESOURCE, "Delete an article, which can be restored", None, status=HTTPStatus.NO_CONTENT, item=True,
        versioned=True,
    ),
)  # fmt: skip
def delete(key: Key, if_match: IfMatch = None, reason: Reason = None) -> Response[None]:
    """It is taken off the public shelf at once; its text and images stay."""
    call = current()
    before = read_item(RESOURCE, call, key)
    matched(RESOURCE, call, before)
    after = flow.moved(before, ArticleStatus.DELETED)
    change_item(RESOURCE, author_of(call), before, after.plain(), judged=False)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _publish(call: Call, article: Article, _: None) -> Article:
    """Every copy that the public is shown is there before the article is public. A call that ends half-way has
    changed nothing that anybody sees, and the next one goes on where it ended."""
    flow.FLOW.check(article.article_id, article.status, ArticleStatus.PUBLISHED)
    images = _accepted(article)
    undrawn = [image for image in images if not image.copies]
    if undrawn:
        from prism_resources.media.publishing import draw_copies  # noqa: PLC0415 - no other route has threads

        _refuse_undrawn(draw_copies(backend.settings(), undrawn), len(undrawn))
        # That took seconds: somebody may have replaced, rejected or added a picture meanwhile.
        images = _accepted(article)
        if not all(image.copies for image in images):
            words = "The images of the article were changed while it was being published; publish it again."
            raise Problem(HTTPStatus.CONFLICT, words)
    return flow.published(article, images, actor(call), call.now)


def _accepted(article: Article) -> list[Image]:
    """The images of an article, all of which may be public. Raises Problem 409 with every reason of the gate."""
    images = images_of(article.article_id)
    found = blockers(article, images.readable, backend.settings().image_thresholds, images.unreadable)
    if found:
        raise Problem(
            HTTPStatus.CONFLICT,
            f"The article is not published: {found[0].reason}"
            + (f" (and {len(found) - 1} more)" if len(found) > 1 else ""),
            errors=tuple(FieldError(_where(one), one.reason) for one in found),
        )
    return images.readable


def _refuse_undrawn(undrawn: Sequence["Undrawn"], asked: int) -> None:
    """Raises Problem 409 for an image that cannot be drawn as it is, 503 where publishing again goes on."""
    if not undrawn:
        return
    first = next((one for one in undrawn if not one.passes), undrawn[0])
    errors = tuple(FieldError(f"images.{one.image_id}", one.why) for one in undrawn)
    said = f"the public copies of image {first.image_id} were not drawn: {first.why}"
    if not first.passes:
        raise Problem(HTTPStatus.CONFLICT, f"The article is not published: {said}", errors=errors)
    raise Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The article is not published yet: {said}. {asked - len(undrawn)} of {asked} were drawn, and stay; "
        "publish it again for the others.",
        errors=errors,
        headers={"retry-after": str(RETRY_SECONDS)},
    )


def _where(blocker: Blocker) -> str:
    return "body" if blocker.image_id is None else f"images.{blocker.image_id}"


def _step(name: str, to: ArticleStatus, summary: str) -> None:
    action(router, RESOURCE, name, None, summary, lambda _call, article, _body: flow.moved(article, to))


_step("submit", ArticleStatus.REVIEW, "Ask for a review of a draft")
_step("return", ArticleStatus.DRAFT, "Give a reviewed article back to its author")
action(router, RESOURCE, "publish", None, "Publish an article as it is now, if its images allow it", _publish)
_step("archive", ArticleStatus.ARCHIVED, "Take an article off the public shelf")
_step("reopen", ArticleStatus.DRAFT, "Make an archived article a draft again")
_step("restore", ArticleStatus.DRAFT, "Bring a deleted article back as a draft")
