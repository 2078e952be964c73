"""What a query answers, whoever answered it.

Belongs here: the answer, whole or as a stream, and its forms as text (table is the command line's own).
Does not belong here: engines, and the forms that are files (files.py).
"""

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from prism_core.failures import BadUsage
from prism_core.workbooks.exporting import neutral

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Columns and rows; `scanned_bytes` is what the engine says it read, None when it does not say."""

    columns: tuple[str, ...]
    rows: Sequence[Row]
    engine: str
    scanned_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class QueryStream:
    """An answer that is read as it comes, once. `types` are Trino's names, a column each."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    batches: Iterator[Sequence[Row]]
    engine: str
    scanned_bytes: int | None = None

    def collect(self) -> QueryResult:
        """The rest of the answer in memory."""
        rows = [row for batch in self.batches for row in batch]
        return QueryResult(self.columns, rows, self.engine, self.scanned_bytes)


class QueryEngine(Protocol):
    """Answers Trino SQL over the lake."""

    def query(self, sql: str) -> QueryResult:
        """Run one SELECT. Raises BadUsage for bad SQL, TransientFailure when the engine gives no answer."""
        ...

    def stream(self, sql: str) -> AbstractContextManager[QueryStream]:
        """As `query`, for an answer of any length: it takes the memory of one batch. Reading may raise as well."""
        ...


def as_csv(result: QueryResult) -> str:
    """The answer as CSV."""
    return "".join(csv_pieces(result.columns, [result.rows]))


def as_json(result: QueryResult) -> str:
    """The answer as JSON."""
    return "".join(json_pieces(result.columns, [result.rows]))


def csv_pieces(columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> Iterator[str]:
    """RFC 4180 with LF line ends; NULL is an empty field. Text that looks like a formula gets a `'` first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(neutral, columns))
    for batch in batches:
        writer.writerows([_text(value) for value in row] for row in batch)
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def json_pieces(columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> Iterator[str]:
    """A JSON array of objects; decimals as numbers, dates, instants, NaN and infinity as text.

    Raises BadUsage for two columns of one name: an object holds one of them.
    """
    refuse_repeated(columns)
    before = "[\n"
    for batch in batches:
        for row in batch:
            found = dict(zip(columns, map(_finite, row), strict=True))
            text = json.dumps(found, default=json_value, indent=2, ensure_ascii=False, allow_nan=False)
            yield f"{before}  {text.replace(chr(10), chr(10) + '  ')}"
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def refuse_repeated(columns: Sequence[str]) -> None:
    """Raise BadUsage when two columns have one name."""
    repeated = sorted(name for name, number in Counter(columns).items() if number > 1)
    if repeated:
        raise BadUsage(f"two columns are called {', '.join(repeated)}; name them apart with AS")


def json_value(value: Any) -> Any:
    """What JSON holds for a value it does not know."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return neutral(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _finite(value: Any) -> Any:
    """JSON has no word for NaN and infinity (RFC 8259, section 6)."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
