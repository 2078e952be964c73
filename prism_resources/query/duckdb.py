"""DuckDB over the files of the local lake.

Belongs here: one view a table over exactly the objects that S3 lists (a deleted object's file may linger
on disk), locked so that a query reaches nothing else. Does not belong here: Athena's side (athena.py).
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.lake import PARQUET_ROOT, ColumnType, LakeTable, parquet_prefix
from prism_core.lake_tables import LAKE_TABLES
from prism_core.settings import Settings
from prism_resources.lake import Lake
from prism_resources.query.result import QueryResult, QueryStream, Row
from prism_resources.query.sql import parse_query, tables_of, to_duckdb

# DuckDB alone would take 80 % of the machine, which Dagster and the emulator share with it.
MEMORY_LIMIT = "2GB"
BATCH_ROWS = 10_000
_TYPES: dict[ColumnType, str] = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
# Of an answer, where Trino has another name. A sum of whole numbers is HUGEINT in DuckDB and bigint in Trino.
_TRINO_TYPES = {"HUGEINT": "bigint", "FLOAT": "real", '"NULL"': "unknown"}


class DuckDbEngine:
    """Answers over the files that lie in the local lake at the time of the query."""

    def __init__(self, settings: Settings, lake: Lake) -> None:
        self._root, self._lake, self._limit_s = settings.local_lake_path, lake, settings.query_timeout_seconds

    def query(self, sql: str) -> QueryResult:
        with self.stream(sql) as answer:
            return answer.collect()

    @contextmanager
    def stream(self, sql: str) -> Iterator[QueryStream]:
        query = parse_query(sql)
        with duckdb.connect(":memory:") as connection:
            connection.execute("SET TimeZone = 'UTC'")  # as in Athena, wherever this machine stands
            for name in sorted(tables_of(query)):
                self._make_view(connection, LAKE_TABLES[name])
            connection.execute("SET integer_division = true")  # as in Trino: 5 / 2 is 2, and 1 / 0 an error
            _lock(connection, self._root)
            with self._limited(connection):
                answer = connection.execute(to_duckdb(query))
            described = answer.description or []
            names, types = (tuple(c[0] for c in described), tuple(_trino_type(str(c[1])) for c in described))
            yield QueryStream(names, types, self._batches(connection, answer), "duckdb")

    def _batches(
        self, connection: duckdb.DuckDBPyConnection, answer: duckdb.DuckDBPyConnection
    ) -> Iterator[list[Row]]:
        """DuckDB computes the rows while they are fetched."""
        while True:
            with self._limited(connection):
                batch = answer.fetchmany(BATCH_ROWS)
            if not batch:
                return
            yield batch

    @contextmanager
    def _limited(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """DuckDB has no limit of time of its own: another thread interrupts it. Its errors become ours."""
        timer = threading.Timer(self._limit_s, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
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
        finally:
            timer.cancel()
            timer.join()  # it must not interrupt a connection that is closed

    def _make_view(self, connection: duckdb.DuckDBPyConnection, table: LakeTable) -> None:
        """One view over the files of a table, with exactly its columns.

        A file written before a column was added answers NULL for it, as in Athena: through union_by_name where
        another file has it, by name where none has.
        """
        columns = {**{column.name: _TYPES[column.type] for column in table.columns}, "week": "VARCHAR"}
        files = ", ".join(_literal(str(self._root / key)) for key in self._lake.keys(parquet_prefix(table.name)))
        nothing = {name: f"CAST(NULL AS {kind})" for name, kind in columns.items()}
        if not files:
            connection.execute(_view(table, nothing, "(SELECT 1) WHERE false"))
            return
        options = "hive_partitioning = true, hive_types = {'week': VARCHAR}, union_by_name = true"
        read = f"read_parquet([{files}], {options})"
        # The files say that an instant is in UTC; Athena answers it without a zone.
        chosen = {
            name: f'CAST("{name}" AS TIMESTAMP)' if kind == "TIMESTAMP" else f'"{name}"'
            for name, kind in columns.items()
        }
        try:
            connection.execute(_view(table, chosen, read))
        except duckdb.BinderException:
            described = connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()  # noqa: S608 - our paths
            there = {str(row[0]) for row in described}
            known = {name: text if name in there else nothing[name] for name, text in chosen.items()}
            connection.execute(_view(table, known, read))


def _view(table: LakeTable, columns: Mapping[str, str], source: str) -> str:
    listed = ", ".join(f'{text} AS "{name}"' for name, text in columns.items())
    return f'CREATE VIEW "{table.name}" AS SELECT {listed} FROM {source}'  # noqa: S608 - our own names and paths


def _lock(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """From here on the connection reads the Parquet files of the lake and nothing else, and cannot be unlocked.

    Beside them below `root` lie uploads, raw input and backups, which hold what no query may show.
    """
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.execute("SET temp_directory = ''")  # a query that needs more fails, and fills no disk
    connection.execute(f"SET allowed_directories = [{_literal(f'{root / PARQUET_ROOT}/')}]")
    connection.execute("SET python_enable_replacements = false")  # a variable of ours is no table either
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _trino_type(kind: str) -> str:
    return _TRINO_TYPES.get(kind, kind.lower())


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
