"""A published week that is planned again moves as few hours as can be, or no more than the budget allows."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from prism_core.capacity.plan import PlanState
from prism_core.capacity.problem import Exclusion, Pin, PlanProblem, PlanProject
from prism_core.capacity.solve import solve
from prism_core.capacity.verifying import breaches
from tests.unit.capacity_weeks import WEEK, line, member, problems


def published(problem: PlanProblem) -> PlanProblem:
    """The problem with its own plan published."""
    return replace(problem, published={one.pair: one.hours for one in solve(problem).assignments})


def swapped(problem: PlanProblem) -> PlanProblem:
    """The same week with other wishes: priorities the other way round."""
    projects = [replace(one, priority=6 - one.priority) for one in problem.projects]
    return replace(problem, projects=projects)


def without_windows(problem: PlanProblem) -> PlanProblem:
    return replace(problem, lines=[replace(one, until=None) for one in problem.lines])


@given(problems(limits=True).map(without_windows))
@settings(max_examples=40)
def test_an_unchanged_week_planned_again_stays_as_it_is(problem: PlanProblem) -> None:
    again = solve(published(problem))

    assert again.moved_hours == 0


@given(problems().map(without_windows))
def test_other_wishes_move_nothing_that_can_stay(problem: PlanProblem) -> None:
    assert solve(swapped(published(problem))).moved_hours == 0


@given(problems().map(without_windows), st.integers(0, 6))
def test_a_budget_of_moves_is_kept_and_its_bound_holds(problem: PlanProblem, budget: int) -> None:
    problem = replace(swapped(published(problem)), move_budget_hours=Decimal(budget))

    plan = solve(problem)

    assert breaches(problem, plan) == []
    assert plan.moved_hours <= budget
    assert plan.objective <= plan.bound <= solve(replace(problem, published={})).bound


@given(problems(limits=True).map(without_windows), st.integers(0, 6))
@settings(max_examples=40)
def test_a_budget_within_limits_is_kept_too(problem: PlanProblem, budget: int) -> None:
    problem = replace(swapped(published(problem)), move_budget_hours=Decimal(budget))

    plan = solve(problem)

    assert breaches(problem, plan) == []
    assert plan.moved_hours <= budget
    assert plan.objective <= plan.bound


@given(problems().map(without_windows))
def test_a_budget_for_everything_is_no_limit_at_all(problem: PlanProblem) -> None:
    problem = swapped(published(problem))

    plan = solve(replace(problem, move_budget_hours=Decimal(1_000)))

    assert plan.objective == solve(replace(problem, published={})).objective
    assert plan.state is PlanState.OPTIMUM


def trade() -> PlanProblem:
    """Eight published hours on a project that is worth less now; every hour that moves earns 60 points."""
    projects = [PlanProject("old", 4), PlanProject("new", 1)]
    problem = PlanProblem(WEEK, [member("M", 8)], projects, [line("old", 8), line("new", 8)])
    return replace(problem, published={("M", "old"): Decimal(8)})


def test_the_budget_is_used_to_the_hour_when_every_move_pays() -> None:
    plan = solve(replace(trade(), move_budget_hours=Decimal("2.5")))

    assert {one.project_id: one.hours for one in plan.assignments} == {
        "new": Decimal("2.5"),
        "old": Decimal("5.5"),
    }
    assert (plan.moved_hours, plan.bound) == (Decimal("2.5"), plan.objective)


def test_the_bound_of_a_budget_within_limits_holds_for_every_plan_within_the_budget() -> None:
    free = replace(trade(), move_budget_hours=Decimal("2.5"))
    # A limit that does not bind: the best plan is that without it.
    limited = replace(free, members=[replace(one, max_projects=2) for one in free.members])

    assert solve(limited).objective <= solve(free).objective <= solve(limited).bound


def test_without_a_budget_nothing_moves_however_much_it_would_earn() -> None:
    assert {one.project_id: one.hours for one in solve(trade()).assignments} == {"old": Decimal(8)}


def test_a_budget_below_what_must_move_says_so_and_moves_no_more_than_that() -> None:
    problem = replace(trade(), exclusions=[Exclusion("M", "old")], move_budget_hours=Decimal(3))

    plan = solve(problem)

    assert plan.moved_hours == Decimal(8)
    assert "move budget: 8" in plan.notes[0]


def test_hours_of_somebody_who_is_gone_move_without_a_word() -> None:
    problem = replace(trade(), published={("M", "old"): Decimal(8), ("gone", "old"): Decimal(4)})

    assert solve(problem).moved_hours == Decimal(4)


def test_a_pin_makes_nobody_else_move() -> None:
    pin = Pin("A", "P", Decimal(1))
    problem = PlanProblem(
        WEEK,
        [member("A", 3), member("B", 3)],
        [PlanProject("P", 5)],
        [line("P", 3)],
        pins=[pin],
        published={("A", "P"): Decimal(1), ("B", "P"): Decimal(3)},
    )

    assert solve(problem).moved_hours == 0
