"""Public copies beside what the public is shown: those that were lost are drawn anew, those of nobody deleted.

Belongs here: reading the shelf and the bucket, and doing both. Does not belong here: uploads and their rows
(reconciling.py) and which copies are nobody's (prism_core/media/reconciling.py).
A row forgets its copies before they are deleted: who publishes meanwhile has them drawn anew.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from prism_core.failures import PermanentFailure, StaleVersion
from prism_core.media.flow import is_taken_back
from prism_core.media.keys import COPIES, CopyKey, copies_folder, read_copy
from prism_core.media.reconciling import ORPHAN_AFTER, unshown
from prism_core.media_tables import ARTICLES, IMAGES
from prism_core.models.articles import PUBLIC_SHELF, Article, PublishedImage
from prism_core.models.images import Image
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.media.objects import Made
from prism_resources.media.publishing import draw_copies
from prism_resources.tables.codec import decode
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore

_ACTOR: Final = "system:reconciliation"
M = TypeVar("M", Article, Image)


class _UnreadableError(Exception):
    """A row fits no model."""


@dataclass(slots=True)
class Kept:
    """What was done: images drawn anew, the folders of copies deleted, and why a published image is shown broken,
    by article and image."""

    drawn: int = 0
    unshown: list[str] = field(default_factory=list[str])
    undrawn: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class _Folder:
    """The copies of one upload: their keys, and when the newest was written."""

    of: CopyKey
    at: datetime
    keys: list[str] = field(default_factory=list[str])


class CopiesUpkeep:
    """All copies of a platform; in proportion to what there is."""

    def __init__(self, settings: Settings) -> None:
        dynamodb: Any = client(settings, "dynamodb")
        self._settings = settings
        self._articles = TableReader(dynamodb, settings, ARTICLES, Article)
        self._images = TableStore(dynamodb, settings, IMAGES, Image)
        self._made = Made(settings)

    def keep(self, now: datetime) -> Kept:
        """Raises TransientFailure when a service is busy; doing it again goes on where that ended."""
        done, folders, shown = Kept(), self._folders(), set[str]()
        for article in self._shelf():
            for folder, one in _shown_by(article).items():
                shown.add(folder)
                if _lacks(one, folder, folders[folder].keys if folder in folders else ()):
                    with suppress(_UnreadableError):
                        self._mend(folder, article.article_id, one, now, done)
        for folder in unshown({name: one.at for name, one in folders.items()}, shown, now):
            with suppress(_UnreadableError):
                self._delete(folder, folders[folder], now, done)
        return done

    def _shelf(self) -> Iterator[Article]:
        """What can be read of it: the copies of an article that cannot are left alone by their own look."""
        raws = self._articles.raw(ARTICLES.condition("by_shelf", {"shelf": PUBLIC_SHELF}))
        return self._articles.readable(raws, lambda _raw, _failure: None)

    def _folders(self) -> dict[str, _Folder]:
        found = dict[str, _Folder]()
        for key, at in self._made.listed(COPIES):
            of = read_copy(key)
            if of is not None:
                one = found.setdefault(of.folder, _Folder(of, at))
                one.at = max(one.at, at)
                one.keys.append(key)
        return found

    def _mend(self, folder: str, article_id: str, one: PublishedImage, now: datetime, done: Kept) -> None:
        """Have the copies of a published image drawn anew, if it is still shown. The list may be older than the
        publication: they are looked for once more."""
        image = _read(self._images, article_id=article_id, image_id=one.image_id)
        if image is None or is_taken_back(one, image):
            return
        if not _lacks(one, folder, (key for key, _ in self._made.listed(folder))):
            return
        if image.copies and not self._forget(image, "public copies were lost", now):
            return
        failed = draw_copies(self._settings, [image])
        done.drawn += not failed
        for why in failed:
            done.undrawn[f"{article_id}/{one.image_id}"] = why.why

    def _delete(self, folder: str, found: _Folder, now: datetime, done: Kept) -> None:
        of = found.of
        image = _read(self._images, article_id=of.article_id, image_id=of.image_id)
        named = None if image is None or not image.copies or _folder_of(image) != folder else image
        if named is not None and not self._forget(named, "no article shows its public copies", now):
            return
        # The shelf was read before, and an article may have been published since.
        article = _read(self._articles, article_id=of.article_id)
        if article is not None and article.shelf is not None and folder in _shown_by(article):
            return
        # Somebody may be publishing one at this moment: what is drawn is named in its row, and shown, after that.
        if any(now - at < ORPHAN_AFTER for _, at in self._made.listed(folder)):
            return
        for key in found.keys:
            self._made.remove(key)
        done.unshown.append(folder)

    def _forget(self, image: Image, why: str, now: datetime) -> bool:
        """Whether the row names no copies now; not when somebody wrote it since it was read: the next run looks
        again."""
        try:
            self._images.update(
                image.model_copy(update={"copies": ()}),
                expected_version=image.version,
                actor=_ACTOR,
                reason=why,
                request_id=f"copies-{image.image_id}-{image.version}",
                now=now,
            )
        except StaleVersion:
            return False
        return True


def _read(table: TableReader[M], **parts: str) -> M | None:
    """A row as it is now. Raises _UnreadableError for one that fits no model: nobody knows what it shows, and its
    copies stay as they are. The public function and the pass over images say what is wrong with it."""
    raw = table.read(table.spec.key(parts))
    try:
        return None if raw is None else decode(table.spec, table.model, raw)
    except PermanentFailure as failure:
        raise _UnreadableError from failure


def _shown_by(article: Article) -> Mapping[str, PublishedImage]:
    """The images of a publication by the folders of their copies."""
    images = () if article.publication is None else article.publication.images
    return {copies_folder(article.article_id, one.image_id, one.object_version): one for one in images}


def _lacks(one: PublishedImage, folder: str, keys: Iterable[str]) -> bool:
    return not {f"{folder}{copy.file}" for copy in one.copies} <= set(keys)


def _folder_of(image: Image) -> str | None:
    version = image.object_version
    return None if version is None else copies_folder(image.article_id, image.image_id, version)
