"""`prism report ops`: the operations report of a week, made and written as files.

Belongs here: the command. Does not belong here: the asset that makes the report (prism_assets/reports), and its
mail.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.console import fail, out, plain, say
from infra.local.platform import attached
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.settings import Environment


def ops(
    week: Annotated[str, typer.Argument(help="a week that has ended, such as 2026-W46")],
    folder: Annotated[Path, typer.Option("--out", help="where the files go")] = Path("report"),
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Make the operations report of a week and write it as files: HTML, text, pictures, mail. Sends nothing."""
    wanted = Week.parse(week)
    from infra.cli.materialize import run_range
    from infra.local.serving import outside

    with attached(say, beside=outside) as platform:
        first, last = platform.settings.first_week, clock.this_week() + -1
        if not first <= wanted <= last:
            raise BadUsage(f"there is no report of {wanted}: weeks from {first} to {last} have one")
        from prism_core.models.reports import ReportKind
        from prism_resources.reports.files import write_mail
        from prism_resources.reports.rendering import render
        from prism_resources.reports.shelf import Shelf

        shelf = Shelf(platform.settings)
        # On AWS Dagster makes it: what it has made is written, and else the refusal says where it is asked for.
        on_aws = platform.settings.environment is Environment.AWS
        if not (on_aws and shelf.has(ReportKind.OPERATIONS, wanted)):
            outcome = run_range(platform, "key:operations_report", WeekRange(wanted, wanted))
            if not outcome.success:
                raise fail(f"run {outcome.run_id}: {'; '.join(outcome.errors) or 'see the Dagster UI'}")
        kept = shelf.newest(ReportKind.OPERATIONS, wanted)
        platform.flush()
    if kept is None:
        raise PermanentFailure(f"the report of {wanted} is not on its shelf, although its run succeeded")
    mail = render(kept.content)
    written = [str(one) for one in write_mail(mail, folder, now=kept.made_at)]
    if as_json:
        facts = {"subject": mail.subject, "html_bytes": len(mail.html), "synthetic": kept.content.synthetic}
        typer.echo(json.dumps(facts | {"content_hash": kept.content_hash, "files": written}))
        return
    out.print(plain(mail.subject))
    for one in written:
        out.print(plain(one))
