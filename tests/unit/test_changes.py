"""Comparing two states and moving between them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import JsonValue

from prism_core.failures import BadUsage, PermanentFailure
from prism_core.history.changes import apply, change_of, conflicts, diff, revert, shard_of, state_of, ulid
from prism_core.models.bugs import Bug
from prism_core.models.changes import Change, Operation
from prism_core.tables import CHANGELOG

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
states = st.dictionaries(st.sampled_from("abcdef"), values)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001
randomness = st.binary(min_size=10, max_size=10)


def change(
    version: int = 2, item_key: str = "members/M-1", now: datetime = NOW, request_id: str = "r-1"
) -> Change:
    return change_of(
        table="members",
        item_key=item_key,
        operation=Operation.UPDATE,
        version=version,
        changes={"name": {"before": "a", "after": "b"}},
        now=now,
        actor="ana",
        reason="typo",
        request_id=request_id,
        shards=4,
    )


@given(states, states)
def test_a_difference_leads_there_and_back(before: dict[str, JsonValue], after: dict[str, JsonValue]) -> None:
    changes = diff(before, after)

    assert apply(before, changes) == after
    assert revert(after, changes) == before


@given(states, states)
def test_a_difference_names_changed_fields_only(before: dict[str, JsonValue], after: dict[str, JsonValue]) -> None:
    for entry in diff(before, after).values():
        sides = [json.dumps(entry[side], sort_keys=True) for side in ("before", "after") if side in entry]
        assert len(set(sides)) == len(sides)
    assert diff(before, before) == {}


@given(states, states)
def test_moving_between_states_leaves_them_alone(
    before: dict[str, JsonValue], after: dict[str, JsonValue]
) -> None:
    kept_before, kept_after = dict(before), dict(after)

    apply(before, diff(before, after))
    revert(after, diff(before, after))

    assert (before, after) == (kept_before, kept_after)


def test_true_and_one_are_not_the_same() -> None:
    assert diff({"a": True}, {"a": 1}) == {"a": {"before": True, "after": 1}}
    assert diff({"a": [{"b": 0}]}, {"a": [{"b": False}]}) != {}


def test_an_absent_field_differs_from_one_that_holds_nothing() -> None:
    assert diff({}, {"a": None}) == {"a": {"after": None}}
    assert diff({"a": None}, {}) == {"a": {"before": None}}


def test_a_revert_that_would_lose_a_later_edit_is_refused_and_names_the_field() -> None:
    changes = diff({"a": 1, "b": 1}, {"a": 2, "b": 2})

    assert conflicts({"a": 2, "b": 3}, changes, reverse=True) == ("b",)
    with pytest.raises(PermanentFailure, match="cannot revert the change: b no longer"):
        revert({"a": 2, "b": 3}, changes)


def test_a_revert_leaves_other_fields_that_changed_since() -> None:
    changes = diff({"a": 1, "b": 1}, {"a": 2, "b": 1})

    assert revert({"a": 2, "b": 9}, changes) == {"a": 1, "b": 9}


def test_a_screenshot_stands_in_the_change_that_touches_it_only() -> None:
    bug = Bug.model_validate(
        {
            "bug_id": "B-1",
            "title": "t",
            "description": "d",
            "severity": "low",
            "category": "ui",
            "reporter": "Ana",
            "created": "2026-01-05T07:00:00Z",
            "screenshot": "UklGRgAAAABXRUJQ",
        }
    )
    renamed = bug.model_copy(update={"title": "u", "version": 2})

    assert "screenshot" in diff(state_of(None), state_of(bug))
    assert diff(state_of(bug), state_of(renamed)) == {"title": {"before": "t", "after": "u"}}


@given(st.text(max_size=20), st.integers(1, 64))
def test_an_item_keeps_its_shard(item_key: str, shards: int) -> None:
    assert 0 <= shard_of(item_key, shards) < shards
    assert shard_of(item_key, shards) == shard_of(item_key, shards)


def test_the_shard_of_an_item_is_the_same_in_every_release() -> None:
    assert [shard_of(f"members/M-{n:03}", 4) for n in range(8)] == [0, 2, 3, 3, 0, 1, 1, 1]


def test_changes_spread_over_the_shards() -> None:
    shards = [shard_of(f"members/M-{n:03}", 4) for n in range(400)]

    assert min(shards.count(shard) for shard in range(4)) > 70


@given(instants, instants, randomness, randomness)
def test_ulids_sort_by_instant(first: datetime, second: datetime, one: bytes, other: bytes) -> None:
    assume(second - first >= timedelta(milliseconds=1))

    assert ulid(first, one) < ulid(second, other)


@given(instants, st.lists(st.tuples(st.integers(-5, 5), randomness), min_size=2, max_size=20))
def test_a_ulid_sorts_after_the_one_before_whatever_the_clock_does(
    start: datetime, steps: list[tuple[int, bytes]]
) -> None:
    assume(start > datetime(1970, 1, 2, tzinfo=UTC))
    made: list[str] = []
    for milliseconds, random_bytes in steps:
        made.append(ulid(start + timedelta(milliseconds=milliseconds), random_bytes, made[-1] if made else None))

    assert made == sorted(set(made))


def test_a_ulid_is_a_pure_function_of_instant_and_randomness() -> None:
    assert ulid(NOW, bytes(10)) == "01KE6F97C00000000000000000"
    assert ulid(NOW, b"\xff" * 10) == "01KE6F97C0ZZZZZZZZZZZZZZZZ"


def test_a_ulid_that_no_later_one_can_follow_is_refused() -> None:
    with pytest.raises(BadUsage, match="no later ULID"):
        ulid(NOW, bytes(10), after="7ZZZZZZZZZZZZZZZZZZZZZZZZZ")


@pytest.mark.parametrize("size", [0, 9, 11])
def test_a_ulid_takes_ten_random_bytes(size: int) -> None:
    with pytest.raises(BadUsage, match="10 random bytes"):
        ulid(NOW, bytes(size))


def test_a_repeated_write_makes_the_same_entry_and_another_request_another() -> None:
    assert change() == change()
    assert change().ulid != change(request_id="r-2").ulid


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_under_a_fixed_clock_the_versions_of_an_item_still_sort_in_order(one: int, other: int) -> None:
    assume(one < other)

    assert change(one).ulid < change(other, request_id="another").ulid


def test_an_entry_stands_under_table_week_and_shard() -> None:
    entry = change()

    assert CHANGELOG.key_of(entry) == {
        "table_week_shard": f"members#2026-W02#{shard_of('members/M-1', 4)}",
        "instant_ulid": f"2026-01-05T07:00:00.000000Z#{entry.ulid}",
    }
