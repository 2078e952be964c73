"""The canonical text of a value: the same from a stored row and from the change log."""

from decimal import Decimal

import pytest

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.history.changes import state_of
from prism_core.lake import Column
from prism_core.lake_tables import LAKE_TABLES
from prism_core.models.people import Member
from prism_core.models.work import Allocation
from prism_core.models.workers import Worker
from prism_core.tables import ALLOCATIONS, MEMBERS, TABLES, WORKERS, TableSpec
from prism_resources.history.text import ABSENT, ColumnText, carried
from prism_resources.tables.codec import encode, encode_value

W01 = Week.parse("2026-W01")


def member() -> Member:
    return Member.model_validate(
        {
            "member_id": "M-1", "name": "Ana", "email": "a@example.org", "time_zone": "UTC",
            "hours": {"tue": "7.50", "mon": "8"}, "skills": [{"name": "1.50", "level": 3}],
        }
    )  # fmt: skip


def allocation() -> Allocation:
    hours = {W01.monday: "7.25", W01.sunday: "10"}
    return Allocation.model_validate({"member_id": "M-1", "week": W01, "project_id": "P-1", "hours": hours})


def worker() -> Worker:
    return Worker.model_validate(
        {
            "worker_key": "w-1", "worker_id": "w-1", "status": "resolved", "last_seen": "2026-01-05T07:00:00Z",
            "periods": [{"member": "M-1", "from": "2026-01-05"}],
            "suggestions": [{"candidate": "M-1", "score": "0.5000"}],
        }
    )  # fmt: skip


@pytest.mark.parametrize(("spec", "item"), [(MEMBERS, member()), (ALLOCATIONS, allocation()), (WORKERS, worker())])
def test_a_stored_row_a_state_and_a_logged_value_have_the_same_text(
    spec: TableSpec, item: Member | Allocation | Worker
) -> None:
    stored, plain = encode(spec, item), state_of(item)
    for column in carried(LAKE_TABLES[spec.name].columns):
        text = ColumnText(spec, column)

        of_row = text.of_attribute(stored.get(column.of_field))
        logged = plain.get(column.of_field)
        of_log = text.of_attribute(None if logged is None else encode_value(logged))

        if column.type == "double" and of_row is not None and of_log is not None:
            assert Decimal(of_row) == Decimal(of_log)
        else:
            assert of_row == of_log == text.of_plain(logged), column.name


def test_nested_values_are_compact_json_with_sorted_keys_and_numbers() -> None:
    hours = ColumnText(MEMBERS, Column("hours", "string", "hours"))
    skills = ColumnText(MEMBERS, Column("skills", "string", "skills"))

    assert hours.of_plain({"tue": "7.50", "mon": "8.00"}) == '{"mon":8,"tue":7.5}'
    assert hours.of_attribute({"M": {"mon": {"N": "100"}}}) == '{"mon":100}'
    assert skills.of_plain([{"name": "1.50", "level": 3}]) == '[{"level":3,"name":"1.50"}]'


def test_a_text_is_never_taken_for_absent() -> None:
    team = ColumnText(MEMBERS, Column("team", "string", "team"))

    assert team.of_attribute(None) is None
    assert team.of_attribute({"S": ABSENT}) == ABSENT * 2
    assert team.of_plain("") == ""


def test_a_column_that_is_no_field_is_refused() -> None:
    with pytest.raises(BadUsage, match="members has no field 'shoes'"):
        ColumnText(MEMBERS, Column("shoes", "string", "no"))


def test_every_column_of_a_lake_table_of_states_is_a_field_of_its_model() -> None:
    kept = [table for table in LAKE_TABLES.values() if table.kind in {"register", "weekly"}]

    assert kept
    assert all(ColumnText(TABLES[table.name], column) for table in kept for column in carried(table.columns))
