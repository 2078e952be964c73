"""The images that the text of an article shows.

Belongs here: reading Markdown. Does not belong here: what is published (gate.py) and making HTML (rendering.py),
whose sanitiser a function that renders nothing does without.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

SCHEME: Final = "image:"


@dataclass(frozen=True, slots=True)
class References:
    """The images that a text shows: those of PRISM by id, and the sources of all others."""

    images: tuple[str, ...]
    foreign: tuple[str, ...]


def references(body: str) -> References:
    """Each once, in the order of the text."""
    sources = list(dict.fromkeys(source_of(token) for token in _pictures(parser().parse(body))))
    ours = [source.removeprefix(SCHEME) for source in sources if source.startswith(SCHEME)]
    return References(tuple(ours), tuple(source for source in sources if not source.startswith(SCHEME)))


def parser() -> MarkdownIt:
    """HTML in a text is text."""
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _pictures(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "image":
            yield token  # what stands in its text is never shown
        else:
            yield from _pictures(token.children or [])


def source_of(token: Token) -> str:
    """Where the picture of a token is."""
    return str(token.attrs.get("src", ""))
