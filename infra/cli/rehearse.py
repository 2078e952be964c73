"""`prism materialize --rehearse`: which published figures would change, by how much and why.

Belongs here: carrying out rehearsals and showing them. Does not belong here: comparing (the gate).
"""

import json
from collections.abc import Sequence
from typing import Any

import typer
from rich.table import Table

from infra.cli.console import count_of, out, plain, say, step_progress
from prism_assets.rehearsal import REHEARSED
from prism_assets.rehearsal import rehearse as rehearsals
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import Comparison, Intent
from prism_assets.throughput.publish import KeptWeek
from prism_core import clock
from prism_core.calendar import WeekRange
from prism_core.failures import BadUsage
from prism_core.restatements import Difference

MOST_SHOWN = 20


def rehearse(assets: Sequence[str], weeks: WeekRange, intent: Intent, *, as_json: bool) -> None:
    """Compare what would be computed with what is published, week by week. Writes nothing."""
    wanted = [name for name in REHEARSED if name in assets]
    if not wanted:
        raise BadUsage(f"nothing of {', '.join(assets)} has published figures; that have {', '.join(REHEARSED)}")
    prism, now, found = PrismResource(), clock.now(), list[tuple[str, Comparison | KeptWeek]]()
    with step_progress("rehearsing", len(wanted) * len(weeks)) as progress:
        for one in rehearsals(prism, wanted, list(weeks), now, intent):
            found.append(one)
            progress.advance(progress.task_ids[0])
    found.sort(key=lambda one: wanted.index(one[0]))
    if as_json:
        typer.echo(json.dumps({"weeks": [_plain(name, one) for name, one in found]}))
        return
    _print(found)


def _plain(asset: str, one: Comparison | KeptWeek) -> dict[str, Any]:
    facts: dict[str, Any] = {"asset": asset, "week": one.week.label, "says": _verdict(one)}
    if isinstance(one, KeptWeek):
        return facts | {"published": True, "rows": []}
    facts |= {"published": one.published is not None, "refused": one.refused, "changed": dict(one.changed)}
    if one.move is not None:
        facts["total"] = {
            "measure": one.move.measure,
            "published": one.move.published,
            "new": one.move.new,
            "share": one.move.share,
        }
    return facts | {"rows": [_row(row) for row in one.rows]}


def _row(row: Difference) -> dict[str, Any]:
    causes = [cause.value for cause in row.causes]
    return {"subject": row.subject, "measure": row.measure, "old": row.old, "new": row.new, "causes": causes}


def _verdict(one: Comparison | KeptWeek) -> str:
    if isinstance(one, KeptWeek):
        return "stands: its raw input has expired"
    if one.published is None:
        return "nobody has read this week yet: it would be published without a restatement"
    figures = sum(1 for row in one.rows if row.keys)
    if not figures:
        return "as published"
    if one.refused:
        return f"{count_of(figures, 'figure', 'figures')} would change: beyond the limit, needs --because"
    return f"{count_of(figures, 'figure', 'figures')} would change"


def _print(found: Sequence[tuple[str, Comparison | KeptWeek]]) -> None:
    table = Table("asset", "week", "total", "why", "says", title="rehearsal: nothing was written")
    for name, one in found:
        moved = "" if isinstance(one, KeptWeek) or one.move is None else str(one.move)
        causes = {} if isinstance(one, KeptWeek) else one.causes
        why = ", ".join(f"{cause.value} {figures}" for cause, figures in causes.items())
        table.add_row(name, one.week.label, plain(moved), why, _verdict(one))
    out.print(table)
    rows = [
        (row.measure != one.move.measure if one.move else True, one.week.label, row)
        for _, one in found
        if isinstance(one, Comparison)
        for row in one.rows
        if row.keys
    ]
    if not rows:
        return
    # The main figure first: seconds are larger numbers than tasks, and say less.
    largest = sorted(rows, key=lambda one: (one[0], -abs(one[2].moved)))[:MOST_SHOWN]
    details = Table("week", "subject", "measure", "published", "would be", "why", title="largest changes")
    for _, week, row in largest:
        causes = ", ".join(cause.value for cause in row.causes)
        details.add_row(week, plain(row.subject), row.measure, _figure(row.old), _figure(row.new), causes)
    out.print(details)
    if len(rows) > len(largest):
        say(f"{len(rows) - len(largest):,} more changes; --json has all of them")


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:,.10g}"
