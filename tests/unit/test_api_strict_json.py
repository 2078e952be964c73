"""Bodies that two readers could understand differently."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_api.api.problems import Problem
from prism_api.api.strict_json import MAX_DEPTH, read

SAFE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(SAFE)
def test_sound_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    assert read(json.dumps(value).encode()) == value
    assert read(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("body", "status", "path", "says"),
    [
        (b"", 400, None, "not JSON"),
        (b"{", 400, None, "not JSON"),
        (b"{'a': 1}", 400, None, "line 1, column 2"),
        (b'{"a": 1} x', 400, None, "not JSON"),
        (b"\xff", 400, None, "not UTF-8: byte 0"),
        (b'\xef\xbb\xbf{"a": 1}', 400, None, "not JSON"),
        (b'{"a": 1, "a": 2}', 422, "body.a", "twice"),
        (b'{"x": {"b": 1, "b": 1}}', 422, "body.b", "twice"),
        (b'{"a": NaN}', 422, "body", "NaN"),
        (b'{"a": -Infinity}', 422, "body", "Infinity"),
        (b'{"a": 1e999}', 422, "body.a", "too large"),
        (b'{"a": 9007199254740993}', 422, "body.a", "not exact"),
        (b'{"a": ' + b"9" * 5000 + b"}", 422, "body", "5000 digits"),
        (b'{"a": ["x", "y\\u0000"]}', 422, "body.a.1", "control"),
        (b'{"a\\u0007": 1}', 422, "body.'a\\x07'", "control"),
        (b'{"a": "\\ud800"}', 422, "body.a", "surrogate"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), 422, "body", "nested"),
        (b'{"a":' * 100_000, 422, "body", "nested"),
    ],
)
def test_anything_else_is_refused_with_its_place(body: bytes, status: int, path: str | None, says: str) -> None:
    with pytest.raises(Problem) as refused:
        read(body)

    problem = refused.value
    assert problem.status == status
    assert [error.path for error in problem.errors] == ([] if path is None else [path])
    assert says in problem.detail


def test_brackets_inside_a_text_are_no_depth() -> None:
    text = "[" * 1000 + '\\"'

    assert read(json.dumps({"a": text}).encode()) == {"a": text}
