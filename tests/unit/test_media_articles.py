"""Articles: steps, slugs, and Markdown that cannot harm who reads it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.media.flow import FLOW, moved, published, still_shown, withdrawn
from prism_core.media.references import references
from prism_core.media.rendering import rendered
from prism_core.media.slugs import candidates, slug_of
from prism_core.models.articles import Article, ArticleStatus, PublishedImage
from prism_core.models.images import Copy, Image, Standing
from prism_core.transitions import NotAllowed
from tests.unit.items_of_media_tables import analysed, analysis, articles
from tests.unit.test_media_gate import article

NOW = analysis().at
SHOWN = PublishedImage(
    image_id="i-1",
    object_version="v1",
    alt='A "quoted" <b>cat</b>',
    copies=tuple(
        Copy(file=f"{width}.{kind}", width=width, height=width // 2, bytes=1)
        for width in (480, 960)
        for kind in ("webp", "avif")
    ),
)


def html_of(body: str) -> str:
    return rendered(body, {"i-1": SHOWN}, lambda image, file: f"/public/images/{image.image_id}/{file}")


@given(articles, st.sampled_from(ArticleStatus))
def test_a_step_that_is_not_allowed_names_those_that_are(one: Article, to: ArticleStatus) -> None:
    if to in FLOW.allowed(one.status):
        assert moved(one, to).status is to
        return
    with pytest.raises(NotAllowed) as refused:
        moved(one, to)
    assert refused.value.allowed == FLOW.allowed(one.status)


def test_a_draft_is_reviewed_before_it_is_published() -> None:
    with pytest.raises(NotAllowed, match="review or archived or deleted"):
        published(article(), [analysed()], "m-1", NOW)


def test_what_is_published_is_the_text_and_the_versions_of_that_moment() -> None:
    reviewed = moved(article(tags=("lidar",)), ArticleStatus.REVIEW)

    done = published(reviewed, [analysed()], "m-1", NOW)
    edited = done.model_copy(update={"body": "Another text"})

    assert (done.status, done.shelf, done.published_at) == (ArticleStatus.PUBLISHED, "public", NOW)
    assert edited.publication is not None
    assert edited.publication.body == "Hello ![x](image:i-1)"
    assert [(one.image_id, one.object_version) for one in edited.publication.images] == [("i-1", "v1")]


def test_nothing_is_published_without_the_copies_that_the_public_is_shown() -> None:
    with pytest.raises(ValueError, match="i-2 has no public copies"):
        published(moved(article(), ArticleStatus.REVIEW), [analysed(), analysed("i-2", copies=())], "m-1", NOW)


@pytest.mark.parametrize("to", [ArticleStatus.ARCHIVED, ArticleStatus.DELETED])
def test_what_is_taken_back_is_on_no_shelf(to: ArticleStatus) -> None:
    public = published(moved(article(), ArticleStatus.REVIEW), [analysed()], "m-1", NOW)

    assert moved(public, to).shelf is None


REJECTED = {
    "object_version": "v1", "accepted": False, "by": "m-1", "at": "2026-01-05T08:00:00Z", "reason": "no badge"
}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([analysed()], ["i-1"]),
        ([], []),
        ([analysed("i-2")], []),
        ([analysed(object_version="v2", state="analysing")], []),
        ([analysed(override=REJECTED)], []),
        ([analysed(override={**REJECTED, "accepted": True})], ["i-1"]),
        ([analysed(override={**REJECTED, "object_version": "v0"})], ["i-1"]),
        ([analysed(alt="Rewritten", state="gone")], ["i-1"]),
    ],
    ids=["as it was", "removed", "another", "replaced", "rejected", "accepted", "rejected before", "file deleted"],
)
def test_a_picture_that_is_taken_back_leaves_the_publication(rows: list[Image], shown: list[str]) -> None:
    publication = published(moved(article(), ArticleStatus.REVIEW), [analysed()], "m-1", NOW).publication
    assert publication is not None

    assert [one.image_id for one in still_shown(publication, rows).images] == shown
    part = [Standing(**{name: getattr(row, name) for name in Standing.model_fields}) for row in rows]
    assert still_shown(publication, part) == still_shown(publication, rows)
    assert withdrawn(publication, rows) == frozenset({"i-1"} - set(shown))


@given(st.text(max_size=200))
def test_every_title_has_slugs_that_are_slugs(title: str) -> None:
    pattern = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
    found = list(candidates(title))

    assert len(set(found)) == len(found)
    assert all(pattern.fullmatch(one) and len(one) <= 100 for one in found)


def test_a_slug_keeps_what_can_be_written() -> None:
    assert [slug_of(one) for one in ("Übergröße, Teil 2!", "日本語", "  ")] == [
        "ubergrosse-teil-2",
        "article",
        "article",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        "![x](https://elsewhere.example/x.png)",
        '<a href="javascript:alert(1)">x</a>',
        "[x](vbscript:x)",
        "<iframe src=//x></iframe>",
        "<style>*{}</style>",
    ],
)
def test_nothing_in_a_text_becomes_code_or_a_foreign_picture(body: str) -> None:
    html = html_of(body)

    for tag in re.findall(r"<(\w+)", html):
        assert tag not in {"script", "img", "iframe", "style", "source"}
    assert not re.search(r'<[^>]*(href|src)="?\s*(javascript|data|vbscript|https)', html)


@given(st.text(alphabet="<>\"'=&![](): \njavscriptonerx`*_", max_size=200))
def test_no_text_at_all_becomes_an_event_handler_or_a_script(body: str) -> None:
    html = html_of(body)

    assert "<script" not in html
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_an_image_is_a_picture_with_its_sizes_and_the_text_that_a_person_wrote() -> None:
    html = html_of("![what the author typed](image:i-1)")

    assert 'alt="A &quot;quoted&quot; &lt;b&gt;cat&lt;/b&gt;"' in html
    assert 'type="image/avif" srcset="/public/images/i-1/480.avif 480w, /public/images/i-1/960.avif 960w"' in html
    assert 'src="/public/images/i-1/960.webp"' in html
    assert 'width="960" height="480"' in html
    assert "what the author typed" not in html


def test_an_image_that_is_not_published_is_left_out() -> None:
    assert "<img" not in html_of("![x](image:i-2)")


def test_links_of_a_text_give_no_weight_and_open_nothing() -> None:
    assert 'rel="noopener noreferrer"' in html_of("[x](https://example.com)")


def test_the_images_of_a_text_are_found_wherever_they_stand() -> None:
    text = "![a](image:i-1)\n\n> - [![b](image:i-2)](https://x.example) ![a](image:i-1)\n\n`![c](image:i-3)`"

    found = references(text + "\n\n![d](//x.example/y.png)")

    assert (found.images, found.foreign) == (("i-1", "i-2"), ("//x.example/y.png",))
