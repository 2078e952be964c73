"""From draft to public and back.

Belongs here: which status of an article may follow which, what each step makes of it, and which pictures of a
publication are taken back. Does not belong here:
whether its images allow it (gate.py) and who may take a step (prism_api).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from prism_core.models.articles import Article, ArticleStatus, Publication, PublishedImage
from prism_core.models.images import Image, Standing
from prism_core.transitions import Flow

_DRAFT, _REVIEW, _PUBLISHED, _ARCHIVED, _DELETED = ArticleStatus
FLOW: Final = Flow(
    "article",
    {
        _DRAFT: (_REVIEW, _ARCHIVED, _DELETED),
        _REVIEW: (_PUBLISHED, _DRAFT, _ARCHIVED, _DELETED),
        # Published again: with what was edited since.
        _PUBLISHED: (_PUBLISHED, _ARCHIVED, _DELETED),
        _ARCHIVED: (_DRAFT, _DELETED),
        _DELETED: (_DRAFT,),
    },
)
EDITABLE: Final = (_DRAFT, _REVIEW, _PUBLISHED)


def moved(article: Article, to: ArticleStatus) -> Article:
    """The article in another status. Raises NotAllowed with the ones that are allowed."""
    FLOW.check(article.article_id, article.status, to)
    return article.model_copy(update={"status": to})


def published(article: Article, images: Iterable[Image], by: str, now: datetime) -> Article:
    """The article as the public reads it from now on. The gate was asked before, and public copies of every image
    were drawn. Raises NotAllowed."""
    FLOW.check(article.article_id, article.status, _PUBLISHED)
    publication = Publication(
        version=article.version,
        at=now,
        by=by,
        title=article.title,
        summary=article.summary,
        body=article.body,
        tags=article.tags,
        images=tuple(_published(image) for image in images),
    )
    # Its place among others is that of the day it was first published.
    at = article.published_at or now
    return article.model_copy(update={"status": _PUBLISHED, "publication": publication, "published_at": at})


def withdrawn(publication: Publication, images: Iterable[Image | Standing]) -> frozenset[str]:
    """The ids of published images that the public is not shown any more, given the rows as they are now: those
    that were removed, replaced, or rejected by a person."""
    now = {image.image_id: image for image in images}
    return frozenset(one.image_id for one in publication.images if is_taken_back(one, now.get(one.image_id)))


def still_shown(publication: Publication, images: Iterable[Image | Standing]) -> Publication:
    """A publication without what was withdrawn from it."""
    gone = withdrawn(publication, images)
    left = tuple(one for one in publication.images if one.image_id not in gone)
    return publication.model_copy(update={"images": left})


def is_taken_back(one: PublishedImage, image: Image | Standing | None) -> bool:
    """Whether a published image is withdrawn, given its row as it is now; None is one that was removed."""
    if image is None or image.object_version != one.object_version:
        return True
    said = image.override
    return said is not None and said.object_version == one.object_version and not said.accepted


def _published(image: Image) -> PublishedImage:
    if image.alt is None or image.object_version is None:
        raise ValueError(f"{image.image_id} has not passed the gate")
    if not image.copies:
        raise ValueError(f"{image.image_id} has no public copies, and would be shown as a broken picture")
    return PublishedImage(
        image_id=image.image_id, object_version=image.object_version, alt=image.alt, copies=image.copies
    )
