"""What the lake can be asked: its tables and views, and their columns.

Belongs here: the two listings of `prism query --views`. Does not belong here: what they say (prism_core/lake*.py).
No platform is needed for them.
"""

from typing import Any

import typer
from rich.table import Table

from infra.cli.console import out, plain


def print_catalogue(name: str | None, *, as_json: bool) -> None:
    """All tables and views, or the columns of one. Raises BadUsage for a name that is none."""
    import json

    from prism_core.lake_catalogue import described, entries, entry

    if as_json:
        found = described(name) if name else [described(entry.name) for entry in entries()]
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if name is None:
        _print(
            ("name", "kind", "columns", "meaning"),
            [(e.name, e.kind, len(e.columns), e.meaning) for e in entries()],
        )
        return
    columns = entry(name).columns
    _print(("column", "type", "meaning"), [(one.name, one.type, one.meaning) for one in columns])


def _print(titles: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """The last column folds: it is a sentence."""
    table = Table()
    for title in titles[:-1]:
        table.add_column(title, no_wrap=True)
    table.add_column(titles[-1])
    for row in rows:
        table.add_row(*map(plain, row))
    out.print(table, soft_wrap=False)
