"""The charts of a report, read as the XML that is drawn: each figure once, in its order, as large as it is."""

import dataclasses
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.facts.gate import Scope
from prism_core.facts.ledger import Fact, Ledger, Unit
from prism_core.reports.content import Chart, ReportContent, Series, Statement
from prism_core.reports.palette import DARK, LIGHT, ON_COLOUR, PALETTES, Palette
from prism_core.reports.pictures import HEIGHT, WIDTH, draw, text_width
from prism_resources.reports.rendering import png_of
from tests.unit.report_mails import bare

SVG = "{http://www.w3.org/2000/svg}"
Rows = list[list[int | None]]


def content_with(rows: Rows, unit: Unit = Unit.COUNT) -> ReportContent:
    currency = "EUR" if unit is Unit.MONEY else None
    facts = [
        Fact(f"f.{line}.{at}", Decimal(value), unit, "x", currency)
        for line, values in enumerate(rows)
        for at, value in enumerate(values)
        if value is not None
    ]
    return dataclasses.replace(bare(), scope=Scope(Ledger(facts)))


def chart_of(rows: Rows, label: str = "2023-W{:02d}", name: str = "Series") -> Chart:
    series = tuple(
        Series(f"{name} {line}", tuple(None if one is None else f"f.{line}.{at}" for at, one in enumerate(values)))
        for line, values in enumerate(rows)
    )
    labels = tuple(label.format(at + 31) for at in range(len(rows[0])))
    return Chart("key", "Title", labels, series, Statement("Words."))


def drawn(rows: Rows, unit: Unit = Unit.COUNT, palette: Palette = LIGHT) -> ElementTree.Element:
    return ElementTree.fromstring(draw(chart_of(rows), content_with(rows, unit), palette).svg)  # noqa: S314


def texts(svg: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in svg.iter(f"{SVG}text")]


def bars(svg: ElementTree.Element, side: str) -> list[float]:
    """The first rectangle is what they stand on."""
    return [float(one.attrib[side]) for one in list(svg.iter(f"{SVG}rect"))[1:]]


def contrast(one: str, other: str) -> float:
    """As WCAG 2 reckons it."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_columns_are_as_high_as_their_figures_and_carry_them() -> None:
    svg = drawn([[10, 5, None, 20]])

    ten, five, twenty = bars(svg, "height")
    assert (five, twenty) == (pytest.approx(ten / 2, abs=0.1), pytest.approx(ten * 2, abs=0.1))
    assert texts(svg) == ["10", "5", "\N{EN DASH}", "20", "W31", "W32", "W33", "W34"]


def test_figures_that_do_not_fit_side_by_side_are_rows() -> None:
    svg = drawn([[1_234_567, 2_469_134, 0, 3_703_701, 4_938_268]], Unit.MONEY)

    first, second, fourth, fifth = bars(svg, "width")
    assert (second, fourth, fifth) == (
        pytest.approx(first * 2, abs=0.2),
        pytest.approx(first * 3, abs=0.2),
        pytest.approx(first * 4, abs=0.2),
    )
    assert texts(svg)[0] == "1,234,567.00"


def test_several_series_are_named_and_share_one_scale() -> None:
    svg = drawn([[4, 8], [2, None]])

    assert texts(svg)[:2] == ["Series 0", "Series 1"]
    _, _, four, eight, two = bars(svg, "height")
    assert (eight, two) == (pytest.approx(four * 2, abs=0.1), pytest.approx(four / 2, abs=0.1))


def test_a_figure_below_nought_goes_the_other_way() -> None:
    svg = drawn([[-10, 10]])

    down, up = bars(svg, "y")
    assert up < down
    assert bars(svg, "height")[0] == bars(svg, "height")[1]


def test_a_unit_is_no_part_of_a_picture() -> None:
    assert texts(drawn([[5]], Unit.MONEY)) == ["5.00", "W31"]


FIGURES = st.none() | st.integers(-(10**9), 10**9)
ROWS = st.integers(1, 8).flatmap(
    lambda size: st.lists(st.lists(FIGURES, min_size=size, max_size=size), min_size=1, max_size=3)
)


@given(ROWS, st.sampled_from([Unit.COUNT, Unit.MONEY, Unit.CHANGE]))
def test_nothing_of_a_chart_is_drawn_outside_of_it(rows: Rows, unit: Unit) -> None:
    svg = drawn(rows, unit)

    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert width == WIDTH
    assert height >= min(HEIGHT, len(rows[0]) * len(rows) * 8)
    for one in list(svg.iter(f"{SVG}rect"))[1:]:
        x, y, wide, tall = (float(one.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= -0.1
        assert y >= -0.1
        assert x + wide <= width + 0.1
        assert y + tall <= height + 0.1
    for one in svg.iter(f"{SVG}text"):
        x, y, wide = float(one.attrib["x"]), float(one.attrib["y"]), text_width(one.text or "")
        left = x - wide / 2 if one.attrib["text-anchor"] == "middle" else x
        assert left >= -2.1
        assert left + wide <= width + 2.1
        assert 0 < y <= height


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=30))
def test_a_label_is_text_and_never_markup(label: str) -> None:
    rows: Rows = [[1], [2]]
    chart = chart_of(rows, label.replace("{", "(").replace("}", ")"), label)

    svg = ElementTree.fromstring(draw(chart, content_with(rows), LIGHT).svg)  # noqa: S314

    assert texts(svg)[0] == f"{label} 0"


def test_pixels_are_two_to_one_of_the_mail_and_by_our_own_font() -> None:
    picture = draw(chart_of([[1, 2]]), content_with([[1, 2]]), DARK)

    png = png_of(picture.svg)

    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (2 * picture.width, 2 * picture.height)
    assert png_of(picture.svg.replace("Liberation Sans", "No Such Font")) != png


@pytest.mark.parametrize("palette", PALETTES, ids=lambda one: one.name)
def test_every_colour_can_be_read_on_what_is_behind_it(palette: Palette) -> None:
    words = (palette.ink, palette.muted, palette.good)
    marks = (palette.accent, palette.quiet, *palette.series)

    assert min(contrast(one, back) for one in words for back in (palette.page, palette.panel)) >= 4.5
    assert min(contrast(one, palette.page) for one in marks) >= 3
    assert min(contrast(ON_COLOUR, one) for one in (LIGHT.bad, LIGHT.warn)) >= 4.5
