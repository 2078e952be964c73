"""Hours by member and day: what could be worked, what was planned, what was worked."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.failures import BadUsage
from prism_core.models.people import Availability, Member
from prism_core.models.work import Allocation, ThroughputDay, ThroughputWeek
from prism_core.utilisation import UtilisationRow, WeekInputs, week_utilisation
from tests.unit.test_corrections import WEEK
from tests.unit.test_suggestions import member

MON, TUE, WED = WEEK.days[:3]


def allocation(member_id: str = "ann", project: str = "birds", **hours: str) -> Allocation:
    by_day = {WEEK.days[int(name.removeprefix("d"))]: value for name, value in hours.items()}
    return Allocation.model_validate(
        {"member_id": member_id, "week": WEEK, "project_id": project, "hours": by_day}
    )


def done(member_id: str, *days: tuple[int, int, int | None], project: str = "birds") -> ThroughputWeek:
    entries = [ThroughputDay(day=WEEK.days[n], wall_seconds=wall, active_seconds=a) for n, wall, a in days]
    return ThroughputWeek(
        project_id=project,
        week=WEEK,
        member_id=member_id,
        days=tuple(entries),
        worker_resolved=True,
        project_resolved=True,
    )


def off(member_id: str, number: int, hours: str, status: str = "approved") -> Availability:
    entry: dict[str, Any] = {"member_id": member_id, "date": WEEK.days[number], "hours_off": hours}
    return Availability.model_validate(entry | {"status": status})


def only(**inputs: Any) -> list[UtilisationRow]:
    return week_utilisation(WEEK, WeekInputs(**inputs))


def ann(**fields: Any) -> Member:
    return member("ann", **fields)


def test_a_day_has_its_contract_its_time_off_its_plan_and_its_work() -> None:
    rows = only(
        members=[ann()],
        availability=[off("ann", 0, "2")],
        allocations=[allocation(d0="3"), allocation(project="cars", d0="0.5")],
        throughput=[done("ann", (0, 7200, 3600)), done("ann", (0, 1800, None), project="cars")],
    )

    assert [row.day for row in rows] == list(WEEK.days[:5])  # the contract has no hours at the weekend
    monday = rows[0]
    assert (monday.contracted_hours, monday.off_hours, monday.available_hours) == (6, 2, 4)
    assert (monday.allocated_hours, monday.worked_hours, monday.active_hours) == (
        Decimal("3.5"),
        Decimal("2.5"),
        1,
    )
    assert (rows[1].worked_hours, rows[1].active_hours) == (0, None)


def test_time_off_that_is_not_approved_takes_no_hours() -> None:
    rows = only(members=[ann()], availability=[off("ann", 0, "6", "requested")])

    assert {row.off_hours for row in rows} == {0}


def test_who_is_inactive_has_no_hours_but_the_work_is_there() -> None:
    (row,) = only(members=[ann(status="inactive")], throughput=[done("ann", (2, 3600, None))])

    assert (row.day, row.contracted_hours, row.worked_hours) == (WED, 0, 1)


def test_the_work_of_an_unresolved_worker_is_there_under_its_own_name() -> None:
    (row,) = only(throughput=[done("worker:pool#1", (1, 3600, None))])

    assert (row.member_id, row.day, row.available_hours, row.worked_hours) == ("worker:pool#1", TUE, 0, 1)


def test_a_row_of_another_week_is_refused() -> None:
    with pytest.raises(BadUsage, match="does not belong to the utilisation of"):
        week_utilisation(WEEK + 1, WeekInputs(allocations=[allocation(d0="1")]))


_people = st.sampled_from(("ann", "bob", "worker:x"))
_plans = st.builds(
    lambda who, project, day, hours: allocation(who, project, **{f"d{day}": str(hours)}),
    st.sampled_from(("ann", "bob")),
    st.sampled_from(("birds", "cars")),
    st.integers(0, 6),
    st.decimals(0, 24, places=2),
)
_work = st.builds(
    lambda who, day, wall: done(who, (day, wall, None)), _people, st.integers(0, 6), st.integers(0, 86400)
)


@given(st.lists(_plans, max_size=12), st.lists(_work, max_size=12))
def test_every_planned_and_worked_hour_is_in_exactly_one_row(
    plans: list[Allocation], work: list[ThroughputWeek]
) -> None:
    rows = only(members=[ann(), member("bob")], allocations=plans, throughput=work)

    assert sum(row.allocated_hours for row in rows) == sum(plan.total for plan in plans)
    worked = sum(row.worked_hours for row in rows)
    assert abs(worked * 3600 - sum(day.wall_seconds for item in work for day in item.days)) < Decimal("1e-9")
    assert len({(row.member_id, row.day) for row in rows}) == len(rows)
    assert all(row.available_hours == row.contracted_hours - row.off_hours >= 0 for row in rows)
