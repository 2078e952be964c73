"""States of the past in columns of text, decimals and nested values, from rows and a log as they are stored."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_core.lake import Column
from prism_core.models.changes import Change
from prism_core.tables import PROJECTS
from prism_resources.history.intervals import StateIntervals
from prism_resources.history.text import ABSENT, ColumnText
from prism_resources.tables.codec import encode_value
from tests.unit.history_table import State, keyed, played

COLUMNS: Final = (
    Column("name", "string", "a text"),
    Column("demand_hours", "double", "hours"),
    Column("skills", "string", "nested", json=True),
    Column("sla_date", "date", "a day"),
)
TEXTS: Final = tuple(ColumnText(PROJECTS, column) for column in COLUMNS)

# As the log says it: decimals and days as text. A zero character stands for no value there, and is a text, too.
texts = st.text(st.sampled_from("aZ é\x00\"\\'\n\U0001f600"), max_size=4)
decimals = st.decimals(0, 99, places=2).map(str)
skills = st.lists(st.fixed_dictionaries({"name": texts, "level": st.integers(1, 5)}), max_size=2)
states: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "demand_hours": decimals,
        "skills": skills,
        "sla_date": st.dates().map(lambda day: day.isoformat()),
    },
).filter(bool)
operations = st.lists(
    st.tuples(st.sampled_from("XY"), st.none() | states, st.sampled_from([1, 1_000, 86_400_000_000])), max_size=12
)


def rows_batch(rows: Mapping[str, State]) -> pa.RecordBatch:
    """A row of now: a number is a number."""
    found: dict[str, Any] = {
        "item_key": pa.array(list(rows), pa.string()),
        "version": pa.array([row["version"] for row in rows.values()], pa.int64()),
    }
    for text in TEXTS:
        values = [row.get(text.field) for row in rows.values()]
        if text.field == "demand_hours":
            values = [None if value is None else Decimal(str(value)).normalize() for value in values]
        told = [None if value is None else text.of_attribute(encode_value(value)) for value in values]
        found[text.name] = pa.array(told, pa.string())
    return pa.RecordBatch.from_pydict(found)


def changes_batch(changes: list[Change]) -> pa.RecordBatch:
    found: dict[str, Any] = {
        "item_key": pa.array([change.item_key for change in changes], pa.string()),
        "version": pa.array([change.version for change in changes], pa.int64()),
        "instant": pa.array([change.instant for change in changes], pa.timestamp("us", tz="UTC")),
        "ulid": pa.array([change.ulid for change in changes], pa.string()),
        "operation": pa.array([str(change.operation) for change in changes], pa.string()),
    }
    for text in TEXTS:
        sides = [change.changes.get(text.field) for change in changes]
        told = [
            None
            if side is None
            else text.of_attribute(encode_value(side["before"]))
            if "before" in side
            else ABSENT
            for side in sides
        ]
        found[text.name] = pa.array(told, pa.string())
    return pa.RecordBatch.from_pydict(found)


def expected(row: State) -> dict[str, Any]:
    hours, nested = row.get("demand_hours"), row.get("skills")
    return {
        "version": row["version"],
        "name": row.get("name"),
        "demand_hours": None if hours is None else float(str(hours)),
        "skills": None if nested is None else json.dumps(nested, sort_keys=True, separators=(",", ":")),
        "sla_date": row.get("sla_date"),
    }


def shown(row: dict[str, Any]) -> dict[str, Any]:
    nested, day = row["skills"], row["sla_date"]
    # The escapes of a text within JSON are the encoder's own.
    again = None if nested is None else json.dumps(json.loads(nested), sort_keys=True, separators=(",", ":"))
    plain = {name: value for name, value in row.items() if name != "item_key"}
    return plain | {"skills": again, "sla_date": None if day is None else day.isoformat()}


@settings(deadline=None, max_examples=60)
@given(operations, st.randoms())
def test_texts_decimals_days_and_nested_values_are_what_was_recorded_at_every_instant(
    steps: list[tuple[str, State | None, int]], random: Any
) -> None:
    table = played(steps)
    shuffled = list(table.log)
    random.shuffle(shuffled)
    instants = {str(instant): instant for instant in table.instants()}

    with StateIntervals(COLUMNS) as intervals:
        intervals.add_rows(rows_batch(keyed(table.now())))
        intervals.add_changes(changes_batch(shuffled))
        found = {
            label: {row["item_key"]: shown(row) for row in states.to_pylist()}
            for label, states in intervals.at(instants)
        }

    assert found == {
        label: {key: expected(row) for key, row in keyed(table.at(instant)).items()}
        for label, instant in instants.items()
    }
