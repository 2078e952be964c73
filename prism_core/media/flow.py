"""From draft to public and back.

Belongs here: which status of an article may follow which, and what each step makes of it. Does not belong here:
whether its images allow it (gate.py) and who may take a step (prism_api).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from prism_core.models.articles import Article, ArticleStatus, Publication, PublishedImage
from prism_core.models.images import Image
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
    """The article as the public reads it from now on. The gate was asked before. Raises NotAllowed."""
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


def _published(image: Image) -> PublishedImage:
    if image.alt is None or image.object_version is None:
        raise ValueError(f"{image.image_id} has not passed the gate")
    return PublishedImage(
        image_id=image.image_id, object_version=image.object_version, alt=image.alt, copies=image.copies
    )
