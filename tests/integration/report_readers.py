"""Readers of reports, and reports for them, for several modules.

Belongs here: the fixture `readers`: nobody subscribed, nothing on the shelf, no edition, and a mailbox. Does not
belong here: tests.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.local.mail.keeping import split_envelope
from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.facts.ledger import Ledger
from prism_core.lake import REPORTS
from prism_core.mail_attempts import Outcome
from prism_core.models.reports import Recipient, ReportKind
from prism_core.reports.content import ReportContent, Statement
from prism_core.settings import Settings
from prism_core.tables import DELIVERIES, EDITIONS, RECIPIENTS
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.mailing import PREFIX
from prism_resources.reports.delivery import ReportDelivery
from prism_resources.reports.shelf import Shelf
from prism_resources.tables.bulk import batch_write, delete_request, scan_pages
from prism_resources.tables.codec import encode_key
from tests.integration.asset_runs import write
from tests.integration.emulators import await_true
from tests.integration.test_emulator_contract_mail import sink
from tests.unit.report_mails import real_week

CAMPAIGN, OPERATIONS = ReportKind.CAMPAIGN, ReportKind.OPERATIONS
# The week that is due, and seven o'clock on the Monday after it in Madrid.
W35 = Week.parse("2023-W35")
MONDAY = datetime(2023, 9, 4, 5, tzinfo=UTC)
SIX = ("ada", "bob", "cleo", "dev", "eve", "finn")


@dataclasses.dataclass
class Readers:
    """People who read reports, and what has come to them."""

    settings: Settings
    mailbox: Path

    def join(
        self, *names: str, zone: str = "Europe/Madrid", status: str = "active", report: str = "campaign"
    ) -> None:
        write("recipients", [reader(name, zone, status, report) for name in names])

    def shelve(self, content: ReportContent, *, at: datetime = MONDAY, report: ReportKind = CAMPAIGN) -> None:
        Shelf(self.settings).put(report, content, now=at)

    def deliver(self, now: datetime = MONDAY, **how: Any) -> dict[str, str]:
        """One run; what became of each delivery."""
        return stands(ReportDelivery(self.settings).deliver(now, **how))

    def due(self, now: datetime) -> list[tuple[str, ...]]:
        return [one.recipients for one in ReportDelivery(self.settings).due(now)]

    def mails(self) -> list[tuple[str, EmailMessage]]:
        """Whom each mail has reached, in the order in which they came: as many as the ledger calls sent."""
        await_true(lambda: len(list(self.mailbox.glob("*.eml"))) >= self._sent(), every=0.02)
        found: list[tuple[str, EmailMessage]] = []
        for path in sorted(self.mailbox.glob("*.eml")):
            envelope, raw = split_envelope(path.read_bytes())
            assert envelope is not None
            message = message_from_bytes(raw, EmailMessage, policy=policy.default)
            found.append((envelope.recipients[0].partition("@")[0], message))
        return found

    def got(self) -> list[tuple[str, str]]:
        return [(name, str(message["Subject"])) for name, message in self.mails()]

    def texts(self) -> list[str]:
        bodies = (message.get_body(("plain",)) for _, message in self.mails())
        return [one.get_content() for one in bodies if one is not None]

    def stands(self) -> dict[str, str]:
        """The status of every delivery, by its edition and recipient."""
        table = self.settings.table_name(DELIVERIES.name)
        rows = [raw for page in scan_pages(client(self.settings, "dynamodb"), table, 1) for raw in page]
        return {f"{raw['edition_id']['S']} {raw['recipient_id']['S']}": raw["status"]["S"] for raw in rows}

    def _sent(self) -> int:
        return sum(status == "sent" for status in self.stands().values())


def reader(name: str, zone: str, status: str, report: str) -> Recipient:
    return Recipient.model_validate(
        {
            "recipient_id": name,
            "name": "A Reader",
            "email": f"{name}@example.com",
            "time_zone": zone,
            "status": status,
            "subscriptions": [{"report": report}],
        }
    )


def stands(outcomes: list[Outcome]) -> dict[str, str]:
    return {one.recipient_id: one.status.value for outcome in outcomes for one in outcome.deliveries}


def with_leads(leads: int, week: int = 35) -> ReportContent:
    """The report of a real week with other leads on its card."""
    content = _real_week(week)
    fact_id = f"week.2023-w{week}.leads"
    facts = (
        dataclasses.replace(one, value=Decimal(leads)) if one.fact_id == fact_id else one
        for one in content.scope.facts.values()
    )
    return dataclasses.replace(content, scope=dataclasses.replace(content.scope, facts=Ledger(facts)))


_real_week = cache(real_week)


def reworded(content: ReportContent, prose: str) -> ReportContent:
    return dataclasses.replace(content, headline=(Statement(prose),))


def nothing_before(settings: Settings) -> None:
    """No recipient, edition or report of another test."""
    dynamodb = client(settings, "dynamodb")
    for spec in (RECIPIENTS, EDITIONS, DELIVERIES):
        table = settings.table_name(spec.name)
        names = [attribute.name for attribute in spec.key_attributes]
        for page in scan_pages(dynamodb, table, 1):
            keys = [{name: raw[name]["S"] for name in names} for raw in page]
            batch_write(dynamodb, table, [delete_request(encode_key(key)) for key in keys])
    lake = Lake(settings)
    for key in [*lake.keys(REPORTS), *lake.keys(PREFIX)]:
        lake.delete(key)


@contextmanager
def fresh_readers(platform: Platform, folder: Path) -> Iterator[Readers]:
    nothing_before(platform.settings)
    mailbox = folder / "mail"
    mailbox.mkdir()
    with sink(platform, mailbox):
        yield Readers(platform.settings, mailbox)


@pytest.fixture
def readers(platform: Platform, tmp_path: Path) -> Iterator[Readers]:
    with fresh_readers(platform, tmp_path) as found:
        yield found
