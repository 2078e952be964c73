"""The text of an article: Markdown in, HTML that is safe to show out.

Belongs here: rendering. HTML in a text is shown as it is written, never taken over,
and what is rendered goes through a sanitiser all the same. Does not belong here: what is published (gate.py).
"""

import html
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, cast

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from prism_core.media.references import SCHEME, parser, source_of
from prism_core.models.articles import PublishedImage

_TAGS: Final = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "picture", "pre", "s", "source", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "code": {"class"},
    "img": {"src", "srcset", "sizes", "alt", "width", "height", "loading"},
    "ol": {"start"},
    "source": {"srcset", "sizes", "type"},
}
_SIZES: Final = "(max-width: 60rem) 100vw, 60rem"
Address = Callable[[PublishedImage, str], str]


def rendered(body: str, images: Mapping[str, PublishedImage], address: Address) -> str:
    """HTML of a text. `address` says where a file of an image is; an image that is not given is left out."""
    shown = {"images": images, "address": address}
    made = cast("str", _parser().render(body, shown))
    return nh3.clean(made, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"})


@cache
def _parser() -> MarkdownIt:
    made = parser()
    made.add_render_rule("image", _picture)
    return made


def _picture(_: Any, tokens: list[Token], index: int, __: Any, shown: Mapping[str, Any]) -> str:
    images: Mapping[str, PublishedImage] = shown["images"]
    address: Address = shown["address"]
    image = images.get(source_of(tokens[index]).removeprefix(SCHEME))
    if image is None:
        return ""
    sets = {
        kind: ", ".join(f"{address(image, one.file)} {one.width}w" for one in image.copies if _is(one.file, kind))
        for kind in ("avif", "webp")
    }
    largest = max((copy for copy in image.copies if _is(copy.file, "webp")), key=lambda copy: copy.width)
    avif = html.escape(sets["avif"])
    source = f'<source type="image/avif" srcset="{avif}" sizes="{_SIZES}">' if avif else ""
    return (
        f'<picture>{source}<img src="{html.escape(address(image, largest.file))}" '
        f'srcset="{html.escape(sets["webp"])}" sizes="{_SIZES}" alt="{html.escape(image.alt)}" '
        f'width="{largest.width}" height="{largest.height}" loading="lazy"></picture>'
    )


def _is(file: str, kind: str) -> bool:
    return file.endswith(f".{kind}")
