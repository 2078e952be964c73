"""DuckDB over the files of the local lake.

Belongs here: one view a table over exactly the objects that S3 lists (a deleted object's file may linger
on disk), locked so that a query reaches nothing else. Does not belong here: Athena's side (athena.py).
"""

import threading
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.lake import ColumnType, LakeTable, parquet_prefix
from prism_core.lake_tables import LAKE_TABLES
from prism_core.settings import Settings
from prism_resources.lake import Lake
from prism_resources.query.result import QueryResult
from prism_resources.query.sql import parse_query, to_duckdb

# DuckDB alone would take 80 % of the machine, which Dagster and the emulator share with it.
MEMORY_LIMIT = "2GB"
_TYPES: dict[ColumnType, str] = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


class DuckDbEngine:
    """Answers over the files that lie in the local lake at the time of the query."""

    def __init__(self, settings: Settings, lake: Lake) -> None:
        self._root, self._lake, self._limit_s = settings.local_lake_path, lake, settings.query_timeout_seconds

    def query(self, sql: str) -> QueryResult:
        query = parse_query(sql, LAKE_TABLES)
        named = {table.name.lower() for table in query.find_all(exp.Table)}
        with duckdb.connect(":memory:") as connection:
            for table in LAKE_TABLES.values():
                if table.name in named:
                    connection.execute(self._view(table))
            connection.execute("SET integer_division = true")  # as in Trino: 5 / 2 is 2, and 1 / 0 an error
            _lock(connection, self._root)
            try:
                columns, rows = self._answer(connection, to_duckdb(query))
            except duckdb.InterruptException as error:
                raise TransientFailure(
                    f"the query took over {self._limit_s} s and was ended; narrow the weeks, or raise "
                    "PRISM_QUERY_TIMEOUT_SECONDS"
                ) from error
            except duckdb.OutOfMemoryException as error:
                raise PermanentFailure(
                    f"the query needs more than {MEMORY_LIMIT} of memory; narrow the weeks, or group first"
                ) from error
            except duckdb.Error as error:
                raise BadUsage(f"the query fails: {str(error).splitlines()[0]}") from error
        return QueryResult(columns, rows, "duckdb")

    def _answer(
        self, connection: duckdb.DuckDBPyConnection, sql: str
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """DuckDB has no limit of time of its own: another thread interrupts it."""
        timer = threading.Timer(self._limit_s, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            answer = connection.execute(sql)
            return tuple(column[0] for column in answer.description or ()), answer.fetchall()
        finally:
            timer.cancel()
            timer.join()  # it must not interrupt a connection that is closed

    def _view(self, table: LakeTable) -> str:
        columns = [*((column.name, _TYPES[column.type]) for column in table.columns), ("week", "VARCHAR")]
        files = [self._root / key for key in self._lake.keys(parquet_prefix(table.name))]
        if not files:
            nothing = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in columns)
            return f'CREATE VIEW "{table.name}" AS SELECT {nothing} WHERE false'
        listed = ", ".join(_literal(str(file)) for file in files)
        # union_by_name: a file written before a column was added answers NULL for it, as Athena does.
        read = (
            f"read_parquet([{listed}], hive_partitioning = true, "
            "hive_types = {'week': VARCHAR}, union_by_name = true)"
        )
        chosen = ", ".join(f'"{name}"' for name, _ in columns)
        return f'CREATE VIEW "{table.name}" AS SELECT {chosen} FROM {read}'  # noqa: S608 - our own names and paths


def _lock(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """From here on the connection reads below `root` and nowhere else, and cannot be unlocked."""
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.execute("SET temp_directory = ''")  # a query that needs more fails, and fills no disk
    connection.execute(f"SET allowed_directories = [{_literal(str(root) + '/')}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
