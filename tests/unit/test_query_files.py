"""An answer as a file, read back by other programs than ours."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prism_core.failures import BadUsage
from prism_resources.query import files
from prism_resources.query.files import FileFormat, write_answer
from prism_resources.query.result import QueryStream

COLUMNS = {
    "week": "varchar",
    "tasks": "bigint",
    "score": "double",
    "cost": "decimal(10,2)",
    "day": "date",
    "at": "timestamp",
    "ok": "boolean",
    "ids": "varchar[]",
    "nothing": "unknown",
}
ROWS = [
    ("2026-W01", 7, 0.5, Decimal("1.50"), date(2026, 1, 5), datetime(2026, 1, 5, 7), True, ["a", "b"], None),  # noqa: DTZ001
    (None, None, None, None, None, None, None, None, None),
]


def stream(columns: dict[str, str], *batches: Sequence[tuple[Any, ...]]) -> QueryStream:
    return QueryStream(tuple(columns), tuple(columns.values()), iter(batches), "duckdb")


def written(file_format: FileFormat, columns: dict[str, str], *batches: Sequence[tuple[Any, ...]]) -> bytes:
    target = io.BytesIO()
    assert write_answer(stream(columns, *batches), file_format, target) == sum(map(len, batches))
    return target.getvalue()


def sheet(body: bytes) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(body))
    assert book.active is not None
    return [[cell.value for cell in row] for row in book.active.iter_rows()]


def test_parquet_keeps_the_types_and_the_nulls() -> None:
    table = pq.read_table(io.BytesIO(written(FileFormat.PARQUET, COLUMNS, ROWS[:1], ROWS[1:])))

    kinds = {field.name: field.type for field in table.schema}
    assert kinds["tasks"] == pa.int64()
    assert kinds["cost"] == pa.decimal128(10, 2)
    assert (kinds["day"], kinds["at"]) == (pa.date32(), pa.timestamp("us"))
    assert [tuple(row.values()) for row in table.to_pylist()] == [(*ROWS[0][:7], '["a","b"]', None), ROWS[1]]


def test_a_workbook_has_numbers_days_and_truth_values_as_such() -> None:
    last = (*ROWS[1][:-1], "x")

    header, first, second = sheet(written(FileFormat.XLSX, COLUMNS, [ROWS[0], last]))

    assert header == list(COLUMNS)
    assert first == [
        "2026-W01", 7, 0.5, 1.5, datetime(2026, 1, 5), datetime(2026, 1, 5, 7), True, '["a","b"]', None,  # noqa: DTZ001
    ]  # fmt: skip
    assert second == [*ROWS[1][:-1], "x"]


def test_csv_and_json_hold_the_same_rows_however_they_were_batched() -> None:
    for file_format in (FileFormat.CSV, FileFormat.JSON):
        assert written(file_format, COLUMNS, ROWS) == written(file_format, COLUMNS, ROWS[:1], [], ROWS[1:])

    assert json.loads(written(FileFormat.JSON, COLUMNS, ROWS))[0]["at"] == "2026-01-05T07:00:00"
    assert list(csv.reader(io.StringIO(written(FileFormat.CSV, COLUMNS, ROWS).decode())))[2] == [""] * len(COLUMNS)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1", "=cmd|' /C calc'!A0"])
def test_text_that_a_spreadsheet_would_compute_stays_text(text: str) -> None:
    columns = {text: "varchar", "n": "bigint"}

    rows = list(csv.reader(io.StringIO(written(FileFormat.CSV, columns, [(text, -1)]).decode(), newline="")))
    book = openpyxl.load_workbook(io.BytesIO(written(FileFormat.XLSX, columns, [(text, -1)])))

    assert rows == [[f"'{text}", "n"], [f"'{text}", "-1"]]
    assert book.active is not None
    assert [cell.data_type for row in book.active.iter_rows() for cell in row] == ["s", "s", "s", "n"]
    assert book.active["A2"].value == text


def test_a_workbook_holds_what_a_spreadsheet_would_round_or_refuse_as_text() -> None:
    columns = {"a": "bigint", "b": "double", "c": "varchar", "d": "timestamp with time zone"}
    row = (12345678901234567890, float("nan"), "x" * 40_000, datetime(2026, 1, 5, 9, tzinfo=UTC))

    _, found = sheet(written(FileFormat.XLSX, columns, [row]))

    assert found[:2] == ["12345678901234567890", "nan"]
    assert len(found[2]) == 32_767
    assert found[2].endswith("(cut: too long for a cell)")
    assert found[3] == datetime(2026, 1, 5, 9)  # noqa: DTZ001 - a sheet knows no zones


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SHEET_ROWS", 3)

    assert len(sheet(written(FileFormat.XLSX, {"a": "bigint"}, [(1,), (2,)]))) == 3
    with pytest.raises(BadUsage, match="more rows than the 2 of a sheet"):
        written(FileFormat.XLSX, {"a": "bigint"}, [(1,), (2,)], [(3,)])


@pytest.mark.parametrize("file_format", [FileFormat.PARQUET, FileFormat.JSON])
def test_two_columns_of_one_name_are_refused_where_one_would_be_lost(file_format: FileFormat) -> None:
    twice = QueryStream(("week", "week"), ("varchar", "varchar"), iter([[("a", "b")]]), "duckdb")

    with pytest.raises(BadUsage, match="two columns are called week"):
        write_answer(twice, file_format, io.BytesIO())


def test_a_sum_beyond_a_whole_number_of_parquet_names_its_column() -> None:
    with pytest.raises(BadUsage, match="column n holds what a int64"):
        written(FileFormat.PARQUET, {"n": "bigint"}, [(2**63,)])


def test_an_answer_without_rows_is_a_file_with_columns() -> None:
    assert written(FileFormat.CSV, COLUMNS).decode() == ",".join(COLUMNS) + "\n"
    assert json.loads(written(FileFormat.JSON, COLUMNS)) == []
    assert sheet(written(FileFormat.XLSX, COLUMNS)) == [list(COLUMNS)]
    assert pq.read_table(io.BytesIO(written(FileFormat.PARQUET, COLUMNS))).column_names == list(COLUMNS)


def test_rows_are_written_as_they_come(tmp_path: Path) -> None:
    """The second batch is asked for only when the first has left."""
    seen: list[int] = []

    def batches() -> Iterator[list[tuple[int]]]:
        for number in range(3):
            seen.append(number)
            yield [(number,)] * 10

    told: list[int] = []
    answer = QueryStream(("n",), ("bigint",), batches(), "duckdb")

    def progress(rows: int) -> None:
        told.append(rows)
        assert len(seen) == rows // 10

    with (tmp_path / "n.parquet").open("wb") as target:
        write_answer(answer, FileFormat.PARQUET, target, progress)

    assert told == [10, 20, 30]
