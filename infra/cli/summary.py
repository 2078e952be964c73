"""What `prism up` says when the main job is done.

Belongs here: the figures of the platform at a glance and where to look. Does not belong here: computing them
another way than SQL over the lake does.
"""

import json
from collections.abc import Mapping

import typer
from rich.table import Table

from infra.cli.console import out, say
from infra.local.platform import Platform
from prism_resources.lake import Lake
from prism_resources.query.engine import query_engine

_TOTALS = """
SELECT count(DISTINCT week) AS weeks, min(week) AS first_week, max(week) AS last_week,
       sum(tasks_submitted) AS tasks,
       count(DISTINCT CASE WHEN worker_resolved THEN member_id END) AS members,
       count(DISTINCT CASE WHEN project_resolved THEN project_id END) AS projects,
       count(DISTINCT CASE WHEN NOT worker_resolved THEN member_id END) AS unresolved_workers,
       count(DISTINCT CASE WHEN NOT project_resolved THEN project_id END) AS unresolved_jobs
FROM throughput
"""


def print_summary(platform: Platform, *, seconds: float, as_json: bool) -> None:
    """The lake's totals, and how to go on."""
    result = query_engine(platform.settings, Lake(platform.settings)).query(_TOTALS)
    totals = dict(
        zip(result.columns, (int(v) if isinstance(v, float) else v for v in result.rows[0]), strict=True)
    )
    synthetic = bool(platform.home.read_first_start().get("sample_weeks"))
    if as_json:
        facts = {"home": str(platform.home.root), "synthetic": synthetic, "seconds": round(seconds, 1), **totals}
        typer.echo(json.dumps(facts, default=str))
        return
    title = "PRISM · synthetic sample" if synthetic else "PRISM"
    table = Table(title=title, show_header=False)
    table.add_row("weeks with work", _weeks(totals))
    for label, key in (
        ("tasks submitted", "tasks"),
        ("members seen", "members"),
        ("projects worked on", "projects"),
        ("unresolved workers", "unresolved_workers"),
        ("unresolved labelling jobs", "unresolved_jobs"),
    ):
        table.add_row(label, f"{totals[key] or 0:,}")
    out.print(table)
    out.print(
        'try: prism query "SELECT week, SUM(tasks_submitted) AS tasks FROM throughput GROUP BY week ORDER BY week"'
    )
    say(f"main job done in {seconds:.0f} s")


def _weeks(totals: Mapping[str, object]) -> str:
    return f"{totals['weeks']} ({totals['first_week']} … {totals['last_week']})" if totals["weeks"] else "none yet"
