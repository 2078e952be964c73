"""Mail that came back, from SES through its topic and queue to the ledger and the reader.

Why real: topic, policy, subscription and queue are those of the template; SES's simulator decides what bounces.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from infra.local.mail_returns import tell_of_returns
from infra.local.platform import Platform
from prism_assets.definitions import build_definitions
from prism_core.calendar import Week
from prism_core.mail_feedback import Feedback
from prism_core.models.people import Member
from prism_core.models.reports import DeliveryStatus, Edition, Recipient, RecipientStatus, ReportKind
from prism_core.settings import Environment, Settings, load_settings
from prism_core.tables import RECIPIENTS
from prism_resources.aws import client
from prism_resources.letters import Letter
from prism_resources.mailing import Mailing
from prism_resources.returns import QUEUE, UNREAD, MailReturns, Taken
from prism_resources.tables.store import TableStore
from tests.integration.asset_runs import failed_checks, write
from tests.integration.emulators import await_true
from tests.integration.ticks import tick

NOW = datetime(2018, 9, 10, 6, tzinfo=UTC)
WEEK = Week.parse("2018-W36")
DAILY = ReportKind.ALERTS_DAILY
SIMULATOR = "simulator.amazonses.com"
SES_SAYS = {
    "mail": {"messageId": "m-1", "timestamp": "2018-09-10T06:00:00.000Z", "destination": []},
    "bounce": {
        "bounceType": "Transient",
        "bounceSubType": "MailboxFull",
        "timestamp": "2018-09-10T06:00:01.000Z",
        "bouncedRecipients": [],
    },
}


@pytest.fixture(autouse=True)
def _returns(platform: Platform) -> Iterator[None]:
    tell_of_returns(platform.settings)
    _empty(platform.settings, QUEUE)
    _empty(platform.settings, UNREAD)
    yield
    _empty(platform.settings, UNREAD)


def _empty(settings: Settings, queue: str) -> None:
    sqs = client(settings, "sqs")
    url = sqs.get_queue_url(QueueName=f"{settings.name_prefix}-{queue}")["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)


def _say(settings: Settings, message: str | dict[str, Any]) -> None:
    sqs = client(settings, "sqs")
    url = sqs.get_queue_url(QueueName=f"{settings.name_prefix}-{QUEUE}")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=message if isinstance(message, str) else json.dumps(message))


def _join(name: str, email: str, status: RecipientStatus = RecipientStatus.ACTIVE) -> str:
    subscribed = [{"report": DAILY}]
    write(
        "recipients",
        [
            Recipient.model_validate(
                {"recipient_id": name, "name": "A Person", "email": email, "time_zone": "UTC", "status": status}
                | {"subscriptions": subscribed}
            )
        ],
    )
    return name


def _mailed(settings: Settings, occasion: str, *names: str, report: ReportKind = DAILY) -> Edition:
    mailing = Mailing(settings)
    letter = Letter(names, "Alerts", "3 alerts are open", "<p>3 alerts are open</p>")
    edition = mailing.prepare(report, WEEK, "Alerts", [letter], now=NOW, occasion=occasion)
    return mailing.deliver(edition, now=NOW).edition


def _arrived(settings: Settings, count: int) -> MailReturns:
    returns = MailReturns(settings)
    await_true(lambda: returns.waiting() >= count)
    return returns


def _deliveries(settings: Settings, edition: Edition) -> dict[str, tuple[DeliveryStatus, str | None]]:
    return {one.recipient_id: (one.status, one.error) for one in Mailing(settings).deliveries(edition.edition_id)}


def _run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = build_definitions(load_settings()).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("returned_mail")])


def _recipient(settings: Settings, name: str) -> Recipient | None:
    return TableStore(client(settings, "dynamodb"), settings, RECIPIENTS, Recipient).get(recipient_id=name)


def _status(settings: Settings, name: str) -> RecipientStatus | None:
    found = _recipient(settings, name)
    return None if found is None else found.status


def test_who_cannot_be_reached_and_who_complains_gets_nothing_more_and_the_ledger_says_why(
    platform: Platform,
) -> None:
    settings = platform.settings
    _join("rm-gone", f"Bounce+gone@{SIMULATOR}")
    _join("rm-cross", f"complaint+cross@{SIMULATOR}")
    _join("rm-there", f"success@{SIMULATOR}")
    edition = _mailed(settings, "first", "rm-gone", "rm-cross", "rm-there")

    taken = _arrived(settings, 2).take(NOW)

    assert taken.kinds == {Feedback.REFUSED: 1, Feedback.COMPLAINT: 1}
    assert (sorted(taken.stopped), taken.of_nobody, taken.unread) == (["rm-cross", "rm-gone"], [], [])
    assert _deliveries(settings, edition) == {
        "rm-gone": (DeliveryStatus.RETURNED, "the address refused it (Permanent General 5.1.1)"),
        "rm-cross": (DeliveryStatus.SENT, "the reader complained of it (abuse)"),
        "rm-there": (DeliveryStatus.SENT, None),
    }
    assert [_status(settings, name) for name in ("rm-gone", "rm-cross", "rm-there")] == [
        RecipientStatus.BOUNCED,
        RecipientStatus.PAUSED,
        RecipientStatus.ACTIVE,
    ]
    assert MailReturns(settings).waiting() == 0
    assert _deliveries(settings, _mailed(settings, "second", "rm-gone", "rm-there"))["rm-gone"] == (
        DeliveryStatus.SKIPPED,
        "the recipient is bounced",
    )


def test_what_is_told_twice_stops_nobody_whom_a_person_let_in_again(platform: Platform) -> None:
    settings = platform.settings
    _join("rm-back", f"bounce+back@{SIMULATOR}")
    edition = _mailed(settings, "back", "rm-back")
    _arrived(settings, 1).take(NOW)
    (delivery,) = Mailing(settings).deliveries(edition.edition_id)
    _join("rm-back", f"bounce+back@{SIMULATOR}")

    bounced = {"bounceType": "Permanent", "bounceSubType": "General"}
    of = [{"emailAddress": f"bounce+back@{SIMULATOR}", "status": "5.1.1"}]
    again = {
        "eventType": "Bounce",
        "mail": SES_SAYS["mail"] | {"messageId": delivery.message_id},
        "bounce": SES_SAYS["bounce"] | bounced | {"bouncedRecipients": of},
    }
    _say(settings, again)
    taken = _arrived(settings, 1).take(NOW)

    assert (taken.kinds.total(), taken.stopped) == (1, [])
    assert _status(settings, "rm-back") is RecipientStatus.ACTIVE
    _say(settings, again | {"mail": SES_SAYS["mail"] | {"messageId": "another-mail"}})
    assert _arrived(settings, 1).take(NOW).stopped == ["rm-back"]


def test_a_full_mailbox_is_said_of_the_mail_and_stops_nobody(platform: Platform) -> None:
    settings = platform.settings
    _join("rm-full", f"success+full@{SIMULATOR}")
    edition = _mailed(settings, "full", "rm-full")
    (delivery,) = Mailing(settings).deliveries(edition.edition_id)
    of = [{"emailAddress": f"success+full@{SIMULATOR}", "status": "4.2.2"}]
    _say(
        settings,
        {
            "eventType": "Bounce",
            "mail": SES_SAYS["mail"] | {"messageId": delivery.message_id},
            "bounce": SES_SAYS["bounce"] | {"bouncedRecipients": of},
        },
    )

    taken = _arrived(settings, 1).take(NOW)

    assert (taken.kinds, taken.stopped) == ({Feedback.UNDELIVERED: 1}, [])
    said = "it did not arrive (Transient MailboxFull 4.2.2)"
    assert _deliveries(settings, edition) == {"rm-full": (DeliveryStatus.RETURNED, said)}
    assert _status(settings, "rm-full") is RecipientStatus.ACTIVE


def test_a_member_without_an_entry_has_one_that_says_so(platform: Platform) -> None:
    settings = platform.settings
    person = {"member_id": "rm-member", "name": "A Person", "time_zone": "Europe/Madrid"}
    write("members", [Member.model_validate(person | {"email": f"bounce+member@{SIMULATOR}"})])
    _mailed(settings, "member", "rm-member", report=ReportKind.ALLOCATION_CHANGES)

    assert _arrived(settings, 1).take(NOW).stopped == ["rm-member"]
    found = _recipient(settings, "rm-member")
    assert found is not None
    assert (found.status, found.member_id, found.time_zone) == (
        RecipientStatus.BOUNCED,
        "rm-member",
        "Europe/Madrid",
    )
    again = _mailed(settings, "member again", "rm-member", report=ReportKind.ALLOCATION_CHANGES)
    assert _deliveries(settings, again)["rm-member"][0] is DeliveryStatus.SKIPPED


def test_the_sensor_asks_while_something_waits_and_what_nobody_understands_is_seen(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", NOW.isoformat())
    settings = platform.settings
    of = [{"emailAddress": "operations@example.com"}]
    with dg.DagsterInstance.ephemeral() as instance:
        assert tick("mail_returned", instance, None).requests == []
        bounce = SES_SAYS["bounce"] | {"bouncedRecipients": of}
        _say(settings, {"eventType": "Bounce", **SES_SAYS, "bounce": bounce})
        _say(settings, "nonsense")
        _arrived(settings, 2)

        (asked,) = tick("mail_returned", instance, None).requests
        done = _run(instance)

        assert asked.asset_selection == [dg.AssetKey("returned_mail")]
        assert done.success
        (shown,) = [one.metadata for one in done.asset_materializations_for_node("returned_mail")]
        assert shown["by_kind"].value == {"undelivered": 1}
        assert shown["of_nobody"].value == ["m-1"]
        assert shown["unread"].value == 1
        assert failed_checks(done) == set()

        sqs = client(settings, "sqs")
        unread = sqs.get_queue_url(QueueName=f"{settings.name_prefix}-{UNREAD}")["QueueUrl"]
        sqs.send_message(QueueUrl=unread, MessageBody="nonsense")
        assert failed_checks(_run(instance)) == {"everything_read"}


def test_nothing_waits_where_no_mail_is_sent(platform: Platform) -> None:
    silent = platform.settings.model_copy(update={"environment": Environment.AWS, "mail_sender": None})

    assert MailReturns(silent).waiting() == 0
    assert MailReturns(silent).take(NOW) == Taken()
