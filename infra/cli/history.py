"""`prism as-of`: what was.

Belongs here: the command and how it prints. Does not belong here: rebuilding a state (prism_core/history), and
what must not be known any more (forget.py).
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import fail, plain, say, show_whole, step_progress
from infra.cli.query import Format
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.failures import BadUsage


def as_of(
    table: Annotated[str, typer.Argument(help="an operational table, such as members")],
    at: Annotated[str, typer.Option("--at", help="an instant with its zone: 2026-01-05T07:00:00Z")],
    key: Annotated[str, typer.Option("--key", help="one item: M-001, or M-001/2026-W01#P-12")] = "",
    output: Annotated[Format, typer.Option("--format", help="how to print the items")] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """The items of a table as they were at an instant, from the change log."""
    from prism_core.tables import table as table_spec
    from prism_resources.tables.history import key_of_item_key, refuse_unlogged

    spec, instant = table_spec(table), read_instant(at)
    refuse_unlogged(spec)
    if instant > clock.now():
        raise BadUsage(f"--at {at} lies in the future")
    if key:
        key_of_item_key(spec, f"{spec.name}/{key}")  # a wrong key fails before anything is started
    with attached(say) as platform:
        rows = _one(platform, table, key, instant) if key else _all(platform, table, instant)
    if key and not rows:
        raise fail(f"{table} {key} did not exist at {at}")
    _print([_shown(row) for row in rows], list(spec.model.model_fields), Format.JSON if as_json else output)
    if not as_json and output is Format.TABLE:
        say(f"{len(rows)} items of {table} as of {instant.isoformat()}")


def read_instant(text: str) -> datetime:
    """An instant in UTC. Raises BadUsage without a zone (nobody knows whose morning it is) and before 2000."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadUsage(f"{text!r} is not an instant; write 2026-01-05T07:00:00Z") from error
    if instant.tzinfo is None:
        raise BadUsage(f"{text!r} has no time zone; add Z or +01:00")
    try:
        return refuse_before_all(text, instant.astimezone(UTC))
    except OverflowError as error:
        raise BadUsage(f"{text!r} lies outside the years 0001 to 9999 in UTC") from error


def refuse_before_all(text: str, instant: datetime) -> datetime:
    """The instant itself. Raises BadUsage before anything was recorded."""
    if instant < clock.EARLIEST:
        raise BadUsage(f"nothing is known of before {clock.EARLIEST:%Y-%m-%d}; {text} is earlier")
    return instant


def _one(platform: Platform, table: str, key: str, instant: datetime) -> list[dict[str, Any]]:
    from prism_core.tables import table as table_spec
    from prism_resources.aws import client
    from prism_resources.tables.history import TableHistory, key_of_item_key

    spec = table_spec(table)
    history = TableHistory(client(platform.settings, "dynamodb"), platform.settings)
    state = history.item_at(spec, key_of_item_key(spec, f"{spec.name}/{key}"), instant)
    return [] if state is None else [state]


def _all(platform: Platform, table: str, instant: datetime) -> list[dict[str, Any]]:
    from prism_core.tables import table as table_spec
    from prism_resources.aws import client
    from prism_resources.history.as_of import table_at
    from prism_resources.tables.store import TableStore

    spec, settings = table_spec(table), platform.settings
    store: TableStore[Any] = TableStore(client(settings, "dynamodb"), settings, spec, spec.model)
    with step_progress(f"reading the changes of {table}", 1) as progress:
        task = progress.task_ids[0]
        found = table_at(
            settings,
            store,
            instant,
            now=clock.now(),
            progress=lambda done, parts: progress.update(task, completed=done, total=parts),
        )
        return list(found)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    from prism_core.privacy import is_forgotten

    return {name: "forgotten" if is_forgotten(value) else value for name, value in row.items()}


def _print(rows: list[dict[str, Any]], columns: list[str], output: Format) -> None:
    from prism_resources.query.result import QueryResult, as_csv

    if output is Format.JSON:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    cells = [tuple(_cell(row.get(name)) for name in columns) for row in rows]
    if output is Format.CSV:
        typer.echo(as_csv(QueryResult(tuple(columns), cells, "history")), nl=False)
        return
    table = Table(*columns)
    for row in cells:
        table.add_row(*("" if value is None else plain(value) for value in row))
    show_whole(table)


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
