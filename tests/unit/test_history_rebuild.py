"""The state at an instant: replaying from the beginning and undoing from now agree, whatever was done."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.history.rebuild import (
    ForgottenValue,
    LaterChanges,
    by_item,
    in_order,
    item_at,
    item_before,
    list_at,
    moved_to,
    replay,
    undo_since,
    undone,
)
from prism_core.models.changes import UNDO, Change, Changes, Operation
from prism_core.models.published import PublishedPlan
from prism_core.privacy import forgotten, is_forgotten
from tests.unit.history_table import START, State, Table, entry, keyed, operations, played


@given(operations, st.booleans(), st.randoms())
def test_both_ways_agree_with_what_was_recorded_at_every_instant(
    steps: list[tuple[str, State | None, int]],
    restart: bool,  # noqa: FBT001
    random: Any,
) -> None:
    table = played(steps, restart=restart)
    shuffled = list(table.log)
    random.shuffle(shuffled)

    for instant in table.instants():
        recorded = table.at(instant)
        since = [change for change in shuffled if change.instant > instant]

        assert list_at(shuffled, instant) == keyed(recorded)
        assert undo_since(keyed(table.now()), since, instant) == keyed(recorded)
        assert undo_since(keyed(table.now()), shuffled, instant) == keyed(recorded)


@given(operations)
def test_the_log_replays_to_the_stored_items(steps: list[tuple[str, State | None, int]]) -> None:
    table = played(steps)

    found = {key: replay(in_order(changes)) for key, changes in by_item(table.log).items()}

    assert {key: state for key, state in found.items() if state is not None} == keyed(table.now())


@given(operations, st.integers(0, 24))
def test_changes_that_came_after_the_rows_were_read_are_left_out(
    steps: list[tuple[str, State | None, int]], read_after: int
) -> None:
    early = played(steps[:read_after])
    late = played(steps)

    assert undo_since(keyed(early.now()), late.log, START + timedelta(10_000)) == keyed(early.now())


def test_clocks_that_disagree_do_not_disturb_the_order() -> None:
    created = entry("X", Operation.CREATE, 1, {"a": {"after": 1}}, START)
    ahead = entry("X", Operation.UPDATE, 2, {"a": {"before": 1, "after": 2}}, START + timedelta(seconds=3))
    behind = entry("X", Operation.UPDATE, 3, {"a": {"before": 2, "after": 3}}, START + timedelta(seconds=2))
    log = [behind, created, ahead]

    assert [change.version for change in in_order(log)] == [1, 2, 3]
    assert item_at(log, START + timedelta(seconds=2)) == {"a": 1, "version": 1}
    assert item_before({"a": 3, "version": 3}, log, START + timedelta(seconds=2)) == {"a": 1, "version": 1}
    assert item_at(log, START + timedelta(seconds=3)) == {"a": 3, "version": 3}


def test_a_missing_change_is_noticed_from_both_ends() -> None:
    table = Table()
    for number in range(4):
        table.write("X", {"a": number}, START + timedelta(number))
    holed = [change for change in table.log if change.version != 3]

    with pytest.raises(PermanentFailure, match=r"things/X has a gap at version 4.*a had another value before"):
        list_at(holed, START + timedelta(9))
    with pytest.raises(PermanentFailure, match=r"things/X has a gap at version 2.*a has another value now"):
        undo_since(keyed(table.now()), holed, START)


def test_a_history_that_begins_or_ends_in_the_middle_is_noticed() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    table.write("X", {"a": 2}, START)
    table.write("X", None, START)

    with pytest.raises(PermanentFailure, match="it is a update of an item that does not exist"):
        item_at(table.log[1:], START)
    with pytest.raises(PermanentFailure, match="it is a create of an item that exists"):
        replay([table.log[0], table.log[0]])


def test_a_row_that_is_newer_than_the_changes_is_to_be_read_again() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    seen = list(table.log)
    table.write("X", {"a": 2}, START)

    with pytest.raises(TransientFailure, match="is at version 2, its changes end at 1"):
        undo_since(keyed(table.now()), seen, START - timedelta(1))


def test_an_item_without_changes_was_always_as_it_is() -> None:
    assert undo_since({"things/X": {"a": 1, "version": 4}}, [], START) == {"things/X": {"a": 1, "version": 4}}


# -- undo of one change ----------------------------------------------------------------------------------


@given(operations)
def test_undoing_the_last_change_gives_the_state_before_it(steps: list[tuple[str, State | None, int]]) -> None:
    table = played(steps)
    if not table.log:
        return
    last = table.log[-1]
    key = last.item_key.removeprefix("things/")
    before = (table.recorded[-2][1] if len(table.recorded) > 1 else {}).get(key)

    state = undone(last, table.rows.get(key))

    expected = None if before is None else {name: value for name, value in before.items() if name != "version"}
    assert state == expected


def test_a_change_is_undone_when_later_ones_touch_other_fields() -> None:
    table = Table()
    table.write("X", {"a": 1, "b": 1}, START)
    table.write("X", {"a": 2, "b": 1}, START)
    table.write("X", {"a": 2, "b": 2}, START)

    assert undone(table.log[1], table.rows["X"], table.log[2:]) == {"a": 1, "b": 2}


def test_a_change_is_not_undone_when_a_later_one_stands_on_it_and_the_refusal_names_it() -> None:
    table = Table()
    table.write("X", {"a": 1, "b": 1}, START)
    table.write("X", {"a": 2, "b": 2}, START)
    table.write("X", {"a": 3, "b": 2}, START)
    table.write("X", {"a": 3, "b": 2, "c": 1}, START)

    with pytest.raises(LaterChanges, match=r"version 2 cannot be undone: a: version 3 of .* by ana") as refused:
        undone(table.log[1], table.rows["X"], table.log[2:])

    assert (refused.value.fields, refused.value.later) == (("a",), table.log[2])


def test_a_creation_is_undone_only_while_nothing_was_added() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    table.write("X", {"a": 1, "b": 2}, START)

    with pytest.raises(LaterChanges) as refused:
        undone(table.log[0], table.rows["X"], table.log[1:])

    assert refused.value.fields == ("b",)


def test_values_that_somebody_came_back_to_are_theirs_and_not_undone() -> None:
    table = Table()
    for hours in (6, 8, 7, 8):
        table.write("X", {"a": hours}, START)
    states: list[State | None] = [{"a": 8}, None, {"a": 2}, None]  # made, deleted, made anew, deleted on purpose
    for state in states:
        table.write("Y", state, START)
    edited, deleted = by_item(table.log).values()

    with pytest.raises(LaterChanges, match=r"version 2 cannot be undone: a: version 4 of .* stands on it"):
        undone(edited[1], table.rows["X"], edited[2:])
    with pytest.raises(LaterChanges, match=r"version 2 cannot be undone: a: version 4 of .* stands on it"):
        undone(deleted[1], None, deleted[2:])


TAKEN_BACK = {
    "by an undo": f"r{UNDO}",
    "by taking back a publication": PublishedPlan(
        week=Week.of(START), publication=2, undoes=1, body="plans/p.json", published=START, published_by="lea"
    ).request_id,
}


@pytest.mark.parametrize("request_id", TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_what_was_taken_back_is_in_no_way(request_id: str) -> None:
    table = Table()
    for hours in (6, 8, 7, 8):
        table.write("X", {"a": hours}, START)
    _, raised, lowered, back = table.log
    back = back.model_copy(update={"request_id": request_id})

    assert undone(raised, table.rows["X"], [back, lowered]) == {"a": 6}
    assert undone(lowered, {"a": 7}, []) == {"a": 8}
    with pytest.raises(LaterChanges):  # it was taken back already
        undone(lowered, table.rows["X"], [back])


def test_a_deletion_is_undone_only_while_the_item_is_gone() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    table.write("X", None, START)

    assert undone(table.log[1], None) == {"a": 1}
    with pytest.raises(LaterChanges):
        undone(table.log[1], {"b": 1})


def test_an_edit_of_an_item_that_is_gone_is_not_undone() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    table.write("X", {"b": 1, "a": 1}, START)
    table.write("X", None, START)

    with pytest.raises(LaterChanges) as refused:
        undone(table.log[1], None, table.log[2:])

    assert refused.value.later == table.log[2]


# -- people who were forgotten ---------------------------------------------------------------------------


def hidden(change: Change) -> Change:
    """As it reads when the person is forgotten: `a` is the personal field."""
    changes: Changes = {
        name: {side: forgotten() for side in one} if name == "a" else one for name, one in change.changes.items()
    }
    return change.model_copy(update={"changes": changes})


@given(operations)
def test_forgotten_values_do_not_disturb_the_rest(steps: list[tuple[str, State | None, int]]) -> None:
    table = played(steps)
    log = [hidden(change) for change in table.log]

    def visible(rows: Mapping[str, State]) -> dict[str, State]:
        return {key: {name: v for name, v in row.items() if name != "a"} for key, row in rows.items()}

    for at, recorded in dict(table.recorded).items():
        undone_to = undo_since(keyed(table.now()), log, at)
        assert visible(list_at(log, at)) == visible(undone_to) == visible(keyed(recorded))
        assert all(is_forgotten(row["a"]) for row in list_at(log, at).values() if "a" in row)


def test_a_change_of_a_forgotten_value_is_not_undone() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    table.write("X", None, START)

    with pytest.raises(ForgottenValue, match="the person was forgotten, and with them what a held before"):
        undone(hidden(table.log[1]), None)


@given(operations, st.booleans(), st.randoms())
def test_a_row_of_any_time_is_moved_to_any_instant(
    steps: list[tuple[str, State | None, int]],
    restart: bool,  # noqa: FBT001
    random: Any,
) -> None:
    table = played(steps, restart=restart)
    shuffled = list(table.log)
    random.shuffle(shuffled)
    changes = by_item(shuffled)
    times = [(START - timedelta(1), dict[str, State]()), *_times(table)]

    for read_at, read in times:
        for instant, recorded in times:
            for key in changes:
                row = keyed(read).get(key)
                low, high = min(read_at, instant), max(read_at, instant)
                between = [change for change in changes[key] if low <= change.instant <= high]
                last = _last_write(changes[key], row, read_at)

                for known in (changes[key], between):
                    assert moved_to(row, known, instant, last_write=last) == keyed(recorded).get(key)


def _times(table: Table) -> list[tuple[datetime, dict[str, State]]]:
    """The last recorded state of every instant: a row that is read at an instant has all of its writes."""
    return list(dict(table.recorded).items())


def _last_write(changes: list[Change], row: State | None, at: datetime) -> str | None:
    known = [change for change in in_order(changes) if change.instant <= at]
    return known[-1].request_id if row is not None and known else None


def test_a_lost_change_between_a_row_and_the_instant_is_a_gap_even_when_no_value_contradicts() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    table.write("X", {"a": 1, "b": 1}, START + timedelta(1))
    table.write("X", {"a": 1, "b": 1, "c": 1}, START + timedelta(2))
    first, second, third = table.log
    now = table.now()["X"]

    with pytest.raises(PermanentFailure, match="no change leads to or from the row"):
        moved_to({"a": 1, "version": 1}, [third], START + timedelta(3))
    with pytest.raises(PermanentFailure, match="the version before it is 1"):
        moved_to({"a": 1, "version": 1}, [first, third], START + timedelta(3))
    with pytest.raises(PermanentFailure, match="the version after it is 2"):
        moved_to(now, [first, third], START - timedelta(1))
    with pytest.raises(PermanentFailure, match="no change leads to or from the row"):
        moved_to(now, [first, second], START - timedelta(1))
    with pytest.raises(PermanentFailure, match="which did not exist"):
        moved_to(None, [second, third], START)
