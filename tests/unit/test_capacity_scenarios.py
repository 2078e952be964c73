"""A scenario says what it changes and names what is wrong with it; two plans are compared hour by hour."""

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from prism_core.capacity.compare import AssignmentChange, UnmetChange, difference
from prism_core.capacity.problem import Exclusion, Pin, PlanProblem, PlanProject
from prism_core.capacity.scenario import BadScenario, Scenario, apply, read_scenario
from prism_core.capacity.solve import solve
from prism_core.capacity.wording import Names, differences
from prism_core.failures import BadUsage
from tests.unit.capacity_weeks import MON, TUE, WEEK, line, member, problems


def scenario(**changes: object) -> Scenario:
    return read_scenario(json.dumps({"name": "what if", **changes}).encode())


def two_by_two(**more: object) -> PlanProblem:
    people = [member("A", 8), member("B", 8)]
    projects = [PlanProject("P", 1), PlanProject("Q", 2)]
    return PlanProblem(WEEK, people, projects, [line("P", 6), line("Q", 6)], **more)  # type: ignore[arg-type]


def test_somebody_who_leaves_takes_their_pins_and_exclusions_along() -> None:
    problem = two_by_two(pins=[Pin("A", "P", Decimal(1))], exclusions=[Exclusion("A", "Q"), Exclusion("B", "P")])

    changed = apply(scenario(leave=["A"]), problem)

    assert [one.member_id for one in changed.members] == ["B"]
    assert (list(changed.pins), list(changed.exclusions)) == ([], [Exclusion("B", "P")])
    assert solve(changed).unmet_hours > solve(problem).unmet_hours


def test_demand_doubles_for_all_and_once_more_for_one() -> None:
    changed = apply(scenario(demand=[{"factor": 2}, {"factor": 1.5, "project_id": "Q"}]), two_by_two())

    assert [one.hours for one in changed.lines] == [12, 18]


def test_demand_times_nothing_is_gone() -> None:
    changed = apply(scenario(demand=[{"factor": 0, "project_id": "P"}]), two_by_two())

    assert [one.project_id for one in changed.lines] == ["Q"]


def test_hours_and_overtime_of_a_member_are_those_given() -> None:
    given_ = scenario(
        hours=[{"member_id": "A", "by_day": {MON.isoformat(): 4, TUE.isoformat(): 2.5}}],
        overtime=[{"hours": 3}, {"member_id": "B", "hours": 0}],
    )

    one, other = apply(given_, two_by_two()).members

    assert one.hours == {MON: Decimal(4), TUE: Decimal("2.5")}
    assert (one.overtime_hours, other.overtime_hours) == (3, 0)


def test_no_pins_one_more_exclusion_other_weights_and_a_move_budget() -> None:
    problem = two_by_two(pins=[Pin("A", "P", Decimal(1))])
    given_ = scenario(
        no_pins=True,
        exclude=[{"member_id": "A", "project_id": "P"}],
        weights={"overtime": 12, "priority": [5, 4, 3, 2, 1]},
        move_budget_hours=4,
    )

    changed = apply(given_, problem)

    assert (list(changed.pins), list(changed.exclusions)) == ([], [Exclusion("A", "P")])
    assert (changed.weights.overtime, changed.weights.priority) == (12, (5, 4, 3, 2, 1))
    assert changed.weights.fairness == problem.weights.fairness
    assert changed.move_budget_hours == 4


@given(problems())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_a_scenario_that_says_nothing_changes_nothing(problem: PlanProblem) -> None:
    assert solve(apply(scenario(), problem)).objective == solve(problem).objective


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"leaves": []}, "leaves: there is no such field; those of", id="unknown field"),
        pytest.param({"name": None}, "name: Input should be a valid string", id="no name"),
        pytest.param({"demand": [{"factor": -1}]}, "demand[0].factor: Input should be", id="negative"),
        pytest.param({"demand": [{}]}, "demand[0].factor: Field required", id="no factor"),
        pytest.param({"hours": [{"member_id": "A", "by_day": {"Monday": 8}}]}, "hours[0].by_day", id="no day"),
        pytest.param({"hours": [{"member_id": "A", "by_day": {"2026-11-23": 25}}]}, "less than", id="long day"),
        pytest.param({"weights": {"overtime": "NaN"}}, "weights.overtime: the number must be finite", id="nan"),
        pytest.param({"weights": {"joy": 1}}, "weights.joy: there is no such field", id="no weight"),
        pytest.param({"weights": {"priority": [1, 2]}}, "weights.priority:", id="two priorities"),
        pytest.param({"overtime": [{"hours": 1.001}]}, "overtime[0].hours:", id="three places"),
        pytest.param({"no_pins": 1}, "no_pins: Input should be a valid boolean", id="no boolean"),
    ],
)
def test_a_field_that_is_wrong_is_named(fields: dict[str, object], said: str) -> None:
    with pytest.raises(BadScenario) as caught:
        read_scenario(json.dumps({"name": "x", **fields}).encode(), "plan.json")

    assert caught.value.findings[0].startswith("plan.json: ")
    assert said in caught.value.findings[0]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"name": NaN}', id="nan"),
        pytest.param(b"", id="empty"),
    ],
)
def test_what_is_no_scenario_is_refused(body: bytes) -> None:
    with pytest.raises(BadScenario, match=r"plan\.json"):
        read_scenario(body, "plan.json")


def test_everything_that_the_week_does_not_have_is_named_at_once() -> None:
    given_ = scenario(
        leave=["X"],
        demand=[{"factor": 2, "project_id": "R"}],
        hours=[{"member_id": "Y", "by_day": {"2026-12-24": 8}}],
        overtime=[{"member_id": "Z", "hours": 1}],
        exclude=[{"member_id": "A", "project_id": "S"}],
    )

    with pytest.raises(BadScenario) as caught:
        apply(given_, two_by_two())

    assert caught.value.findings == (
        "scenario what if: leave[0]: there is no member X in 2026-W48",
        "scenario what if: demand[0].project_id: there is no project R in 2026-W48",
        "scenario what if: hours[0].member_id: there is no member Y in 2026-W48",
        "scenario what if: overtime[0].member_id: there is no member Z in 2026-W48",
        "scenario what if: exclude[0].project_id: there is no project S in 2026-W48",
        "scenario what if: hours[0].by_day: 2026-12-24 lies outside 2026-W48 (2026-11-23 to 2026-11-29)",
    )


# --- two plans ---------------------------------------------------------------------------------------------------


def test_the_difference_of_two_plans_is_told_by_hours_terms_and_open_lines() -> None:
    problem = PlanProblem(WEEK, [member("A", 8), member("B", 8)], [PlanProject("P", 1)], [line("P", 16)])

    found = difference(solve(problem), solve(apply(scenario(leave=["B"]), problem)))

    assert found.assignments == (AssignmentChange("B", "P", Decimal(8), Decimal(0)),)
    assert found.unmet == (UnmetChange("D-P", "P", Decimal(0), Decimal(8)),)
    assert (found.by_member, found.by_project) == ({"B": -8}, {"P": -8})
    assert (found.moved_hours, found.unmet_hours) == (8, 8)
    assert found.terms == {"priority": -800, "fairness": 24}
    assert found.objective == sum(found.terms.values())
    assert list(differences(found, Names({"B": "Ben"}))) == [
        "The plan of 2026-W48 changes by -776 points: 8 hours move, 8 more open hours.",
        "Priority changes by -800 points.",
        "Fairness of load changes by 24 points.",
        "Ben on P: 8 hours become 0 hours.",
        "D-P on P: 0 hours open become 8 hours.",
    ]


@given(problems())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_a_plan_does_not_differ_from_itself(problem: PlanProblem) -> None:
    found = difference(solve(problem), solve(problem))

    assert (found.assignments, found.unmet, dict(found.terms), found.moved_hours) == ((), (), {}, 0)


def test_plans_of_two_weeks_are_not_compared() -> None:
    this, that = (solve(PlanProblem(week, [], [], [])) for week in (WEEK, WEEK + 1))

    with pytest.raises(BadUsage, match="2026-W48 and one of 2026-W49"):
        difference(this, that)
