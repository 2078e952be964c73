"""`prism changes`: who changed what since when.

Belongs here: the command and its three printed forms. Does not belong here: reading the log
(prism_resources/tables/history.py) and what changes amount to (prism_core/history/differences.py).
"""

import heapq
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import count_of, plain, say, show_whole, step_progress
from infra.cli.history import read_instant, refuse_before_all
from infra.cli.query import Format
from infra.local.platform import attached
from prism_core import clock
from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.history.changes import Side
from prism_core.history.differences import Difference, differences
from prism_core.models.base import instant_text
from prism_core.models.changes import Change, FieldChange
from prism_core.settings import Settings
from prism_core.table_spec import TableSpec

_BATCH_ROWS = 1_000
_INSTANT = timedelta(microseconds=1)
_ONE_CHANGE = ("instant", "actor", "item_key", "operation", "version", "reason", "request_id", "changes")
_ONE_DIFFERENCE = ("last", "actors", "item_key", "operation", "version", "writes", "changes")
Row = tuple[Any, ...]


def changes(
    since: Annotated[
        str, typer.Option("--since", help="an instant with its zone, or a week: 2026-01-05T07:00:00Z, 2026-W02")
    ],
    table: Annotated[
        str, typer.Argument(help="an operational table, such as allocations; all of them if left out")
    ] = "",
    until: Annotated[str, typer.Option("--until", help="the same, itself included; now if left out")] = "",
    by: Annotated[str, typer.Option("--by", help="changes of one person or program alone")] = "",
    net: Annotated[
        bool, typer.Option("--net", help="one row an item: how it differs between the two instants")
    ] = False,
    output: Annotated[Format, typer.Option("--format", help="how to print them")] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """What changed in a table since an instant, by whom and why; newest first."""
    specs = _tables(table)
    now = clock.now()
    first, last = _begin(since), _end(until) if until else now
    if first > now or last > now:
        raise BadUsage(f"{since if first > now else until} lies in the future")
    if last < first:
        raise BadUsage(f"--until {until} lies before --since {since}")
    if net and by:
        raise BadUsage("--net tells how items differ, whoever changed them; leave out --by")
    form = Format.JSON if as_json else output
    with attached(say) as platform, step_progress("reading the change log", 1) as progress:
        task = progress.task_ids[0]
        found = _read(
            platform.settings,
            specs,
            first,
            last,
            lambda done, weeks: progress.update(task, completed=done, total=weeks),
        )
        if net:
            _print(form, _ONE_DIFFERENCE, (_of_difference(one) for one in differences(found)), "items differ")
        else:
            listed = (_of_change(change) for change in found if not by or change.actor == by)
            _print(form, _ONE_CHANGE, listed, "changes")


def _tables(name: str) -> list[TableSpec]:
    from prism_core.tables import TABLES
    from prism_core.tables import table as table_spec
    from prism_resources.tables.history import refuse_unlogged

    if not name:
        return [spec for spec in TABLES.values() if spec.logged]
    refuse_unlogged(table_spec(name))
    return [table_spec(name)]


def _begin(text: str) -> datetime:
    """An instant, or the Monday of a week."""
    return refuse_before_all(text, Week.parse(text).start) if _is_week(text) else read_instant(text)


def _end(text: str) -> datetime:
    """An instant, or the end of the Sunday of a week; of the running one now."""
    return min(Week.parse(text).end - _INSTANT, clock.now()) if _is_week(text) else read_instant(text)


def _is_week(text: str) -> bool:
    return re.fullmatch(r"\d{4}-W\d{2}", text, re.ASCII) is not None


def _read(
    settings: Settings,
    specs: Sequence[TableSpec],
    first: datetime,
    last: datetime,
    told: Callable[[int, int], None],
) -> Iterator[Change]:
    """The changes of several tables, newest first over all; `told` of the weeks done and all of them."""
    from prism_resources.aws import client
    from prism_resources.tables.history import TableHistory

    history, weeks = (
        TableHistory(client(settings, "dynamodb"), settings),
        dict.fromkeys((s.name for s in specs), 0),
    )

    def of(spec: TableSpec) -> Iterator[Change]:
        def progress(done: int, of_table: int) -> None:
            weeks[spec.name] = done
            told(sum(weeks.values()), of_table * len(specs))

        return history.between(spec, first - _INSTANT, last, progress=progress)

    return heapq.merge(*map(of, specs), key=lambda change: (change.instant, change.ulid), reverse=True)


def _of_change(change: Change) -> Row:
    return (
        instant_text(change.instant),
        change.actor,
        change.item_key,
        str(change.operation),
        change.version,
        change.reason,
        change.request_id,
        change.changes,
    )


def _of_difference(one: Difference) -> Row:
    return (
        instant_text(one.last),
        list(one.actors),
        one.item_key,
        str(one.operation),
        one.version,
        one.writes,
        one.changes,
    )


def _print(form: Format, columns: Sequence[str], rows: Iterator[Row], counted: str) -> None:
    """JSON holds an object a change; CSV and the table a row a field, which is what a person compares."""
    from prism_resources.query.result import csv_pieces, json_pieces

    if form is Format.JSON:
        for piece in json_pieces(columns, _batches(rows)):
            typer.echo(piece, nl=False)
        return
    headers = (*columns[:-1], "field", "before", "after")
    by_field = (row for one in rows for row in _a_row_a_field(one))
    if form is Format.CSV:
        for piece in csv_pieces(headers, _batches(by_field)):
            typer.echo(piece, nl=False)
        return
    table, items = Table(*headers), set[str]()
    number = 0
    for row in by_field:
        number += 1
        items.add(row[2])
        table.add_row(*("" if value is None else plain(value) for value in row))
    show_whole(table)
    say(f"{count_of(number, 'field', 'fields')} of {count_of(len(items), 'item', 'items')} ({counted})")


def _a_row_a_field(row: Row) -> Iterator[Row]:
    *shared, fields = row
    told = [", ".join(value) if isinstance(value, list) else value for value in shared]
    for name in sorted(fields):
        yield (*told, name, _side(fields[name], "before"), _side(fields[name], "after"))


def _side(change: FieldChange, side: Side) -> str | None:
    """As a person reads it; None where the field did not exist."""
    from prism_core.privacy import is_forgotten

    value = change.get(side)
    if is_forgotten(value):
        return "forgotten"
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH_ROWS)):
        yield batch
