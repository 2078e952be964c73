"""What the HTML of a mail must keep to, so that Outlook for Windows, Gmail and a reader without pictures show it.

Belongs here: the rules, read from the HTML as it is sent. Does not belong here: mails.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

MOST_BYTES = 102_000
MOST_STYLE_BYTES = 16_000
VOID = {"meta", "img", "br", "hr", "link", "input", "base", "col"}
TAGS = {
    "html", "head", "title", "meta", "style", "body", "table", "tbody", "thead", "tr", "td", "th", "div", "p",
    "span", "strong", "h1", "h2", "h3", "ul", "li", "img", "br",
}  # fmt: skip
CELLS = {"td", "th"}
# Written into an element, for all programs; the Word engine does something else with these, or nothing.
NEVER = re.compile(
    r"flex|grid|gradient|var\(|calc\(|url\(|position|float|border-radius|opacity|background-image|!important"
)
NOTHING = re.compile(r"0(?:px)?(?: 0(?:px)?)*")


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    above: tuple["Element", ...]
    children: list["Element"] = field(default_factory=list)

    @property
    def style(self) -> dict[str, str]:
        pairs = (one.partition(":") for one in self.attributes.get("style", "").split(";") if one.strip())
        return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}

    def all(self) -> Iterator["Element"]:
        yield self
        for child in self.children:
            yield from child.all()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {}, ())
        self._open = [self.root]
        self.styles: list[str] = []
        self.words: list[str] = []
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open))
        self._open[-1].children.append(found)
        if tag not in VOID:
            self._open.append(found)

    def handle_endtag(self, tag: str) -> None:
        if any(one.tag == tag for one in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if self._open[-1].tag == "style":
            self.styles.append(data)
        elif not any(one.tag in {"head", "title"} or one.style.get("display") == "none" for one in self._open):
            self.words.append(data)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def visible_text(html: str) -> str:
    """What a reader sees where nothing but the elements' own styles counts, as Outlook for Windows does."""
    return " ".join(" ".join(read(html).words).split())


def offences(html: str) -> list[str]:
    """Every breach, in words; none in a mail that may go out."""
    found = read(html)
    elements = list(found.root.all())[1:]
    return [*_whole(html, found, elements), *(line for one in elements for line in _of(one))]


def _whole(html: str, found: _Reader, elements: list[Element]) -> Iterator[str]:
    if not html.isascii():
        yield "a byte above 127"
    if len(html.encode()) > MOST_BYTES:
        yield f"{len(html.encode()):,} bytes"
    if any("http" in one for one in found.comments):
        yield "an address"
    tags = {one.tag: one for one in elements}
    if not tags["html"].attributes.get("lang") or "title" not in tags:
        yield "no language or no title"
    metas = {one.attributes.get("name"): one.attributes.get("content") for one in elements if one.tag == "meta"}
    if metas.get("color-scheme") != "light dark" or "viewport" not in metas:
        yield "no colour scheme or no viewport"
    yield from _styles("".join(found.styles))
    rows = [[one for one in row.children if one.attributes.get("width") == "25%"] for row in elements]
    cards = [row for row in rows if row]
    if [len(row) for row in cards] != [4]:
        yield "the cards are no row of four"
    elif any(one.tag == "table" for cell in cards[0] for one in cell.all()):
        yield "a table in a card"


def _styles(styles: str) -> Iterator[str]:
    if len(styles.encode()) > MOST_STYLE_BYTES:
        yield "more than 16 kB of style"
    for needed in ("prefers-color-scheme: dark", "[data-ogsc]", "max-width: 599px"):
        if needed not in styles:
            yield f"no style for {needed}"
    for outside in ("@import", "@font-face", "url(", "http:", "https:", "{{", "{%"):
        if outside in styles:
            yield f"{outside} in a style"


def _of(one: Element) -> Iterator[str]:
    if one.tag not in TAGS:
        yield f"<{one.tag}>"
    for name in one.attributes:
        if name.startswith("on") or name in {"href", "background", "action", "srcset"}:
            yield f"{name} on <{one.tag}>"
    if one.tag == "img":
        yield from _picture(one)
    if one.tag == "table":
        headed = any(cell.tag == "th" and cell.attributes.get("scope") == "col" for cell in one.all())
        if one.attributes.get("role") != "presentation" and not headed:
            yield "a table that is neither for layout nor has heads"
        for name in ("cellpadding", "cellspacing", "border"):
            if one.attributes.get(name) != "0":
                yield f"a table without {name}"
    yield from _style(one)


def _picture(one: Element) -> Iterator[str]:
    for name in ("width", "height"):
        if not one.attributes.get(name, "").isdigit():
            yield f"a picture without {name}"
    if not one.attributes.get("alt", "").strip():
        yield "a picture without words"
    if not one.attributes.get("src", "").startswith("cid:"):
        yield "a picture from elsewhere"


def _style(one: Element) -> Iterator[str]:
    style = one.style
    for name, value in style.items():
        if never := NEVER.search(f"{name}:{value}"):
            yield f"{never[0]} on <{one.tag}>"
        if name.startswith("padding") and one.tag not in CELLS and not NOTHING.fullmatch(value):
            yield f"padding on <{one.tag}>"
        if name.startswith("margin") and "auto" in value:
            yield f"an automatic margin on <{one.tag}>"
        if name in {"width", "height", "min-width"} and one.tag not in {*CELLS, "table"}:
            yield f"{name} on <{one.tag}>"
        if name == "max-width" and one.tag != "table":
            yield f"max-width on <{one.tag}>"
    if style.get("display") == "none" and style.get("mso-hide") != "all":
        yield f"<{one.tag}> is not hidden from Outlook"
    if style.get("display") == "none" and any(inner.tag == "table" for inner in one.all()):
        yield "a table in something hidden"
    if one.tag in CELLS and not {"font-family", "font-size", "line-height"} <= style.keys():
        yield f"<{one.tag}> says no font of its own"
