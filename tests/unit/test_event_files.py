"""Files of events: what is wrong in one of them is wrong alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cli.event_files import values
from prism_core.events.rejections import EventRejected, Rejection
from prism_core.failures import BadUsage

REFUSED = {
    '{"n": NaN}': Rejection.NOT_JSON,
    '{"n": 1e400}': Rejection.UNSAFE_NUMBER,
    '{"t": "\\ud800"}': Rejection.NOT_JSON,
    '{"a": 1, "a": 2}': Rejection.DUPLICATE_NAME,
    '{"n": ' + "9" * 5_000 + "}": Rejection.UNSAFE_NUMBER,
    "[" * 65 + "]" * 65: Rejection.TOO_DEEP,
}


def read(tmp_path: Path, text: str) -> list[Any]:
    path = tmp_path / "events.json"
    path.write_text(text, encoding="utf-8")
    return list(values(path))


@pytest.mark.parametrize("form", ["[{}]", " [ {} \n] \n"], ids=["list", "list with space"])
def test_an_element_that_no_event_can_be_leaves_its_neighbours_alone(tmp_path: Path, form: str) -> None:
    deep = '{"a]": "\\"]", "n": ' + "[" * 100_000 + "]" * 100_000 + "}"
    texts = ['{"id": "1"}', *REFUSED, deep, '{"id": "2", "list": [1, 2], "t": "a,]"}']

    found = read(tmp_path, form.format(" ,\n".join(texts)))

    assert (found[0], found[-1]) == ({"id": "1"}, {"id": "2", "list": [1, 2], "t": "a,]"})
    kinds = [one.kind for one in found[1:-1] if isinstance(one, EventRejected)]
    assert kinds == [*REFUSED.values(), Rejection.TOO_DEEP]


def test_a_line_that_no_event_can_be_leaves_its_neighbours_alone_however_deep_it_is(tmp_path: Path) -> None:
    deep, text = "[" * 100_000 + "]" * 100_000, '{"t": "a\u2028b"}'

    found = read(tmp_path, "\r\n".join(['{"id": "1"}', *REFUSED, deep, "", text]))

    assert (found[0], found[-1]) == ({"id": "1"}, {"t": "a\u2028b"})
    kinds = [one.kind for one in found[1:-1] if isinstance(one, EventRejected)]
    assert kinds == [*REFUSED.values(), Rejection.TOO_DEEP]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[]", []), ('{"id": "1"}', [{"id": "1"}]), ("[1]\n[2]", [[1], [2]]), (" 7 ", [7]), ("", [])],
    ids=["empty list", "one", "lists", "number", "nothing"],
)
def test_a_file_is_a_list_one_value_or_one_a_line(tmp_path: Path, text: str, expected: list[Any]) -> None:
    assert read(tmp_path, text) == expected
    if expected:
        assert read(tmp_path, json.dumps(expected, indent=2)) == expected


@pytest.mark.parametrize("text", ["[1, 2", "[1,]", "[1] 2", '{"a"', "a", '{"a": 1}\nno'])
def test_what_is_no_json_is_told_before_anything_is_sent(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadUsage, match=r"events\.json, line [12]: this is not JSON"):
        read(tmp_path, text)
