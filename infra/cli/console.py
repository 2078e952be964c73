"""How the command line speaks.

Belongs here: the consoles, progress bars, exit codes, and turning failures into one sentence.
Does not belong here: commands. Results go to standard output, everything else to standard error, so that
`prism query … --format csv > file` holds the result alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

EXIT_OK, EXIT_FAILED, EXIT_BAD_USAGE = 0, 1, 2

_WIDEST = 10_000
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """A line of progress for a person."""
    err.print(f"[dim]{escape(message)}[/dim]")


def plain(value: object) -> Text:
    """A value of the data for a table: its brackets are no markup, and it cannot steer the terminal."""
    return Text("".join(one if one.isprintable() or one in "\n\t" else _UNPRINTABLE for one in str(value)))


def show_whole(table: Table) -> None:
    """Print a table as wide as it is: folded into a terminal, or into the eighty columns of a pipe, it has headers
    and cells of one letter. A person can scroll.
    """
    needed = Measurement.get(out, out.options.update(max_width=_WIDEST), table).maximum
    Console(width=max(out.width, needed), highlight=False).print(table)


def count_of(number: int, one: str, many: str) -> str:
    """`1 document`, `2 documents`."""
    return f"{number:,} {one if number == 1 else many}"


def fail(message: str) -> typer.Exit:
    """The exception that ends a command whose work failed in part or whole."""
    err.print(f"[bold red]failed:[/bold red] {escape(message)}")
    return typer.Exit(EXIT_FAILED)


@contextmanager
def byte_progress(label: str, total: int) -> Iterator[Progress]:
    """A bar over bytes read."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        progress.add_task(label, total=total)
        yield progress


@contextmanager
def step_progress(label: str, total: int) -> Iterator[Progress]:
    """A bar over steps."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        progress.add_task(label, total=total)
        yield progress


@contextmanager
def count_progress(label: str) -> Iterator[Callable[[int], None]]:
    """A number that grows, of what nobody knows the end; it is told the new one."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} {task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda number: progress.update(task, completed=number)
