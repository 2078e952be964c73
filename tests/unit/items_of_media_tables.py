"""Strategies for the items of the tables of articles and images.

Belongs here: one strategy a table, sound by the rules of its model. Does not belong here: tests.
"""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from prism_core.models.articles import Article, ArticleStatus, Publication, PublishedImage
from prism_core.models.images import Analysis, Copy, Finding, Image, ImageState, Override
from tests.unit.strategies import counts, ids, instants, names, optional, texts, versions

percents = st.decimals(0, 100, places=4)
slugs = st.from_regex(r"\A[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,3}\Z")
tags = st.lists(slugs, max_size=3, unique=True).map(tuple)
alts = st.text(min_size=1, max_size=60)
object_versions = st.from_regex(r"\A[A-Za-z0-9._-]{1,32}\Z")
copies = st.lists(
    st.builds(
        Copy,
        file=st.sampled_from(["480.webp", "1600.avif"]),
        width=counts,
        height=counts,
        bytes=counts,
    ),
    max_size=2,
).map(tuple)
findings = st.lists(st.builds(Finding, name=names, category=names, confidence=percents), max_size=3).map(tuple)
analyses = st.builds(
    Analysis,
    object_version=object_versions,
    at=instants,
    label_model=names,
    moderation_model=names,
    text_model=names,
    raw_key=texts,
    labels=findings,
    moderation=findings,
    text=st.lists(texts, max_size=2).map(tuple),
    colours=st.lists(st.from_regex(r"\A#[0-9a-f]{6}\Z"), max_size=2).map(tuple),
    brightness=optional(percents),
    sharpness=optional(percents),
)
overrides = st.builds(
    Override,
    object_version=object_versions,
    accepted=st.booleans(),
    by=names,
    at=instants,
    reason=st.text(min_size=3, max_size=60),
)
publications = st.builds(
    Publication,
    version=counts,
    at=instants,
    by=names,
    title=names,
    summary=texts,
    body=texts,
    tags=tags,
    images=st.lists(
        st.builds(PublishedImage, image_id=ids, object_version=object_versions, alt=alts, copies=copies),
        max_size=2,
    ).map(tuple),
)
articles = st.builds(
    Article,
    version=versions,
    article_id=ids,
    title=names,
    slug=slugs,
    summary=texts,
    tags=tags,
    status=st.sampled_from(ArticleStatus),
    author=names,
    created=instants,
    published_at=optional(instants),
    body=texts,
    publication=optional(publications),
)
images = st.builds(
    Image,
    version=versions,
    article_id=ids,
    image_id=ids,
    file_name=names,
    state=st.sampled_from(ImageState),
    reason=texts,
    requested=instants,
    requested_by=names,
    object_key=names,
    object_version=optional(object_versions),
    sequencer=optional(st.from_regex(r"\A[0-9A-F]{1,18}\Z")),
    uploaded=optional(instants),
    started=optional(instants),
    attempts=counts,
    bytes=optional(counts),
    format=optional(st.sampled_from(["JPEG", "PNG", "WEBP"])),
    width=optional(counts),
    height=optional(counts),
    orientation=optional(st.integers(1, 8)),
    alt=optional(alts),
    alt_suggestion=optional(alts),
    analysis=optional(analyses),
    copies=copies,
    override=optional(overrides),
)
MEDIA_ITEMS: dict[str, st.SearchStrategy[Any]] = {"articles": articles, "images": images}


def analysed(image_id: str = "i-1", **changes: Any) -> Image:
    """An image whose analysis found nothing, with an alternative text and copies, unless told otherwise."""
    sound: dict[str, Any] = {
        "article_id": "a-1",
        "image_id": image_id,
        "file_name": "x.jpg",
        "state": ImageState.ANALYSED,
        "requested": "2026-01-05T07:00:00Z",
        "requested_by": "m-1",
        "object_key": f"originals/a-1/{image_id}/x.jpg",
        "object_version": "v1",
        "alt": "Two people",
        "analysis": analysis(),
        "copies": ({"file": "480.webp", "width": 480, "height": 320, "bytes": 9_000},),
    }
    return Image.model_validate(sound | changes)


def analysis(*moderation: tuple[str, str, str], object_version: str = "v1", **changes: Any) -> Analysis:
    """An analysis with these findings: name, category, confidence."""
    found = tuple(Finding(name=n, category=c, confidence=Decimal(p)) for n, c, p in moderation)
    sound: dict[str, Any] = {
        "object_version": object_version,
        "at": "2026-01-05T07:01:00Z",
        "label_model": "l-1",
        "moderation_model": "m-1",
        "text_model": "t-1",
        "raw_key": "analyses/a-1/i-1/x.json",
        "moderation": found,
    }
    return Analysis.model_validate(sound | changes)
