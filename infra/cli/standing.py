"""`prism status` of an installation on AWS: its stacks, and where people and producers find it.

Belongs here: asking CloudFormation and showing the answer. Does not belong here: whether all of it works (`prism
doctor`, infra/smoke.py), and a platform of this machine (up.py).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import typer
from rich.table import Table

from infra.cli.console import out, plain
from infra.deploy import ON_AWS, STACKS, outputs_of, stack_name, stack_of
from infra.place import refuse_wrong_place
from infra.stacks import SOUND
from prism_core.settings import Settings

NOT_DEPLOYED: Final = "not deployed"
# A change that was taken back has left what was there before.
_RUNS: Final = SOUND | {"UPDATE_ROLLBACK_COMPLETE"}
# What a person opens or gives to a producer, by the output that says it.
_WHERE: Final = {
    "screens": ("web", "ScreensUrl", "{value}"),
    "api": ("web", "ScreensUrl", "{value}/api"),
    "screens, by CloudFront's name": ("web", "DistributionDomain", "{value}"),
    "tokens of producers": (
        "api",
        "UsersDomainName",
        "https://{value}.auth.{region}.amazoncognito.com/oauth2/token",
    ),
    "page of health": ("observability", "HealthDashboard", "{value}"),
    "dagster, by a session": ("dagster", "DagsterCluster", "cluster {value}"),
}


def say_what_is_deployed(settings: Settings, *, as_json: bool) -> None:
    """Print the state of every stack and the addresses that stacks say.

    Raises WrongPlace for credentials, account or region that are not those of the installation.
    """
    whose = refuse_wrong_place(settings)
    found = {concern: stack_of(settings, concern).described() for concern in (*STACKS, *ON_AWS)}
    states = {concern: NOT_DEPLOYED if one is None else str(one["StackStatus"]) for concern, one in found.items()}
    where = _addresses(settings, {concern: outputs_of(one or {}) for concern, one in found.items()})
    if as_json:
        facts = {"account": settings.account_id, "region": settings.region, "asked_as": whose}
        # Dagster waits until somebody names its network: without it the rest is whole.
        running = all(state in _RUNS for concern, state in states.items() if concern != "dagster")
        typer.echo(json.dumps(facts | {"running": running, "stacks": states, "addresses": where}))
        return
    table = Table("stack", "state", "changed", title=f"account {settings.account_id}, {settings.region}")
    for concern, one in found.items():
        table.add_row(stack_name(settings, concern), plain(states[concern]), _changed(one))
    out.print(table)
    grid = Table.grid(padding=(0, 2))
    for name, address in where.items():
        grid.add_row(name, plain(address))
    out.print(grid)


def _addresses(settings: Settings, told: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {
        name: form.format(value=told[concern][output].rstrip("/"), region=settings.region)
        for name, (concern, output, form) in _WHERE.items()
        if told[concern].get(output)
    }


def _changed(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return ""
    return f"{one.get('LastUpdatedTime') or one['CreationTime']:%Y-%m-%d %H:%M}"
