"""The cost model: its page quotes it, and its sums are those of its lines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.aws_declared import declared
from benchmarks.aws_month import LINES, SCALES, Line, Load, lines, tables, total
from benchmarks.aws_prices import MONTHLY, PRICES
from infra.architecture_document import read_templates

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
        # 99,540 calls at 1.2e-6 for request and invocation, and 0.1 s of 1,769 MB each at 16.6667e-6.
        ("API: gateway and function", 99_540 * (1.2e-6 + 1_769 / 1_024 * 1.66667e-6)),
        ("Rekognition", 200 * 3 * 0.001),
        # 730 hours of three tasks of half a vCPU, with 2, 1 and 1 GB.
        ("ECS: Dagster's services", 730 * (1.5 * 0.03238 + 4 * 0.00356)),
    ],
)
def test_a_line_is_what_a_calculator_says(name: str, dollars: float) -> None:
    (line,) = [one for one in LINES if one.name == name]

    assert line.dollars(Load(1)) == pytest.approx(dollars, rel=1e-6)


def of(name: str, bill: tuple[Line, ...] = LINES) -> Line:
    return next(one for one in bill if one.name.startswith(name))


CHANGES: list[tuple[str, Callable[[Any], object]]] = [
    ("API", lambda t: t["api"]["Resources"]["ApiFunction"]["Properties"].update(MemorySize=3_008)),
    ("Events", lambda t: t["events"]["Resources"]["StepFunction"]["Properties"].update(MemorySize=3_008)),
    ("ECS: Dagster", lambda t: t["dagster"]["Resources"]["WebTask"]["Properties"].update(Memory=4_096)),
    ("ECS: runs", lambda t: t["dagster"]["Parameters"]["RunCpu"].update(Default=4_096)),
    ("RDS", lambda t: t["dagster"]["Resources"]["Database"]["Properties"].update(DBInstanceClass="db.t4g.small")),
    ("CloudWatch", lambda t: t["dagster"]["Parameters"]["LogRetentionDays"].update(Default=365)),
    ("Container", lambda t: t["dagster"]["Resources"].update(Another=t["dagster"]["Resources"]["WebTask"])),
    ("Cognito", lambda t: t["api"]["Resources"].update(Another=t["api"]["Resources"]["ProducerClient"])),
    ("WAF", lambda t: t["edge"]["Resources"]["Firewall"]["Properties"]["Rules"].append({})),
]


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_the_bill_follows_the_templates(name: str, change: Callable[[Any], object]) -> None:
    templates = read_templates()

    change(templates)
    bill = lines(declared(templates))

    assert of(name, bill).dollars(Load(1)) > of(name).dollars(Load(1))
    assert of(name, bill).formula != of(name).formula
    others = [one.name for one in bill if not one.name.startswith(name)]
    assert [one for one in others if of(one, bill).dollars(Load(1)) != of(one).dollars(Load(1))] == []


def test_a_price_that_nobody_looked_up_says_so_with_its_day() -> None:
    unread = [one for one in MONTHLY.values() if one.read_from == "nobody"]

    assert unread
    assert {one.source for one in unread} == {"from memory on 2026-11-22: check before you rely on it"}
    assert MONTHLY.keys() & PRICES.keys() == set()
