"""How values of the data look on a terminal."""

import io

import pytest
from rich.console import Console
from rich.table import Column, Table

from infra.cli.console import count_of, plain


def printed(value: object) -> str:
    out = io.StringIO()
    table = Table(Column(plain("[bold]name")))
    table.add_row(plain(value))
    Console(file=out, width=80).print(table)
    return out.getvalue()


@pytest.mark.parametrize("value", ["[red]", "[/red]", "[link=http://x]y[/link]", "a[0]", "\\[x]"])
def test_brackets_of_the_data_are_shown_as_they_are(value: str) -> None:
    assert value in printed(value)
    assert "[bold]name" in printed(value)


def test_a_value_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in printed("\x1b]0;title\x07\x1b[31m")


def test_one_is_not_many() -> None:
    assert [count_of(n, "row", "rows") for n in (0, 1, 2_000)] == ["0 rows", "1 row", "2,000 rows"]
