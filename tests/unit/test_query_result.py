"""The printed forms of an answer."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from prism_resources.query.result import QueryResult, as_csv, as_json

ROW = (
    1,
    None,
    True,
    Decimal("1.50"),
    date(2026, 1, 5),
    datetime(2026, 1, 5, 7, tzinfo=UTC),
    'a,"b"\nc',
    float("nan"),
    "é",
)
RESULT = QueryResult(tuple("abcdefghi"), [ROW], "duckdb")


def test_csv_quotes_what_needs_it_and_leaves_null_empty() -> None:
    assert as_csv(RESULT) == (
        'a,b,c,d,e,f,g,h,i\n1,,true,1.50,2026-01-05,2026-01-05T07:00:00+00:00,"a,""b""\nc",nan,é\n'
    )


def test_json_is_json_whatever_the_figures() -> None:
    (row,) = json.loads(as_json(RESULT), parse_constant=lambda word: f"{word} is not JSON")

    assert row == {
        "a": 1,
        "b": None,
        "c": True,
        "d": 1.5,
        "e": "2026-01-05",
        "f": "2026-01-05T07:00:00+00:00",
        "g": 'a,"b"\nc',
        "h": "nan",
        "i": "é",
    }


def test_no_rows_are_a_header_and_an_empty_list() -> None:
    empty = QueryResult(("a",), [], "duckdb")

    assert as_csv(empty) == "a\n"
    assert json.loads(as_json(empty)) == []
