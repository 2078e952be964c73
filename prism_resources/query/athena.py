"""Athena over the lake, in `aws`.

Belongs here: start, wait, cancel on time-out, page through the result.
Does not belong here: the tables (Glue, in the templates) and the local engine (duckdb.py).
Source: Athena API StartQueryExecution, GetQueryExecution, GetQueryResults (1,000 rows a page, values as text,
the first row of the first page is the header).
"""

import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from prism_core.failures import BadUsage, TransientFailure
from prism_core.lake_tables import LAKE_TABLES
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling
from prism_resources.query.result import QueryResult
from prism_resources.query.sql import parse_query

if TYPE_CHECKING:
    from types_boto3_athena import AthenaClient

_POLL_SECONDS = 0.5
_READERS: dict[str, Callable[[str], Any]] = {
    "tinyint": int,
    "smallint": int,
    "integer": int,
    "bigint": int,
    "float": float,
    "double": float,
    "decimal": Decimal,
    "boolean": lambda text: text == "true",
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
}


class AthenaEngine:
    """Answers with Athena, in the workgroup of the settings (which names the result location)."""

    def __init__(self, settings: Settings) -> None:
        self._athena: AthenaClient = client(settings, "athena")
        self._settings = settings

    def query(self, sql: str) -> QueryResult:
        text = parse_query(sql, LAKE_TABLES).sql(dialect="trino")
        with calling("Athena", "query"):
            execution = self._athena.start_query_execution(
                QueryString=text,
                QueryExecutionContext={"Database": self._settings.glue_database},
                WorkGroup=self._settings.athena_workgroup,
            )["QueryExecutionId"]
            scanned = self._await(execution)
            return self._result(execution, scanned)

    def _await(self, execution: str) -> int | None:
        deadline = time.monotonic() + self._settings.query_timeout_seconds
        while True:
            found = self._athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
            status = found.get("Status", {})
            state, reason = status.get("State"), status.get("StateChangeReason", "no reason given")
            if state == "SUCCEEDED":
                return found.get("Statistics", {}).get("DataScannedInBytes")
            if state == "FAILED":
                raise BadUsage(f"the query fails: {reason} (Athena execution {execution})")
            if state == "CANCELLED":
                raise TransientFailure(f"Athena execution {execution} was cancelled: {reason}")
            if time.monotonic() > deadline:
                self._athena.stop_query_execution(QueryExecutionId=execution)
                raise TransientFailure(
                    f"Athena execution {execution} took over {self._settings.query_timeout_seconds} s and was "
                    "cancelled; narrow the weeks, or raise PRISM_QUERY_TIMEOUT_SECONDS"
                )
            time.sleep(_POLL_SECONDS)

    def _result(self, execution: str, scanned: int | None) -> QueryResult:
        columns: tuple[str, ...] = ()
        readers: list[Callable[[str], Any]] = []
        rows: list[tuple[Any, ...]] = []
        for page in self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution):
            found = page["ResultSet"]
            described = found.get("ResultSetMetadata", {}).get("ColumnInfo", [])
            data = found.get("Rows", [])
            if not columns:
                columns = tuple(column["Name"] for column in described)
                readers = [_READERS.get(column["Type"], str) for column in described]
                data = data[1:]
            rows += [_row(readers, row.get("Data", [])) for row in data]
        return QueryResult(columns, rows, "athena", scanned)


def _row(readers: list[Callable[[str], Any]], cells: Any) -> tuple[Any, ...]:
    values = [cell.get("VarCharValue") for cell in cells]
    return tuple(None if value is None else read(value) for read, value in zip(readers, values, strict=True))
