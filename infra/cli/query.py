"""`prism query`: Trino SQL over the lake.

Belongs here: the command, its table for a terminal, the file of an answer. Does not belong here: the dialect, the
engines and the other forms (prism_resources/query), and the list of tables and views (catalogue.py).
"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from infra.cli.catalogue import print_catalogue
from infra.cli.console import count_of, count_progress, plain, say, show_whole
from infra.local.platform import attached
from prism_core.failures import BadUsage, PermanentFailure

if TYPE_CHECKING:
    from prism_resources.query.result import QueryEngine, QueryResult


class Format(StrEnum):
    """What a terminal can show."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class AnswerFormat(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"
    PARQUET = "parquet"


def query(
    sql: Annotated[
        str | None, typer.Argument(help="one SELECT in Trino SQL; with --views, a table or view to be described")
    ] = None,
    output: Annotated[
        AnswerFormat | None, typer.Option("--format", help="table, or with --out by the ending of its name")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
    file: Annotated[Path | None, typer.Option("--out", help="write the answer to this file instead")] = None,
    views: Annotated[
        bool, typer.Option("--views", help="list tables and views, or the columns of one, with their meaning")
    ] = False,
) -> None:
    """Ask the lake. Every table and view has the column `week` (2018-W33); --views lists them."""
    if views:
        if file is not None or output not in {None, AnswerFormat.TABLE, AnswerFormat.JSON}:
            raise BadUsage("--views prints a table, or JSON with --json")
        print_catalogue(sql, as_json=as_json or output is AnswerFormat.JSON)
        return
    if sql is None:
        raise BadUsage("say what to ask: a SELECT, or --views to see what there is")
    wanted = _format(output, file, as_json=as_json)
    from prism_resources.lake import Lake
    from prism_resources.query.engine import query_engine
    from prism_resources.query.sql import parse_query

    parse_query(sql)  # bad SQL fails before anything is started
    with attached(say) as platform:
        engine = query_engine(platform.settings, Lake(platform.settings))
        if file is not None:
            _write(engine, sql, wanted, file)
            return
        result = engine.query(sql)
    _print(result, wanted)


def _format(output: AnswerFormat | None, file: Path | None, *, as_json: bool) -> AnswerFormat:
    """What was asked for, or what the name of the file says. Raises BadUsage, before anything is started."""
    endings = [one.value for one in AnswerFormat if one is not AnswerFormat.TABLE]
    if as_json:
        output = AnswerFormat.JSON
    if file is None:
        if output in {AnswerFormat.XLSX, AnswerFormat.PARQUET}:
            raise BadUsage(f"{output} is no text for a terminal; add --out FILE")
        return output or AnswerFormat.TABLE
    if output is None:
        ending = file.suffix.lower().removeprefix(".")
        if ending not in endings:
            raise BadUsage(f"{file.name} does not say its form; end it in .{', .'.join(endings)}, or add --format")
        output = AnswerFormat(ending)
    if output is AnswerFormat.TABLE:
        raise BadUsage(f"a file is one of {', '.join(endings)}")
    if not file.parent.is_dir():
        raise BadUsage(f"there is no folder {file.parent}")
    if file.is_dir():
        raise BadUsage(f"{file} is a folder")
    return output


def _write(engine: "QueryEngine", sql: str, wanted: AnswerFormat, file: Path) -> None:
    """The file is there whole or as it was: the answer goes beside it first."""
    from prism_resources.query.files import FileFormat, write_answer

    part = file.with_name(f".{file.name}.part")
    try:
        with engine.stream(sql) as answer, part.open("wb") as target, count_progress("rows written") as advance:
            rows = write_answer(answer, FileFormat(wanted.value), target, advance)
        part.replace(file)
    except OSError as error:
        raise PermanentFailure(f"{file} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    say(f"{count_of(rows, 'row', 'rows')} in {file}, answered by {answer.engine}")


def _print(result: "QueryResult", wanted: AnswerFormat) -> None:
    from prism_resources.query.result import as_csv
    from prism_resources.query.result import as_json as to_json

    if wanted is AnswerFormat.JSON:
        typer.echo(to_json(result), nl=False)
    elif wanted is AnswerFormat.CSV:
        typer.echo(as_csv(result), nl=False)
    else:
        table = Table(*(Column(plain(name)) for name in result.columns))
        for row in result.rows:
            table.add_row(*("" if value is None else plain(value) for value in row))
        show_whole(table)
        say(f"{count_of(len(result.rows), 'row', 'rows')}, answered by {result.engine}")
