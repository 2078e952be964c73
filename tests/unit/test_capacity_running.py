"""Of a running week the days that are left are planned, and those before stay as they were."""

from decimal import Decimal
from typing import Any

import pytest

from prism_core.calendar import Week
from prism_core.capacity.checking import BadProblem
from prism_core.capacity.describing import Items, describe
from prism_core.capacity.problem import DemandLine, Exclusion, Pin, PlanProblem
from prism_core.capacity.running import check_plannable, check_publishable, replaced_on, with_passed_days
from prism_core.capacity.scenario import HoursChange, Scenario, apply
from prism_core.capacity.solve import solve
from prism_core.capacity.verifying import asked_too_much
from prism_core.failures import BadUsage
from prism_core.publications import HoursChange as Changed
from prism_core.publications import changes_of
from tests.unit.test_capacity_describing import FRI, MON, THU, TUE, W48, WED, allocation, member, off, project

EIGHT = Decimal(8)


def described(*allocations: Any, **items: Any) -> PlanProblem:
    """The week as it is on its Wednesday."""
    fields: dict[str, Any] = {"members": [member()], "projects": [project()]}
    return describe(W48, Items(**fields | {"allocations": allocations, "today": WED} | items)).problem


def test_days_that_have_passed_have_no_hours_and_what_is_allocated_on_them_counts_for_the_demand() -> None:
    problem = described(
        allocation(hours={MON: "8.00", TUE: "6.00", THU: "8.00"}), availability=[off(TUE), off(FRI)]
    )

    (one,), (line,) = problem.members, problem.lines
    assert (one.hours, one.off) == ({WED: EIGHT, THU: EIGHT}, {FRI: EIGHT})
    assert line.hours == Decimal(86)
    plan = solve(problem)
    assert {day for made in plan.assignments for day in made.by_day} == {WED, THU}
    assert any(
        "the days before 2026-11-25 have passed: their 14.00 allocated hours stay" in note for note in plan.notes
    )


def test_on_its_monday_a_week_is_planned_whole() -> None:
    assert described(today=MON) == described(today=None)


def test_hours_of_passed_days_go_to_what_ends_first_and_what_ended_is_still_wanted() -> None:
    problem = described(
        allocation(hours={MON: "8.00"}),
        projects=[project(demand_hours="20.00", sla_date=TUE), project(project_id="p-2", sla_date=FRI)],
    )

    assert [(one.project_id, one.hours, one.until) for one in problem.lines] == [
        ("p-1", Decimal(12), None),
        ("p-2", Decimal(100), FRI),
    ]
    assert solve(problem).notes[1:] == ()


def test_demand_that_passed_days_have_met_is_gone() -> None:
    problem = described(allocation(hours={MON: "8.00", TUE: "8.00"}), projects=[project(demand_hours="12.00")])

    assert problem.lines == []
    assert solve(problem).assignments == ()


def test_of_a_pin_the_days_that_are_left_count_and_one_that_has_passed_is_no_more() -> None:
    problem = described(
        allocation(hours={MON: "2.00", THU: "3.00"}, pinned=True),
        allocation(project_id="p-2", hours={TUE: "4.00"}, pinned=True),
        projects=[project(), project(project_id="p-2")],
    )

    assert problem.pins == [Pin("m-1", "p-1", Decimal(3), {THU: Decimal(3)})]
    assert problem.exclusions == [Exclusion("m-1", "p-2")]


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(allocation(member_id="m-gone", hours={TUE: "4.00"}, pinned=True), id="member"),
        pytest.param(allocation(project_id="p-gone", hours={TUE: "4.00"}, pinned=True), id="project"),
    ],
)
def test_a_pin_that_has_passed_of_who_has_left_since_says_nothing_of_the_days_that_are_left(gone: Any) -> None:
    problem = described(gone)

    assert (problem.pins, problem.exclusions) == ([], [])
    assert solve(problem).assigned_hours == Decimal(24)


def test_published_hours_and_overtime_are_those_of_the_days_that_are_left() -> None:
    problem = described(
        allocation(hours={MON: "10.00", TUE: "8.00", THU: "5.00"}),
        members=[member(overtime_hours="3.00")],
        is_published=True,
    )

    assert problem.published == {("m-1", "p-1"): Decimal(5)}
    assert problem.members[0].overtime_hours == Decimal(1)
    assert solve(problem).moved_hours == 0


def test_a_scenario_gives_no_hours_on_a_day_that_has_passed() -> None:
    late = Scenario(name="late", hours=(HoursChange(member_id="m-1", by_day={MON: EIGHT}),))

    with pytest.raises(
        BadProblem, match="member m-1: 2026-11-23 has passed; 2026-W48 is planned from 2026-11-25 on"
    ):
        solve(apply(late, described()))


def test_published_hours_of_passed_days_are_those_allocated_and_no_others() -> None:
    planned = {("m-1", "p-1"): {MON: EIGHT, THU: EIGHT}, ("m-1", "p-2"): {TUE: EIGHT}}
    current = {("m-1", "p-1"): {TUE: Decimal(2), FRI: EIGHT}, ("m-2", "p-1"): {MON: EIGHT, FRI: EIGHT}}

    assert with_passed_days(planned, current, WED) == {
        ("m-1", "p-1"): {TUE: Decimal(2), THU: EIGHT},
        ("m-2", "p-1"): {MON: EIGHT},
    }
    assert with_passed_days(planned, current, MON) == planned


def test_a_publication_changes_moved_days_alone_not_fractions_that_stay_nor_days_that_have_passed() -> None:
    third = {WED: Decimal("4.33"), THU: Decimal("4.35"), FRI: Decimal("4.35")}
    standing = [
        allocation(project_id="moved", hours={THU: "8.00"}),
        allocation(project_id="thirds", hours={day: str(hours) for day, hours in third.items()}),
        allocation(project_id="running", hours={MON: "8.00", TUE: "8.00", WED: "8.00"}),
    ]
    planned = {("m-1", "moved"): {FRI: EIGHT}, ("m-1", "thirds"): third, ("m-1", "running"): {WED: EIGHT}}

    kept, replaced = replaced_on(WED, W48, "plan-1", planned, standing)

    assert changes_of(replaced) == [Changed("m-1", "moved", {THU: EIGHT}, {FRI: EIGHT})]
    assert kept["m-1", "running"] == {MON: EIGHT, TUE: EIGHT, WED: EIGHT}


def test_a_row_of_zero_hours_on_a_day_that_has_passed_hinders_no_publication() -> None:
    # What keeps somebody off a project is a pin of zero hours on Monday; later it is unpinned.
    standing = [
        allocation(project_id="kept-off", hours={MON: "0.00"}),
        allocation(project_id="dropped", hours={MON: "0.00", THU: "8.00"}),
    ]

    kept, replaced = replaced_on(WED, W48, "plan-1", {("m-1", "p-1"): {FRI: EIGHT}}, standing)

    assert kept == {("m-1", "p-1"): {FRI: EIGHT}}
    assert [(one.row.project_id, one.after is None) for one in replaced] == [
        ("dropped", True),
        ("kept-off", True),
        ("p-1", False),
    ]


def test_a_plan_made_before_is_not_held_against_days_that_have_passed() -> None:
    planned = {("m-1", "p-1"): {MON: EIGHT, TUE: EIGHT, WED: EIGHT}}

    assert asked_too_much(described(), planned) == []


def test_hours_of_passed_days_are_not_held_against_a_pin_that_has_passed() -> None:
    problem = described(allocation(hours={TUE: "4.00"}, pinned=True))

    assert problem.exclusions == [Exclusion("m-1", "p-1")]
    assert asked_too_much(problem, {("m-1", "p-1"): {TUE: Decimal(4), THU: Decimal(0)}}) == []
    assert asked_too_much(problem, {("m-1", "p-1"): {THU: EIGHT}}) == ["m-1 is excluded from p-1"]


def test_a_week_that_has_ended_is_a_look_back_and_is_not_published() -> None:
    problem = described(today=W48.sunday.replace(month=12))

    assert solve(problem).notes == ("the week: has ended: this plan is a look back and cannot be published",)
    assert solve(problem).assigned_hours == Decimal(40)
    check_publishable(W48, W48.sunday)
    with pytest.raises(BadUsage, match="2026-W48 ended on 2026-11-29"):
        check_publishable(W48, (W48 + 1).monday)


def test_a_week_before_the_first_one_is_not_planned() -> None:
    check_plannable(W48, W48)
    with pytest.raises(BadUsage, match="1999-W01 lies before 2026-W48, the first week of the settings"):
        check_plannable(Week.parse("1999-W01"), W48)


def test_lines_that_need_skills_are_met_by_passed_days_like_others() -> None:
    skilled = project(demand_hours="20.00", demand_by_skill=[{"name": "video", "level": 1, "hours": "5.00"}])

    problem = described(allocation(hours={MON: "8.00"}), projects=[skilled])

    assert sum(one.hours for one in problem.lines) == Decimal(12)
    assert all(isinstance(one, DemandLine) for one in problem.lines)
