"""The charts of a report as SVG text: a column a label, or a row where their figures would not fit side by side.

Belongs here: geometry. Does not belong here: figures (the report has them), and pixels (resources).
Every column carries its figure as the report writes it; the last label is what the report is about. All are as
wide as half a mail, which is nearly all of a telephone: letters stay as large as they were drawn.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Final

from prism_core.reports.content import Chart, ReportContent
from prism_core.reports.palette import Palette
from prism_core.reports.wording import common_unit, without_unit

# Pixels: two charts beside each other in a mail of 600 with 20 at its sides and between them.
WIDTH: Final = 270
HEIGHT: Final = 150
FONT: Final = "Liberation Sans"
SIZE: Final = 11
_GAP: Final = 4
_BELOW, _ABOVE, _LEGEND, _ROW = 20, 16, 18, 20
_NO_FIGURE: Final = "\N{EN DASH}"
_OF_A_YEAR: Final = re.compile(r"\d{4}-(W\d{2})")
# Widths of letters of the font in its size; others are at most as wide as most capitals.
_NARROW: Final = frozenset(",.:;'|!iljIt \N{NO-BREAK SPACE}")
_WIDE: Final = frozenset("mwMW@%")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, and how large it is shown, in pixels."""

    svg: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Bar:
    """One figure of one series: at which label, how large, as the report writes it, in which colour."""

    at: int
    line: int
    value: Decimal | None
    text: str
    colour: str
    told: bool


def text_width(text: str, size: float = SIZE) -> float:
    """Pixels, rather too many than too few."""
    ems = sum(
        0.28 if one in _NARROW else 0.95 if one in _WIDE else 0.56 if one.isdigit() or one.islower() else 0.67
        for one in text
    )
    return ems * size


def draw(chart: Chart, content: ReportContent, palette: Palette) -> Picture:
    """The same chart and palette give the same drawing."""
    bars = list(_bars(chart, content, palette))
    labels = [_OF_A_YEAR.sub(r"\1", label) for label in chart.labels]
    several = len(chart.series)
    top = _LEGEND * several if several > 1 else 0
    widest = max((text_width(one.text) for one in bars), default=0) * several
    slot = max([widest, *(text_width(one) for one in labels)]) + _GAP
    if slot * len(labels) <= WIDTH:
        height, body = top + HEIGHT, _columns(bars, labels, several, top, palette)
    else:
        height = top + len(labels) * (several * (_ROW - 4) + 4)
        body = _rows(bars, labels, several, top, palette)
    parts = [*(_legend(chart, palette) if several > 1 else ()), *body]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="{FONT}" '
        f'font-size="{SIZE}"><rect width="100%" height="100%" fill="{palette.page}"/>'
    )
    return Picture("".join([head, *parts, "</svg>"]), WIDTH, height)


def _bars(chart: Chart, content: ReportContent, palette: Palette) -> Iterator[_Bar]:
    unit = common_unit(content.fact(one) for line in chart.series for one in line.facts if one)
    for line, series in enumerate(chart.series):
        for at, fact_id in enumerate(series.facts):
            told = at == len(chart.labels) - 1
            alone = palette.accent if told else palette.quiet
            colour = _colour(palette, line) if len(chart.series) > 1 else alone
            if fact_id is None:
                yield _Bar(at, line, None, _NO_FIGURE, colour, told)
            else:
                fact = content.fact(fact_id)
                yield _Bar(at, line, fact.value, without_unit(fact.text, unit), colour, told)


class _Scale:
    """From values to pixels between two places, of which the first is the lower value; nought is always on it."""

    def __init__(self, bars: list[_Bar], first: float, last: float) -> None:
        values = [one.value for one in bars if one.value is not None]
        self._low, high = min([Decimal(0), *values]), max([Decimal(0), *values])
        self._first, self._pixels = first, (last - first) / float((high - self._low) or 1)

    def of(self, value: Decimal | None) -> float:
        return self._first + float((value or 0) - self._low) * self._pixels


def _columns(bars: list[_Bar], labels: list[str], several: int, top: float, palette: Palette) -> Iterator[str]:
    falls = any(one.value is not None and one.value < 0 for one in bars)
    # Below a column that goes down its figure needs room, too.
    bottom = top + HEIGHT
    scale = _Scale(bars, bottom - _BELOW - (SIZE + 4 if falls else 0), top + _ABOVE)
    zero, slot = scale.of(None), WIDTH / max(len(labels), 1)
    wide = (slot - _GAP) / several
    for one in bars:
        left, end = slot * one.at + _GAP / 2 + wide * one.line, scale.of(one.value)
        if one.value:
            inset = wide * 0.12
            size = (wide - 2 * inset, max(abs(end - zero), 1))
            yield _rectangle(left + inset, min(zero, end), *size, one.colour)
        y = end + SIZE + 2 if end > zero else end - 4
        yield _text(left + wide / 2, y, one.text, _ink(one, palette), anchor="middle", bold=one.told)
    yield _rule(0, zero, WIDTH, zero, palette)
    for at, label in enumerate(labels):
        told = at == len(labels) - 1
        colour = palette.ink if told else palette.muted
        yield _text(slot * (at + 0.5), bottom - 6, label, colour, anchor="middle", bold=told)


def _rows(bars: list[_Bar], labels: list[str], several: int, top: float, palette: Palette) -> Iterator[str]:
    thick, block = _ROW - 4, several * (_ROW - 4) + 4
    before = max((text_width(one) for one in labels), default=0) + 2 * _GAP
    after = max((text_width(one.text) for one in bars), default=0) * 1.1 + 2 * _GAP
    scale = _Scale(bars, before, max(WIDTH - after, before + 1))
    zero = scale.of(None)
    for one in bars:
        y, end = top + block * one.at + thick * one.line + 2, scale.of(one.value)
        if one.value:
            yield _rectangle(min(zero, end), y, max(abs(end - zero), 1), thick - 2, one.colour)
        yield _text(max(end, zero) + _GAP, y + SIZE - 1, one.text, _ink(one, palette), bold=one.told)
    for at, label in enumerate(labels):
        told = at == len(labels) - 1
        y = top + block * at + SIZE + 1
        yield _text(0, y, label, palette.ink if told else palette.muted, bold=told)
    yield _rule(zero, top, zero, top + block * len(labels), palette)


def _legend(chart: Chart, palette: Palette) -> Iterator[str]:
    for line, series in enumerate(chart.series):
        yield _rectangle(0, _LEGEND * line + 2, 10, 10, _colour(palette, line))
        yield _text(14, _LEGEND * line + 11, series.label, palette.ink)


def _colour(palette: Palette, line: int) -> str:
    return palette.series[line % len(palette.series)]


def _ink(one: _Bar, palette: Palette) -> str:
    return palette.ink if one.told else palette.muted


def _rule(x1: float, y1: float, x2: float, y2: float, palette: Palette) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{palette.quiet}"/>'


def _rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, words: str, colour: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'
