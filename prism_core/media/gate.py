"""The gate before the public: what an article still lacks, and why an image is held back.

Belongs here: the decision, as a pure function of what is stored (analysis, override, alternative text) and of the
limits in the settings. Does not belong here: asking the analyser, and writing anything.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prism_core.media.references import references
from prism_core.media.thresholds import GateThresholds, field_of
from prism_core.models.articles import Article
from prism_core.models.images import Finding, Image, ImageState

_NOT_YET: Final[Mapping[ImageState, str]] = {
    ImageState.WAITING: "nothing was uploaded for it yet; upload the file, or remove the image",
    ImageState.ANALYSING: "it is being analysed; look again in a moment",
    ImageState.GONE: "its file was deleted; upload it again, or remove the image",
}
_UNREADABLE: Final = (
    "what is stored of it cannot be read; whoever looks after PRISM mends its row, which the check images_settled "
    "names with what is wrong"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an image may be public, and each thing that keeps it from being so."""

    accepted: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing that keeps an article from being published; `image_id` is None for its text."""

    reason: str
    image_id: str | None = None


def held_back(findings: Iterable[Finding], thresholds: GateThresholds) -> tuple[Finding, ...]:
    """The findings that reach the limit of their category, the surest first."""
    found = [one for one in findings if one.confidence >= thresholds.of(one.category)]
    return tuple(sorted(found, key=lambda one: (-one.confidence, one.name)))


def judge_pixels(image: Image, thresholds: GateThresholds) -> Verdict:
    """By the analysis of exactly the newest S3 version, or the override of it; without the alternative text."""
    if image.state in _NOT_YET:
        return Verdict(accepted=False, reasons=(_NOT_YET[image.state],))
    if image.state in (ImageState.REFUSED, ImageState.FAILED):
        return Verdict(accepted=False, reasons=(image.reason,))
    if image.analysis is None or image.analysis.object_version != image.object_version:
        return Verdict(accepted=False, reasons=("it was replaced since it was analysed; look again in a moment",))
    override = image.override
    if override is not None and override.object_version == image.object_version:
        word = "accepted" if override.accepted else "rejected"
        said = f"{override.by} {word} it: {override.reason}"
        return Verdict(accepted=override.accepted, reasons=() if override.accepted else (said,))
    reasons = tuple(
        f"{one.name} at {one.confidence.normalize():f} %, and the limit of {field_of(one.category)} is "
        f"{thresholds.of(one.category).normalize():f} %"
        for one in held_back(image.analysis.moderation, thresholds)
    )
    return Verdict(accepted=not reasons, reasons=reasons)


def judge_image(image: Image, thresholds: GateThresholds) -> Verdict:
    """All of it: what is seen, and that a person has said what it shows."""
    pixels = judge_pixels(image, thresholds)
    if image.alt is not None:
        return pixels
    hint = f"; confirm or rewrite “{image.alt_suggestion}”" if image.alt_suggestion else ""
    return Verdict(accepted=False, reasons=(*pixels.reasons, f"it has no alternative text{hint}"))


def blockers(
    article: Article, images: Iterable[Image], thresholds: GateThresholds, unreadable: Collection[str] = ()
) -> tuple[Blocker, ...]:
    """Everything that keeps an article from being published, none when it may be; `unreadable` are the ids of its
    images whose rows are none."""
    known = {image.image_id: image for image in images}
    found = references(article.body)
    problems = [] if article.body.strip() else [Blocker("the article has no text")]
    problems += [
        Blocker(f"the picture {source!r} is not one of PRISM's images; upload it and write image:<image id>")
        for source in found.foreign
    ]
    problems += [
        Blocker(f"the text shows the image {image_id}, which the article does not have", image_id)
        for image_id in found.images
        if image_id not in known and image_id not in unreadable
    ]
    problems += [Blocker(_UNREADABLE, image_id) for image_id in sorted(unreadable)]
    for image_id, image in known.items():
        problems += [Blocker(reason, image_id) for reason in judge_image(image, thresholds).reasons]
    return tuple(problems)
