"""What the embedded SES does with a message, one contract a test; where AWS does otherwise the docstring says so.

Why real: version one of the interface keeps a message and version two does not, and both answer success when
nothing arrives: only a sink at the other end of the wire can tell.
"""

import asyncio
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from infra.local.mail.keeping import split_envelope
from infra.local.mail.sink import start_sink
from infra.local.platform import Platform
from prism_resources.aws import client
from tests.integration.emulators import await_true

if TYPE_CHECKING:
    from types_boto3_sesv2.type_defs import DestinationTypeDef

PNG = b"\x89PNG\r\n\x1a\n\x00\xff"
MEMBER = "lead@example.com"
EIGHT_BIT = policy.SMTP
# No byte above 127 in the message itself: everything else travels as base64 or quoted-printable.
SEVEN_BIT = policy.SMTP.clone(cte_type="7bit")


@pytest.fixture
def sender(platform: Platform) -> str:
    """A verified sender; SES refuses any other."""
    address = f"prism-{uuid.uuid4().hex[:12]}@example.com"
    client(platform.settings, "sesv2").create_email_identity(EmailIdentity=address)
    return address


@contextmanager
def sink(platform: Platform, directory: Path) -> Iterator[None]:
    """The mail sink at the port that the emulator sends to, in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = start_sink(directory, port=platform.ports.smtp)
    try:
        running = asyncio.run_coroutine_threadsafe(starting, loop).result(60)
        try:
            with _in_order(platform, directory):
                yield
        finally:
            asyncio.run_coroutine_threadsafe(running.stop(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


@contextmanager
def _in_order(platform: Platform, directory: Path) -> Iterator[None]:
    """Whatever PRISM sends from this process has arrived when its call ends: the emulator answers first, and
    relays each message in a thread of its own, so that two could overtake one another."""
    ses, before = client(platform.settings, "ses", attempts=1), threading.local()  # PRISM's own, of mail.py

    def mails() -> int:
        return len(list(directory.glob("*.eml")))

    def count(**_: Any) -> None:
        before.mails = mails()

    def wait(http_response: Any, **_: Any) -> None:
        if http_response.status_code == 200:
            await_true(lambda: mails() > before.mails)

    calls = (("before-call.ses.SendRawEmail", count), ("after-call.ses.SendRawEmail", wait))
    for name, act in calls:
        ses.meta.events.register(name, act)
    try:
        yield
    finally:
        for name, act in calls:
            ses.meta.events.unregister(name, act)


def mail(sender: str, subject: str = "Week 1", encoding: Any = SEVEN_BIT) -> bytes:
    """Text, HTML and a picture, with a header and a message id of our own."""
    message = EmailMessage(policy=encoding)
    message["From"], message["To"], message["Subject"] = f"PRISM <{sender}>", MEMBER, subject
    message["X-Prism-Edition"], message["Message-ID"] = "2026-W01", "<edition@prism>"
    message.set_content("Über alles gut")
    message.add_alternative("<p>Über alles gut</p>", subtype="html")
    message.add_attachment(PNG, maintype="image", subtype="png", filename="chart.png")
    return message.as_bytes()


def received(directory: Path, count: int = 1) -> list[tuple[tuple[str, ...], EmailMessage]]:
    """Recipients and message of everything that arrives until so many are there, and a moment longer: what another
    process has sent may still be on its way."""
    await_true(lambda: len(list(directory.glob("*.eml"))) >= count)
    time.sleep(0.2)
    found: list[tuple[tuple[str, ...], EmailMessage]] = []
    for path in sorted(directory.glob("*.eml")):
        envelope, raw = split_envelope(path.read_bytes())
        assert envelope is not None
        found.append((envelope.recipients, message_from_bytes(raw, EmailMessage, policy=policy.default)))
    return found


def send_v1(platform: Platform, raw: bytes, *destinations: str) -> Any:
    ses = client(platform.settings, "ses")
    return ses.send_raw_email(RawMessage={"Data": raw}, Destinations=list(destinations))


def send_v2(platform: Platform, raw: bytes, sender: str, *destinations: str) -> Any:
    ses = client(platform.settings, "sesv2")
    to: DestinationTypeDef = {"ToAddresses": list(destinations)}
    return ses.send_email(FromEmailAddress=sender, Destination=to, Content={"Raw": {"Data": raw}})


def test_a_raw_message_of_ses_version_one_arrives_as_it_was_sent(
    platform: Platform, sender: str, tmp_path: Path
) -> None:
    """As AWS: to the destinations of the call, under a message id of the service (there without its host in the
    answer). PRISM: sends by this one."""
    with sink(platform, tmp_path):
        answer = send_v1(platform, mail(sender), MEMBER, "hidden@example.com")
        ((recipients, message),) = received(tmp_path)

    attached = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    text = message.get_body(("plain",))
    assert recipients == (MEMBER, "hidden@example.com")
    assert (message["X-Prism-Edition"], message["Subject"]) == ("2026-W01", "Week 1")
    assert message["Message-ID"] == f"<{answer['MessageId']}>"
    assert text is not None
    assert text.get_content().strip() == "Über alles gut"
    assert attached == {"chart.png": PNG}


def test_a_raw_message_of_ses_version_one_with_a_byte_above_127_is_lost(
    platform: Platform, sender: str, tmp_path: Path
) -> None:
    """AWS: delivers it. The emulator answers 200 and fails in a thread. PRISM: sends messages of seven bits."""
    eight_bit = mail(sender, "lost", EIGHT_BIT)
    assert not eight_bit.isascii()

    with sink(platform, tmp_path):
        answer = send_v1(platform, eight_bit, MEMBER)
        send_v1(platform, mail(sender, "kept"), MEMBER)
        arrived = received(tmp_path)

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [message["Subject"] for _, message in arrived] == ["kept"]


def test_a_raw_message_of_ses_version_two_arrives_without_attachments_and_headers(
    platform: Platform, sender: str, tmp_path: Path
) -> None:
    """AWS: as it was sent. The emulator builds a new one of subject, text and HTML. PRISM: uses version one."""
    with sink(platform, tmp_path):
        send_v2(platform, mail(sender), sender, MEMBER)
        ((_, message),) = received(tmp_path)

    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert message["Subject"] == "Week 1"
    assert message["X-Prism-Edition"] is None


def test_mail_sent_while_the_sink_is_down_is_answered_200_and_never_arrives(
    platform: Platform, sender: str, tmp_path: Path
) -> None:
    """AWS: keeps trying for hours and reports a bounce. PRISM: `prism up` starts the sink before anything can
    send; an answer of SES says nothing about arrival."""
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", platform.ports.smtp), timeout=1):  # noqa: PT011
        pass

    answers = [
        send_v1(platform, mail(sender, "one"), MEMBER),
        send_v2(platform, mail(sender, "two"), sender, MEMBER),
    ]
    log = platform.home.logs / "emulator.log"
    await_true(lambda: _given_up(log, sender) == 2)  # both are sent from threads
    with sink(platform, tmp_path):
        send_v1(platform, mail(sender, "three"), MEMBER)
        arrived = received(tmp_path)

    assert [answer["ResponseMetadata"]["HTTPStatusCode"] for answer in answers] == [200, 200]
    assert [message["Subject"] for _, message in arrived] == ["three"]


def _given_up(log: Path, sender: str) -> int:
    """How many messages of a sender the emulator could not relay."""
    return sum("SMTP relay failed" in line and sender in line for line in log.read_text().splitlines())


def test_both_versions_of_ses_refuse_a_sender_that_was_not_verified(platform: Platform) -> None:
    """As AWS. PRISM: deploys its sender's identity; locally it is verified at once."""
    stranger = "stranger@example.com"
    raw = mail(stranger)

    refused: list[str] = []
    for send in (lambda: send_v1(platform, raw, MEMBER), lambda: send_v2(platform, raw, stranger, MEMBER)):
        with pytest.raises(ClientError) as error:
            send()
        refused.append(error.value.response.get("Error", {}).get("Code", ""))

    assert refused == ["MessageRejected", "MessageRejected"]
