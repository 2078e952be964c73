"""`prism events producer`: producers that sign their deliveries.

Belongs here: making one and replacing its secret. Does not belong here: what a secret says
(prism_api/events/hooks.py) and how a delivery is signed (prism_core/events/signatures.py).
The secret is printed once and nowhere else: who has lost it replaces it.
"""

import base64
import json
import re
import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.console import out, plain, say
from infra.local.platform import attached
from prism_core.events.signatures import Scheme
from prism_core.failures import BadUsage

if TYPE_CHECKING:
    from prism_core.events.arrivals import Webhook

producer_app = typer.Typer(help="Producers that sign what they deliver to /hooks/NAME.", no_args_is_help=True)
_SECRET_BYTES = 32
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
Name = Annotated[str, typer.Argument(help="what the producer is called: the last part of its address")]


@producer_app.command("add")
def add(
    name: Name,
    scheme: Annotated[
        Scheme, typer.Option(help="what it signs: Standard Webhooks, or the body as GitHub does")
    ] = Scheme.STANDARD,
    source: Annotated[str | None, typer.Option(help="it sends plain webhooks: the source of their events")] = None,
    type_header: Annotated[str | None, typer.Option(help="the header that says what a webhook is of")] = None,
    type_prefix: Annotated[str, typer.Option(help="what stands before that in the type of its event")] = "",
    id_header: Annotated[str | None, typer.Option(help="the header with the id of a delivery")] = None,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="a new secret beside the last one of this producer")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON value")] = False,
) -> None:
    """Make a producer and print its secret and address. Without `--source` it delivers CloudEvents.

    With `--rotate` deliveries signed by the secret before are taken, too, until the next time.
    """
    from infra.addresses import told_url
    from prism_api.events.hooks import NAME, Hook, Hooks, keep_hook

    if not NAME.fullmatch(name):
        raise BadUsage(f"{name!r} is no name; use up to 64 letters, digits and . _ -")
    webhook = _webhook(source, type_prefix, type_header, id_header)
    with attached(say) as platform:
        known = Hooks(platform.settings).get(name)
        if known is None and rotate:
            raise BadUsage(f"there is no producer {name} whose secret could be replaced")
        if known is not None and not rotate:
            raise BadUsage(f"there is a producer {name}; --rotate gives it a new secret")
        if known is not None:
            hook = Hook((_secret(known.scheme), *known.secrets[:1]), known.scheme, known.webhook)
        else:
            hook = Hook((_secret(scheme),), scheme, webhook)
        keep_hook(platform.settings, name, hook)
        address = f"{told_url(platform.settings)}/hooks/{name}"
        platform.flush()
    said = {"producer": name, "address": address, "scheme": hook.scheme.value, "secret": hook.secrets[0]}
    if as_json:
        typer.echo(json.dumps(said))
        return
    out.print(plain(f"{name} delivers to {address}, signed ({hook.scheme}) with"))
    out.print(plain(hook.secrets[0]))
    say("it is not shown again; functions know it within five minutes")


def _webhook(
    source: str | None, type_prefix: str, type_header: str | None, id_header: str | None
) -> "Webhook | None":
    """How its webhooks become events. Raises BadUsage for what would make every delivery of it refused."""
    from prism_core.events.arrivals import Webhook, webhook_event
    from prism_core.events.rejections import EventRejected

    if source is None or type_header is None:
        if source is not None or type_header is not None or type_prefix or id_header:
            raise BadUsage("plain webhooks need both --source and --type-header")
        return None
    for option, header in (("--type-header", type_header), ("--id-header", id_header)):
        if header is not None and not _HEADER.fullmatch(header):
            raise BadUsage(f"{option} {header!r} is no name of a header, such as x-github-event")
    webhook = Webhook(source, type_prefix, type_header.lower(), id_header and id_header.lower())
    try:
        webhook_event(webhook, {webhook.type_header: "a"}, b"{}", signed=())
    except EventRejected as refused:
        raise BadUsage(f"no delivery would be an event: {refused.reason}") from refused
    return webhook


def _secret(scheme: Scheme) -> str:
    """As Standard Webhooks writes it; GitHub takes any text."""
    made = secrets.token_bytes(_SECRET_BYTES)
    return made.hex() if scheme is Scheme.BODY_ONLY else f"whsec_{base64.b64encode(made).decode()}"
