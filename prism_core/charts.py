"""Small charts as SVG text.

Belongs here: pure drawing for places that show an image beside figures (Dagster metadata, reports).
Does not belong here: figures themselves. Every bar carries its number: colour and length are never alone.
"""

import base64
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _ROW, _LABEL, _VALUE = 520, 24, 130, 80
_THIN = 14  # a bar among several of one label
# Told apart by lightness too, and each bar is named: colour is never alone.
_SERIES = ("#2074d5", "#7d2105", "#067f68")


class Interval(NamedTuple):
    """A share with its interval, all of 0 to 1."""

    label: str
    low: float
    value: float
    high: float


def bar_chart(title: str, bars: Sequence[tuple[str, int]]) -> str:
    """Horizontal bars with label and value; values are counts >= 0."""
    most = max((value for _, value in bars), default=0) or 1
    scale = (_WIDTH - _LABEL - _VALUE) / most
    rows = _frame(title, (len(bars) + 1) * _ROW + 8)
    for number, (label, value) in enumerate(bars, start=1):
        y = number * _ROW
        length = value * scale
        rows.append(f'<text x="4" y="{y + 17}" fill="#16191f">{escape(label)}</text>')
        rows.append(f'<rect x="{_LABEL}" y="{y + 4}" width="{length:.1f}" height="16" fill="#2074d5"/>')
        rows.append(f'<text x="{_LABEL + length + 6:.1f}" y="{y + 17}" fill="#16191f">{value:,}</text>')
    return "".join([*rows, "</svg>"])


def grouped_bar_chart(title: str, series: Sequence[str], groups: Sequence[tuple[str, Sequence[float]]]) -> str:
    """For each label one bar a series, named, with its value at one decimal; values are figures >= 0."""
    most = max((value for _, values in groups for value in values), default=0) or 1
    scale = (_WIDTH - _LABEL - _VALUE - 60) / most
    tall = len(series) * _THIN + 10
    rows = _frame(title, _ROW + len(groups) * tall + 8)
    for number, (label, values) in enumerate(groups):
        top = _ROW + number * tall + 4
        rows.append(f'<text x="4" y="{top + 12}" fill="#16191f">{escape(label)}</text>')
        for place, (name, value) in enumerate(zip(series, values, strict=True)):
            y, length = top + place * _THIN, value * scale
            colour = _SERIES[place % len(_SERIES)]
            rows.append(f'<rect x="{_LABEL}" y="{y}" width="{length:.1f}" height="{_THIN - 3}" fill="{colour}"/>')
            rows.append(
                f'<text x="{_LABEL + length + 6:.1f}" y="{y + 10}" font-size="11" fill="#16191f">'
                f"{value:,.1f} {escape(name)}</text>"
            )
    return "".join([*rows, "</svg>"])


def interval_chart(title: str, intervals: Sequence[Interval], target: float | None = None) -> str:
    """Each share as a dot on the line of its interval, from 0 to 100 %, with its number; a dashed target."""
    label = max(_LABEL, min(_LABEL * 2, 8 * max((len(one.label) for one in intervals), default=0)))
    scale = _WIDTH - label - _VALUE
    height = (len(intervals) + 1) * _ROW + 8
    rows = _frame(title, height)
    if target is not None:
        x = label + target * scale
        rows.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_ROW}" y2="{height}" stroke="#7d2105" stroke-dasharray="4 3"/>'
        )
    for number, one in enumerate(intervals, start=1):
        middle = number * _ROW + 12
        low, dot, high = (label + share * scale for share in (one.low, one.value, one.high))
        rows.append(f'<text x="4" y="{middle + 5}" fill="#16191f">{escape(one.label)}</text>')
        rows.append(
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" stroke="#2074d5" stroke-width="3"/>'
        )
        rows.append(f'<circle cx="{dot:.1f}" cy="{middle}" r="5" fill="#2074d5"/>')
        rows.append(f'<text x="{label + scale + 8}" y="{middle + 5}" fill="#16191f">{one.value:.1%}</text>')
    return "".join([*rows, "</svg>"])


def as_markdown(alt: str, svg: str) -> str:
    """The picture within Markdown text, which is how Dagster shows one beside the figures."""
    return f"![{alt}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _frame(title: str, height: int) -> list[str]:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-family="sans-serif" font-size="13">'
    )
    return [
        head,
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="4" y="17" font-weight="bold" fill="#16191f">{escape(title)}</text>',
    ]
