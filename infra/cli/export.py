"""`prism export`: weeks of the operational tables to the lake.

Belongs here: the command, its progress and its summary. Does not belong here: the export (prism_resources/export).
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import count_of, err, out, plain, say
from infra.local.platform import attached
from prism_core import clock
from prism_core.calendar import WeekRange
from prism_core.failures import BadUsage, PrismFailure


def export(
    tables: Annotated[str, typer.Option(help="tables by comma, such as quality,members; all when left out")] = "",
    weeks: Annotated[
        str, typer.Option(help="2018-W33, or a range 2018-W33..2018-W36; the running week when left out")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")] = False,
) -> None:
    """Copy weeks of the operational tables to the lake, as Parquet and JSON Lines. What is there already stays."""
    from prism_core.lake_tables import EXPORTED, lake_tables
    from prism_resources.export.engine import Export, refuse_future
    from prism_resources.lake import Lake

    wanted = lake_tables(_names(tables)) if tables else tuple(EXPORTED.values())
    now = clock.now()
    span = WeekRange.parse(weeks) if weeks else WeekRange(clock.this_week(), clock.this_week())
    refuse_future(span, now)
    with attached(say) as platform:
        if span.first < platform.settings.first_week:
            raise BadUsage(
                f"{span.first} lies before {platform.settings.first_week}, the first week of the settings"
            )
        read: dict[str, int] = {}
        status = err.status(f"reading {count_of(len(wanted), 'table', 'tables')}")

        def progress(table: str, items: int) -> None:
            read[table] = items
            status.update(f"{sum(read.values()):,} items read, now of {table}")

        export_run = Export(platform.settings, Lake(platform.settings), now=now, progress=progress)
        try:
            with status:
                export_run.run(wanted, span)
        except PrismFailure:
            if export_run.finished:
                _show(export_run.finished, span, as_json=as_json)
            raise
        platform.flush()
    _show(export_run.finished, span, as_json=as_json)


def _show(outcomes: Sequence[Any], span: WeekRange, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"weeks": str(span), "tables": [_plain(outcome) for outcome in outcomes]}))
        return
    shown = Table("table", "items read", "rows", "weeks written", "unchanged", title=f"lake · {span}")
    for outcome in outcomes:
        figures = (outcome.items, outcome.rows, outcome.written, outcome.unchanged)
        shown.add_row(outcome.table, *(f"{figure:,}" for figure in figures))
    out.print(shown)
    for note in (note for outcome in outcomes for note in outcome.notes):
        err.print("[yellow]set right:[/yellow]", plain(note))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _plain(outcome: Any) -> dict[str, Any]:
    return {
        "table": outcome.table,
        "items": outcome.items,
        "rows": outcome.rows,
        "written": outcome.written,
        "unchanged": outcome.unchanged,
        "notes": outcome.notes,
    }
