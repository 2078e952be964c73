"""A plan without limits is the best one there is, keeps every rule, and is the same every time."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from prism_core.capacity.plan import PlanState
from prism_core.capacity.problem import Level, Pin, PlanProblem, PlanProject
from prism_core.capacity.scoring import Scorer
from prism_core.capacity.solve import solve
from prism_core.capacity.verifying import breaches
from tests.unit.capacity_weeks import FRI, MON, TUE, WEEK, best_points, line, member, problems


@given(problems())
@settings(max_examples=60)
def test_the_objective_is_that_of_trying_everything(problem: PlanProblem) -> None:
    plan = solve(problem)

    assert plan.state is PlanState.OPTIMUM
    assert plan.objective == plan.bound == best_points(problem)


@given(problems(), st.sampled_from(Level))
def test_no_plan_breaks_a_rule_at_any_level(problem: PlanProblem, level: Level) -> None:
    if level is Level.WEEK:
        problem = replace(problem, lines=[replace(one, until=None) for one in problem.lines])

    plan = solve(replace(problem, level=level))

    assert breaches(problem, plan) == []
    assert sum(Scorer(problem).terms(plan.assignments).values()) == plan.objective


@given(problems())
def test_telling_every_day_apart_changes_nothing_of_the_worth(problem: PlanProblem) -> None:
    assert solve(replace(problem, level=Level.DAY)).objective == solve(problem).objective


@given(problems(limits=True))
def test_equal_input_gives_an_equal_plan(problem: PlanProblem) -> None:
    assert replace(solve(problem), seconds={}) == replace(solve(problem), seconds={})


def test_an_empty_week_is_an_empty_plan() -> None:
    plan = solve(PlanProblem(WEEK, [], [], []))

    assert (plan.state, plan.objective, plan.assignments, plan.gap) == (PlanState.OPTIMUM, 0, (), 0)


def test_a_week_without_people_leaves_all_demand_open() -> None:
    plan = solve(PlanProblem(WEEK, [], [PlanProject("P")], [line("P", 12)]))

    assert [(one.line_id, one.hours) for one in plan.unmet] == [("D-P", Decimal(12))]


def test_a_week_without_demand_leaves_everybody_idle() -> None:
    plan = solve(PlanProblem(WEEK, [member("M", 8, 8)], [PlanProject("P")], []))

    assert plan.loads[0].idle == Decimal(16)


def test_a_member_on_leave_all_week_has_no_hours_even_with_overtime() -> None:
    away = member("M", overtime_hours=Decimal(5))

    assert solve(PlanProblem(WEEK, [away], [PlanProject("P", 1)], [line("P", 4)])).assignments == ()


def test_the_more_urgent_project_is_served_first() -> None:
    projects = [PlanProject("low", 4), PlanProject("high", 1)]

    plan = solve(PlanProblem(WEEK, [member("M", 4)], projects, [line("low", 4), line("high", 3)]))

    assert {one.project_id: one.hours for one in plan.assignments} == {"high": Decimal(3), "low": Decimal(1)}


def test_a_line_that_ends_on_monday_gets_hours_of_monday_alone() -> None:
    problem = PlanProblem(WEEK, [member("M", 4, 4)], [PlanProject("P", 1)], [line("P", 8, until=MON)])

    plan = solve(problem)

    assert plan.assignments[0].by_day == {MON: Decimal(4)}
    assert plan.unmet[0].hours == Decimal(4)


def test_load_is_shared_when_two_can_do_the_same() -> None:
    plan = solve(PlanProblem(WEEK, [member("A", 8), member("B", 8)], [PlanProject("P")], [line("P", 8)]))

    assert [one.hours for one in plan.assignments] == [Decimal(4), Decimal(4)]


def test_the_same_person_stays_with_the_project_of_last_week() -> None:
    problem = PlanProblem(
        WEEK,
        [member("A", 8), member("B", 8)],
        [PlanProject("P")],
        [line("P", 4)],
        previous={("B", "P"): Decimal(4)},
    )

    assert [(one.member_id, one.hours) for one in solve(problem).assignments] == [("B", Decimal(4))]


def test_a_pin_is_kept_to_the_hour_and_earns_nothing_beyond_the_demand() -> None:
    pin = Pin("A", "P", Decimal(6))

    plan = solve(PlanProblem(WEEK, [member("A", 8, 8)], [PlanProject("P")], [line("P", 4)], pins=[pin]))

    assert [(one.hours, one.beyond_demand, one.pinned) for one in plan.assignments] == [(6, 2, True)]
    assert "2" in plan.notes[0]
    assert "beyond the demand" in plan.notes[0]


def test_a_pin_without_days_leaves_the_early_days_to_what_ends_early() -> None:
    problem = PlanProblem(
        WEEK,
        [member("A", 4, 4)],
        [PlanProject("P"), PlanProject("Q", 1)],
        [line("P", 4), line("Q", 4, until=MON)],
        pins=[Pin("A", "P", Decimal(4))],
    )

    plan = solve(problem)

    assert {one.project_id: dict(one.by_day) for one in plan.assignments} == {"P": {TUE: 4}, "Q": {MON: 4}}


def test_a_pin_may_use_the_overtime_of_its_day() -> None:
    pin = Pin("A", "P", Decimal(10), {FRI: Decimal(10)})
    problem = PlanProblem(
        WEEK,
        [member("A", 8, 8, 8, 8, 8, overtime_hours=Decimal(2))],
        [PlanProject("P")],
        [line("P", 10)],
        pins=[pin],
    )

    plan = solve(problem)

    assert plan.assignments[0].by_day == {FRI: Decimal(10)}
    assert plan.loads[0].overtime == Decimal(2)


def test_overtime_is_spread_over_days_as_far_as_a_day_may_have_it() -> None:
    one = member("A", 8, 8, overtime_hours=Decimal(10))
    problem = PlanProblem(WEEK, [one], [PlanProject("P", 1)], [line("P", 30)], overtime_hours_a_day=Decimal(3))

    plan = solve(problem)

    assert plan.assignments[0].by_day == {MON: Decimal(11), TUE: Decimal(11)}
    assert breaches(replace(problem, overtime_hours_a_day=Decimal(2)), plan) == [
        f"A: 3.00 hours of overtime on {day}, 2 allowed" for day in (MON, TUE)
    ]


def test_a_pin_by_day_may_ask_for_more_overtime_than_is_planned_otherwise() -> None:
    one = member("A", 8, 8, overtime_hours=Decimal(10))
    pin = Pin("A", "P", Decimal(14), {MON: Decimal(14)})
    lines = [line("P", 14), line("Q", 20)]
    projects = [PlanProject("P", 1), PlanProject("Q", 1)]

    plan = solve(PlanProblem(WEEK, [one], projects, lines, pins=[pin], overtime_hours_a_day=Decimal(3)))

    assert {a.project_id: a.by_day for a in plan.assignments} == {"P": {MON: 14}, "Q": {TUE: 11}}


def test_hours_that_are_whole_quarters_stay_whole_quarters() -> None:
    people = [member(f"M{number}", 7, 7, 7, skills={"a": 1 + number % 3}) for number in range(7)]
    projects = [PlanProject(f"P{number}", 1 + number % 5) for number in range(6)]
    lines = [line(f"P{number}", Decimal("10.25") + number, skills={"a": 1 + number % 3}) for number in range(6)]

    plan = solve(PlanProblem(WEEK, people, projects, lines))

    assert {hours % Decimal("0.25") for one in plan.assignments for hours in one.by_day.values()} == {0}
