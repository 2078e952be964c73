"""The mail of a report as one would write it with matplotlib and premailer.

Belongs here: the peer of benchmarks/email.py. Does not belong here: what is measured.
It fills the same template with the same words, so that only the pictures and the styles are made otherwise.
"""

import io

from premailer import Premailer

from prism_core.reports import palette, pictures
from prism_core.reports.content import Chart, ReportContent
from prism_resources.messages import Inline
from prism_resources.reports import rendering

DPI = 100


def render(content: ReportContent) -> tuple[str, list[Inline]]:
    """HTML with its styles in the elements, and a PNG a chart and palette."""
    charts = {at: _chart(one, content) for at, one in enumerate(content.sections) if isinstance(one, Chart)}
    html = rendering.filled(content, charts, rendering.MOST_SHOWN[0], "")
    inlined = Premailer(html, keep_style_tags=False, allow_network=False, disable_validation=True).transform()
    return inlined, [one for chart in charts.values() for one in chart.drawn.values()]


def _chart(chart: Chart, content: ReportContent) -> rendering.ShownChart:
    drawn = {
        one.name: Inline(f"{chart.key}-{one.name}.png", _png(chart, content, one)) for one in palette.PALETTES
    }
    return rendering.ShownChart(chart.title, chart.title, pictures.WIDTH, pictures.HEIGHT, drawn)


def _png(chart: Chart, content: ReportContent, colours: palette.Palette) -> bytes:
    # Where no list of fonts is kept yet, its import starts a process to make one.
    from matplotlib import pyplot as plt  # noqa: PLC0415

    facts = [content.fact(one) if one else None for one in chart.series[0].facts]
    heights = [float(one.value) if one else 0.0 for one in facts]
    size = (pictures.WIDTH * rendering.ZOOM / DPI, pictures.HEIGHT * rendering.ZOOM / DPI)
    plt.switch_backend("agg")
    figure, axes = plt.subplots(figsize=size, dpi=DPI, facecolor=colours.page)
    axes.set_facecolor(colours.page)
    bars = axes.bar(chart.labels, heights, color=[colours.quiet] * (len(heights) - 1) + [colours.accent])
    axes.bar_label(bars, [one.text.split("\xa0")[0] if one else "" for one in facts], color=colours.ink)
    axes.tick_params(colors=colours.muted)
    axes.get_yaxis().set_visible(False)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    written = io.BytesIO()
    figure.savefig(written, format="png", facecolor=colours.page)
    plt.close(figure)
    return written.getvalue()
