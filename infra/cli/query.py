"""`prism query`: Trino SQL over the lake.

Belongs here: the command and its table for a terminal. Does not belong here: the dialect, the engines and the
other printed forms (prism_resources/query).
"""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table

from infra.cli.console import count_of, out, plain, say
from infra.local.platform import attached

WIDEST = 10_000


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def query(
    sql: Annotated[str, typer.Argument(help="one SELECT in Trino SQL")],
    output: Annotated[Format, typer.Option("--format", help="how to print the rows")] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Ask the lake. Tables: throughput; every table has the column `week` (2018-W33)."""
    from prism_core.lake_tables import LAKE_TABLES
    from prism_resources.lake import Lake
    from prism_resources.query.engine import query_engine
    from prism_resources.query.result import QueryResult, as_csv
    from prism_resources.query.result import as_json as to_json
    from prism_resources.query.sql import parse_query

    parse_query(sql, LAKE_TABLES)  # bad SQL fails before anything is started
    with attached(say) as platform:
        result: QueryResult = query_engine(platform.settings, Lake(platform.settings)).query(sql)
    if as_json or output is Format.JSON:
        typer.echo(to_json(result), nl=False)
    elif output is Format.CSV:
        typer.echo(as_csv(result), nl=False)
    else:
        table = Table(*(Column(plain(name)) for name in result.columns))
        for row in result.rows:
            table.add_row(*("" if value is None else plain(value) for value in row))
        # A table wider than the terminal would fold its cells to one letter; a person can scroll or pipe instead.
        needed = Measurement.get(out, out.options.update(max_width=WIDEST), table).maximum
        Console(width=max(out.width, needed), highlight=False).print(table)
        say(f"{count_of(len(result.rows), 'row', 'rows')}, answered by {result.engine}")
