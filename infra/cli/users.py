"""`prism user add` and `prism token`: who may sign in.

Belongs here: the commands. Does not belong here: accounts (infra/users.py, infra/local/demo_users.py).
"""

import json
import sys
import uuid
from typing import Annotated

import typer

from infra.cli.console import out, say
from infra.local.demo_users import TokenRole
from infra.local.platform import attached
from prism_api.api.calls import Role
from prism_core import clock
from prism_core.failures import BadUsage
from prism_core.settings import Environment, load_settings

user_app = typer.Typer(help="Who may sign in.", no_args_is_help=True)
EMAIL_CHARACTERS = 254


@user_app.callback()
def _several_commands() -> None:
    """Who may sign in."""


@user_app.command("add")
def add(
    email: Annotated[str, typer.Argument(help="the address that signs in")],
    role: Annotated[Role, typer.Option(help="what the account may do")],
    member: Annotated[str | None, typer.Option(help="the member who it is; needed to see own rows")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Make an account with a role. Without --password-stdin Cognito mails a first password."""
    from infra.users import ACTOR, Users, link_member, member_to_link

    if email.count("@") != 1 or any(c.isspace() for c in email) or len(email) > EMAIL_CHARACTERS:
        raise BadUsage(f"{email!r} is no e-mail address")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password == "":
        raise BadUsage("--password-stdin, but nothing came on standard input")
    with attached(say) as platform:
        settings = platform.settings
        found = member_to_link(settings, member) if member is not None else None
        users = Users(settings)
        user = users.add(email, role, password=password)
        try:
            if found is not None:
                link_member(settings, found, user, actor=ACTOR, request_id=str(uuid.uuid4()), now=clock.now())
        except BaseException:
            users.remove(user)  # so that the same command can be repeated
            raise
        platform.flush()
    if as_json:
        typer.echo(json.dumps({"email": user.email, "sub": user.sub, "role": role.value, "member": member}))
        return
    out.print(f"{user.email} signs in as {role.value}{f', member {member}' if member else ''}")
    if role is Role.ANNOTATOR and member is None:
        say("an annotator sees the rows of the own member; name it with --member, or set cognito_sub of a member")
    if password is None:
        say("the first password was mailed; it must be changed at the first sign-in")


def token(role: Annotated[TokenRole, typer.Argument(help="whom the token is for")]) -> None:
    """Print an access token of a synthetic account, valid for an hour. Of a local platform only."""
    from infra.local.demo_users import demo_token

    if load_settings().environment is Environment.AWS:
        raise BadUsage("`prism token` is for a local platform; on AWS people sign in at the screens")
    with attached(say) as platform:
        found = demo_token(platform, role)
    typer.echo(found)
