"""Images of articles: what was uploaded, what the analysis found, and what a person decided.

Belongs here: an image, its analysis, its public copies, an override. Does not belong here: what they mean for
publishing (prism_core/media/gate.py), articles (articles.py) and the raw answers, which lie in S3.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from prism_core.models.base import Choice, Count, Id, Instant, Many, Model, Name, Percent, Text, Versioned

MAX_ALT_CHARACTERS = 500
# S3 versions are opaque; those of a bucket without versioning are `null`.
ObjectVersion = Annotated[str, Field(min_length=1, max_length=1_024)]
FileName = Annotated[str, Field(min_length=1, max_length=200)]
Alt = Annotated[str, Field(min_length=1, max_length=MAX_ALT_CHARACTERS)]


class ImageState(StrEnum):
    """Where an image is. `refused`: its bytes are no picture that can be published; `gone`: its file was deleted;
    `failed`: the analysis did not come to an end, and is tried again."""

    WAITING = "waiting"
    ANALYSING = "analysing"
    ANALYSED = "analysed"
    REFUSED = "refused"
    GONE = "gone"
    FAILED = "failed"


class Finding(Model):
    """A label with its confidence in percent; `category` is the top of its branch of the taxonomy."""

    name: Name
    category: Name
    confidence: Percent


class Analysis(Model):
    """What the analyser answered about one S3 version, as far as decisions need it; all of it lies at `raw_key`.

    `brightness` and `sharpness` are percent, `colours` the dominant ones as `#rrggbb`, most frequent first.
    """

    object_version: ObjectVersion
    at: Instant
    label_model: Name
    moderation_model: Name
    text_model: Name
    raw_key: Annotated[str, Field(max_length=2_000)]
    labels: Many[Finding] = ()
    moderation: Many[Finding] = ()
    text: Many[Annotated[str, Field(max_length=500)]] = ()
    colours: Many[Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]] = ()
    brightness: Percent | None = None
    sharpness: Percent | None = None


class Copy(Model):
    """A public copy, re-encoded without metadata. `file` is its name below the folder of the image's version."""

    file: Annotated[str, Field(pattern=r"^\d{1,5}\.(webp|avif)$")]
    width: Count
    height: Count
    bytes: Count


class Override(Model):
    """A person's decision about one S3 version, which stands above the thresholds."""

    object_version: ObjectVersion
    accepted: bool
    by: Name
    at: Instant
    reason: Annotated[str, Field(min_length=3, max_length=1_000)]


class Standing(Model):
    """What of an image's row decides whether the public is still shown it: nothing else is read of it then."""

    image_id: Id
    object_version: ObjectVersion | None = None
    override: Override | None = None


class Image(Versioned):
    """One image of an article. `object_version` is the newest upload known, `sequencer` orders events about it.

    `width` and `height` are in pixels as a person sees it, `orientation` is the EXIF value that was applied.
    `alt` is what a person wrote or confirmed; `alt_suggestion` is only ever a proposal.
    """

    article_id: Id
    image_id: Id
    file_name: FileName
    state: Choice[ImageState] = ImageState.WAITING
    reason: Text = ""
    requested: Instant
    requested_by: Name
    object_key: Annotated[str, Field(min_length=1, max_length=1_024)]
    object_version: ObjectVersion | None = None
    sequencer: Annotated[str, Field(max_length=100)] | None = None
    uploaded: Instant | None = None
    started: Instant | None = None
    attempts: Count = 0
    bytes: Count | None = None
    format: Annotated[str, Field(max_length=20)] | None = None
    width: Count | None = None
    height: Count | None = None
    orientation: Count | None = None
    alt: Alt | None = None
    alt_suggestion: Alt | None = None
    analysis: Analysis | None = None
    copies: Many[Copy] = ()
    override: Override | None = None
