"""The `prism` command.

Belongs here: the list of commands, and the mapping of failures to exit codes: 0 ok, 1 failed, 2 bad usage.
Does not belong here: what a command does (one module each). The module of the command that is typed is imported
alone: all of them take half a second. Heavier imports live in the command that needs them.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from infra.cli.console import EXIT_BAD_USAGE, EXIT_FAILED, err
from prism_core.failures import BadUsage, PrismFailure
from prism_core.settings import refuse_unknown_variables
from prism_core.version import VERSION


@cache
def _ingest() -> typer.Typer:
    from infra.cli.ads import ads
    from infra.cli.ingest import ingest_app
    from infra.cli.leads import leads
    from infra.cli.quality import quality
    from infra.cli.workbook import workbook

    for command in (workbook, quality, ads, leads):
        ingest_app.command()(command)
    return ingest_app


# Functions, and applications of several commands, in the order of the help.
COMMANDS: Final[Mapping[str, Callable[[], Any]]] = {
    "up": lambda: import_module("infra.cli.up").up,
    "down": lambda: import_module("infra.cli.up").down,
    "status": lambda: import_module("infra.cli.up").status,
    "reset": lambda: import_module("infra.cli.up").reset,
    "ingest": _ingest,
    "materialize": lambda: import_module("infra.cli.materialize").materialize,
    "export": lambda: import_module("infra.cli.export").export,
    "query": lambda: import_module("infra.cli.query").query,
    "as-of": lambda: import_module("infra.cli.history").as_of,
    "changes": lambda: import_module("infra.cli.changes").changes,
    "forget": lambda: import_module("infra.cli.forget").forget,
    "forget-member": lambda: import_module("infra.cli.forget").forget_member,
    "plan": lambda: import_module("infra.cli.plan").plan,
    "plans": lambda: import_module("infra.cli.publishing").plans,
    "publish": lambda: import_module("infra.cli.publishing").publish,
    "unpublish": lambda: import_module("infra.cli.publishing").unpublish,
    "alerts": lambda: import_module("infra.cli.alerts").alerts,
    "deliveries": lambda: import_module("infra.cli.deliveries").deliveries,
    "report": lambda: import_module("infra.cli.report").report_app,
    "doctor": lambda: import_module("infra.cli.doctor").doctor,
    "audit": lambda: import_module("infra.cli.audit").audit,
    "backup": lambda: import_module("infra.cli.backup").backup,
    "restore": lambda: import_module("infra.cli.backup").restore,
    "events": lambda: import_module("infra.cli.events").events_app,
    "media": lambda: import_module("infra.cli.media").media_app,
    "secret": lambda: import_module("infra.cli.secret").secret_app,
    "user": lambda: import_module("infra.cli.users").user_app,
    "token": lambda: import_module("infra.cli.users").token,
    "package": lambda: import_module("infra.cli.package").package,
    "deploy": lambda: import_module("infra.cli.deploy").deploy,
}


@cache
def application(only: str | None = None) -> typer.Typer:
    """All commands, or the one of a name."""
    made = typer.Typer(
        name="prism",
        help="PRISM runs data-annotation programmes. State lives under PRISM_HOME (default .prism).",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    made.callback()(_before_every_command)
    for name in COMMANDS if only is None else (only,):
        command = COMMANDS[name]()
        if isinstance(command, typer.Typer):
            made.add_typer(command, name=name)
        else:
            made.command(name)(command)
    return made


def _version(wanted: bool) -> None:  # noqa: FBT001 - Typer hands over the flag
    if wanted:
        typer.echo(f"prism {VERSION}")
        raise typer.Exit


def _before_every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and end")
    ] = False,
) -> None:
    del version  # its callback has ended the program
    # Also where no setting is needed: with a misspelt PRISM_HOME, `reset` would delete another platform.
    refuse_unknown_variables()


def main() -> None:
    """Entry point. Failures that PRISM raises on purpose end as one sentence, anything else as a traceback.

    Typer itself ends a wrong option with 2 and Ctrl-C with 130.
    """
    typed = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        application(typed if typed in COMMANDS else None)()
    except BadUsage as error:
        err.print("[bold red]bad usage:[/bold red]", escape(str(error)))
        sys.exit(EXIT_BAD_USAGE)
    except PrismFailure as error:
        err.print("[bold red]failed:[/bold red]", escape(str(error)))
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
