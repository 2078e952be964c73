"""What changes amount to: the difference of what was recorded at the two ends."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prism_core.history.changes import diff
from prism_core.history.differences import differences
from prism_core.models.changes import Changes, Operation
from prism_core.privacy import forgotten
from tests.unit.history_table import START, State, Table, entry, operations, played


def without_version(row: State | None) -> State:
    return {name: value for name, value in (row or {}).items() if name != "version"}


@given(operations, st.integers(0, 24), st.integers(0, 24), st.randoms())
def test_they_amount_to_the_difference_of_what_was_recorded_at_the_two_ends(
    steps: list[tuple[str, State | None, int]], one: int, other: int, random: Any
) -> None:
    table = played(steps)
    moments = [START - timedelta(1), *(at for at, _ in table.recorded)]
    since, until = sorted((moments[one % len(moments)], moments[other % len(moments)]))
    between = [change for change in table.log if since < change.instant <= until]
    random.shuffle(between)
    then, now = table.at(since), table.at(until)

    found = {difference.item_key.removeprefix("things/"): difference for difference in differences(between)}

    expected = {
        key: diff(without_version(then.get(key)), without_version(now.get(key)))
        for key in then.keys() | now.keys()
    }
    assert {key: difference.changes for key, difference in found.items()} == {
        k: v for k, v in expected.items() if v
    }
    assert all((found[key].operation is Operation.CREATE) is (key not in then) for key in found)
    assert all((found[key].operation is Operation.DELETE) is (key not in now) for key in found)


def test_everybody_who_had_a_hand_in_it_is_named_and_every_write_counted() -> None:
    table = Table()
    for number in range(3):
        table.write("X", {"a": number}, START + timedelta(number))
    log = [change.model_copy(update={"actor": f"lead-{change.version % 2}"}) for change in table.log]

    (found,) = differences(log)

    assert (found.actors, found.writes, found.version, found.last) == (
        ("lead-1", "lead-0"), 3, 3, START + timedelta(2),
    )  # fmt: skip


def test_what_was_changed_back_is_no_difference() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    table.write("X", {"a": 2}, START)
    table.write("X", {"a": 1}, START)

    assert differences(table.log[1:]) == []


def test_a_forgotten_value_may_have_been_another() -> None:
    hidden: Changes = {"a": {"before": forgotten(), "after": forgotten()}}

    (found,) = differences([entry("X", Operation.UPDATE, 2, hidden, START)])

    assert found.changes == hidden
