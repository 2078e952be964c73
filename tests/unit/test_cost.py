"""The cost model: its page quotes it, and its sums are those of its lines."""

from pathlib import Path

import pytest

from benchmarks.aws_month import LINES, SCALES, Load, tables, total

DOCUMENT = Path(__file__).parents[2] / "docs" / "cost.md"


def test_the_page_quotes_what_the_model_prints() -> None:
    told = DOCUMENT.read_text(encoding="utf-8")

    missing = [table for table in tables() if table not in told]

    assert missing == [], "run `python -m benchmarks.aws_month` and copy its tables"


def test_idle_parts_cost_the_same_and_no_part_costs_less_with_more_load() -> None:
    for line in LINES:
        low, middle, high = (line.dollars(Load(scale)) for scale in SCALES)
        assert 0 < low <= middle <= high, line.name


def test_a_hundred_times_the_programme_costs_far_less_than_a_hundred_times_as_much() -> None:
    assert total(100) < 20 * total(1)


@pytest.mark.parametrize(
    ("name", "dollars"),
    [
        # 99,540 calls at 1.2e-6 for request and invocation, and 0.1 GB s each at 16.6667e-6.
        ("API: gateway and function", 99_540 * (1.2e-6 + 1.66667e-6)),
        ("Rekognition", 200 * 3 * 0.001),
        # 730 hours of 1 vCPU and 4 GB.
        ("ECS: Dagster, two services", 730 * (0.03238 + 4 * 0.00356)),
    ],
)
def test_a_line_is_what_a_calculator_says(name: str, dollars: float) -> None:
    (line,) = [one for one in LINES if one.name == name]

    assert line.dollars(Load(1)) == pytest.approx(dollars, rel=1e-6)
