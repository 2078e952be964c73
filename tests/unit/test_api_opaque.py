"""Keys and cursors in URLs."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_api.api.opaque import decode_cursor, decode_key, encode_cursor, encode_key
from prism_api.api.problems import Problem

KEY = b"a key of a test"


@given(
    st.dictionaries(
        st.sampled_from(["member_id", "week", "project_id"]), st.text(min_size=1, max_size=20), min_size=1
    )
)
def test_a_key_comes_back_as_it_was_and_fits_into_a_path(parts: dict[str, str]) -> None:
    text = encode_key(parts)

    assert decode_key(text, tuple(parts)) == parts
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "text",
    ["", "x", "!!!", "e30", "bnVsbA", "W10", encode_key({"a": "1"}), encode_key({"a": "1", "b": "2"}) + "=", "ÿ"],
)
def test_a_key_that_nobody_made_names_nothing(text: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_key(text, ("a", "b"))

    assert refused.value.status == 404


def test_one_item_has_one_address() -> None:
    other = base64.urlsafe_b64encode(json.dumps({"b": "2", "a": "1"}).encode()).decode().rstrip("=")

    with pytest.raises(Problem):
        decode_key(other, ("a", "b"))


@given(st.text(max_size=30), st.lists(st.integers() | st.text(max_size=5), max_size=3))
def test_a_cursor_comes_back_as_it_was(listed: str, position: list[object]) -> None:
    assert decode_cursor(KEY, listed, encode_cursor(KEY, listed, position)) == position


@pytest.mark.parametrize("piece", [slice(1, None), slice(None, -1), slice(0), slice(None, None, -1)])
def test_a_changed_cursor_is_refused(piece: slice) -> None:
    cursor = encode_cursor(KEY, "list", [1, {"member_id": "m"}])

    with pytest.raises(Problem) as refused:
        decode_cursor(KEY, "list", cursor[piece])
    assert refused.value.status == 400


def test_a_cursor_of_another_list_or_another_key_is_refused() -> None:
    cursor = encode_cursor(KEY, "list", 1)

    with pytest.raises(Problem, match="another list"):
        decode_cursor(KEY, "other", cursor)
    with pytest.raises(Problem, match="not one that this API gave out"):
        decode_cursor(b"other key", "list", cursor)
