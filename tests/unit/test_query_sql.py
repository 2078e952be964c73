"""What is a query, and how it is written for DuckDB."""

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
        'SELECT "week" FROM "throughput" -- a comment',
        "SELECT * FROM THROUGHPUT WHERE week IN (SELECT MAX(week) FROM throughput)",
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


def test_trino_functions_are_written_for_duckdb() -> None:
    written = to_duckdb(
        parse_query("SELECT approx_distinct(1), date_diff('day', day, day) FROM throughput", TABLES)
    )

    assert "APPROX_COUNT_DISTINCT" in written.upper()
    assert "DATE_DIFF('DAY', day, day)" in written
