"""The formats of a workbook, with as many more as marks need.

Belongs here: finding and copying cell formats as bytes, so that a marked cell keeps everything but its fill.
Does not belong here: which cells are marked (marking.py).
"""

import re
from dataclasses import dataclass, field
from typing import Final

from prism_core.workbooks.package import feed, local, parser_of
from prism_core.workbooks.places import Place, closed, tag_end

_PART: Final = "xl/styles.xml"
# Light red, and a value that nobody else picks: an earlier mark is known by it.
_COLOUR: Final = "FFFFD9D3"
_ATTRIBUTES: Final = re.compile(rb"\s(?:fillId|applyFill)\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_COUNT: Final = re.compile(rb"\scount\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_FILL_ID: Final = re.compile(rb"\sfillId\s*=\s*[\"'](\d+)[\"']")
_NO_FILL: Final = 0


@dataclass(slots=True)
class Styles:
    """Cell formats by number. `marked` and `unmarked` answer the number of a copy, which is made once."""

    source: bytes | None
    formats: list[bytes] = field(default_factory=list[bytes])
    marks: set[int] = field(default_factory=set[int])
    _fill: int = 0
    _old_fills: int = 0
    _places: dict[str, Place] = field(default_factory=dict[str, Place])
    _copies: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    _old_formats: int = 0

    @classmethod
    def of(cls, source: bytes | None) -> "Styles":
        """Read the formats; without a part, or without formats in it, nothing is filled."""
        styles = cls(source)
        if source is not None:
            styles._read(source)
        return styles

    def marked(self, style: str) -> str:
        """The format with the fill of a mark."""
        return self._copy(style, self._fill)

    def unmarked(self, style: str) -> str:
        """The format without a fill: what was below an earlier mark is not known any more."""
        return self._copy(style, _NO_FILL)

    def is_mark(self, style: str) -> bool:
        """Whether a cell of this format was marked by an earlier load."""
        return style.isascii() and style.isdigit() and int(style) in self.marks

    def content(self) -> bytes:
        """The part with the copies."""
        source = self.source or b""
        if not self._copies:
            return source
        edits: list[tuple[Place, bytes, int]] = []
        if self._fill == self._old_fills:
            prefix = self._places["fills"].prefix
            fill = (
                f'<{prefix}fill><{prefix}patternFill patternType="solid"><{prefix}fgColor rgb="{_COLOUR}"/>'
                f'<{prefix}bgColor indexed="64"/></{prefix}patternFill></{prefix}fill>'
            )
            edits.append((self._places["fills"], fill.encode(), self._old_fills + 1))
        new = b"".join(self.formats[self._old_formats :])
        edits.append((self._places["cellXfs"], new, len(self.formats)))
        for place, text, count in sorted(edits, key=lambda edit: edit[0].start, reverse=True):
            tag = _COUNT.sub(b"", source[place.start : place.inner])
            tag = tag.removesuffix(b">") + f' count="{count}">'.encode()
            last = source.rindex(b"<", place.inner, place.end)
            source = source[: place.start] + tag + source[place.inner : last] + text + source[last:]
        return source

    def _read(self, source: bytes) -> None:
        parser = parser_of(_PART)
        open_tags: list[tuple[str, str, int]] = []
        marking: set[int] = set()

        def start(name: str, attributes: dict[str, str]) -> None:
            tag = local(name)
            open_tags.append((tag, name[: -len(tag)], parser.CurrentByteIndex))
            inside = [one for one, _, _ in open_tags]
            if tag == "fgColor" and "fills" in inside and attributes.get("rgb") == _COLOUR:
                marking.add(self._old_fills)

        def end(_: str) -> None:
            tag, prefix, at = open_tags.pop()
            parent = open_tags[-1][0] if open_tags else ""
            if tag in ("fills", "cellXfs") or (tag == "xf" and parent == "cellXfs"):
                inner = tag_end(source, at)
                place = Place(at, inner, closed(source, inner, parser.CurrentByteIndex), prefix)
                if tag == "xf":
                    self.formats.append(source[place.start : place.end])
                elif place.end > place.inner:
                    self._places[tag] = place
            elif tag == "fill" and parent == "fills":
                self._old_fills += 1

        parser.StartElementHandler = start
        parser.EndElementHandler = end
        feed(parser, source, _PART)
        feed(parser, b"", _PART, last=True)
        self._old_formats = len(self.formats)
        self._fill = min(marking, default=self._old_fills)
        self.marks = {number for number, text in enumerate(self.formats) if _fill_of(text) in marking}

    def _copy(self, style: str, fill: int) -> str:
        number = int(style) if style.isascii() and style.isdigit() and int(style) < self._old_formats else 0
        if not self.formats or self._places.keys() != {"fills", "cellXfs"}:
            return style
        if (number, fill) not in self._copies:
            source = self.formats[number]
            inner = tag_end(source, 0)
            tag = _ATTRIBUTES.sub(b"", source[:inner])
            ending = b"/>" if tag.endswith(b"/>") else b">"
            tag = tag.removesuffix(ending).rstrip() + f' fillId="{fill}" applyFill="1"'.encode() + ending
            self._copies[number, fill] = len(self.formats)
            self.formats.append(tag + source[inner:])
        return str(self._copies[number, fill])


def _fill_of(text: bytes) -> int:
    match = _FILL_ID.search(text[: tag_end(text, 0)])
    return int(match[1]) if match else _NO_FILL
