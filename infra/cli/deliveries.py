"""`prism deliveries`: mails that are not settled, and settling them.

Belongs here: the command and how it prints deliveries. Does not belong here: the send ledger
(prism_resources/mailing.py).
"""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from infra.cli.console import count_of, out, plain, say
from infra.local.platform import attached
from prism_core import clock
from prism_core.failures import BadUsage

if TYPE_CHECKING:
    from prism_core.models.reports import Delivery
    from prism_resources.mailing import Mailing

SETTLED = ("arrived", "again", "dropped")


def deliveries(
    edition: Annotated[str, typer.Argument(help="an edition: all that became of it")] = "",
    recipient: Annotated[str, typer.Argument(help="one recipient of it, to settle")] = "",
    settle: Annotated[
        str, typer.Option("--settle", help=f"what becomes of the delivery: {', '.join(SETTLED)}")
    ] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="send nothing of the edition any more")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")] = False,
) -> None:
    """Mails of which nobody knows whether they went, and refused ones; and what becomes of them."""
    if bool(recipient) != bool(settle):
        raise BadUsage("EDITION RECIPIENT and --settle belong together")
    if settle and settle not in SETTLED:
        raise BadUsage(f"--settle {settle}: valid are {', '.join(SETTLED)}")
    if withdraw and (settle or not edition):
        raise BadUsage("--withdraw is of one EDITION, and settles nothing")
    from infra.local.serving import mail

    with attached(say, beside=mail if settle else None) as platform:
        from prism_resources.mailing import Mailing

        mailing = Mailing(platform.settings)
        if settle:
            _settle(mailing, edition, recipient, settle)
        if withdraw:
            mailing.withdraw(edition, actor="command", now=clock.now())
        found = mailing.deliveries(edition) if edition else _unsettled(mailing)
    if edition and not found and not withdraw:
        raise BadUsage(f"there is no delivery of an edition {edition!r}")
    if as_json:
        typer.echo(json.dumps({"deliveries": [one.plain() for one in found]}))
        return
    # Both ids are what --settle is given: they are never cut.
    ids = (Column("edition", no_wrap=True), Column("recipient", no_wrap=True))
    shown = Table(*ids, "status", "claimed", "attempts", "what was said")
    for one in found:
        said: list[Any] = [one.status.value, f"{one.claimed:%Y-%m-%d %H:%M} UTC", str(one.attempts)]
        shown.add_row(plain(one.edition_id), plain(one.recipient_id), *said, plain(one.error or ""))
    if found:
        out.print(shown)
    what = "delivery" if edition else "delivery that is not settled"
    out.print(count_of(len(found), what, what.replace("delivery", "deliveries").replace("that is", "that are")))


def _unsettled(mailing: "Mailing") -> "list[Delivery]":
    from prism_core.models.reports import DeliveryStatus

    waiting = {DeliveryStatus.CLAIMED, DeliveryStatus.FAILED}
    editions = mailing.open(clock.this_week())
    return [one for edition in editions for one in mailing.deliveries(edition.edition_id) if one.status in waiting]


def _settle(mailing: "Mailing", edition_id: str, recipient_id: str, settle: str) -> None:
    """Say what becomes of one delivery; what is to be sent again is sent now, and the edition closed."""
    from prism_resources.mailing import Settled

    now = clock.now()
    mailing.settle(edition_id, recipient_id, Settled(settle), actor="command", now=now)
    edition = mailing.edition(edition_id)
    if edition is not None:
        mailing.deliver(edition, now=now)
