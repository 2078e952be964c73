"""The charts, read as the XML that a browser reads."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from prism_core.charts import bar_chart

SVG = "{http://www.w3.org/2000/svg}"


def bars_of(svg: str) -> list[float]:
    """Lengths of the bars; the first rectangle is the background."""
    return [float(found.attrib["width"]) for found in ElementTree.fromstring(svg).iter(f"{SVG}rect")][1:]  # noqa: S314


def texts_of(svg: str) -> list[str]:
    return [found.text or "" for found in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


def test_every_bar_carries_its_label_and_its_number() -> None:
    svg = bar_chart("Tasks per day", [("Mon", 1200), ("Tue", 0)])

    assert texts_of(svg) == ["Tasks per day", "Mon", "1,200", "Tue", "0"]


def test_bars_are_as_long_as_their_values_are_large() -> None:
    longest, half, nothing = bars_of(bar_chart("t", [("a", 10), ("b", 5), ("c", 0)]))

    assert longest > 0
    assert (half, nothing) == (longest / 2, 0)


def test_a_chart_without_bars_or_without_tasks_is_a_chart() -> None:
    assert bars_of(bar_chart("t", [])) == []
    assert bars_of(bar_chart("t", [("a", 0)])) == [0]


@given(st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=30))
def test_any_label_is_text_and_never_markup(label: str) -> None:
    svg = bar_chart(label, [(label, 1)])

    assert texts_of(svg) == [label, label, "1"]
    assert len(list(ElementTree.fromstring(svg))) == 5  # noqa: S314
