"""`prism audit`: who was given which rows as a file.

Belongs here: the command. Does not belong here: what is noted (prism_api/api/routes/exports.py).
"""

import json
from datetime import date
from typing import Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import count_of, out, plain, say
from infra.local.platform import attached
from prism_core import clock
from prism_core.failures import BadUsage

_COLUMNS = ("at", "actor", "list", "rows", "format", "query", "request_id")


def audit(
    since: Annotated[str, typer.Option("--since", help="from this day (UTC) on: 2026-01-05; today")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON list with all that was noted")] = False,
) -> None:
    """List the exports that were handed out: when, to whom, which list, how many rows."""
    from prism_core.lake import AUDIT_EXPORTS
    from prism_resources.lake import Lake

    try:
        first = date.fromisoformat(since) if since else clock.now().date()
    except ValueError as error:
        raise BadUsage(f"--since {since} is no day; write 2026-01-05") from error
    with attached(say) as platform:
        lake = Lake(platform.settings)
        # A key begins with its day, so that keys sort as days do.
        keys = [key for key in lake.keys(AUDIT_EXPORTS) if key >= f"{AUDIT_EXPORTS}{first.isoformat()}"]
        noted: list[dict[str, Any]] = [json.loads(body) for key in sorted(keys) if (body := lake.get(key))]
    if as_json:
        typer.echo(json.dumps(noted, indent=2))
        return
    table = Table(*_COLUMNS)
    for one in noted:
        cells = (json.dumps(one[name]) if name == "query" else one[name] for name in _COLUMNS)
        table.add_row(*(plain(cell) for cell in cells))
    out.print(table)
    say(f"{count_of(len(noted), 'export', 'exports')} since {first.isoformat()}")
