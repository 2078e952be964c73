"""The past of the sample: believable, valid at every step, and ending in what the sample is today."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from infra.local.sample.past import Story, stories
from infra.local.sample.people import Programme, synthetic_programme
from prism_core.calendar import WeekRange
from prism_core.models.projects import ProjectStatus
from prism_core.models.work import Allocation, QualityReview
from prism_core.tables import TABLES

WEEKS = WeekRange.parse("2025-W50..2026-W02")
NOW = datetime(2026, 1, 7, 11, 30, tzinfo=UTC)  # a Wednesday, in the running week


@pytest.fixture(scope="module")
def programme() -> Programme:
    return synthetic_programme(WEEKS, seed=7)


@pytest.fixture(scope="module")
def told(programme: Programme) -> dict[str, list[Story]]:
    return dict(stories(programme, WEEKS, NOW))


def test_every_item_of_the_programme_has_a_story_that_ends_with_it(
    programme: Programme, told: dict[str, list[Story]]
) -> None:
    records = programme.records
    items = {
        "members": programme.members,
        "projects": programme.projects,
        "workers": programme.workers,
        "taxonomy": records.taxonomy,
        "availability": programme.availability,
        "requests": programme.requests,
        "allocations": programme.allocations,
        "quality": records.reviews,
        "bugs": records.bugs,
        "disputes": records.disputes,
        "recipients": programme.recipients,
        "corrections": records.corrections,
    }

    assert {name: [story[-1].item for story in of_table] for name, of_table in told.items()} == items


def test_every_step_is_a_valid_item_of_the_same_key_that_differs_from_the_one_before(
    told: dict[str, list[Story]],
) -> None:
    for name, of_table in told.items():
        spec = TABLES[name]
        for story in of_table:
            assert {str(spec.key_of(step.item)) for step in story} == {str(spec.key_of(story[0].item))}
            assert all(spec.model.from_plain(step.item.plain()) == step.item for step in story)
            assert all(before.item != after.item for before, after in pairwise(story))


def test_no_step_lies_in_the_future_or_before_the_one_before(told: dict[str, list[Story]]) -> None:
    for of_table in told.values():
        for story in of_table:
            assert all(before.at <= after.at for before, after in pairwise(story))
            assert story[-1].at <= NOW


def test_the_register_stands_before_the_first_week_and_before_anything_that_names_it(
    told: dict[str, list[Story]],
) -> None:
    registers = [story[0].at for name in ("members", "projects") for story in told[name]]
    others = [story[0].at for name, of_table in told.items() if name not in {"members", "projects"}
              for story in of_table]  # fmt: skip

    assert max(registers) < min(others)
    assert max(registers) < WEEKS.first.start - timedelta(days=28)


def test_a_week_is_planned_before_it_begins_and_reviewed_when_it_was(told: dict[str, list[Story]]) -> None:
    for story in told["allocations"]:
        assert isinstance(story[0].item, Allocation)
        assert story[0].at < story[0].item.week.start
    for story in told["quality"]:
        (step,) = story
        assert isinstance(step.item, QualityReview)
        assert step.at == step.item.reviewed_at


def test_something_of_every_kind_changed_half_way(told: dict[str, list[Story]]) -> None:
    changed = Counter[str]()
    for name in ("members", "projects"):
        for story in told[name]:
            for before, after in pairwise(story):
                if before.at >= WEEKS.first.start or after.at >= WEEKS.first.start:
                    one, other = before.item.plain(), after.item.plain()
                    changed.update(field for field in other if one.get(field) != other[field])
    statuses = {step.item.status for story in told["projects"] for step in story}  # type: ignore[attr-defined]

    assert set(changed) == {"hours", "skills", "priority", "demand_hours", "status"}
    assert statuses == {ProjectStatus.PLANNED, ProjectStatus.ACTIVE, ProjectStatus.PAUSED}


def test_what_is_decided_was_first_asked_for(told: dict[str, list[Story]]) -> None:
    first = {name: {story[0].item.status for story in told[name]}  # type: ignore[attr-defined]
             for name in ("availability", "requests", "disputes", "taxonomy", "bugs")}  # fmt: skip

    assert first == {
        "availability": {"requested"},
        "requests": {"submitted"},
        "disputes": {"open"},
        "taxonomy": {"draft"},
        "bugs": {"new"},
    }


def test_a_start_in_the_first_minute_of_a_week_has_no_future(programme: Programme) -> None:
    until = WEEKS.last.start + timedelta(minutes=1)

    latest = max(
        step.at for _, of_table in stories(programme, WEEKS, until) for story in of_table for step in story
    )

    assert latest == until
