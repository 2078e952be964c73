"""From items to the description of a week: who can work, what is kept, what the past says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from prism_core.calendar import Week
from prism_core.capacity.describing import Items, describe
from prism_core.capacity.problem import Exclusion, Pin, PlanMember
from prism_core.capacity.solve import solve
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project
from prism_core.models.work import Allocation, QualityReview

W48 = Week.parse("2026-W48")
MON, TUE, WED, THU, FRI = W48.days[:5]


def member(**fields: Any) -> Member:
    days = ("mon", "tue", "wed", "thu", "fri")
    return Member.model_validate(
        {
            "member_id": "m-1",
            "name": "Synthetic Member",
            "email": "m-1@example.com",
            "hours": dict.fromkeys(days, "8.00"),
            "time_zone": "UTC",
        }
        | fields
    )


def project(**fields: Any) -> Project:
    return Project.model_validate(
        {"project_id": "p-1", "name": "Lidar", "category": "raw-lidar", "demand_hours": "100.00"} | fields
    )


def off(day: date, status: str = "approved", hours: str = "8.00") -> Availability:
    return Availability.model_validate({"member_id": "m-1", "date": day, "hours_off": hours, "status": status})


def allocation(**fields: Any) -> Allocation:
    return Allocation.model_validate(
        {"member_id": "m-1", "week": W48, "project_id": "p-1", "hours": {MON: "4.00", TUE: "2.00"}} | fields
    )


def only_member(one: Member, *away: Availability) -> PlanMember:
    (found,) = describe(W48, Items([one], availability=away)).problem.members
    return found


@pytest.mark.parametrize("status", ["approved", "requested"])
def test_time_off_that_is_approved_or_asked_for_leaves_no_hours_of_its_day(status: str) -> None:
    found = only_member(member(), off(THU, status), off(FRI, status, "3.00"))
    assert found.hours == {MON: Decimal(8), TUE: Decimal(8), WED: Decimal(8), FRI: Decimal(5)}
    assert found.off == {THU: Decimal(8), FRI: Decimal(3)}


@pytest.mark.parametrize("status", ["declined", "cancelled"])
def test_time_off_that_came_to_nothing_takes_no_hours(status: str) -> None:
    assert only_member(member(), off(THU, status)).off == {}


def test_nobody_works_on_the_public_holidays_of_their_place() -> None:
    found = only_member(member(location="US"))
    assert THU not in found.hours, "Thanksgiving 2026"


def test_a_location_that_nobody_knows_has_no_holidays_and_is_named() -> None:
    lost, known = member(location="ZZ"), member(member_id="m-2", location="US")
    problem = describe(W48, Items(members=[lost, known])).problem

    assert THU in problem.members[0].hours
    assert THU not in problem.members[1].hours
    assert solve(problem).notes == ("member m-1: no holidays of ZZ are known; planned as if there were none",)


def test_who_is_inactive_is_not_planned() -> None:
    assert describe(W48, Items(members=[member(status="inactive")])).problem.members == ()


def test_a_pinned_allocation_is_a_pin_by_day_and_one_of_no_hours_keeps_the_member_off() -> None:
    pinned = allocation(pinned=True)
    kept_off = allocation(project_id="p-2", pinned=True, hours={MON: "0.00"})
    items = Items(members=[member()], projects=[project(), project(project_id="p-2")])
    problem = describe(
        W48, Items(items.members, items.projects, allocations=[kept_off, pinned, allocation(project_id="p-3")])
    ).problem

    assert problem.pins == (Pin("m-1", "p-1", Decimal(6), {MON: Decimal(4), TUE: Decimal(2)}),)
    assert problem.exclusions == (Exclusion("m-1", "p-2"),)
    assert problem.published == {}
    plan = solve(problem)
    assert [(one.project_id, one.hours) for one in plan.assignments] == [("p-1", Decimal(6))]


def test_who_has_left_and_what_asks_for_nothing_needs_no_exclusion() -> None:
    kept_off = [
        allocation(**of, hours={MON: "0.00"}, pinned=True)
        for of in ({"member_id": "m-gone"}, {"project_id": "p-2"})
    ]
    idle = project(project_id="p-2", demand_hours="0.00")

    found = describe(W48, Items([member()], [project(), idle], allocations=kept_off)).problem

    assert found.exclusions == ()
    assert solve(found).assigned_hours == Decimal(40)


def test_a_pin_on_a_paused_project_is_planned_though_nothing_else_is() -> None:
    items = Items([member()], [project(status="paused")], allocations=[allocation(pinned=True)])
    plan = solve(describe(W48, items).problem)
    assert [(one.project_id, one.hours) for one in plan.assignments] == [("p-1", Decimal(6))]


def test_a_week_that_was_published_keeps_its_hours_and_another_does_not() -> None:
    kept = allocation(hours={MON: "5.00"})
    items = Items([member()], [project(project_id="p-0", priority=1), project(priority=5)], allocations=[kept])
    free = solve(describe(W48, items).problem)
    again = solve(
        describe(W48, Items(items.members, items.projects, allocations=[kept], is_published=True)).problem
    )

    assert [(one.project_id, one.hours) for one in free.assignments] == [("p-0", Decimal(40))]
    assert [(one.project_id, one.hours) for one in again.assignments] == [
        ("p-0", Decimal(35)),
        ("p-1", Decimal(5)),
    ]


def test_few_reviews_say_little_against_anybody_and_many_say_what_they_are() -> None:
    def reviews(number: int, correct: int) -> list[QualityReview]:
        return [
            QualityReview.model_validate(
                {
                    "review_id": "q-1",
                    "member_id": "m-1",
                    "project_id": "p-1",
                    "week": W48 + -1,
                    "category": "raw-lidar",
                    "reviewed": number,
                    "correct": correct,
                    "reviewer": "m-2",
                    "reviewed_at": datetime(2026, 11, 16, tzinfo=UTC),
                }
            )
        ]

    few, many = (
        describe(W48, Items(reviews=found)).problem.quality["m-1", "p-1"]
        for found in (reviews(5, 4), reviews(5000, 4000))
    )
    assert few > Decimal("0.95")
    assert Decimal("0.80") < many < Decimal("0.82")
