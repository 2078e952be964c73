"""A small lake in DuckDB: the tables that views read, with the rows that a test names; other columns are null."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from prism_core.lake_tables import lake_table
from prism_core.lake_views import LAKE_VIEWS

TYPES = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def small_lake(rows: Rows) -> duckdb.DuckDBPyConnection:
    """Every table that a view reads, most of them empty."""
    connection = duckdb.connect(":memory:")
    for table in map(lake_table, sorted({name for view in LAKE_VIEWS.values() for name in view.reads})):
        columns = {**{column.name: TYPES[column.type] for column in table.columns}, "week": "VARCHAR"}
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f'CREATE TABLE "{table.name}" ({listed})')
        for row in rows.get(table.name, ()):
            assert row.keys() <= columns.keys(), row
            places = ", ".join("?" for _ in row)
            names = ", ".join(f'"{name}"' for name in row)
            connection.execute(f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', list(row.values()))  # noqa: S608
    return connection


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Rows by column, in the order of their text."""
    result = connection.execute(sql)
    names = [column[0] for column in result.description or ()]
    return sorted((dict(zip(names, row, strict=True)) for row in result.fetchall()), key=str)


def answer_of(rows: Rows, sql: str) -> list[dict[str, Any]]:
    """As `answer`, of a lake of its own."""
    with small_lake(rows) as connection:
        return answer(connection, sql)
