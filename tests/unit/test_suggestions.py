"""Suggestions: the likeliest first, for reasons that can be read, the same for the same evidence."""

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from prism_core.models.people import Member
from prism_core.models.projects import Project
from prism_core.suggestions import Colleague, Seen, suggest_members, suggest_projects

MONDAY, SUNDAY = date(2026, 1, 5), date(2026, 1, 11)
WEEKDAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "6")


def member(member_id: str, **fields: Any) -> Member:
    base = {"member_id": member_id, "name": "x", "email": "x@example.org", "time_zone": "UTC", "hours": WEEKDAYS}
    return Member.model_validate(base | fields)


def colleague(member_id: str, hours: dict[str, int], *, busy_tasks: int = 0, **fields: Any) -> Colleague:
    planned = {project: Decimal(number) for project, number in hours.items()}
    return Colleague(member(member_id, **fields), planned, busy_tasks)


def project(project_id: str, name: str, *jobs: str, **fields: Any) -> Project:
    entries = [{"job": job, "valid_from": "2026-01-01"} for job in jobs]
    base = {"project_id": project_id, "name": name, "category": "c", "demand_hours": "1", "labeling_jobs": entries}
    return Project.model_validate(base | fields)


SEEN = Seen({"birds": 80, "cars": 20}, {MONDAY: 100})


def test_who_was_planned_on_the_same_projects_comes_first_and_the_reason_names_them() -> None:
    found = suggest_members(
        SEEN,
        [
            colleague("ann", {"birds": 10, "cars": 5}),
            colleague("bob", {"birds": 5, "ships": 15}),
            colleague("cleo", {"ships": 20}),
        ],
    )

    assert [one.candidate for one in found][:2] == ["ann", "bob"]
    assert found[0].score == 1
    assert found[0].why == (
        "planned on birds, cars, where 100% of the tasks were done; 100% of the tasks on weekdays that they work"
    )


def test_who_was_busy_under_their_own_account_is_less_likely_and_it_is_said() -> None:
    found = suggest_members(SEEN, [colleague("ann", {"birds": 9}, busy_tasks=40), colleague("bob", {"birds": 9})])

    assert [one.candidate for one in found] == ["bob", "ann"]
    assert "their own account did 40 tasks" in found[1].why


def test_working_hours_are_those_of_the_members_zone() -> None:
    night_in_madrid = datetime(2026, 1, 5, 2, tzinfo=UTC)
    seen = Seen({"birds": 10}, {MONDAY: 10}, {night_in_madrid: 10})

    found = suggest_members(
        seen,
        [
            colleague("ann", {"birds": 9}, time_zone="Europe/Madrid"),
            colleague("bob", {"birds": 9}, time_zone="Asia/Manila"),
        ],
    )

    assert [one.candidate for one in found] == ["bob", "ann"]
    assert "100% of the tasks at working hours in Asia/Manila" in found[0].why


def test_people_who_left_and_people_without_any_resemblance_are_not_suggested() -> None:
    off_day = Seen({"birds": 1}, {SUNDAY: 1})

    assert suggest_members(off_day, [colleague("ann", {"ships": 9})]) == ()
    assert suggest_members(SEEN, [colleague("ann", {"birds": 9}, status="inactive")]) == ()


def test_an_unknown_worker_without_tasks_gives_no_guess() -> None:
    assert suggest_members(Seen({}, {}), [colleague("ann", {"birds": 9})]) == ()


def test_a_job_belongs_most_likely_to_the_project_whose_name_it_carries() -> None:
    projects = [
        project("p-1", "Birds of Europe 2026"),
        project("p-2", "Street scenes", "street-*"),
        project("p-3", "Birds of Asia 2025"),
        project("p-4", "Birds of Europe 2026", status="closed"),
    ]

    birds = suggest_projects("birds-of-europe-2026-batch-3", projects)
    streets = suggest_projects("street-night-7", projects)

    assert [one.candidate for one in birds] == ["p-1", "p-3"]
    assert birds[0].why == "resembles its name"
    assert (streets[0].candidate, streets[0].why) == ("p-2", "resembles its labelling job street-*")


def test_a_job_that_resembles_nothing_gives_no_guess() -> None:
    assert suggest_projects("xq", [project("p-1", "Birds of Europe")]) == ()


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 40)), st.integers(0, 3)), max_size=8
    ),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 50)),
    st.integers(),
)
def test_the_order_of_the_evidence_does_not_matter_and_scores_are_shares_in_order(
    people: list[tuple[dict[str, int], int]], tasks: dict[str, int], seed: int
) -> None:
    colleagues = [colleague(f"m{n}", hours, busy_tasks=busy) for n, (hours, busy) in enumerate(people)]
    seen = Seen(tasks, {MONDAY: sum(tasks.values())})

    found = suggest_members(seen, colleagues)
    random.Random(seed).shuffle(colleagues)

    assert suggest_members(seen, colleagues) == found
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0 <= one.score <= 1 and one.why for one in found)
