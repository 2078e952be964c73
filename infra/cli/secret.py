"""`prism secret put`: the token of a service outside, made or replaced.

Belongs here: the command. A value comes from a file and never from the command line, where every process of the
machine could read it. Does not belong here: the forms (prism_resources/credentials.py).
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.console import say
from infra.local.platform import attached
from prism_core.failures import BadUsage

secret_app = typer.Typer(help="Tokens of the services outside.", no_args_is_help=True)


class Service(StrEnum):
    """Whose token it is; the names of prism_resources/credentials.py."""

    META = "meta"
    HUBSPOT = "hubspot"
    CLAUDE = "claude"


@secret_app.callback()
def _several_commands() -> None:
    """Tokens of the services outside."""


@secret_app.command("put")
def put(
    service: Annotated[Service, typer.Argument(help="whose token it is")],
    file: Annotated[Path, typer.Argument(help="JSON with the credentials; delete it afterwards")],
) -> None:
    """Keep the credentials of a service. They serve at once; nothing is deployed, and no value is printed."""
    from prism_resources.credentials import put_credentials

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadUsage(f"{file} cannot be read: {error}") from error
    with attached(say) as platform:
        made = put_credentials(platform.settings, service.value, text)
        platform.flush()
    say(f"the credentials of {service.value} are {'made' if made else 'replaced'}; `prism doctor` tries them")
