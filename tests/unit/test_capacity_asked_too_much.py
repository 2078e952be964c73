"""Hours that were planned when the week was another: what they ask of people beyond what those have now."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given

from prism_core.capacity.problem import Exclusion, Pin, PlanProblem, PlanProject
from prism_core.capacity.solve import solve
from prism_core.capacity.verifying import asked_too_much
from tests.unit.capacity_weeks import MON, TUE, WEEK, line, member, problems

EIGHT, FOUR = Decimal(8), Decimal(4)
P, Q = PlanProject("P"), PlanProject("Q")
PLANNED = {("A", "P"): {MON: EIGHT, TUE: EIGHT}}


@given(problems())
def test_a_plan_of_the_week_as_it_is_asks_nobody_for_too_much(problem: PlanProblem) -> None:
    plan = solve(problem)

    assert asked_too_much(problem, {one.pair: one.by_day for one in plan.assignments}) == []


@pytest.mark.parametrize(
    ("problem", "findings"),
    [
        pytest.param(PlanProblem(WEEK, [member("A", 8, 8)], [P], [line("P", 16)]), [], id="as planned"),
        pytest.param(
            PlanProblem(WEEK, [member("A", 8)], [P], [line("P", 16)]),
            [
                f"A has no hours on {TUE}, 8.00 are planned",
                "A would work 8.00 hours above those of their days, 0.00 of overtime are allowed",
            ],
            id="time off since",
        ),
        pytest.param(
            PlanProblem(WEEK, [member("A", 8, 8)], [P, Q], [], pins=[Pin("A", "Q", FOUR, {MON: FOUR})]),
            ["A would work 4.00 hours above those of their days, 0.00 of overtime are allowed"],
            id="a pin since",
        ),
        pytest.param(
            PlanProblem(WEEK, [member("A", 8, 8)], [P], [], pins=[Pin("A", "P", FOUR, {MON: FOUR})]),
            [],
            id="pinned itself since",
        ),
        pytest.param(
            PlanProblem(WEEK, [member("A", 8, 4, overtime_hours=FOUR)], [P], []), [], id="overtime allowed"
        ),
        pytest.param(
            PlanProblem(WEEK, [member("A", 8, 8)], [P], [], exclusions=[Exclusion("A", "P")]),
            ["A is excluded from P"],
            id="excluded since",
        ),
    ],
)
def test_what_came_since_is_named(problem: PlanProblem, findings: list[str]) -> None:
    assert asked_too_much(problem, PLANNED) == findings


def test_a_pin_on_a_day_off_is_not_a_fault_of_the_plan() -> None:
    problem = PlanProblem(WEEK, [member("A", 8)], [P, Q], [], pins=[Pin("A", "Q", FOUR, {TUE: FOUR})])
    planned = {("A", "P"): {MON: FOUR}}

    assert asked_too_much(problem, planned) == [
        "A would work 4.00 hours above those of their days, 0.00 of overtime are allowed"
    ]


def test_members_whom_the_week_does_not_know_are_not_judged() -> None:
    days: dict[date, Decimal] = {MON: EIGHT}

    assert asked_too_much(PlanProblem(WEEK, [member("A", 8)], [P], []), {("B", "P"): days}) == []
