"""The tables of the lake are the models, field by field, without what is personal (ADR 0010)."""

import types
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin

import pytest

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.lake import LakeTable
from prism_core.lake_tables import EXPORTED, LAKE_TABLES, lake_table, lake_tables
from prism_core.tables import TABLES

NOT_EXPORTED = {"idempotency", "jobs"}
# What events are judged by, and what is counted of them: the lake has tables of their weeks.
OF_EVENTS = {"schemas", "lookups", "receipts", "event_rollups"}
# Free text in which people write of people (ADR 0010).
FREE_TEXT = {
    "availability": "answer",
    "deliveries": "error",
    "changelog": "reason",
    "published_plans": "reason",
}
TYPES: Mapping[type, str] = {
    Decimal: "double", int: "bigint", bool: "boolean", date: "date", datetime: "timestamp", str: "string",
    Week: "string",
}  # fmt: skip


def bare(annotation: Any) -> Any:
    """Without `Annotated` and without `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in {Union, types.UnionType}:
            annotation = next(one for one in get_args(annotation) if one is not type(None))
        else:
            return annotation


def type_in_the_lake(annotation: Any) -> str:
    kind = bare(annotation)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "string"
    return TYPES.get(kind, "string")


def of_the_model(table: LakeTable) -> list[tuple[str, str]]:
    spec = TABLES[table.name]
    fields = {name: type_in_the_lake(info.annotation) for name, info in spec.model.model_fields.items()}
    if table.kind != "register":
        fields.pop("week", None)  # the partition says it
    return sorted(
        (n, t) for n, t in fields.items() if n not in {*spec.personal, "screenshot", FREE_TEXT.get(table.name)}
    )


@pytest.mark.parametrize("table", EXPORTED.values(), ids=lambda table: table.name)
def test_the_columns_of_an_exported_table_are_the_fields_of_its_model(table: LakeTable) -> None:
    columns = [(c.of_field, c.type) for c in table.columns if c.name != "recorded_late"]

    assert sorted(columns) == of_the_model(table)


@pytest.mark.parametrize("table", EXPORTED.values(), ids=lambda table: table.name)
def test_nothing_personal_is_a_column(table: LakeTable) -> None:
    assert {column.of_field for column in table.columns}.isdisjoint(TABLES[table.name].personal)


def test_every_operational_table_but_the_named_ones_is_in_the_lake() -> None:
    assert set(TABLES) - set(LAKE_TABLES) - {"restatements"} == NOT_EXPORTED | OF_EVENTS


@pytest.mark.parametrize("table", LAKE_TABLES.values(), ids=lambda table: table.name)
def test_no_column_is_called_like_the_partition_and_each_occurs_once(table: LakeTable) -> None:
    names = [column.name for column in table.columns]

    assert "week" not in names
    assert len(names) == len(set(names))


def test_only_a_weekly_table_says_what_was_recorded_late() -> None:
    late = {name for name, table in LAKE_TABLES.items() if any(c.name == "recorded_late" for c in table.columns)}

    assert late == {name for name, table in LAKE_TABLES.items() if table.kind == "weekly"}


def test_an_unknown_table_is_refused_with_the_list_of_valid_ones() -> None:
    with pytest.raises(BadUsage, match="no table 'qualty'; valid ones are throughput, "):
        lake_table("qualty")


def test_tables_come_once_and_in_the_order_of_the_list() -> None:
    names = [table.name for table in lake_tables(["members", "quality", "members"])]

    assert names == ["quality", "members"]
