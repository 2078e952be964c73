"""What a query answers, whoever answered it.

Belongs here: the result and its printed forms (table is the command line's own). Does not belong here:
engines.
"""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Columns and rows; `scanned_bytes` is what the engine says it read, None when it does not say."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    engine: str
    scanned_bytes: int | None = None


class QueryEngine(Protocol):
    """Answers Trino SQL over the lake."""

    def query(self, sql: str) -> QueryResult:
        """Run one SELECT. Raises BadUsage for bad SQL, TransientFailure when the engine gives no answer."""
        ...


def as_csv(result: QueryResult) -> str:
    """RFC 4180 with LF line ends; NULL is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(["" if value is None else _text(value) for value in row] for row in result.rows)
    return out.getvalue()


def as_json(result: QueryResult) -> str:
    """A JSON array of objects; decimals as numbers, dates, instants, NaN and infinity as text."""
    rows = [dict(zip(result.columns, map(_finite, row), strict=True)) for row in result.rows]
    return json.dumps(rows, default=_json_value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _finite(value: Any) -> Any:
    """JSON has no word for NaN and infinity (RFC 8259, section 6)."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _json_value(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
