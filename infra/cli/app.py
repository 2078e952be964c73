"""The `prism` command.

Belongs here: the list of commands, and the mapping of failures to exit codes: 0 ok, 1 failed, 2 bad usage.
Does not belong here: what a command does (one module each). Heavy imports live in the command that needs
them: `prism --help` must not load Dagster.
"""

import sys
from typing import Annotated

import typer
from rich.markup import escape

from infra.cli.ads import ads
from infra.cli.alerts import alerts
from infra.cli.audit import audit
from infra.cli.backup import backup, restore
from infra.cli.changes import changes
from infra.cli.console import EXIT_BAD_USAGE, EXIT_FAILED, err
from infra.cli.deliveries import deliveries
from infra.cli.deploy import deploy
from infra.cli.doctor import doctor
from infra.cli.events import events_app
from infra.cli.export import export
from infra.cli.forget import forget, forget_member
from infra.cli.history import as_of
from infra.cli.ingest import ingest_app
from infra.cli.leads import leads
from infra.cli.materialize import materialize
from infra.cli.media import media_app
from infra.cli.package import package
from infra.cli.plan import plan
from infra.cli.publishing import plans, publish, unpublish
from infra.cli.quality import quality
from infra.cli.query import query
from infra.cli.report import report_app
from infra.cli.secret import secret_app
from infra.cli.up import down, reset, status, up
from infra.cli.users import token, user_app
from infra.cli.workbook import workbook
from prism_core.failures import BadUsage, PrismFailure
from prism_core.settings import refuse_unknown_variables
from prism_core.version import VERSION

app = typer.Typer(
    name="prism",
    help="PRISM runs data-annotation programmes. State lives under PRISM_HOME (default .prism).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - Typer hands over the flag
    if wanted:
        typer.echo(f"prism {VERSION}")
        raise typer.Exit


@app.callback()
def _before_every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and end")
    ] = False,
) -> None:
    del version  # its callback has ended the program
    # Also where no setting is needed: with a misspelt PRISM_HOME, `reset` would delete another platform.
    refuse_unknown_variables()


app.command()(up)
app.command()(down)
app.command()(status)
app.command()(reset)
ingest_app.command()(workbook)
ingest_app.command()(quality)
ingest_app.command()(ads)
ingest_app.command()(leads)
app.add_typer(ingest_app, name="ingest")
app.command()(materialize)
app.command()(export)
app.command()(query)
app.command("as-of")(as_of)
app.command()(changes)
app.command()(forget)
app.command("forget-member")(forget_member)
app.command()(plan)
app.command()(plans)
app.command()(publish)
app.command()(unpublish)
app.command()(alerts)
app.command()(deliveries)
app.add_typer(report_app, name="report")
app.command()(doctor)
app.command()(audit)
app.command()(backup)
app.command()(restore)
app.add_typer(events_app, name="events")
app.add_typer(media_app, name="media")
app.add_typer(secret_app, name="secret")
app.add_typer(user_app, name="user")
app.command()(token)
app.command()(package)
app.command()(deploy)


def main() -> None:
    """Entry point. Failures that PRISM raises on purpose end as one sentence, anything else as a traceback.

    Typer itself ends a wrong option with 2 and Ctrl-C with 130.
    """
    try:
        app()
    except BadUsage as error:
        err.print("[bold red]bad usage:[/bold red]", escape(str(error)))
        sys.exit(EXIT_BAD_USAGE)
    except PrismFailure as error:
        err.print("[bold red]failed:[/bold red]", escape(str(error)))
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
