"""The views over a real lake. Why real: the files are the emulator's own, and its Athena reads the Glue tables of
the templates.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.lake import Column, LakeTable
from prism_core.lake_tables import LAKE_TABLES, REQUESTS
from prism_core.lake_views import LAKE_VIEWS, LakeView
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.query.duckdb import DuckDbEngine
from tests.integration.fresh import platform_of_this_file
from tests.integration.helpers import prism
from tests.integration.test_emulator_contract_data import ask_athena
from tests.unit.test_lake_views import SAMPLE

platform = platform_of_this_file()

NOW = datetime(2021, 2, 1, tzinfo=UTC)
WEEKS = ("2020-W52", "2020-W53", "2021-W01", "2021-W03")
# Of a cell that Athena gives as text.
SHOWN = {True: "true", False: "false"}


def whole(table: LakeTable, row: dict[str, Any]) -> dict[str, Any]:
    """A row with all columns of its table, and without the week, which is in the path."""
    return {column.name: row.get(column.name) for column in table.columns}


@pytest.fixture(scope="module")
def lake(platform: Platform) -> Iterator[Lake]:
    """The sample of the unit tests as files, for as long as this module runs."""
    found = Lake(platform.settings)
    for name, rows in SAMPLE.items():
        table = LAKE_TABLES[name]
        for week in WEEKS:
            mine = [whole(table, dict(row)) for row in rows if row["week"] == week]
            found.replace_partition(table, Week.parse(week), mine, generation=1, now=NOW)
    yield found
    for name in SAMPLE:
        for week in WEEKS:
            partition = LAKE_TABLES[name].partition(Week.parse(week))
            for key in (partition.parquet, partition.jsonl, partition.manifest):
                found.delete(key)


@pytest.fixture
def engine(platform: Platform, lake: Lake) -> DuckDbEngine:
    return DuckDbEngine(platform.settings, lake)


@pytest.fixture(scope="module")
def answers(platform: Platform) -> str:
    bucket = "answers-of-views"
    client(platform.settings, "s3").create_bucket(Bucket=bucket)
    return bucket


@pytest.mark.parametrize("view", LAKE_VIEWS.values(), ids=lambda view: view.name)
def test_athena_answers_the_text_of_a_view_as_prism_query_answers_its_name(
    view: LakeView, platform: Platform, engine: DuckDbEngine, answers: str
) -> None:
    # Not the dates: the emulator cannot save its state after it has answered one (see the contract tests).
    columns = ", ".join(column.name for column in view.columns if column.type != "date")
    where = f"WHERE week IN {WEEKS} ORDER BY 1, 2, 3"

    state, rows = ask_athena(
        platform,
        answers,
        f"SELECT {columns} FROM ({view.sql}) AS v {where}",  # noqa: S608 - our own views
        QueryExecutionContext={"Database": platform.settings.glue_database},
    )
    ours = engine.query(f"SELECT {columns} FROM {view.name} {where}")  # noqa: S608

    assert state == "SUCCEEDED"
    assert rows
    assert rows == [
        [None if value is None else SHOWN.get(value, value) if value is True or value is False else str(value)
         for value in row]
        for row in ours.rows
    ]  # fmt: skip


@pytest.mark.parametrize("view", LAKE_VIEWS.values(), ids=lambda view: view.name)
def test_the_deployed_glue_view_is_the_one_that_athena_reads(view: LakeView, platform: Platform) -> None:
    database = platform.settings.glue_database

    found: Any = client(platform.settings, "glue").get_table(DatabaseName=database, Name=view.name)["Table"]

    text = found["ViewOriginalText"]
    assert (text[:16], text[-3:]) == ("/* Presto View: ", " */")
    definition = json.loads(base64.b64decode(text[16:-3]))
    assert (definition["originalSql"], definition["schema"]) == (view.sql, database)
    assert found["TableType"] == "VIRTUAL_VIEW"


@pytest.mark.parametrize("table", LAKE_TABLES.values(), ids=lambda table: table.name)
def test_every_table_answers_with_its_columns_also_when_nothing_was_written(
    table: LakeTable, engine: DuckDbEngine
) -> None:
    result = engine.query(f'SELECT * FROM "{table.name}" LIMIT 1')  # noqa: S608 - our own names

    assert result.columns == (*(column.name for column in table.columns), "week")


def test_only_the_tables_of_a_view_are_looked_for(engine: DuckDbEngine) -> None:
    result = engine.query(
        "SELECT v.week, count(*) FROM utilisation_by_week AS v WHERE v.week > '2020-W52' GROUP BY 1 ORDER BY 1"
    )

    assert result.rows == [("2020-W53", 2), ("2021-W01", 2), ("2021-W03", 2)]


def test_instants_of_the_lake_are_in_utc_wherever_the_machine_stands(
    engine: DuckDbEngine, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    created = datetime(2019, 1, 7, 3, tzinfo=UTC)
    row = whole(REQUESTS, {"request_id": "r", "status": "approved", "created": created})
    lake.replace_partition(REQUESTS, Week.parse("2019-W02"), [row], generation=1, now=NOW)

    result = engine.query(
        "SELECT created, date_trunc('day', created), CAST(created AS date) FROM requests WHERE week = '2019-W02'"
    )

    day = datetime(2019, 1, 7)  # noqa: DTZ001 - Athena's timestamp has no zone
    assert result.rows == [(created.replace(tzinfo=None), day, date(2019, 1, 7))]


def test_a_column_that_no_file_has_yet_is_null(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    old = LakeTable("requests", "before", (Column("request_id", "string", "request"),))
    new = LakeTable("requests", "after", (*old.columns, Column("added", "timestamp", "later")))
    lake = Lake(platform.settings)
    for key in lake.keys("lake/parquet/requests/"):
        lake.delete(key)
    lake.replace_partition(old, Week.parse("2019-W03"), [{"request_id": "r"}], generation=1, now=NOW)
    monkeypatch.setattr("prism_resources.query.duckdb.LAKE_TABLES", {**LAKE_TABLES, "requests": new})

    result = DuckDbEngine(platform.settings, lake).query("SELECT request_id, added FROM requests")

    assert result.rows == [("r", None)]
    lake.delete(old.partition(Week.parse("2019-W03")).parquet)


def test_an_answer_of_many_rows_is_streamed(engine: DuckDbEngine) -> None:
    numbers = "SELECT x FROM UNNEST(sequence(1, 25000)) AS t (x)"

    with engine.stream(numbers) as answer:
        sizes = [len(batch) for batch in answer.batches]

    assert (answer.types, sizes) == (("bigint",), [10_000, 10_000, 5_000])


def test_a_query_that_fails_in_the_middle_of_its_rows_says_so(engine: DuckDbEngine) -> None:
    failing = "SELECT 1 / (x - 15000) FROM UNNEST(sequence(1, 25000)) AS t (x)"

    with engine.stream(failing) as answer, pytest.raises(BadUsage, match="Division by zero"):
        list(answer.batches)


def test_tables_and_views_are_listed_without_a_platform(tmp_path: Path) -> None:
    listed = json.loads(prism(tmp_path / "none", "query", "--views", "--json").stdout)
    one = json.loads(prism(tmp_path / "none", "query", "--views", "capacity_gap", "--json").stdout)

    assert {entry["name"] for entry in listed} == set(LAKE_TABLES) | set(LAKE_VIEWS)
    assert all(column["meaning"] for entry in listed for column in entry["columns"])
    assert [column["name"] for column in one["columns"]] == [c.name for c in LAKE_VIEWS["capacity_gap"].columns]
    assert not (tmp_path / "none").exists()
