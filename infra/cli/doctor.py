"""`prism doctor`: whether everything outside will answer when it is needed.

Belongs here: the command and how it prints. Does not belong here: what is looked at
(prism_resources/preflight.py).
"""

import json
from collections import Counter
from typing import Annotated, Final

import typer
from rich.table import Column, Table

from infra.cli.console import count_of, fail, out, plain, say, step_progress
from infra.local.platform import attached
from prism_core import clock

_STYLES: Final = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")] = False,
) -> None:
    """Look at every credential and service before it is needed. Nothing is changed, and no secret is shown."""
    from infra.deployed import unlike
    from infra.local.serving import outside
    from prism_resources.preflight import CHECKS, preflight
    from prism_resources.wire.findings import Level

    with (
        attached(say, beside=outside, unchecked=True) as platform,
        step_progress("looking", len(CHECKS)) as progress,
    ):
        task = progress.task_ids[0]

        def told(name: str, done: int) -> None:
            progress.update(task, completed=done, description=f"{name} has answered")

        found = [*unlike(platform.settings), *preflight(platform.settings, clock.now(), told=told)]
    counts = Counter(one.level for one in found)
    if as_json:
        said = [{"level": one.level, "subject": one.subject, "sentence": one.sentence} for one in found]
        typer.echo(json.dumps({**{level.value: counts[level] for level in Level}, "findings": said}))
    else:
        shown = Table(Column("level", no_wrap=True), Column("what", no_wrap=True), "found, and what to do")
        for one in found:
            shown.add_row(
                plain(one.level.value), plain(one.subject), plain(one.sentence), style=_STYLES[one.level]
            )
        out.print(shown)
    if counts[Level.FAILED]:
        raise fail(
            f"{count_of(counts[Level.FAILED], 'finding', 'findings')} for a person to mend; see docs/runbook.md"
        )
