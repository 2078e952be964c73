"""Within limits of people, projects and blocks a plan keeps every rule and says how far it is from the best."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.capacity_instances import instance
from prism_core.capacity.packing import Item, pack
from prism_core.capacity.plan import PlanState
from prism_core.capacity.problem import Level, Pin, PlanProblem, PlanProject
from prism_core.capacity.solve import solve
from prism_core.capacity.verifying import breaches
from tests.unit.capacity_programs import best_of_all_choices
from tests.unit.capacity_weeks import MON, TUE, WEEK, best_points, line, member, problems, short_days

POLISH_SECONDS = 5


@given(st.one_of(problems(limits=True), short_days()))
@settings(max_examples=40)
def test_the_best_plan_lies_between_objective_and_bound(problem: PlanProblem) -> None:
    best = best_points(problem)

    repaired, polished = solve(problem), solve(problem, polish_seconds=POLISH_SECONDS)

    assert repaired.objective <= polished.objective <= best <= polished.bound <= repaired.bound


@given(problems(limits=True, fewest=True, blocks=False, windows=False))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_a_small_week_with_the_fewest_people_is_at_its_best_at_once(problem: PlanProblem) -> None:
    best = best_of_all_choices(problem)

    plan = solve(problem)

    assert float(plan.objective) == pytest.approx(best, abs=1e-6)
    assert float(plan.bound) == pytest.approx(best, abs=1e-2)


@given(problems(limits=True, fewest=True, blocks=False))
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_with_lines_that_end_early_the_best_lies_between_objective_and_bound(problem: PlanProblem) -> None:
    best = best_of_all_choices(problem)

    plan = solve(problem)

    assert float(plan.objective) - 1e-6 <= best <= float(plan.bound) + 1e-6


def test_of_two_projects_that_want_the_same_two_people_one_has_them() -> None:
    people = [member("A", 8, 8, max_projects=1), member("B", 8, 8, max_projects=1)]
    projects = [PlanProject("P", 1, min_people=2), PlanProject("Q", 2, min_people=2)]

    plan = solve(PlanProblem(WEEK, people, projects, [line("P", 16), line("Q", 30)]))

    assert {one.project_id for one in plan.assignments} == {"Q"}
    assert plan.assigned_hours == Decimal(30)


@pytest.mark.parametrize("seed", range(6))
def test_a_team_whose_projects_want_several_people_is_at_its_best_at_once(seed: int) -> None:
    plan = solve(instance(6, 4, limits=True, seed=seed))

    assert plan.gap <= Decimal("0.00001")


@pytest.mark.parametrize("seed", range(2))
def test_a_programme_whose_projects_want_several_people_is_near_its_best_at_once(seed: int) -> None:
    plan = solve(instance(40, 44, limits=True, seed=seed))

    assert plan.gap <= Decimal("0.005")


def test_what_is_planned_at_once_and_what_is_polished_keep_within_the_bounds_of_each_other() -> None:
    problem = instance(40, 44, limits=True)

    at_once, polished = solve(problem), solve(problem, polish_seconds=POLISH_SECONDS)

    assert at_once.objective <= polished.bound
    assert polished.objective <= at_once.bound


def test_a_moment_of_polishing_is_no_worse_than_none() -> None:
    problem = instance(40, 44, limits=True)

    at_once, polished = solve(problem), solve(problem, polish_seconds=0.01)

    assert polished.objective >= at_once.objective
    assert polished.bound <= at_once.bound


def test_a_programme_is_planned_at_once_by_work_and_not_by_the_clock() -> None:
    problem = instance(79, 88, limits=True)

    first, second = solve(problem), solve(problem)

    assert first.state is PlanState.BOUND
    assert first.gap <= Decimal("0.002")
    assert replace(first, seconds={}) == replace(second, seconds={})


@given(
    st.one_of(problems(limits=True, fewest=True), short_days()),
    st.sampled_from((Level.AUTO, Level.DAY)),
    st.booleans(),
)
@settings(max_examples=60)
def test_no_limit_is_broken_and_the_word_optimum_is_not_used(
    problem: PlanProblem,
    level: Level,
    again: bool,  # noqa: FBT001
) -> None:
    problem = replace(problem, level=level, published=problem.previous if again else {})

    plan = solve(problem)

    assert breaches(problem, plan) == []
    assert (plan.state is PlanState.OPTIMUM) is not problem.is_limited


@given(problems(limits=True, fewest=True))
@settings(max_examples=20)
def test_a_polished_plan_is_the_same_every_time(problem: PlanProblem) -> None:
    first, second = (solve(problem, polish_seconds=POLISH_SECONDS) for _ in range(2))

    assert (first.assignments, first.objective, first.bound) == (
        second.assignments,
        second.objective,
        second.bound,
    )


def test_a_member_with_one_project_gets_the_one_that_is_worth_more() -> None:
    projects = [PlanProject("low", 4), PlanProject("high", 1)]
    one = member("M", 8, max_projects=1)

    plan = solve(PlanProblem(WEEK, [one], projects, [line("low", 8), line("high", 6)]))

    assert [(a.project_id, a.hours) for a in plan.assignments] == [("high", Decimal(6))]


def test_a_project_takes_no_more_people_than_it_may_have() -> None:
    people = [member(f"M{number}", 8) for number in range(4)]

    plan = solve(PlanProblem(WEEK, people, [PlanProject("P", 1, max_people=2)], [line("P", 30)]))

    assert len(plan.assignments) == 2
    assert plan.unmet_hours == Decimal(14)


def test_a_project_that_wants_two_people_has_two_or_none() -> None:
    project = PlanProject("P", 1, min_people=2)

    alone = solve(PlanProblem(WEEK, [member("A", 8)], [project], [line("P", 8)]))
    together = solve(PlanProblem(WEEK, [member("A", 8), member("B", 8)], [project], [line("P", 3)]))

    assert alone.assignments == ()
    assert [one.member_id for one in together.assignments] == ["A", "B"]


def test_a_pinned_project_keeps_its_pin_with_fewer_people_than_it_wants() -> None:
    project, pin = PlanProject("P", 1, min_people=2), Pin("A", "P", Decimal(2))

    plan = solve(PlanProblem(WEEK, [member("A", 8)], [project], [line("P", 8)], pins=[pin]))

    assert [(one.hours, one.pinned) for one in plan.assignments] == [(2, True)]


def test_no_piece_is_shorter_than_the_block_of_its_project() -> None:
    projects = [PlanProject("P", 1, min_block_hours=Decimal(3)), PlanProject("Q", 2, min_block_hours=Decimal(2))]
    problem = PlanProblem(WEEK, [member("A", 4, 4, 4)], projects, [line("P", 7), line("Q", 5)])

    plan = solve(problem)

    assert breaches(problem, plan) == []
    assert plan.unmet_hours <= Decimal(1)


def test_a_day_that_is_too_short_for_a_block_is_not_used_for_it() -> None:
    project = PlanProject("P", 1, min_block_hours=Decimal(4))

    plan = solve(PlanProblem(WEEK, [member("A", 3, 5)], [project], [line("P", 8)]))

    assert plan.assignments[0].by_day == {TUE: Decimal(5)}


@pytest.mark.parametrize("order", [("high", "low"), ("low", "high")])
def test_where_a_day_holds_one_block_of_two_the_one_that_is_worth_more_stays(order: tuple[str, str]) -> None:
    priority = {"high": 1, "low": 5}
    projects = [PlanProject(name, priority[name], min_block_hours=Decimal(4)) for name in order]

    plan = solve(PlanProblem(WEEK, [member("A", 6, 2)], projects, [line("high", 4), line("low", 4)]))

    assert [(one.project_id, one.by_day) for one in plan.assignments] == [("high", {MON: Decimal(4)})]


def _two_for_a_block() -> PlanProblem:
    """A's only day for a block has room for one of `Q` and `Z`; `Z` wants two people."""
    projects = [
        PlanProject("Q", 1, min_block_hours=Decimal(4)),
        PlanProject("Z", 5, min_people=2, min_block_hours=Decimal(4)),
    ]
    people = [member("A", 6, 2, skills={"p": 1, "q": 1}), member("B", 8, skills={"p": 1})]
    return PlanProblem(WEEK, people, projects, [line("Q", 4, skills={"q": 1}), line("Z", 8, skills={"p": 1})])


def test_a_project_that_loses_one_of_two_people_to_the_length_of_a_day_is_not_worked_on() -> None:
    plan = solve(_two_for_a_block())

    assert [one.pair for one in plan.assignments] == [("A", "Q")]
    assert [(one.project_id, one.hours) for one in plan.unmet] == [("Z", Decimal(8))]


def test_whom_the_length_of_a_day_keeps_off_a_project_somebody_else_stands_in_for() -> None:
    problem = _two_for_a_block()
    before = {("A", "Z"): Decimal(4), ("B", "Z"): Decimal(4)}
    people = [*problem.members, member("C", 8, skills={"p": 1})]

    plan = solve(replace(problem, members=people, previous=before))

    assert [one.pair for one in plan.assignments] == [("A", "Q"), ("B", "Z"), ("C", "Z")]
    assert plan.unmet == ()


def test_hours_in_turn_leave_no_piece_that_is_too_short() -> None:
    packed = pack([Item({6: 850}, 100, 10_000)], [800, 800, 0, 0, 0, 0, 0], [0] * 7, 0)

    assert packed == [([750, 100, 0, 0, 0, 0, 0], {})]


def test_what_no_day_can_hold_is_given_up_and_no_more() -> None:
    # Two blocks of six hours do not fit in a day of eight, so each project has days of its own.
    items = [Item({6: 2000}, 600, 10_000), Item({6: 2000}, 600, 8_000)]

    packed = pack(items, [800] * 5 + [0, 0], [0] * 7, 0)

    assert [sum(given_up.values()) for _, given_up in packed] == [0, 400]


def test_a_line_that_ends_first_is_packed_into_the_days_before() -> None:
    items = [Item({0: 200, 6: 200}, 200, 10_000)]

    ((days, given_up),) = pack(items, [200, 200, 0, 0, 0, 0, 0], [0] * 7, 0)

    assert (days[:2], sum(given_up.values())) == ([200, 200], 0)


def test_a_block_on_a_line_that_ends_on_monday_lies_on_monday() -> None:
    project = PlanProject("P", 1, min_block_hours=Decimal(2))
    problem = PlanProblem(WEEK, [member("A", 4, 4)], [project], [line("P", 3, until=MON)])

    assert solve(problem).assignments[0].by_day == {MON: Decimal(3)}
