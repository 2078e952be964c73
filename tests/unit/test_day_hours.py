"""What many hours together come to."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.day_hours import HOURS_A_DAY, overfilling, overfull
from prism_core.models.work import Allocation

WEEK = Week.parse("2026-W02")
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


def planned(project: str, monday: int, tuesday: int = 0, member: str = "m-1") -> Allocation:
    hours = {MONDAY: Decimal(monday), TUESDAY: Decimal(tuesday)}
    return Allocation(member_id=member, week=WEEK, project_id=project, hours=hours)


def test_the_message_names_the_day_the_sum_and_the_other_projects() -> None:
    of_week = {"p-1": {MONDAY: Decimal(10)}, "p-2": {MONDAY: Decimal(9), TUESDAY: Decimal(1)}}

    (found,) = overfull(of_week, None, planned("p-3", 6, 6))

    assert found.message == "m-1 would work 25.00 hours on 2026-01-05: 6.00 here beside 10 for p-1, 9 for p-2"


def test_an_overfull_day_may_be_shortened_and_another_day_of_it_changed() -> None:
    of_week = {"p-1": {MONDAY: Decimal(20)}}
    before = planned("p-2", 10, 1)

    assert overfull(of_week, before, planned("p-2", 9, 8)) == []
    assert [one.day for one in overfull(of_week, before, planned("p-2", 11, 1))] == [MONDAY]


def test_what_a_refused_write_would_have_taken_away_makes_no_room() -> None:
    stored = [planned("p-1", 20, 0), planned("p-9", 0, 20)]
    moved = planned("p-1", 0, 20)  # to a day that p-9 fills
    into = planned("p-2", 20, 0)  # where p-1 leaves

    refused = overfilling(stored, [(stored[0], moved), (None, into)])

    assert {number: one.day for number, one in refused.items()} == {0: TUESDAY, 1: MONDAY}


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 24)), max_size=4, unique_by=lambda one: one[0]),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 24)), max_size=6, unique_by=lambda one: one[0]),
)
def test_what_is_left_overfills_no_day_more_than_it_was(
    stored: list[tuple[int, int]], written: list[tuple[int, int]]
) -> None:
    before = {f"p-{number}": planned(f"p-{number}", hours) for number, hours in stored}
    writes = [(before.get(f"p-{number}"), planned(f"p-{number}", hours)) for number, hours in written]

    refused = overfilling(before.values(), writes)

    after = before | {one.project_id: one for n, (_, one) in enumerate(writes) if n not in refused}
    total = sum((one.hours[MONDAY] for one in after.values()), Decimal(0))
    assert total <= max(HOURS_A_DAY, sum((one.hours[MONDAY] for one in before.values()), Decimal(0)))
