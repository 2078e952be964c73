"""A view inside a query: wherever a table may stand."""

from collections.abc import Iterator

import duckdb
import pytest
import trino_query_parser

from prism_core.failures import BadUsage
from prism_resources.query.sql import parse_query, tables_of, to_duckdb, to_trino
from tests.unit.lake_samples import small_lake

WORK = {"week": "2021-W01", "project_id": "p", "member_id": "m", "tasks_submitted": 3, "wall_seconds": 60}


@pytest.fixture(scope="module")
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    with small_lake({"throughput": [WORK, {**WORK, "week": "2021-W02"}]}) as connection:
        yield connection


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT sum(tasks_submitted) FROM weekly_delivery", [(6,)]),
        ("SELECT weekly_delivery.project_id FROM weekly_delivery WHERE week = '2021-W01'", [("p",)]),
        ("SELECT d.week FROM Weekly_Delivery AS d ORDER BY 1", [("2021-W01",), ("2021-W02",)]),
        ("SELECT count(*) FROM weekly_delivery a JOIN weekly_delivery b ON a.week = b.week", [(2,)]),
        ("SELECT count(*) FROM weekly_delivery, throughput", [(4,)]),
        ("SELECT count(*) FROM throughput t JOIN weekly_delivery USING (week, project_id)", [(2,)]),
        ("WITH d AS (SELECT * FROM weekly_delivery) SELECT max(week) FROM d", [("2021-W02",)]),
        ("SELECT 1 WHERE EXISTS (SELECT 1 FROM weekly_delivery WHERE tasks_submitted = 3)", [(1,)]),
        ("SELECT week FROM weekly_delivery EXCEPT SELECT '2021-W01'", [("2021-W02",)]),
        ("(SELECT max(tasks_previous_week) FROM weekly_delivery)", [(3,)]),
        ("WITH weekly_delivery AS (SELECT 1 AS x) SELECT * FROM weekly_delivery", [(1,)]),
        (
            """WITH weekly_delivery AS (SELECT * FROM weekly_delivery WHERE week = '2021-W01')
            SELECT week FROM weekly_delivery""",
            [("2021-W01",)],
        ),
        ("SELECT date_add('day', 6, monday) FROM weekly_delivery WHERE week = '2021-W01'", None),
    ],
)
def test_a_view_stands_wherever_a_table_may(
    sql: str, expected: list[tuple[object, ...]] | None, lake: duckdb.DuckDBPyConnection
) -> None:
    query = parse_query(sql)

    found = lake.execute(to_duckdb(query)).fetchall()

    assert expected is None or found == expected
    trino_query_parser.parse_statement(to_trino(query))


def test_what_is_computed_from_a_date_of_a_view_is_a_date(lake: duckdb.DuckDBPyConnection) -> None:
    described = lake.execute(to_duckdb(parse_query("SELECT date_trunc('month', monday) FROM weekly_delivery")))

    assert [str(column[1]) for column in described.description or ()] == ["DATE"]


def test_a_query_says_which_tables_it_reads_through_its_views() -> None:
    query = parse_query("SELECT * FROM utilisation_by_week JOIN workers USING (week)")

    assert tables_of(query) == {"utilisation", "members", "workers"}


def test_a_with_that_hides_a_table_of_a_view_is_refused() -> None:
    query = parse_query("WITH throughput AS (SELECT 1 AS x) SELECT * FROM weekly_delivery, throughput")

    with pytest.raises(BadUsage, match="WITH throughput hides the table"):
        to_trino(query)


def test_a_name_that_is_neither_table_nor_view_is_refused_with_the_list_of_both() -> None:
    with pytest.raises(BadUsage, match=r"no table nowhere .* capacity_gap, .* throughput"):
        parse_query("SELECT * FROM nowhere")
