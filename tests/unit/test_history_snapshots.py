"""States at many instants: undone one by one, and by sets in DuckDB, they are what was recorded."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.history.snapshots import ends_of, states_at, states_of_weeks
from prism_core.lake import Column
from prism_core.models.changes import Change, Operation
from prism_resources.history.intervals import StateIntervals
from prism_resources.history.text import ABSENT
from tests.unit.history_table import FIELDS, START, State, Table, entry, keyed, operations, played

COLUMNS = tuple(Column(name, "bigint", "a number") for name in FIELDS)
Steps = list[tuple[str, State | None, int]]


def text(value: object) -> str | None:
    return None if value is None else str(value)


def rows_batch(rows: Mapping[str, State], columns: Iterable[Column] = COLUMNS) -> pa.RecordBatch:
    found: dict[str, Any] = {
        "item_key": pa.array(list(rows), pa.string()),
        "version": pa.array([row["version"] for row in rows.values()], pa.int64()),
    }
    for column in columns:
        found[column.name] = pa.array([text(row.get(column.name)) for row in rows.values()], pa.string())
    return pa.RecordBatch.from_pydict(found)


def changes_batch(changes: Iterable[Change], columns: Iterable[Column] = COLUMNS) -> pa.RecordBatch:
    log = list(changes)
    found: dict[str, Any] = {
        "item_key": pa.array([change.item_key for change in log], pa.string()),
        "version": pa.array([change.version for change in log], pa.int64()),
        "instant": pa.array([change.instant for change in log], pa.timestamp("us", tz="UTC")),
        "ulid": pa.array([change.ulid for change in log], pa.string()),
        "operation": pa.array([str(change.operation) for change in log], pa.string()),
    }
    for column in columns:
        sides = [change.changes.get(column.name) for change in log]
        before = [None if side is None else text(side["before"]) if "before" in side else ABSENT for side in sides]
        found[column.name] = pa.array(before, pa.string())
    return pa.RecordBatch.from_pydict(found)


def state(row: dict[str, Any]) -> State:
    return {name: value for name, value in row.items() if name != "item_key" and value is not None}


def by_sets(
    rows: Mapping[str, State],
    changes: Iterable[Change],
    instants: Mapping[str, datetime],
    began: datetime | None = None,
) -> dict[str, dict[str, State]]:
    with StateIntervals(COLUMNS, began=began) as intervals:
        intervals.add_rows(rows_batch(rows))
        intervals.add_changes(changes_batch(changes))
        found = {label: table.to_pylist() for label, table in intervals.at(instants)}
    for listed in found.values():
        assert [row["item_key"] for row in listed] == sorted(row["item_key"] for row in listed)
    return {label: {row["item_key"]: state(row) for row in listed} for label, listed in found.items()}


@settings(deadline=None, max_examples=60)
@given(operations, st.booleans(), st.randoms())
def test_both_ways_agree_with_what_was_recorded_at_every_instant(
    steps: Steps,
    restart: bool,  # noqa: FBT001
    random: Any,
) -> None:
    table = played(steps, restart=restart)
    shuffled = list(table.log)
    random.shuffle(shuffled)
    rows, instants = keyed(table.now()), {str(instant): instant for instant in table.instants()}

    recorded = {label: keyed(table.at(instant)) for label, instant in instants.items()}

    assert states_at(rows, shuffled, instants) == recorded
    assert by_sets(rows, shuffled, instants) == recorded


@settings(deadline=None, max_examples=25)
@given(operations, st.integers(1, 4))
def test_rows_and_changes_that_arrive_in_parts_are_the_same_history(steps: Steps, at_once: int) -> None:
    table = played(steps)
    instants = {str(instant): instant for instant in table.instants()}
    recorded = {label: keyed(table.at(instant)) for label, instant in instants.items()}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("prism_resources.history.intervals._INSERT_ROWS", at_once)
        with StateIntervals(COLUMNS) as intervals:
            for key, row in keyed(table.now()).items():
                intervals.add_rows(rows_batch({key: row}))
            for change in table.log:
                intervals.add_changes(changes_batch([change]))
            found = {label: listed.to_pylist() for label, listed in intervals.at(instants)}

    assert {label: {row["item_key"]: state(row) for row in rows} for label, rows in found.items()} == recorded


@settings(deadline=None, max_examples=25)
@given(operations, st.booleans(), st.integers(0, 24))
def test_only_the_changes_since_the_first_instant_are_needed(
    steps: Steps,
    restart: bool,  # noqa: FBT001
    begin: int,
) -> None:
    table = played(steps, restart=restart)
    first = table.recorded[min(begin, len(table.recorded) - 1)][0] if table.recorded else START
    rows, since = keyed(table.now()), [change for change in table.log if change.instant > first]
    instants = {str(instant): instant for instant in table.instants() if instant >= first}

    recorded = {label: keyed(table.at(instant)) for label, instant in instants.items()}

    assert states_at(rows, since, instants) == recorded
    assert by_sets(rows, since, instants) == recorded


@settings(deadline=None, max_examples=25)
@given(operations, st.integers(0, 24))
def test_changes_that_came_after_the_rows_were_read_are_left_out(steps: Steps, read_after: int) -> None:
    early, late = played(steps[:read_after]), played(steps)
    unread = [change.instant for change in late.log[len(early.log) :]]
    instants = {str(at): at for at in early.instants() if not unread or at < unread[0] or at > unread[-1]}
    recorded = {label: keyed(early.at(instant)) for label, instant in instants.items()}

    assert states_at(keyed(early.now()), late.log, instants) == recorded
    assert by_sets(keyed(early.now()), late.log, instants) == recorded


def test_clocks_that_disagree_do_not_disturb_the_order() -> None:
    log = [
        entry("X", Operation.UPDATE, 3, {"a": {"before": 2, "after": 3}}, START + timedelta(seconds=2)),
        entry("X", Operation.CREATE, 1, {"a": {"after": 1}}, START),
        entry("X", Operation.UPDATE, 2, {"a": {"before": 1, "after": 2}}, START + timedelta(seconds=3)),
    ]
    rows: dict[str, State] = {"things/X": {"a": 3, "version": 3}}
    instants = {str(seconds): START + timedelta(seconds=seconds) for seconds in range(-1, 5)}

    found = by_sets(rows, log, instants)

    assert found == states_at(rows, log, instants)
    assert [found[str(seconds)].get("things/X", {}).get("a") for seconds in range(-1, 5)] == [
        None, 1, 1, 1, 3, 3,
    ]  # fmt: skip


def test_a_missing_change_is_noticed() -> None:
    table = Table()
    for number in range(4):
        table.write("X", {"a": number}, START + timedelta(number))
    holed = [change for change in table.log if change.version != 3]

    with pytest.raises(
        PermanentFailure, match=r"things/X has a gap at version 4 of 2026-01-08.*update is missing"
    ):
        by_sets(keyed(table.now()), holed, {"first": START})


def test_a_change_that_is_missing_before_the_deletion_is_noticed() -> None:
    table = Table()
    for number in range(3):
        table.write("X", {"a": number}, START + timedelta(number))
    table.write("X", None, START + timedelta(3))
    holed = [change for change in table.log if change.version != 3]

    with pytest.raises(PermanentFailure, match=r"things/X has a gap at version 4 of .*delete is missing"):
        by_sets({}, holed, {"first": START})


def test_a_row_that_is_newer_than_the_changes_is_to_be_read_again() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    seen = list(table.log)
    table.write("X", {"a": 2}, START)

    with pytest.raises(TransientFailure, match="things/X is at version 2, its changes end at 1"):
        by_sets(keyed(table.now()), seen, {"before": START - timedelta(1)})


@pytest.mark.parametrize("stands", [None, {"a": 1, "version": 1}], ids=["deleted", "an old version"])
def test_a_row_that_contradicts_an_old_change_is_a_gap(stands: State | None) -> None:
    """An item that was deleted, or overwritten with what it was, past the log: weeks after its last change."""
    table, asked = Table(), {"then": START}
    table.write("X", {"a": 1}, START)
    table.write("X", {"a": 2}, START + timedelta(1))
    rows = {} if stands is None else keyed({"X": stands})
    began = START + timedelta(21)

    with pytest.raises(PermanentFailure, match=r"things/X has a gap behind version [12] of 2026-01-0"):
        by_sets(rows, table.log, asked, began=began)
    with pytest.raises(PermanentFailure, match=r"things/X has a gap behind version [12] of 2026-01-0"):
        states_at(rows, table.log, asked, began=began)


def test_a_change_since_the_reading_began_is_left_out_and_an_older_one_of_its_row_is_not() -> None:
    table = Table()
    table.write("X", {"a": 1}, START)
    table.write("X", {"a": 2}, START + timedelta(1))
    read, began = keyed(table.now()), START + timedelta(2)
    table.write("X", {"a": 3}, began)
    table.write("Y", {"a": 1}, began)
    instants = {"then": START, "now": START + timedelta(1)}
    expected = {"then": keyed({"X": {"a": 1, "version": 1}}), "now": read}

    assert states_at(read, table.log, instants, began=began) == expected
    assert by_sets(read, table.log, instants, began=began) == expected


def test_types_are_those_of_the_lake_and_a_text_like_absent_is_none() -> None:
    columns = (
        Column("label", "string", "a text"),
        Column("hours", "double", "h"),
        Column("pinned", "boolean", "whether"),
        Column("due", "date", "a day"),
        Column("seen", "timestamp", "an instant"),
    )
    texts = {"label": "\x00\x00", "hours": "7.50", "pinned": "true", "due": "2026-01-05", "seen": str(START)}
    row = pa.RecordBatch.from_pydict(
        {"item_key": ["things/X"], "version": [2], **{n: [v] for n, v in texts.items()}}
    )
    change = changes_batch([entry("X", Operation.UPDATE, 2, {"label": {"after": "new"}}, START)], columns)
    with StateIntervals(columns) as intervals:
        intervals.add_rows(row)
        intervals.add_changes(change)
        before, now = (found for _, found in intervals.at({"before": START - timedelta(1), "now": START}))

    assert now.schema.field("seen").type == pa.timestamp("us", tz="UTC")
    assert now.select(["label", "hours", "pinned", "due", "seen"]).to_pylist() == [
        {"label": "\x00", "hours": 7.5, "pinned": True, "due": START.date(), "seen": START}
    ]
    assert before.select(["label", "hours", "version"]).to_pylist() == [
        {"label": None, "hours": 7.5, "version": 1}
    ]


def test_a_value_that_does_not_fit_its_column_is_said() -> None:
    row = {"item_key": ["things/X"], "version": [1], "a": ["a dozen"], "b": ["1"], "c": ["1"]}
    with StateIntervals(COLUMNS) as intervals:
        intervals.add_rows(pa.RecordBatch.from_pydict(row))

        with pytest.raises(PermanentFailure, match=r"does not fit its column: .*'a dozen'"):
            list(intervals.at({"now": START}))


def test_too_little_memory_is_said_and_leaves_no_folder_behind() -> None:
    table = Table()
    for number in range(300):
        table.write(f"X{number}", {"a": number}, START + timedelta(number))

    with StateIntervals(COLUMNS, memory_limit="2MB") as intervals:
        intervals.add_rows(rows_batch(keyed(table.now())))
        intervals.add_changes(changes_batch(table.log))
        folder = intervals._folder.path
        assert folder.is_dir()
        with pytest.raises(PermanentFailure, match=r"take more than there is: Out of Memory.*ask for fewer weeks"):
            list(intervals.at({"now": START}))

    assert not folder.exists()


def test_too_little_room_for_what_arrives_or_is_put_in_order_is_said() -> None:
    columns = (Column("a", "string", "a text"),)
    keys = [f"things/{number:x}-{number * 7919 % 1_000_003:x}" for number in range(300_000)]
    batch = pa.RecordBatch.from_pydict({"item_key": keys, "version": [1] * len(keys), "a": ["t"] * len(keys)})
    said = r"take more than there is: Out of Memory.*ask for fewer weeks"

    with StateIntervals(columns, memory_limit="10MB") as intervals:
        intervals._database.execute("SET max_temp_directory_size = '1MB'")
        with pytest.raises(PermanentFailure, match=said):
            list(map(intervals.add_rows, [batch] * 4))  # once may just fit, packed
    with StateIntervals(columns) as intervals:
        intervals.add_rows(batch)
        intervals._database.execute("SET max_temp_directory_size = '1MB'")
        intervals._database.execute("SET memory_limit = '40MB'")
        with pytest.raises(PermanentFailure, match=said):
            list(intervals.at({"now": START}))


def test_another_question_is_answered_from_what_was_put_in_order_for_the_first() -> None:
    table = Table()
    for number in range(3):
        table.write("X", {"a": number}, START + timedelta(number))

    with StateIntervals(COLUMNS) as intervals:
        intervals.add_rows(rows_batch(keyed(table.now())))
        intervals.add_changes(changes_batch(table.log))
        found = [
            [
                row["a"]
                for _, listed in intervals.at({"then": START + timedelta(day)})
                for row in listed.to_pylist()
            ]
            for day in (2, 0, 1)
        ]

    assert found == [[2], [0], [1]]


def test_nothing_asked_and_nothing_there_are_answered_with_nothing() -> None:
    with StateIntervals(COLUMNS) as intervals:
        assert list(intervals.at({})) == []
        assert [(label, table.num_rows) for label, table in intervals.at({"now": START})] == [("now", 0)]
        with pytest.raises(BadUsage, match="before the first question"):
            intervals.add_rows(rows_batch({}))


# -- weeks -----------------------------------------------------------------------------------------------

WEEKS = [Week.of(START) + number for number in range(-1, 6)]
WEEKLY = (*COLUMNS, Column("week", "string", "its week"))
DATED = (*COLUMNS, Column("date", "date", "its day"))
# An item belongs to one week for ever: the fourth item is written after its week, the first ones around theirs.
WEEK_OF = {key: WEEKS[number] for key, number in (("X", 1), ("Y", 2), ("Z", 0))}


def in_weeks(steps: Steps) -> Table:
    """Items that say their week and a day of it, over some weeks."""
    table, at = Table(), START
    for key, after, pause in steps:
        at += timedelta(microseconds=pause * 2)
        week = WEEK_OF[key]
        said: State = {"week": week.label, "date": week.sunday.isoformat()}
        table.write(key, None if after is None else after | said, at)
    return table


@settings(deadline=None, max_examples=25)
@given(operations, st.booleans())
def test_items_of_a_week_stand_as_at_its_end_or_are_there_recorded_late(
    steps: Steps,
    dated: bool,  # noqa: FBT001
) -> None:
    table = in_weeks(steps)
    rows, columns = keyed(table.now()), DATED if dated else WEEKLY
    instants = ends_of(WEEKS[1:], START + timedelta(weeks=3))
    expected = states_of_weeks(rows, table.log, instants, lambda row: str(row["week"]))

    with StateIntervals(columns) as intervals:
        intervals.add_rows(rows_batch(rows, columns))
        intervals.add_changes(changes_batch(table.log, columns))
        found = {
            label: {row["item_key"]: (row["a"], row["version"], row["recorded_late"]) for row in week.to_pylist()}
            for label, week in intervals.of_week(instants, "date" if dated else "week")
        }

    assert found == {
        label: {key: (row.get("a"), row["version"], late) for key, (row, late) in items.items()}
        for label, items in expected.items()
    }


def test_the_rule_of_weeks_on_four_items() -> None:
    table = Table()
    monday = datetime(2026, 1, 12, tzinfo=UTC)  # of 2026-W03; what is made now is late for W02
    said: State = {"week": "2026-W02"}
    table.write("changed-after", {"a": 1} | said, monday - timedelta(days=2))
    table.write("deleted-after", {"a": 1} | said, monday - timedelta(days=2))
    table.write("deleted-before", {"a": 1} | said, monday - timedelta(days=2))
    table.write("deleted-before", None, monday - timedelta(days=1))
    table.write("changed-after", {"a": 2} | said, monday)
    table.write("deleted-after", None, monday)
    table.write("late", {"a": 1} | said, monday)
    table.write("late", {"a": 2} | said, monday + timedelta(days=1))
    instants = ends_of([Week.parse("2026-W02")], monday + timedelta(days=9))

    found = states_of_weeks(keyed(table.now()), table.log, instants, lambda row: str(row["week"]))["2026-W02"]

    assert {key.removeprefix("things/"): (row["a"], late) for key, (row, late) in found.items()} == {
        "changed-after": (1, False),
        "deleted-after": (1, False),
        "late": (2, True),
    }


def test_a_week_ends_before_monday_and_the_running_one_now() -> None:
    week, now = Week.parse("2026-W02"), datetime(2026, 1, 14, 9, tzinfo=UTC)

    assert ends_of([week, week + 1], now) == {
        "2026-W02": datetime(2026, 1, 11, 23, 59, 59, 999999, tzinfo=UTC),
        "2026-W03": now,
    }


def test_a_column_that_cannot_say_the_week_is_refused() -> None:
    with (
        StateIntervals(COLUMNS) as intervals,
        pytest.raises(BadUsage, match="'a' is no column that says the week"),
    ):
        list(intervals.of_week({"2026-W02": START}, "a"))
