"""The model of scale is the queue that it says it is, and the document quotes what it prints."""

import math
from pathlib import Path

import pytest

from benchmarks.events_scale import STREAM, Way, hottest_shard, simulate, tables

DOCUMENT = Path(__file__).parents[2] / "docs" / "scale.md"


def _waits_of_m_m_c(rate: float, mean_ms: float, servers: int) -> float:
    """Erlang C: the mean wait in ms."""
    offered = rate * mean_ms / 1_000
    terms = [offered**k / math.factorial(k) for k in range(servers)]
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(terms) + last) * mean_ms / (servers - offered)


@pytest.mark.parametrize(("rate", "servers"), [(70, 1), (320, 5), (900, 10)])
def test_without_batches_waits_are_those_of_theory(rate: float, servers: int) -> None:
    # Of the same mean and variation as exponential times, Kingman's formula and its refinement ask for no more.
    one_at_a_time = Way("one", 1, 10, 0, 1.0, 1, 0)

    found = simulate(one_at_a_time, rate, servers, 200_000)

    assert found.wait_mean == pytest.approx(_waits_of_m_m_c(rate, 10, servers), rel=0.12)
    assert found.batch == 1


def test_batches_take_what_a_server_alone_could_not() -> None:
    few = simulate(Way("one", 1, 100, 1, 0.4, 1, 0), 100, 5, 5_000)
    many = simulate(Way("ten", 10, 100, 1, 0.4, 1, 0), 100, 5, 5_000)

    assert few.wait_p95 > 5_000
    assert many.p95 < 400


def test_the_same_seed_gives_the_same_figures_and_another_gives_others() -> None:
    assert simulate(STREAM, 500, 2, 5_000) == simulate(STREAM, 500, 2, 5_000)
    assert simulate(STREAM, 500, 2, 5_000) != simulate(STREAM, 500, 2, 5_000, seed=8)


def test_the_fullest_shard_keeps_below_what_a_shard_takes() -> None:
    assert 700 < hottest_shard(100_000, 143) < 1_000


def test_the_document_quotes_what_the_simulation_prints() -> None:
    told = DOCUMENT.read_text(encoding="utf-8")

    missing = [table for table in tables().split("\n\n") if table not in told]

    assert missing == [], "run `python -m benchmarks.events_scale` and copy its tables"
