"""Athena over the lake, in `aws`.

Belongs here: start, wait, cancel on time-out, page through the result.
Does not belong here: the tables (Glue, in the templates) and the local engine (duckdb.py).
Source: Athena API StartQueryExecution, GetQueryExecution, GetQueryResults (1,000 rows a page, values as text,
the first row of the first page is the header).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from prism_core.failures import BadUsage, TransientFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling
from prism_resources.query.result import QueryResult, QueryStream, Row
from prism_resources.query.sql import parse_query, to_trino

if TYPE_CHECKING:
    from types_boto3_athena import AthenaClient
    from types_boto3_athena.type_defs import ColumnInfoTypeDef

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
        with self.stream(sql) as answer:
            return answer.collect()

    @contextmanager
    def stream(self, sql: str) -> Iterator[QueryStream]:
        text = to_trino(parse_query(sql))
        with calling("Athena", "query"):
            execution = self._athena.start_query_execution(
                QueryString=text,
                QueryExecutionContext={"Database": self._settings.glue_database},
                WorkGroup=self._settings.workgroup,
            )["QueryExecutionId"]
            scanned = self._await(execution)
            yield self._answer(execution, scanned)

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

    def _answer(self, execution: str, scanned: int | None) -> QueryStream:
        pages = iter(self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution))
        first = next(pages)["ResultSet"]
        described = first.get("ResultSetMetadata", {}).get("ColumnInfo", [])
        readers = [_READERS.get(column["Type"], str) for column in described]

        def batches() -> Iterator[list[Row]]:
            yield [_row(readers, row.get("Data", [])) for row in first.get("Rows", [])[1:]]
            for page in pages:
                yield [_row(readers, row.get("Data", [])) for row in page["ResultSet"].get("Rows", [])]

        names, types = (tuple(column["Name"] for column in described), tuple(map(_type, described)))
        return QueryStream(names, types, batches(), "athena", scanned)


def _type(column: "ColumnInfoTypeDef") -> str:
    if column["Type"] == "decimal":
        return f"decimal({column.get('Precision', 38)},{column.get('Scale', 0)})"
    return {"float": "real"}.get(column["Type"], column["Type"])


def _row(readers: list[Callable[[str], Any]], cells: Any) -> Row:
    values = [cell.get("VarCharValue") for cell in cells]
    return tuple(None if value is None else read(value) for read, value in zip(readers, values, strict=True))
