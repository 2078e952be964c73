"""What the public reads: publications, never an article as it is being written, and without the pictures that were
taken back since.

Belongs here: the shelf, one publication by its slug, and a copy of an image that a publication shows. Does not
belong here: HTTP (prism_api/public).
"""

from dataclasses import dataclass
from typing import Any

from prism_core.media.flow import still_shown
from prism_core.media.keys import copy_key, version_folder
from prism_core.media_tables import ARTICLES, IMAGES
from prism_core.models.articles import PUBLIC_SHELF, Article, ArticleSummary, Publication
from prism_core.models.images import Image
from prism_core.settings import Settings
from prism_core.table_spec import Key
from prism_resources.aws import client
from prism_resources.media.objects import Made
from prism_resources.tables.reader import Page, TableReader


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
        """What was published, the latest first."""
        return self._articles.page("by_shelf", limit=limit, start=start, backwards=True, shelf=PUBLIC_SHELF)

    def by_slug(self, slug: str) -> Published | None:
        """What the public reads under a slug; None unless it is published at this moment."""
        rows = self._articles.query_as(ArticleSummary, "by_slug", slug=slug)
        for row in rows:
            found = self._published(row.article_id)
            if found is not None:
                images = self._images.query("by_article", consistent=True, article_id=row.article_id)
                return Published(found.article, still_shown(found.publication, images))
        return None

    def _published(self, article_id: str) -> Published | None:
        """As it was published."""
        article = self._articles.get(article_id=article_id)
        if article is None or article.shelf is None or article.publication is None:
            return None
        return Published(article, article.publication)

    def copy(self, article_id: str, image_id: str, folder: str, file: str) -> bytes | None:
        """A copy of an image, if the article is public, its publication shows exactly this version of it, and
        nobody has taken it back."""
        found = self._published(article_id)
        if found is None:
            return None
        row = self._images.get(article_id=article_id, image_id=image_id)
        images = still_shown(found.publication, [] if row is None else [row]).images
        shown = next((one for one in images if one.image_id == image_id), None)
        if shown is None or version_folder(shown.object_version) != folder:
            return None
        if file not in {copy.file for copy in shown.copies}:
            return None
        return self._made.read(copy_key(article_id, image_id, shown.object_version, file))
