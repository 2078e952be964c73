"""The capacity benchmark runs, and flow, plan, HiGHS and CP-SAT reach one objective. No time is judged."""

import pytest

from benchmarks import capacity
from benchmarks.capacity_instances import instance
from benchmarks.peers.capacity import greedy_points
from prism_core.capacity.solve import solve


def test_all_solvers_reach_the_objective_of_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    week, day = capacity.main(["--sizes", "12x10", "--repeats", "1", "--no-limits"])

    assert set(week["contenders"]) == {"prism, flow", "prism, whole plan", "HiGHS LP", "CP-SAT", "greedy"}
    assert week["objective"] == day["objective"]
    assert "ratio" in capsys.readouterr().out


def test_greedy_is_no_better_than_the_optimum() -> None:
    problem = instance(40, 30)

    assert greedy_points(problem) <= solve(problem).objective


def test_an_instance_is_always_the_same() -> None:
    assert instance(20, 10, limits=True) == instance(20, 10, limits=True)
