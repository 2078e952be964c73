"""One content, two encodings: what JSON Lines say is what the rows say, for any text and number."""

import gzip
import io
import json
import math
from dataclasses import replace
from datetime import UTC, date
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prism_core.failures import PermanentFailure
from prism_core.lake import Column, LakeTable
from prism_resources import lake_files
from prism_resources.lake_files import arrow_rows, content_of, parquet_bytes, rows_of_lines

TABLE = LakeTable(
    "things",
    "of a test",
    (
        Column("name", "string", "a text"),
        Column("count", "bigint", "a number"),
        Column("share", "double", "a number"),
        Column("on", "boolean", "yes or no"),
        Column("day", "date", "a day"),
        Column("at", "timestamp", "an instant"),
        Column("more", "string", "JSON of something", json=True),
    ),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
some_rows = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.none() | texts,
            "count": st.none() | st.integers(-(2**63), 2**63 - 1),
            "share": st.none() | st.floats(allow_nan=True),
            "on": st.none() | st.booleans(),
            "day": st.none() | st.dates(),
            "at": st.none() | st.datetimes(timezones=st.just(UTC)),
            "more": st.none() | st.dictionaries(texts, st.integers() | texts, max_size=3).map(json.dumps),
        }
    ),
    max_size=8,
)


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """What JSON says of a row: it has no word for NaN and infinity."""
    share = row["share"]
    return row | {
        "share": share if share is None or math.isfinite(share) else None,
        "day": row["day"] and row["day"].isoformat(),
        "at": row["at"] and row["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0"),
        "more": row["more"] and json.loads(row["more"]),
    }


@given(some_rows)
def test_json_lines_say_what_the_rows_say(rows: list[dict[str, Any]]) -> None:
    lines = gzip.decompress(content_of(TABLE, [arrow_rows(TABLE, rows)]).lines).splitlines()

    assert [json.loads(line) for line in lines] == [shown(row) for row in rows]


@given(some_rows)
@example([dict.fromkeys(("name", "count", "on", "day", "at", "more")) | {"share": -0.0}])
def test_rows_that_are_read_from_json_lines_are_the_same_content(rows: list[dict[str, Any]]) -> None:
    written = content_of(TABLE, [arrow_rows(TABLE, rows)])

    read = rows_of_lines(TABLE, gzip.decompress(written.lines))

    assert content_of(TABLE, [read]) == replace(written, slices=[read])
    assert [row["more"] for row in read.to_pylist()] == [row["more"] for row in rows]


def test_many_rows_are_encoded_in_slices_to_the_same_content(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = arrow_rows(TABLE, [{"name": f"thing {number}", "count": number} for number in range(1_000)])
    whole = content_of(TABLE, [rows])

    monkeypatch.setattr(lake_files, "SLICE_ROWS", 64)
    monkeypatch.setattr(lake_files, "GROUP_ROWS", 100)
    sliced = content_of(TABLE, [rows.slice(0, 10), rows.slice(10, 500), rows.slice(510)])

    assert sliced.content_hash == whole.content_hash
    assert gzip.decompress(sliced.lines) == gzip.decompress(whole.lines)
    parquet = pq.ParquetFile(io.BytesIO(parquet_bytes(TABLE, sliced, 1)))
    assert parquet.read().equals(rows)
    assert [parquet.metadata.row_group(number).num_rows for number in range(parquet.num_row_groups)] == [100] * 10


def test_rows_are_equal_bytes_however_they_come() -> None:
    rows = arrow_rows(TABLE, [{"name": f"thing {number}", "count": number} for number in range(1_000)])
    parts = [rows.slice(0, 1), rows.slice(1, 0), rows.slice(1, 700), rows.slice(701)]

    whole, sliced = content_of(TABLE, [rows]), content_of(TABLE, parts)

    assert sliced.rows == whole.rows == 1_000
    assert sliced.lines == whole.lines
    assert parquet_bytes(TABLE, sliced, 1) == parquet_bytes(TABLE, whole, 1)


def test_equal_rows_are_equal_bytes_and_another_row_is_another_hash() -> None:
    rows = [{"name": "one", "day": date(2026, 1, 5)}]
    first, again = (content_of(TABLE, [arrow_rows(TABLE, rows)]) for _ in range(2))
    other = content_of(TABLE, [arrow_rows(TABLE, [*rows, *rows])])

    assert (first.lines, first.content_hash) == (again.lines, again.content_hash)
    assert parquet_bytes(TABLE, first, 1) == parquet_bytes(TABLE, again, 1)
    assert other.content_hash != first.content_hash


def test_a_column_that_is_gained_is_another_content_even_of_no_rows() -> None:
    wider = LakeTable("things", "of a test", (*TABLE.columns, Column("new", "string", "a text")))

    assert (
        content_of(wider, [arrow_rows(wider, [])]).content_hash
        != content_of(TABLE, [arrow_rows(TABLE, [])]).content_hash
    )


def test_a_parquet_file_says_which_content_and_generation_it_is() -> None:
    content = content_of(TABLE, [arrow_rows(TABLE, [{"name": "one"}])])

    said = pq.read_schema(io.BytesIO(parquet_bytes(TABLE, content, 7))).metadata or {}

    assert said[b"prism.generation"] == b"7"
    assert said[b"prism.content_hash"] == content.content_hash.encode()


def test_a_row_that_does_not_fit_is_refused_with_the_table() -> None:
    with pytest.raises(PermanentFailure, match="rows do not fit lake table things"):
        arrow_rows(TABLE, [{"count": "many"}])
