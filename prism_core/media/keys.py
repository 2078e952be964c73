"""Where the bytes of images lie.

Belongs here: keys of originals, raw answers and public copies, and reading them back. Does not belong here: the
buckets (settings) and what is in an object. Nothing is ever written below `originals/` but by who uploads: only
that prefix, in a bucket of its own, has anything analysed, so that no result can be analysed again.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from prism_core.failures import PermanentFailure

ORIGINALS: Final = "originals/"
ANALYSES: Final = "analyses/"
COPIES: Final = "copies/"
# By the ending of a name; the bytes are judged on their own.
MEDIA_TYPES: Final = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
COPY_TYPES: Final = {"webp": "image/webp", "avif": "image/avif"}
_PARTS: Final = 4
_VERSION_CHARACTERS: Final = 20


@dataclass(frozen=True, slots=True)
class OriginalKey:
    """The key of an original: whose image it is, and the name that its author gave it."""

    article_id: str
    image_id: str
    file_name: str

    def __str__(self) -> str:
        return f"{ORIGINALS}{self.article_id}/{self.image_id}/{self.file_name}"


def read_original(key: str) -> OriginalKey:
    """Raises PermanentFailure for a key that PRISM did not hand out."""
    parts = key.split("/", _PARTS - 1)
    if len(parts) != _PARTS or f"{parts[0]}/" != ORIGINALS or not all(parts) or "/" in parts[-1]:
        raise PermanentFailure(f"{key!r} is no original of an article: {ORIGINALS}<article>/<image>/<file name>")
    return OriginalKey(*parts[1:])


def version_folder(object_version: str) -> str:
    """A short name of an S3 version that is safe in a path."""
    return hashlib.sha256(object_version.encode()).hexdigest()[:_VERSION_CHARACTERS]


def raw_key(article_id: str, image_id: str, object_version: str) -> str:
    """The analyser's whole answer about one version: one object, written once."""
    return f"{ANALYSES}{article_id}/{image_id}/{version_folder(object_version)}.json"


def copy_key(article_id: str, image_id: str, object_version: str, file: str) -> str:
    """A public copy of one version."""
    return f"{COPIES}{article_id}/{image_id}/{version_folder(object_version)}/{file}"


def copies_folder(article_id: str, image_id: str, object_version: str) -> str:
    """Where the public copies of one version lie."""
    return copy_key(article_id, image_id, object_version, "")


@dataclass(frozen=True, slots=True)
class CopyKey:
    """The key of a public copy: its folder, and whose image it is of."""

    folder: str
    article_id: str
    image_id: str


def read_copy(key: str) -> CopyKey | None:
    """None for what is no copy of an image."""
    parts = key.split("/")
    if len(parts) != _PARTS + 1 or f"{parts[0]}/" != COPIES or not all(parts):
        return None
    return CopyKey(f"{key.rpartition('/')[0]}/", parts[1], parts[2])


def ending_of(file_name: str) -> str:
    """`jpg` of `Holiday.JPG`; nothing without a dot."""
    return file_name.rpartition(".")[2].lower() if "." in file_name else ""
