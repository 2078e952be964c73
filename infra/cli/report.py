"""`prism report`: a report as the mail that it becomes.

Belongs here: the group, and the commands that need no platform. Does not belong here: what a report says
(prism_core/reports), how it looks (prism_resources/reports), and making one (campaign.py, ops_report.py).
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.campaign import campaign
from infra.cli.console import err, out, plain
from infra.cli.evaluate import evaluate
from infra.cli.ops_report import ops
from prism_core import clock
from prism_core.failures import BadUsage

report_app = typer.Typer(help="A report as the mail that it becomes.", no_args_is_help=True)


report_app.command("campaign")(campaign)
report_app.command("ops")(ops)
report_app.command("evaluate")(evaluate)


@report_app.command("render")
def render(
    content: Annotated[Path, typer.Argument(help="the content of a report, as JSON")],
    folder: Annotated[Path, typer.Option("--out", help="where the files go")] = Path("report"),
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Write the mail of a report that was kept: HTML, text, the pictures, and all of it as .eml. Sends nothing."""
    from prism_core.reports.reading import report_of
    from prism_resources.reports.files import write_mail
    from prism_resources.reports.rendering import render as rendered

    try:
        document = json.loads(content.read_bytes())
    except OSError as error:
        raise BadUsage(f"{content} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadUsage(f"{content} is not JSON: {error}") from error
    with err.status("rendering"):
        mail = rendered(report_of(document))
        written = write_mail(mail, folder, now=clock.now())
    if as_json:
        files = [str(one) for one in written]
        typer.echo(json.dumps({"subject": mail.subject, "html_bytes": len(mail.html), "files": files}))
        return
    out.print(plain(mail.subject))
    for one in written:
        out.print(plain(one))
