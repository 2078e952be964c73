"""JSON of producers is taken only when every reader sees the same in it."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prism_core.events.rejections import EventRejected, Rejection
from prism_core.events.strict_json import MAX_DEPTH, read

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(['"', '":', ":", '\\":', "\\", '" :'])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values, st.sampled_from([True, False]), st.sampled_from([None, 2, "\t"]))
def test_what_one_object_says_once_is_read_as_every_reader_does(value: Any, ascii_only: Any, indent: Any) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()

    assert read(text) == value


def _written(value: Any, repeat: list[bool]) -> str:
    """JSON text of a value, in which objects repeat their first name where `repeat` says so."""
    if isinstance(value, dict):
        members = [(name, _written(one, repeat)) for name, one in value.items()]
        if members and repeat and repeat.pop():
            members.append(members[0])
        return "{" + ",".join(f"{json.dumps(name)} : {one}" for name, one in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(one, repeat) for one in value) + "]"
    return json.dumps(value)


@given(values, st.lists(st.booleans(), max_size=6))
@example({"a": "\\u0022:"}, [True])
def test_a_name_that_occurs_twice_is_found_and_only_then(value: Any, repeat: list[bool]) -> None:
    flags = list(repeat)
    text = _written(value, flags)
    twice = _has_twice(text)

    if twice:
        with pytest.raises(EventRejected) as rejected:
            read(text.encode())
        assert rejected.value.kind is Rejection.DUPLICATE_NAME
    else:
        read(text.encode())


def _has_twice(text: str) -> bool:
    found = False

    def members(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({name for name, _ in pairs}) < len(pairs)

    json.loads(text, object_pairs_hook=members)
    return found


@pytest.mark.parametrize("hidden", ["003a", "003A"])
def test_an_escaped_colon_does_not_hide_a_repeated_name(hidden: str) -> None:
    with pytest.raises(EventRejected) as rejected:
        read(b'{"a":1,"a":"\\u' + hidden.encode() + b'"}')

    assert rejected.value.path == "/a"


def test_a_repeated_name_is_told_with_its_place() -> None:
    with pytest.raises(EventRejected) as rejected:
        read(b'{"commits":[{"id":1},{"id":2,"~/":3,"~/":4}]}')

    assert (rejected.value.kind, rejected.value.path) == (Rejection.DUPLICATE_NAME, "/commits/1/~0~1")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param(b"", Rejection.NOT_JSON, id="nothing"),
        pytest.param(b"{'a':1}", Rejection.NOT_JSON, id="single quotes"),
        pytest.param(b'{"a":NaN}', Rejection.NOT_JSON, id="nan"),
        pytest.param(b'{"a":-Infinity}', Rejection.NOT_JSON, id="infinity"),
        pytest.param(b'{"a":1e999}', Rejection.UNSAFE_NUMBER, id="larger than a double"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", Rejection.UNSAFE_NUMBER, id="five thousand digits"),
        pytest.param(b'{"a":"\xff"}', Rejection.NOT_UTF8, id="not utf-8"),
        pytest.param(b'\xef\xbb\xbf{"a":1}', Rejection.NOT_JSON, id="byte order mark"),
        pytest.param(rb'{"a":"\ud800"}', Rejection.NOT_JSON, id="half a surrogate pair"),
        pytest.param(b'{"a":1}{"a":2}', Rejection.NOT_JSON, id="two texts"),
        pytest.param(b"[" * 200_000, Rejection.TOO_DEEP, id="without end"),
        pytest.param(b"[" * 900 + b"]" * 900, Rejection.TOO_DEEP, id="nine hundred levels"),
    ],
)
def test_what_is_no_strict_json_is_refused_by_its_kind(text: bytes, kind: Rejection) -> None:
    with pytest.raises(EventRejected) as rejected:
        read(text)

    assert rejected.value.kind is kind


def test_depth_is_taken_up_to_the_limit_and_not_beyond() -> None:
    read(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)

    with pytest.raises(EventRejected) as rejected:
        read(b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1))

    assert rejected.value.kind is Rejection.TOO_DEEP


def test_long_whole_numbers_stay_exact() -> None:
    assert read(b'{"id":12345678901234567890123}') == {"id": 12345678901234567890123}
