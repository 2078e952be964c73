"""From the content of a report to a mail: HTML that Outlook and Gmail show, pictures, and the same as text.

Belongs here: templates, styles written into elements, charts as pixels. Does not belong here: what is said
(prism_core/reports), MIME (messages.py) and sending (mail.py, mailing.py).
The HTML is ASCII without an address in it, and below the size at which Gmail cuts: what would not fit is counted
and stands in the text. The same content gives the same mail, byte by byte.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import css_inline
import resvg_py
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from prism_core.failures import PermanentFailure
from prism_core.reports import palette, pictures, wording
from prism_core.reports.content import Align, Chart, Prose, ReportContent, Section, Table
from prism_core.reports.plain_text import plain_text
from prism_resources.messages import Attached, Inline
from prism_resources.reports.lists import lists_of

# Gmail shows the first 102 kB and a link to the rest.
MOST_BYTES: Final = 102_000
# Points of a list and rows of a table: as many as fit.
MOST_SHOWN: Final = (40, 20, 10, 5, 2)
# For displays with two pixels to each of a mail.
ZOOM: Final = 2
FOLDER: Final = Path(__file__).parent
FONTS: Final = tuple(FOLDER / "fonts" / f"LiberationSans-{weight}.ttf" for weight in ("Regular", "Bold"))
_CARD_SIZES, _CARD_WIDTH = (22, 18, 15, 12), 112
_TABLE_SIZES, _TABLE_WIDTH, _FIRST_WIDTH, _CELL_PADDING = (13, 12, 11), 560, 110, 8
_BOLD: Final = 1.1
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ReportMail:
    """A report as it is mailed: `pictures` that the HTML shows, `attached` lists that it has no room for."""

    subject: str
    text: str
    html: str
    pictures: tuple[Inline, ...]
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut(Generic[_T]):
    """The first of some things, and how many more there are."""

    shown: Sequence[_T]
    left: int


@dataclass(frozen=True, slots=True)
class ShownChart:
    """A chart by palette, with its size in a mail, and what it shows in words."""

    title: str
    alt: str
    width: int
    height: int
    drawn: dict[str, Inline]

    @property
    def cids(self) -> dict[str, str]:
        return {name: one.cid for name, one in self.drawn.items()}


@dataclass(frozen=True, slots=True)
class ShownTable:
    words: wording.TableWords
    rows: Cut[tuple[str, ...]]
    kinds: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class ShownProse:
    title: str
    said: Cut[str]
    bullets: bool
    status: tuple[str, str] | None


def render(content: ReportContent, *, closing: str = "") -> ReportMail:
    """The mail of a report; `closing` is the sentence that says why it came.

    Raises PermanentFailure when it does not fit even with the shortest lists.
    """
    charts = {at: _chart(one, content) for at, one in enumerate(content.sections) if isinstance(one, Chart)}
    for most in MOST_SHOWN:
        html = _ascii(_inliner().inline(filled(content, charts, most, closing)))
        if len(html) <= MOST_BYTES:
            text = plain_text(content, closing=closing)
            shown = tuple(one for chart in charts.values() for one in chart.drawn.values())
            return ReportMail(wording.subject(content), text, html, shown, tuple(lists_of(content)))
    raise PermanentFailure(
        f"{content.title} {content.week} has {len(html):,} bytes of HTML; Gmail shows {MOST_BYTES:,}"
    )


def png_of(svg: str, zoom: int = ZOOM) -> bytes:
    """The pixels of a drawing, by the font that we bring along: the same on every machine."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, zoom=zoom, skip_system_fonts=True, font_files=[str(one) for one in FONTS]
        )
    )


def filled(content: ReportContent, charts: dict[int, ShownChart], most: int, closing: str) -> str:
    """The template with its words, before styles are written into its elements."""
    headline = wording.said(content, content.headline)
    notices = (("Corrections", content.corrections), ("What is missing", content.missing))
    return _template().render(
        subject=wording.subject(content),
        preheader=" ".join(headline),
        opening=wording.opening(content),
        title=content.title,
        week=content.week.label,
        days=wording.days(content.week),
        headline=headline or (content.title,),
        cards=[(card, _card_size(card.figure)) for card in (wording.card(content, one) for one in content.cards)],
        notices=[(title, _cut(wording.said(content, found), most)) for title, found in notices],
        todo=wording.recommendations(content),
        blocks=list(_blocks(content, charts, most)),
        closing=[line for line in (*wording.closing(content), closing) if line],
        light=palette.LIGHT,
        dark=palette.DARK,
        alert=palette.ALERT,
        notice=palette.NOTICE,
        on_colour=palette.ON_COLOUR,
    )


def _blocks(content: ReportContent, charts: dict[int, ShownChart], most: int) -> Iterator[tuple[str, Any]]:
    """The sections in their order; two charts that follow each other stand side by side."""
    waiting: list[ShownChart] = []
    for at, section in enumerate(content.sections):
        if waiting and (at not in charts or len(waiting) == 2):
            yield "charts", waiting
            waiting = []
        if at in charts:
            waiting = [*waiting, charts[at]]
        else:
            yield _block(content, section, most)
    if waiting:
        yield "charts", waiting


def _block(content: ReportContent, section: Section, most: int) -> tuple[str, Any]:
    match section:
        case Prose():
            found = wording.said(content, section.statements)
            said = _cut(found, most) if section.bullets and section.status is None else Cut(found, 0)
            return "prose", ShownProse(section.title, said, section.bullets, section.status)
        case Table():
            words = wording.table(content, section, units_in_heads=True)
            kinds = tuple(
                "first" if at == 0 else "fig" if one is Align.RIGHT else "word"
                for at, one in enumerate(words.aligns)
            )
            return "table", ShownTable(words, _cut(words.rows, most), kinds, _table_size(words))
        case Chart():
            raise AssertionError("charts are drawn once, not by size")


def _ascii(html: str) -> str:
    """Nothing that a mail server between us and a reader could damage."""
    return html.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _chart(chart: Chart, content: ReportContent) -> ShownChart:
    drawn = {one.name: pictures.draw(chart, content, one) for one in palette.PALETTES}
    key = re.sub(r"[^A-Za-z0-9_-]", "-", chart.key)
    pixels = {name: Inline(f"{key}-{name}.png", png_of(one.svg)) for name, one in drawn.items()}
    points, light = wording.points(content, chart), drawn[palette.LIGHT.name]
    alt = f"{points.title}. {content.text(chart.alt.prose)} {points.said}."
    return ShownChart(points.title, alt, light.width, light.height, pixels)


def _card_size(figure: str) -> int:
    fitting = (one for one in _CARD_SIZES if pictures.text_width(figure, one) * _BOLD <= _CARD_WIDTH)
    return next(fitting, _CARD_SIZES[-1])


def _table_size(words: wording.TableWords) -> int:
    """The largest size of letters with which the columns beside the first one leave it room."""
    lines = [one for one in (*words.rows, words.total) if one]
    widest = [
        max((pictures.text_width(one[at], 1) for one in lines), default=0) for at in range(1, len(words.heads))
    ]
    room = _TABLE_WIDTH - _FIRST_WIDTH - _CELL_PADDING * len(widest)
    return next((one for one in _TABLE_SIZES if sum(widest) * one <= room), _TABLE_SIZES[-1])


def _cut(found: Sequence[_T], most: int) -> Cut[_T]:
    return Cut(found[:most], max(len(found) - most, 0))


@cache
def _template() -> Any:
    loader = FileSystemLoader(FOLDER / "templates")
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    return environment.get_template("report.html")


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)
