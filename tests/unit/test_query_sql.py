"""What is a query, and how it is written for DuckDB."""

import duckdb
import pytest

from prism_core.failures import BadUsage
from prism_resources.query.sql import parse_query, to_duckdb

TABLES = ("throughput", "members")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select week, sum(tasks_submitted) from throughput group by 1;",
        "WITH w AS (SELECT * FROM throughput) SELECT * FROM w JOIN members USING (member_id)",
        "SELECT 1 UNION ALL SELECT 2",
        "(SELECT 1)",
        "((SELECT week FROM throughput)) ORDER BY week LIMIT 1",
        'SELECT "week" FROM "throughput" -- a comment',
        "SELECT * FROM THROUGHPUT WHERE week IN (SELECT MAX(week) FROM throughput)",
        "WITH a AS (SELECT 1 AS x), B AS (SELECT * FROM A) (SELECT * FROM b WHERE x IN (SELECT x FROM a))",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM (SELECT * FROM a UNION SELECT 2) WHERE EXISTS (SELECT 1 FROM a)",
        "SELECT * FROM (WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b) SELECT * FROM a)",
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3) SELECT x FROM n",
    ],
)
def test_a_query_over_the_lake_is_taken(sql: str) -> None:
    assert to_duckdb(parse_query(sql, TABLES))


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("", "one statement"),
        ("SELECT 1; SELECT 2", "one statement at a time, not 2"),
        ("SELEC 1", "does not parse"),
        ("SELECT FROM WHERE", "does not parse"),
        ("SELECT (1", "line 1"),
        ("DELETE FROM throughput", "not DELETE"),
        ("(DELETE FROM throughput)", "does not parse"),
        ("SELECT " + "(" * 20_000 + "1" + ")" * 20_000, "nested too deeply"),
        ("INSERT INTO throughput VALUES (1)", "not INSERT"),
        ("CREATE TABLE x AS SELECT 1", "not CREATE"),
        ("DROP TABLE throughput", "not DROP"),
        ("WITH x AS (DELETE FROM throughput) SELECT 1", "DELETE"),
        ("ATTACH 'file.db'", "does not parse"),
        ("COPY throughput TO 'file'", "COPY"),
        ("INSTALL httpfs", "INSTALL"),
        ("SET memory_limit = '1TB'", "SET"),
        ("SELECT * FROM nowhere", "tables are: members, throughput"),
        ("SELECT * FROM other.throughput", "no table other.throughput"),
        ("SELECT * FROM information_schema.tables", "no table"),
        ("SELECT * FROM read_csv('/etc/passwd')", "functions that read files are off"),
        ("SELECT * FROM '/etc/passwd'", "lake"),
        ("SELECT * FROM throughput, read_parquet('x')", "functions that read files are off"),
    ],
)
def test_anything_else_is_refused_with_the_reason(sql: str, says: str) -> None:
    with pytest.raises(BadUsage, match="(?i)" + says.replace("(", r"\(")):
        parse_query(sql, TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT * FROM "/a.csv" WHERE 1 = (WITH "/a.csv" AS (SELECT 1 AS a) SELECT max(a) FROM "/a.csv")',
        'SELECT * FROM "/a.csv" AS x, (WITH "/a.csv" AS (SELECT 1 AS a) SELECT a FROM "/a.csv") AS y',
        'WITH "/a.csv" AS (SELECT * FROM "/a.csv") SELECT * FROM "/a.csv"',
        'WITH RECURSIVE "/a.csv" AS (SELECT * FROM "/a.csv") SELECT * FROM "/a.csv"',
        'WITH RECURSIVE "/a.csv" AS (SELECT * FROM "/a.csv" UNION ALL SELECT * FROM "/a.csv") SELECT 1',
        'WITH x AS (SELECT * FROM "/a.csv"), "/a.csv" AS (SELECT 1 AS a) SELECT * FROM x',
        'SELECT 1 FROM "/a.csv" UNION (WITH "/a.csv" AS (SELECT 1 AS a) SELECT a FROM "/a.csv")',
        'WITH x AS (WITH "/a.csv" AS (SELECT 1) SELECT * FROM "/a.csv") SELECT * FROM x, "/a.csv"',
    ],
)
def test_a_part_of_a_with_counts_only_where_it_is_in_scope(sql: str) -> None:
    with pytest.raises(BadUsage, match=r'there is no table "/a\.csv"'):
        parse_query(sql, TABLES)


def test_trino_functions_are_written_for_duckdb() -> None:
    written = to_duckdb(
        parse_query("SELECT approx_distinct(1), date_diff('day', day, day) FROM throughput", TABLES)
    )

    assert "APPROX_COUNT_DISTINCT" in written.upper()
    assert "DATE_DIFF('DAY', day, day)" in written


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT count(*), week, sum(1) AS total FROM throughput GROUP BY week", ["_col0", "week", "total"]),
        ("SELECT 1 UNION SELECT 2", ["_col0"]),
        ("(SELECT 1)", ["_col0"]),
        ("SELECT (SELECT 1), t.week FROM throughput t", ["_col0", "week"]),
        ("SELECT * FROM (SELECT max(week) FROM throughput)", ["_col0"]),
        ("WITH x (a) AS (SELECT 1) SELECT * FROM x", ["a"]),
        ('SELECT "week", CAST(week AS varchar) FROM throughput', ["week", "_col1"]),
    ],
)
def test_columns_without_a_name_are_called_as_trino_calls_them(sql: str, columns: list[str]) -> None:
    assert names_and_types(sql)[0] == columns


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("date_trunc('month', day)", "DATE"),
        ("date_trunc('month', max(day) OVER ())", "DATE"),
        ("date_trunc('year', date_trunc('month', day))", "DATE"),
        ("date_add('day', 1, day)", "DATE"),
        ("day - INTERVAL '1' month", "DATE"),
        ("date_trunc('week', current_date)", "DATE"),
        ("date_trunc('hour', CAST(day AS timestamp))", "TIMESTAMP"),
        ("CAST(date_trunc('month', day) AS varchar)", "VARCHAR"),
        ("tasks_submitted + 1", "BIGINT"),
        ("date_diff('day', day, day)", "BIGINT"),
    ],
)
def test_what_is_computed_from_a_date_is_a_date_as_in_trino(expression: str, kind: str) -> None:
    assert names_and_types(f"SELECT {expression} FROM throughput")[1] == [kind]  # noqa: S608 - the cases above
    in_cte = f"WITH w AS (SELECT {expression} AS x FROM throughput) SELECT x FROM w"  # noqa: S608
    assert names_and_types(in_cte)[1] == [kind]


def names_and_types(sql: str) -> tuple[list[str], list[str]]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE throughput (week VARCHAR, day DATE, tasks_submitted BIGINT)")
        answer = connection.execute(to_duckdb(parse_query(sql, TABLES))).description or []
    return [column[0] for column in answer], [str(column[1]) for column in answer]
