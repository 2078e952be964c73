"""The send ledger: a letter reaches its recipient at most once.

Why real: what a kill leaves lies between SES and DynamoDB, and who came first is decided by a conditional write.
"""

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.mail_attempts import AT_ONCE, Outcome
from prism_core.models.people import Member
from prism_core.models.projects import Project
from prism_core.models.reports import DeliveryStatus, Edition, EditionStatus, Recipient, ReportKind
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, DELIVERIES, MEMBERS, RECIPIENTS
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.letters import Letter
from prism_resources.mail import Mailer
from prism_resources.mailing import Mailing, Overtaken, Settled
from prism_resources.messages import Inline
from prism_resources.plans.publishing import Publisher
from prism_resources.plans.telling import refused, tell, tell_all
from prism_resources.recipients import Recipients
from prism_resources.tables.publications import Publications
from tests.integration import warm
from tests.integration.asset_runs import write
from tests.integration.emulators import await_true
from tests.integration.faults import FaultProxy, fault_proxy
from tests.integration.fresh import platform_of_this_file, worker_port
from tests.integration.test_emulator_contract_mail import received, sink
from tests.integration.ticks import tick

platform = platform_of_this_file()

NOW = datetime(2018, 9, 10, 6, tzinfo=UTC)
DAILY, CHANGES = ReportKind.ALERTS_DAILY, ReportKind.ALLOCATION_CHANGES
# SES's sentence, which spells the address as it likes.
IN_THE_SANDBOX = (
    "Email address is not verified. The following identities failed the check in region EU-WEST-1: "
    "Slow@example.com, prism@Example.com"
)
SENDS = {"service": "ses", "operation": "SendRawEmail"}
_WEEKS = count()


@pytest.fixture
def mailbox(platform: Platform, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "mail"
    folder.mkdir()
    with sink(platform, folder):
        yield folder


@pytest.fixture
def week() -> Week:
    """A week of its own for each test."""
    return Week.parse("2019-W01") + next(_WEEKS)


@pytest.fixture(scope="module")
def one_proxy(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    log = tmp_path_factory.mktemp("proxy") / "proxy.log"
    with fault_proxy(str(platform.settings.aws_endpoint_url), worker_port(5), log) as running:
        yield running


@pytest.fixture
def proxy(one_proxy: FaultProxy) -> Iterator[FaultProxy]:
    """Without the rules of another test."""
    yield one_proxy
    one_proxy.clear()


def recipient(
    name: str, *, status: str = "active", reports: tuple[str, ...] = ("alerts_daily",), **of: Any
) -> str:
    found = Recipient.model_validate(
        {
            "recipient_id": name,
            "name": "A Person",
            "email": f"{name}@example.com",
            "time_zone": "UTC",
            "status": status,
            "subscriptions": [{"report": one} for one in reports],
            **of,
        }
    )
    write("recipients", [found])
    return name


def member(name: str) -> str:
    found = Member.model_validate(
        {"member_id": name, "name": "A Person", "email": f"{name}@example.org", "time_zone": "UTC"}
    )
    write("members", [found])
    return name


def letter(*recipients: str, text: str = "3 alerts are open") -> Letter:
    return Letter(recipients, "Alerts", text, f"<p>{text}</p>")


def prepared(settings: Settings, week: Week, *recipients: str, report: ReportKind = DAILY) -> Edition:
    return Mailing(settings).prepare(report, week, "Alerts", [letter(*recipients)], now=NOW)


def stored(settings: Settings, table: str) -> bytes:
    """All that lies in a table, in small letters."""
    pages = client(settings, "dynamodb").get_paginator("scan").paginate(TableName=settings.table_name(table))
    return b"".join(repr(page["Items"]).encode().lower() for page in pages)


def stands(outcome: Outcome) -> dict[str, str]:
    return {one.recipient_id: one.status.value for one in outcome.deliveries}


def to(mailbox: Path, count: int = 1) -> list[str]:
    """Whom mails have reached; `count` of them are waited for."""
    return sorted(address for recipients, _ in received(mailbox, count) for address in recipients)


def test_pictures_of_a_letter_are_kept_with_it_and_travel_within_the_mail(
    platform: Platform, week: Week, mailbox: Path
) -> None:
    mailing, pictures = Mailing(platform.settings), (Inline("b.png", b"\x89PNG b"), Inline("a.png", b"\x89PNG a"))
    html = "".join(f'<img src="cid:{one.cid}">' for one in pictures)
    sent = Letter((recipient("pictures"),), "Report", "as text", html, pictures)
    edition = mailing.prepare(DAILY, week, "Report", [sent], now=NOW)

    mailing.deliver(edition, now=NOW)

    assert mailing.content(edition).letters == (sent,)
    [(_, mail)] = received(mailbox)
    attached = [one for one in mail.walk() if one.get_content_maintype() == "image"]
    assert [(one["Content-ID"], one.get_content()) for one in attached] == [
        (f"<{one.cid}>", one.png) for one in pictures
    ]
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "as text"


def test_a_letter_without_pictures_is_the_edition_that_it_was_before_there_were_any(
    platform: Platform, week: Week, mailbox: Path
) -> None:
    """Another hash would be another edition, and its mail would go a second time."""
    edition = prepared(platform.settings, week, recipient("no-pictures"))

    stored = Lake(platform.settings).get(edition.content) or b""
    Mailing(platform.settings).deliver(edition, now=NOW)  # later tests look for open editions

    assert json.loads(stored)["letters"] == [
        {
            "recipients": ["no-pictures"],
            "subject": "Alerts",
            "text": "3 alerts are open",
            "html": "<p>3 alerts are open</p>",
        }
    ]


def test_an_edition_goes_to_each_recipient_once_with_text_and_html_however_often_it_is_delivered(
    platform: Platform, week: Week, mailbox: Path
) -> None:
    mailing, names = Mailing(platform.settings), (recipient("once-a"), recipient("once-b"))
    edition = prepared(platform.settings, week, *names)

    outcomes = [mailing.deliver(edition, now=NOW + timedelta(minutes=number)) for number in range(3)]

    found = received(mailbox)
    text, html = (found[0][1].get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert to(mailbox) == ["once-a@example.com", "once-b@example.com"]
    assert [stands(one) for one in outcomes] == [dict.fromkeys(names, "sent")] * 3
    assert (text.get_content().strip(), html.get_content().strip()) == (
        "3 alerts are open",
        "<p>3 alerts are open</p>",
    )
    assert found[0][1]["X-Prism-Edition"] == edition.edition_id == f"alerts_daily-{week}-1"
    assert "stop%20alerts_daily" in found[0][1]["List-Unsubscribe"]
    assert outcomes[0].edition.status is EditionStatus.SENT
    assert mailing.open(week) == []


def test_the_same_content_is_the_same_edition_and_another_one_is_the_next_of_its_week(
    platform: Platform, week: Week
) -> None:
    mailing = Mailing(platform.settings)

    first, again = (prepared(platform.settings, week, "x") for _ in range(2))
    other = mailing.prepare(DAILY, week, "Alerts", [letter("x", text="4 are open")], now=NOW)
    occasion = mailing.prepare(DAILY, week, "Alerts", [letter("x")], now=NOW, occasion="published again")

    assert again == first
    assert [one.number for one in (first, other, occasion)] == [1, 2, 3]
    assert mailing.last(DAILY, week) == occasion
    assert mailing.content(other).letters == (letter("x", text="4 are open"),)


def test_who_asks_for_a_number_that_another_edition_has_is_told_so(platform: Platform, week: Week) -> None:
    mailing = Mailing(platform.settings)
    first = mailing.prepare(DAILY, week, "Alerts", [letter("x")], now=NOW, number=1)

    again = mailing.prepare(DAILY, week, "Alerts", [letter("x")], now=NOW, number=1)
    with pytest.raises(Overtaken, match="says something else already"):
        mailing.prepare(DAILY, week, "Alerts", [letter("y")], now=NOW, number=1)

    assert again == first


def test_an_edition_for_nobody_is_refused(platform: Platform, week: Week) -> None:
    with pytest.raises(BadUsage, match="for nobody"):
        prepared(platform.settings, week)


@pytest.mark.parametrize("status", ["paused", "bounced"])
def test_a_recipient_who_is_paused_or_bounced_gets_nothing(
    platform: Platform, week: Week, mailbox: Path, status: str
) -> None:
    mailing, gone = Mailing(platform.settings), recipient(f"gone-{status}", status=status)
    here = recipient(f"here-{status}")

    outcome = mailing.deliver(prepared(platform.settings, week, gone, here), now=NOW)

    assert stands(outcome) == {gone: "skipped", here: "sent"}
    assert outcome.of(DeliveryStatus.SKIPPED)[0].error == f"the recipient is {status}"
    assert to(mailbox) == [f"{here}@example.com"]
    assert gone not in {one.recipient_id for one in Recipients(platform.settings).subscribed(DAILY)}


@pytest.mark.parametrize("address", ["a@intranet", "jürgen@x.org"], ids=["no domain", "beyond ascii"])
def test_an_address_that_was_stored_before_it_was_checked_is_read_and_gets_no_mail(
    platform: Platform, week: Week, mailbox: Path, address: str
) -> None:
    names = (recipient("old"), member("old-member"), recipient("ada"))
    for name, spec in (("old", RECIPIENTS), ("old-member", MEMBERS)):
        client(platform.settings, "dynamodb").update_item(
            TableName=platform.settings.table_name(spec.name),
            Key={spec.key_attributes[0].name: {"S": name}},
            UpdateExpression="SET email = :address",
            ExpressionAttributeValues={":address": {"S": address}},
        )

    edition = prepared(platform.settings, week, *names)
    outcome = Mailing(platform.settings).deliver(edition, now=NOW)

    assert "old" in {one.recipient_id for one in Recipients(platform.settings).subscribed(DAILY)}
    assert stands(outcome) == {"old": "skipped", "old-member": "skipped", "ada": "sent"}
    assert {
        "none that mail can be sent to" in (one.error or "") for one in outcome.of(DeliveryStatus.SKIPPED)
    } == {True}
    assert to(mailbox) == ["ada@example.com"]


def test_who_has_ended_the_subscription_since_the_edition_was_prepared_gets_nothing(
    platform: Platform, week: Week, mailbox: Path
) -> None:
    name = recipient("leaves", reports=("ops",))

    outcome = Mailing(platform.settings).deliver(prepared(platform.settings, week, name, "nobody"), now=NOW)

    assert stands(outcome) == {name: "skipped", "nobody": "skipped"}
    assert list(mailbox.glob("*.eml")) == []


def test_a_member_gets_what_every_member_gets_unless_the_own_entry_says_otherwise(
    platform: Platform, week: Week, mailbox: Path
) -> None:
    plain, out, own = (member(f"m-{name}") for name in ("plain", "out", "own"))
    recipient("of-out", member_id=out, reports=())
    recipient("of-own", member_id=own, reports=("allocation_changes",))

    found = Recipients(platform.settings).of_members(CHANGES, (plain, out, own))
    names = [name for one in found.values() for name in one]
    edition = prepared(platform.settings, week, *names, out, report=CHANGES)
    outcome = Mailing(platform.settings).deliver(edition, now=NOW)

    assert {one: list(whom) for one, whom in found.items()} == {plain: [plain], out: [], own: ["of-own"]}
    assert stands(outcome) == {plain: "sent", "of-own": "sent", out: "skipped"}
    assert to(mailbox) == ["m-plain@example.org", "of-own@example.com"]


class Killed(Mailer):
    """Hands the mail over, and ends like a machine that loses its power."""

    def send(self, *args: Any, **kwargs: Any) -> str:
        super().send(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def killed_behind_the_send(settings: Settings, edition: Edition) -> None:
    mailing = Mailing(settings)
    mailing.mailer = Killed(settings)
    mailing.deliver(edition, now=NOW)


def test_a_kill_between_send_and_record_gives_one_mail_and_a_delivery_that_stays_claimed(
    platform: Platform, week: Week, mailbox: Path
) -> None:
    mailing, names = Mailing(platform.settings), (recipient("killed-a"), recipient("killed-b"))
    edition = prepared(platform.settings, week, *names)
    sender = warm.process(killed_behind_the_send, platform.settings, edition)
    sender.start()
    sender.join(240)

    outcomes = [mailing.deliver(edition, now=NOW + timedelta(hours=hours)) for hours in (1, 30)]

    assert sender.exitcode == -signal.SIGKILL
    assert to(mailbox, 2) == ["killed-a@example.com", "killed-b@example.com"]
    assert [stands(one) for one in outcomes] == [{names[0]: "claimed", names[1]: "sent"}] * 2
    assert [one.edition_id for one in mailing.open(week)] == [edition.edition_id]


def test_a_mail_whose_answer_is_lost_is_not_sent_again(
    platform: Platform, week: Week, mailbox: Path, proxy: FaultProxy
) -> None:
    mailing, name = Mailing(proxy.settings(platform.settings)), recipient("unanswered")
    edition = prepared(platform.settings, week, name)
    proxy.rule(**SENDS, times=1, response={"abort_frac": 0.5})

    outcomes = [mailing.deliver(edition, now=NOW) for _ in range(2)]

    assert [stands(one) for one in outcomes] == [{name: "claimed"}] * 2
    assert to(mailbox) == ["unanswered@example.com"]


@pytest.mark.parametrize(
    ("settled", "status", "mails"),
    [(Settled.ARRIVED, "sent", 0), (Settled.DROPPED, "skipped", 0), (Settled.AGAIN, "sent", 1)],
)
def test_a_claimed_delivery_is_settled_by_a_person(
    platform: Platform, week: Week, mailbox: Path, proxy: FaultProxy, settled: Settled, status: str, mails: int
) -> None:
    mailing, name = Mailing(platform.settings), recipient(f"settled-{settled}")
    edition = prepared(platform.settings, week, name)
    proxy.rule(**SENDS, reset=True)
    lost = Mailing(proxy.settings(platform.settings)).deliver(edition, now=NOW)

    mailing.settle(edition.edition_id, name, settled, actor="ada", now=NOW)
    outcome = mailing.deliver(edition, now=NOW)

    assert (stands(lost), stands(outcome)) == ({name: "claimed"}, {name: status})
    assert "nobody knows whether" in (lost.deliveries[0].error or "")
    await_true(lambda: len(list(mailbox.glob("*.eml"))) == mails)  # the sink writes it a moment later
    assert outcome.edition.status is EditionStatus.SENT
    with pytest.raises(BadUsage, match=f"it is {status}"):
        mailing.settle(edition.edition_id, name, Settled.AGAIN, actor="ada", now=NOW)


def test_a_refused_mail_is_tried_again_by_later_runs_and_given_up_when_it_is_worth_nothing_any_more(
    platform: Platform, week: Week, mailbox: Path, proxy: FaultProxy
) -> None:
    mailing, slow, never = Mailing(proxy.settings(platform.settings)), recipient("slow"), recipient("never")
    edition = prepared(platform.settings, week, slow)
    proxy.rule(**SENDS, times=1, error={"code": "MessageRejected", "status": 400, "message": IN_THE_SANDBOX})
    refused, sent = (mailing.deliver(edition, now=NOW) for _ in range(2))
    other = prepared(platform.settings, week + 100, never)
    proxy.rule(**SENDS, error={"code": "MessageRejected", "status": 400})

    *_, first = (mailing.deliver(other, now=NOW) for _ in range(AT_ONCE))
    _, last = (mailing.deliver(other, now=NOW + timedelta(days=days)) for days in (1, 2))
    proxy.clear()
    mailing.settle(other.edition_id, never, Settled.AGAIN, actor="ada", now=NOW + timedelta(days=3))
    again = mailing.deliver(other, now=NOW + timedelta(days=3))

    assert [stands(one) for one in (refused, sent, last)] == [{slow: "failed"}, {slow: "sent"}, {never: "failed"}]
    assert (refused.for_good, last.for_good) == ({slow}, set())
    # What SES says stands in the ledger and its history for good, and the address that it repeats does not.
    assert "(their address), (an address);" in (refused.deliveries[0].error or "")
    ledger, history = (stored(platform.settings, table.name) for table in (DELIVERIES, CHANGELOG))
    assert b"failed the check" in history
    assert [text for text in (ledger, history) if b"@example.com" in text] == []
    assert [(len(one.waiting), len(one.given_up)) for one in (refused, first, last)] == [(1, 0), (1, 0), (0, 1)]
    assert last.deliveries[0].attempts == AT_ONCE + 1
    assert (stands(again), again.edition.status) == ({never: "sent"}, EditionStatus.SENT)
    assert to(mailbox, 2) == ["never@example.com", "slow@example.com"]


def test_changed_allocations_that_are_refused_for_hours_are_told_by_the_sensor_of_a_later_hour(
    platform: Platform,
    mailbox: Path,
    proxy: FaultProxy,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    week, now, who = Week.parse("2036-W20"), datetime(2036, 5, 1, 10, 58, tzinfo=UTC), member("planned")
    write("projects", [Project(project_id="p-1", name="P", category="raw", demand_hours=Decimal(8))])
    planned = {(who, "p-1"): {week.monday: Decimal(8)}}
    done = Publisher(platform.settings).publish(week, "plan-1", planned, actor="lead", expected=0)
    proxy.rule(**SENDS, error={"code": "MessageRejected", "status": 400})
    for _ in range(AT_ONCE):
        tell(proxy.settings(platform.settings), done, now=now)

    def asked(minutes: int) -> list[str]:
        """What is asked for beside the publication itself, which is asked for once."""
        monkeypatch.setenv("PRISM_NOW", f"{now + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}")
        keys = [one.run_key or "" for one in tick("published_plans", instance, None).requests]
        return [key.partition("+")[0] for key in keys if key != "allocation_notices@2036-W20-1"]

    early, later = asked(minutes=10), asked(minutes=62)
    tell_all(platform.settings, now=now + timedelta(minutes=62))

    assert (early, later) == ([], ["allocation_notices@2036-05-01T12"])
    assert to(mailbox) == ["planned@example.org"]
    pointers = Publications(client(platform.settings, "dynamodb"), platform.settings).between(week.label)
    assert refused(platform.settings, pointers, now=now + timedelta(hours=3)) == []


def delivered_at_once(settings: Settings, edition: Edition, at_once: Barrier) -> None:
    mailing = Mailing(settings)
    at_once.wait(240)
    mailing.deliver(edition, now=NOW)


def test_a_throttled_mail_waits_a_moment_and_goes(
    platform: Platform, week: Week, mailbox: Path, proxy: FaultProxy
) -> None:
    edition = prepared(platform.settings, week, recipient("throttled"))
    proxy.rule(**SENDS, times=1, error={"code": "Throttling", "status": 400})

    outcome = Mailing(proxy.settings(platform.settings)).deliver(edition, now=NOW)

    assert (stands(outcome), outcome.deliveries[0].attempts) == ({"throttled": "sent"}, 1)
    assert to(mailbox) == ["throttled@example.com"]


def test_two_processes_at_once_send_one_mail_to_each(platform: Platform, week: Week, mailbox: Path) -> None:
    names = [recipient(f"both-{number}") for number in range(6)]
    edition = prepared(platform.settings, week, *names)
    at_once = warm.CONTEXT.Barrier(2)
    senders = [warm.process(delivered_at_once, platform.settings, edition, at_once) for _ in range(2)]
    for one in senders:
        one.start()
    for one in senders:
        one.join(240)

    assert [one.exitcode for one in senders] == [0, 0]
    assert to(mailbox, len(names)) == sorted(f"{name}@example.com" for name in names)
    assert stands(Mailing(platform.settings).deliver(edition, now=NOW)) == dict.fromkeys(names, "sent")


def test_content_that_is_gone_or_altered_is_not_sent(platform: Platform, week: Week, mailbox: Path) -> None:
    edition = prepared(platform.settings, week, recipient("altered"))
    Lake(platform.settings).put(edition.content, b"{}", content_type="application/json")

    with pytest.raises(PermanentFailure, match="is not what"):
        Mailing(platform.settings).deliver(edition, now=NOW)

    assert list(mailbox.glob("*.eml")) == []


def test_a_sender_that_ses_has_not_verified_is_refused_and_the_ledger_says_so(
    platform: Platform, week: Week
) -> None:
    edition = prepared(platform.settings, week, recipient("unsent"))
    settings = platform.settings.model_copy(update={"mail_sender": "nobody@example.com"})

    outcome = Mailing(settings).deliver(edition, now=NOW)

    assert stands(outcome) == {"unsent": "failed"}
    assert "not verified" in (outcome.deliveries[0].error or "")
