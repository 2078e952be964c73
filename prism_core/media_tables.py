"""The tables of articles and their images: keys, indexes and the ways to read them without a scan.

Belongs here: one typed spec a table, which tables.py puts among all others. Does not belong here: fields of the
items (models/articles.py, models/images.py). Revisions of an article are its entries of the change log.
"""

from importlib import import_module
from typing import Final

from prism_core.models.base import Model
from prism_core.table_spec import IndexSpec, KeyAttribute, TableSpec


def _plain(name: str) -> KeyAttribute:
    return KeyAttribute(name, f"{{{name}}}")


def _summary() -> type[Model]:
    return import_module("prism_core.models.articles").ArticleSummary


def _articles_by(name: str, partition: KeyAttribute, sort: KeyAttribute) -> IndexSpec:
    """A list of articles must not read their texts."""
    return IndexSpec(name, partition, sort, part=_summary, beside="article_id")


ARTICLES: Final = TableSpec(
    "articles",
    _plain("article_id"),
    lambda: import_module("prism_core.models.articles").Article,
    indexes=(
        _articles_by("by_status", _plain("status"), _plain("created")),
        _articles_by("by_author", _plain("author"), _plain("created")),
        _articles_by("by_slug", _plain("slug"), _plain("created")),
        # Only what the public may read is in it, and all of it: a title may have been edited since.
        IndexSpec("by_shelf", _plain("shelf"), _plain("published_at")),
    ),
)
IMAGES: Final = TableSpec(
    "images",
    # All images of an article are one consistent query: the gate asks for them together.
    _plain("article_id"),
    lambda: import_module("prism_core.models.images").Image,
    sort=_plain("image_id"),
    home="by_article",
    indexes=(IndexSpec("by_state", _plain("state"), _plain("requested")),),
)
MEDIA_TABLES: Final = (ARTICLES, IMAGES)
