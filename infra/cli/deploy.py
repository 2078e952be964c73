"""`prism deploy`: the templates to one of the two places, looked at before and tried afterwards.

Belongs here: the order a person sees (preflight, change, smoke test), what is asked of them, and how it prints.
Does not belong here: the deployment (infra/deploy.py), the place (infra/place.py) and the proof (infra/smoke.py).
"""

import json
import os
import shutil
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from infra.cli.console import count_of, err, out, plain, say
from infra.local.home import Home
from infra.local.platform import Platform, attached, locked
from infra.packaging.libraries import Arch
from prism_core import clock
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.settings import Environment, load_settings, prism_home


def deploy(
    environment: Annotated[Environment, typer.Argument(metavar="ENV", help="`local` or `aws`")],
    only_plan: Annotated[bool, typer.Option("--plan", help="print what would change, and change nothing")] = False,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="local: delete the platform of this home first")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask before something changes")] = False,
    arch: Annotated[
        Arch | None, typer.Option(help="the processor on AWS; what is deployed if unsaid, arm64 the first time")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="aws: where people open the screens; several times for several")
    ] = None,
    told: Annotated[
        list[str] | None,
        typer.Option("--set", help="aws: NAME=VALUE of a parameter that only a person knows; kept from then on"),
    ] = None,
    despite: Annotated[
        bool, typer.Option("--despite-findings", help="go on although `prism doctor` finds something failing")
    ] = False,
    take_in: Annotated[
        bool, typer.Option("--take-in", help="aws: bring what deleted stacks have left into new ones")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of tables")] = False,
) -> None:
    """Deploy: preflight, change sets shown and applied, smoke test; taken back when that fails."""
    _agree(environment)
    if from_scratch:
        _empty(environment, yes=yes or only_plan)
    if environment is Environment.AWS and not origin:
        raise BadUsage("--origin says where people open the screens, such as https://prism.example.com")
    asked = {name: value for name, _, value in (one.partition("=") for one in told or ())}
    how: dict[str, Any] = {"origins": origin or (), "arch": arch, "asked": asked, "take_in": take_in}
    os.umask(0o077)
    from infra.deploy_preflight import doctor_before, image_before
    from infra.local.serving import outside
    from infra.place import refuse_wrong_place

    with attached(say, beside=outside, unchecked=True) as platform:
        say(f"deploying to {environment.value} as {refuse_wrong_place(platform.settings)}")
        image_before(platform.settings, asked, say)
        doctor_before(platform.settings, say, despite=despite or only_plan)
        if only_plan:
            _print_plan(platform, how, as_json=as_json)
            return
        if environment is Environment.AWS and not yes:
            _ask(platform, how)
        _apply(platform, how, as_json=as_json)


def _agree(environment: Environment) -> None:
    """The settings speak of the same place, or of none."""
    said = os.environ.setdefault("PRISM_ENVIRONMENT", environment.value)
    if said != environment.value or load_settings().environment is not environment:
        raise BadUsage(
            f"PRISM_ENVIRONMENT is {said}, and this would deploy to {environment.value}; say one of them"
        )


def _empty(environment: Environment, *, yes: bool) -> None:
    if environment is not Environment.LOCAL:
        raise BadUsage("--from-scratch is for the local platform; nothing on AWS is deleted from here")
    home = Home(prism_home())
    if not (home.root / "ports.json").exists():
        return
    if not yes:
        raise BadUsage(f"--from-scratch deletes everything below {home.root}; say --yes")
    with locked(home) as free:
        if not free:
            raise PermanentFailure(f"{home.root} is in use; run `prism down` first")
        shutil.rmtree(home.root.resolve())


def _print_plan(platform: Platform, how: Mapping[str, Any], *, as_json: bool) -> None:
    from infra.deploy import plan

    found = plan(platform.settings, clock.this_week(), say, **how)
    if as_json:
        typer.echo(json.dumps({"stacks": [_facts(one) for one in found]}))
        return
    for one in found:
        _print_change(one)


def _ask(platform: Platform, how: Mapping[str, Any]) -> None:
    if not err.is_terminal:
        raise BadUsage("nobody is there to be asked; see `prism deploy aws --plan`, and say --yes")
    _print_plan(platform, how, as_json=False)
    typer.confirm("make these changes?", abort=True, err=True)


def _apply(platform: Platform, how: Mapping[str, Any], *, as_json: bool) -> None:
    from infra.addresses import advice_on_names
    from infra.deploy import deploy as deployed
    from infra.deploy import outputs
    from infra.screens_upload import refuse_unbuilt, upload_screens
    from infra.smoke import page_test, smoke_test

    settings, seen = platform.settings, list[str]()
    if settings.environment is Environment.AWS:
        refuse_unbuilt()

    def prove() -> None:
        if settings.environment is Environment.LOCAL:
            _seed(platform)
        seen.extend(smoke_test(settings, say))
        # The last thing of all: what is uploaded is not taken back with the stacks.
        if settings.environment is Environment.AWS:
            say(f"{upload_screens(settings)} files of the screens are uploaded")
        seen.extend(page_test(settings, say))

    done = deployed(
        settings,
        clock.this_week(),
        say,
        **how,
        show=lambda _: None if as_json else _print_change(_),
        prove=prove,
    )
    if settings.environment is Environment.AWS:
        for one in advice_on_names(outputs(settings, "web"), how["origins"]):
            say(one)
    if as_json:
        typer.echo(json.dumps({"stacks": [_facts(one) for one in done], "smoke": seen}))
        return
    changed = sum(one.action != "unchanged" for one in done)
    out.print(f"deployed: {count_of(changed, 'stack', 'stacks')} of {len(done)} changed; smoke test passed")


def _seed(platform: Platform) -> None:
    """What a local platform has that AWS has not: accounts to try it with, and credentials of the stand-ins."""
    from infra.local.demo_users import seed_demo_users
    from infra.local.mail_returns import tell_of_returns
    from infra.local.standins.serving import seed_credentials

    seed_demo_users(platform)
    seed_credentials(platform)
    tell_of_returns(platform.settings)


def _facts(one: Any) -> dict[str, Any]:
    changes = [
        {"action": c.action, "resource": c.resource, "type": c.type, "replaces": c.replaces} for c in one.changes
    ]
    return {"stack": one.stack, "action": one.action, "changes": changes}


def _print_change(one: Any) -> None:
    if not one.changes:
        out.print(f"stack {one.stack}: {one.action}")
        return
    table = Table(Column("change", no_wrap=True), "resource", "type", title=f"stack {one.stack}: {one.action}")
    for change in one.changes:
        action = f"{change.action}, new one" if change.replaces else change.action
        table.add_row(plain(action), plain(change.resource), plain(change.type.removeprefix("AWS::")))
    out.print(table)
