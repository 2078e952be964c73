"""Small charts as SVG text.

Belongs here: pure drawing for places that show an image beside figures (Dagster metadata, reports).
Does not belong here: figures themselves. Every bar carries its number: colour and length are never alone.
"""

from collections.abc import Sequence
from html import escape

_WIDTH, _ROW, _LABEL, _VALUE = 520, 24, 130, 80


def bar_chart(title: str, bars: Sequence[tuple[str, int]]) -> str:
    """Horizontal bars with label and value; values are counts >= 0."""
    height = (len(bars) + 1) * _ROW + 8
    most = max((value for _, value in bars), default=0) or 1
    scale = (_WIDTH - _LABEL - _VALUE) / most
    frame = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-family="sans-serif" font-size="13">'
    )
    rows = [
        frame,
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="4" y="17" font-weight="bold" fill="#16191f">{escape(title)}</text>',
    ]
    for number, (label, value) in enumerate(bars, start=1):
        y = number * _ROW
        length = value * scale
        rows.append(f'<text x="4" y="{y + 17}" fill="#16191f">{escape(label)}</text>')
        rows.append(f'<rect x="{_LABEL}" y="{y + 4}" width="{length:.1f}" height="16" fill="#2074d5"/>')
        rows.append(f'<text x="{_LABEL + length + 6:.1f}" y="{y + 17}" fill="#16191f">{value:,}</text>')
    return "".join([*rows, "</svg>"])
