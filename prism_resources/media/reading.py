"""What the public reads: publications, never an article as it is being written, and without the pictures that were
taken back since.

Belongs here: the shelf, one publication by its slug, and a copy of an image that a publication shows. Does not
belong here: HTTP (prism_api/public).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from prism_core.failures import PermanentFailure
from prism_core.media.flow import is_taken_back, still_shown
from prism_core.media.keys import copy_key, version_folder
from prism_core.media_tables import ARTICLES, IMAGES
from prism_core.models.articles import PUBLIC_SHELF, Article, ArticleSummary, Publication, PublishedImage
from prism_core.models.base import STORED
from prism_core.models.images import Image, Standing
from prism_core.settings import Settings
from prism_core.table_spec import Key
from prism_resources.aws import client
from prism_resources.media.objects import Made
from prism_resources.tables.codec import Attribute, decode, decode_value
from prism_resources.tables.reader import Page, TableReader

# Whatever else a row says, and whether it can be read, keeps nobody from reading an article.
_OF_AN_IMAGE: Final = tuple(Standing.model_fields)
_SHOWN: Final = ("shelf", "publication.images")
_log = logging.getLogger("prism.public")


@dataclass(frozen=True, slots=True)
class Published:
    """An article that is on the shelf, and its publication."""

    article: Article
    publication: Publication


class Shelf:
    """Reads of the public; it can do nothing else."""

    def __init__(self, settings: Settings) -> None:
        dynamodb: Any = client(settings, "dynamodb")
        self._articles = TableReader(dynamodb, settings, ARTICLES, Article)
        self._images = TableReader(dynamodb, settings, IMAGES, Image)
        self._made = Made(settings)

    def page(self, limit: int, start: Key | None) -> Page[Article]:
        """What was published, the latest first, without what cannot be read."""
        condition = ARTICLES.condition("by_shelf", {"shelf": PUBLIC_SHELF})
        page = self._articles.raw_page(condition, limit=limit, start=start, backwards=True)
        return Page(list(self._articles.readable(page.items, _left_out)), page.next)

    def by_slug(self, slug: str) -> Published | None:
        """What the public reads under a slug; None unless it is published at this moment."""
        rows = self._articles.query_as(ArticleSummary, "by_slug", slug=slug)
        for row in rows:
            article = self._articles.get(article_id=row.article_id)
            if article is not None and article.shelf is not None and article.publication is not None:
                return Published(article, still_shown(article.publication, self._standings(row.article_id)))
        return None

    def copy(self, article_id: str, image_id: str, folder: str, file: str) -> str | None:
        """Where a copy of an image lies, if the article is public, its publication shows exactly this version of
        it, and nobody has taken it back."""
        shown = self._shown(article_id, image_id)
        if shown is None or version_folder(shown.object_version) != folder:
            return None
        if file not in {copy.file for copy in shown.copies}:
            return None
        key = IMAGES.key({"article_id": article_id, "image_id": image_id})
        row = self._images.read(key, only=_OF_AN_IMAGE)
        if is_taken_back(shown, None if row is None else standing(article_id, row)):
            return None
        return copy_key(article_id, image_id, shown.object_version, file)

    def read(self, key: str) -> bytes | None:
        """The bytes of a copy."""
        return self._made.read(key)

    def _shown(self, article_id: str, image_id: str) -> PublishedImage | None:
        """An image as it was published, of an article that is public; its texts are not read."""
        raw = self._articles.read(ARTICLES.key({"article_id": article_id}), only=_SHOWN)
        if raw is None or "shelf" not in raw or "publication" not in raw:
            return None
        images: list[Any] = decode_value(raw["publication"]).get("images", [])
        found = next((one for one in images if one.get("image_id") == image_id), None)
        try:
            return None if found is None else PublishedImage.model_validate(found, context=STORED)
        except ValidationError as error:
            words = f"image {image_id} of the publication of articles/{article_id} cannot be read: {error}"
            raise PermanentFailure(words) from error

    def _standings(self, article_id: str) -> Iterator[Standing]:
        condition = IMAGES.condition("by_article", {"article_id": article_id})
        for raw in self._images.raw(condition, consistent=True, only=_OF_AN_IMAGE):
            found = standing(article_id, raw)
            if found is not None:
                yield found


def _left_out(_: Attribute, failure: PermanentFailure) -> None:
    """The list goes on without it; whoever asks for it by its slug is told that it is broken."""
    _log.error("an article is left out of the public list: %s", failure)


def standing(article_id: str, raw: Attribute) -> Standing | None:
    """None for a row that cannot be read: nobody knows whether its picture was taken back."""
    try:
        return decode(IMAGES, Standing, raw)
    except PermanentFailure:
        _log.exception("a picture of articles/%s is left out, since its row cannot be read", article_id)
        return None
