"""Articles: what people write, and what of it the public reads.

Belongs here: an article, the same without its text, which is what a list shows, and a publication. Does not belong
here: which step may follow which (prism_core/media/flow.py) and images (images.py).
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from prism_core.models.base import Choice, Count, Id, Instant, Many, Model, Name, Versioned
from prism_core.models.images import Alt, Copy, ObjectVersion

# An item takes 400 kB, and holds the text twice: as it is written and as it is published.
MAX_BODY_CHARACTERS = 30_000
MAX_SLUG_CHARACTERS = 100
MAX_TAGS = 10
PUBLIC_SHELF = "public"
Slug = Annotated[str, Field(max_length=MAX_SLUG_CHARACTERS, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Tag = Annotated[str, Field(max_length=50, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Body = Annotated[str, Field(max_length=MAX_BODY_CHARACTERS)]
Summary = Annotated[str, Field(max_length=500)]


class ArticleStatus(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    ARCHIVED = "archived"
    DELETED = "deleted"


class PublishedImage(Model):
    """An image as it was accepted: exactly this S3 version, and its copies."""

    image_id: Id
    object_version: ObjectVersion
    alt: Alt
    copies: Many[Copy]


class Publication(Model):
    """What the public reads: the text and the images of the version that was published, whatever is edited
    since."""

    version: Count
    at: Instant
    by: Name
    title: Name
    summary: Summary = ""
    body: Body = ""
    tags: Many[Tag] = ()
    images: Many[PublishedImage] = ()


class ArticleSummary(Versioned):
    """Everything but the text: what lists carry."""

    article_id: Id
    title: Name
    slug: Slug
    summary: Summary = ""
    tags: Annotated[Many[Tag], Field(max_length=MAX_TAGS)] = ()
    status: Choice[ArticleStatus] = ArticleStatus.DRAFT
    author: Name
    created: Instant
    published_at: Instant | None = None


class Article(ArticleSummary):
    """An article in Markdown; images stand in it as `![…](image:<image_id>)`."""

    body: Body = ""
    publication: Publication | None = None

    @property
    def shelf(self) -> str | None:
        """Where the public finds it: nowhere, unless it is published now."""
        public = self.status is ArticleStatus.PUBLISHED and self.publication is not None
        return PUBLIC_SHELF if public else None
