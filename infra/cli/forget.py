"""`prism forget` and `prism forget-member`: what must not be known any more.

Belongs here: the two commands, the rehearsal and the question before a person is forgotten for ever, and how they
print. Does not belong here: what forgetting does (prism_resources/forgetting.py) and accounts (infra/users.py).
"""

import getpass
import json
import sys
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import count_of, out, plain, say
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.failures import BadUsage

if TYPE_CHECKING:
    from infra.users import User
    from prism_resources.forgetting import Forgotten, Touched


def forget(
    member_id: Annotated[str | None, typer.Argument(help="the member to forget")] = None,
    recipient: Annotated[str, typer.Option("--recipient", help="instead: who gets reports and is no member")] = "",
    request: Annotated[str, typer.Option("--request", help="instead: who asked for capacity, by its id")] = "",
    *,
    reason: Annotated[str, typer.Option("--reason", help="why; kept in the change log, so name nobody")],
    yes: Annotated[bool, typer.Option("--yes", help="do it; without it, nothing is deleted")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="what was done as one JSON object")] = False,
) -> None:
    """Forget a person for ever: their row, their key, and every sealed value in history, lake and backups."""
    named = [("member", member_id or ""), ("recipient", recipient), ("request", request)]
    chosen = [(noun, name) for noun, name in named if name]
    if len(chosen) != 1:
        raise BadUsage("say whom to forget: a member, --recipient or --request, and one of them only")
    ((noun, name),) = chosen
    if not reason.strip():
        raise BadUsage("--reason is empty; say why, without naming the person")
    if not yes:
        raise BadUsage(f"{name} would be forgotten for ever and nothing brings them back; repeat it with --yes")
    with attached(say) as platform:
        done = _forget(platform, noun, name, reason)
        platform.flush()
        _name_restored_sets(platform)
    _print(noun, name, done, {}, as_json=as_json)


def forget_member(
    member_id: Annotated[str, typer.Argument(help="the member to forget")],
    reason: Annotated[str, typer.Option("--reason", help="why; kept in the change log, so name nobody")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="list what would be touched, and do nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; needed where nobody can be asked")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="what is touched, or was done, as JSON")] = False,
) -> None:
    """Forget a member on request: end their sign-in, delete or blank their rows, delete their keys."""
    from infra.users import Users
    from prism_resources.aws import client
    from prism_resources.forgetting import Forgotten, refuse_named, touched_of_member

    if dry_run and yes:
        raise BadUsage("--dry-run and --yes at once; name one")
    if not dry_run and not reason.strip():
        raise BadUsage("--reason is missing; say why, without naming the person, or list with --dry-run")
    with attached(say) as platform:
        dynamodb, settings = client(platform.settings, "dynamodb"), platform.settings
        users = Users(settings)
        accounts, nothing_else = users.of_member(member_id), False
        try:
            touched = touched_of_member(dynamodb, settings, member_id)
        except BadUsage:
            if not accounts:
                raise
            touched, nothing_else = [], True
        if dry_run or not yes:
            _print_touched(platform, member_id, touched, accounts, as_json=dry_run and as_json)
        if dry_run:
            return
        refuse_named(dynamodb, settings, member_id, reason)  # before anything is done, the account included
        if not yes and not _confirmed(member_id):
            raise BadUsage(f"nothing was done: {member_id} was not typed; --yes where nobody can be asked")
        for account in accounts:  # first: who can still sign in could write themselves anew
            users.remove(account)
            say(f"the account {account.email} is removed")
        done = (
            Forgotten(member_id, 0, 0, key=False)
            if nothing_else
            else _forget(platform, "member", member_id, reason)
        )
        platform.flush()
        _name_restored_sets(platform)
    _print("member", member_id, done, {"account": bool(accounts)}, as_json=as_json)


def _confirmed(member_id: str) -> bool:
    return sys.stdin.isatty() and typer.prompt(f"type {member_id} to forget them for ever", err=True) == member_id


def _forget(platform: Platform, noun: str, name: str, reason: str) -> "Forgotten":
    from prism_resources import forgetting
    from prism_resources.aws import client

    dynamodb, settings = client(platform.settings, "dynamodb"), platform.settings
    author: Any = {
        "actor": f"cli:{getpass.getuser()}",
        "reason": reason,
        "request_id": f"forget-{uuid.uuid4().hex}",
        "now": clock.now(),
    }
    if noun == "member":
        return forgetting.forget_member(dynamodb, settings, name, **author)
    person = forgetting.recipient(name) if noun == "recipient" else forgetting.requester(name)
    return forgetting.forget(dynamodb, settings, person, **author)


def _name_restored_sets(platform: Platform) -> None:
    from prism_resources.backup.sets import set_names
    from prism_resources.lake import Lake

    aside = set_names(Lake(platform.settings))
    if aside:
        say(f"rows of before stand in restored sets: {', '.join(aside)}; drop each: prism restore --drop SET")


def _print_touched(
    platform: Platform, member_id: str, touched: "list[Touched]", accounts: "list[User]", *, as_json: bool
) -> None:
    from prism_resources.backup.sets import set_names
    from prism_resources.lake import Lake

    sets = set_names(Lake(platform.settings))
    if as_json:
        items = [
            {"item": one.item, "becomes": "deleted" if one.deleted else "blanked", "log_entries": one.entries}
            for one in touched
        ]
        found = {"member_id": member_id, "items": items, "account": bool(accounts), "restored_sets": sets}
        typer.echo(json.dumps(found))
        return
    table = Table("item", "becomes", "entries of the change log", title=plain(f"forgetting {member_id}"))
    for one in touched:
        table.add_row(plain(one.item), "deleted" if one.deleted else "blanked", str(one.entries))
    out.print(table)
    for account in accounts:
        say(f"their account is deleted: {account.email}")
    if not accounts:
        say("there is no account of theirs")
    say("names, addresses and reasons in the change log, the lake and backups become unreadable with their key")
    say("exports, uploads and rows of jobs may name them in the clear until they expire, after seven days")
    if sets:
        say(f"restored sets hold rows in the clear: {', '.join(sets)}; drop each: prism restore --drop SET")


def _print(noun: str, name: str, done: "Forgotten", more: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps(
                {f"{noun}_id": name, "deleted": done.deleted, "blanked": done.blanked, "key": done.key} | more
            )
        )
        return
    kept = "the data key deleted" if done.key else "there was no data key"
    if "account" in more:
        say(f"{'their account is deleted' if more['account'] else 'there was no account'}")
    items = f"{count_of(done.deleted, 'item', 'items')} deleted"
    say(f"{name} is forgotten: {items}, {done.blanked} blanked, {kept}")
    say("a process that is running may remember the key for one minute")
