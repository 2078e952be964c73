"""The charts, read as the XML that a browser reads."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from prism_core.charts import Interval, bar_chart, grouped_bar_chart, interval_chart

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


def test_bars_of_a_group_are_named_one_by_one_and_share_one_scale() -> None:
    svg = grouped_bar_chart("Hours", ("planned", "worked"), [("Mon", (8, 6.25)), ("Tue", (4, 0))])

    assert texts_of(svg) == ["Hours", "Mon", "8.0 planned", "6.2 worked", "Tue", "4.0 planned", "0.0 worked"]
    planned, worked, half, nothing = bars_of(svg)
    assert (half, nothing) == (planned / 2, 0)
    assert 0 < worked < planned


def test_a_share_lies_on_the_line_of_its_interval_and_the_target_beside_it() -> None:
    svg = ElementTree.fromstring(interval_chart("Share", [Interval("Cars", 0.5, 0.8, 0.9)], target=0.95))  # noqa: S314

    goal, line = svg.iter(f"{SVG}line")
    (dot,) = svg.iter(f"{SVG}circle")
    assert float(line.attrib["x1"]) < float(dot.attrib["cx"]) < float(line.attrib["x2"])
    assert float(line.attrib["x2"]) < float(goal.attrib["x1"])
    assert [found.text for found in svg.iter(f"{SVG}text")] == ["Share", "Cars", "80.0%"]
