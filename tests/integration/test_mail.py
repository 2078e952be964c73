"""Local mail from the SMTP client to the browser.

Why real: the sink's promise (250 means kept) and the page's defences (Host, Origin, policies) live in the
sockets and in the server that carries them, so both run here as they do on a platform: one event loop, real
SMTP, real HTTP.
"""

import asyncio
import base64
import http.client
import json
import re
import smtplib
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.local.mail.mailbox import mailbox_app
from infra.local.mail.sink import MESSAGE_LIMIT_BYTES, Sink, start_sink
from prism_core.failures import BadUsage

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass
class Running:
    """A sink and its mailbox, and the few verbs the tests need."""

    directory: Path
    smtp_port: int
    http_port: int
    loop: asyncio.AbstractEventLoop
    sink: Sink

    def client(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=60)

    def send(self, mail: EmailMessage | bytes, *recipients: str, sender: str = "prism@example.com") -> None:
        raw = mail if isinstance(mail, bytes) else mail.as_bytes(policy=SMTP)
        with self.client() as client:
            client.sendmail(sender, recipients or ("lead@example.com",), raw)

    def get(self, path: str, method: str = "GET", body: str = "", **headers: str) -> "Answer":
        """A request exactly as given: no client library tidies the path or the Host."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)
        sent = {"Host": f"127.0.0.1:{self.http_port}"} | headers
        connection.request(method, path, body.encode() or None, sent)
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.getheaders()), response.read())
        connection.close()
        return answer

    def messages(self, **query: str) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self.http_port}/api/messages?{urlencode(query)}"
        with urllib.request.urlopen(url, timeout=60) as response:
            return json.load(response)["messages"]

    def only(self) -> dict[str, Any]:
        (message,) = self.messages()
        return json.loads(self.get(f"/api/messages/{message['id']}").body)


@dataclass
class Answer:
    status: int
    raw_headers: dict[str, str]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.raw_headers.items()}

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    directory = tmp_path / "mail"
    listener = socket.create_server(("127.0.0.1", 0))
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, Sink]] = []
    failures: list[BaseException] = []
    ready = threading.Event()

    async def platform() -> None:
        stop = asyncio.Event()
        sink = await start_sink(directory, "127.0.0.1", 0)
        config = Config()
        # hypercorn takes the descriptor over and closes it at the end.
        config.bind = [f"fd://{listener.detach()}"]
        started.append((asyncio.get_running_loop(), stop, sink))
        app: Any = mailbox_app(directory, f"127.0.0.1:{sink.port}")
        ready.set()
        await serve(app, config, shutdown_trigger=stop.wait)
        await sink.stop()

    def run() -> None:
        try:
            asyncio.run(platform())
        except BaseException as error:  # noqa: BLE001 (raised again in the test's thread)
            failures.append(error)
            ready.set()

    http_port = listener.getsockname()[1]
    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(60)
    assert not failures, failures
    loop, stop, sink = started[0]
    yield Running(directory, sink.port, http_port, loop, sink)
    loop.call_soon_threadsafe(stop.set)
    thread.join(60)
    assert not thread.is_alive()
    assert not failures, failures


def plain(subject: str = "hello", to: str = "lead@example.com") -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"], mail["From"], mail["To"] = subject, "PRISM <prism@example.com>", to
    mail.set_content("body")
    return mail


# Keeping


def test_a_unicode_subject_arrives_as_it_was_written(running: Running):
    running.send(plain("Woche 33 - Übersicht 📈 レポート"))

    assert running.only()["subject"] == "Woche 33 - Übersicht 📈 レポート"
    assert "Woche 33 - Übersicht 📈 レポート" in running.get("/").text


def test_an_address_and_headers_in_utf_8_are_accepted_and_kept(running: Running):
    mail = plain(to="zoë@exämple.com")
    with running.client() as client:
        client.send_message(mail, "prism@example.com", ["zoë@exämple.com"])

    message = running.only()
    assert message["recipients"] == ["zoë@exämple.com"]
    assert message["to"] == "zoë@exämple.com"


def test_a_bcc_is_shown_here_and_is_in_nothing_that_can_be_passed_on(running: Running):
    running.send(plain(), "lead@example.com", "quiet@example.com")

    message = running.only()
    assert message["bcc"] == ["quiet@example.com"]
    assert "quiet@example.com" in running.get(f"/messages/{message['id']}").text
    assert b"quiet@example.com" not in running.get(f"/messages/{message['id']}/raw").body


def test_the_downloaded_message_is_the_sent_one_byte_for_byte(running: Running):
    raw = b"Subject: bytes\r\nX-Odd: \xff\xfe\r\n\r\n.a line that starts with a dot\r\n\x00\x80end\r\n"
    running.send(raw)

    answer = running.get(f"/messages/{running.messages()[0]['id']}/raw")

    assert answer.body == raw
    assert answer.headers["content-type"] == "application/octet-stream"
    assert re.fullmatch(r'attachment; filename="\w+-\w+\.eml"; .*', answer.headers["content-disposition"])


def test_two_hundred_messages_sent_at_once_are_all_kept(running: Running):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: running.send(plain(f"message {n}")), range(200)))

    pages = [running.messages(page=str(page), page_size="100") for page in (1, 2)]
    assert {row["subject"] for page in pages for row in page} == {f"message {n}" for n in range(200)}
    assert not list(running.directory.glob(".*"))


def test_the_newest_message_comes_first_also_when_the_clock_stands_still(
    running: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PRISM_NOW", "2026-01-05T07:00:00+00:00")
    for number in range(5):
        running.send(plain(str(number)))

    messages = running.messages()
    assert [message["subject"] for message in messages] == ["4", "3", "2", "1", "0"]
    assert {message["received_at"] for message in messages} == {"2026-01-05T07:00:00+00:00"}


def test_a_message_over_the_limit_is_refused_with_552_and_the_next_one_is_kept(running: Running):
    with running.client() as client:
        with pytest.raises(smtplib.SMTPSenderRefused) as announced:
            client.sendmail("a@example.com", "b@example.com", b"Subject: x\r\n\r\n" + b"x" * MESSAGE_LIMIT_BYTES)
        client.esmtp_features.pop("size")  # as a client that does not announce the size
        line = b"x" * 900 + b"\r\n"
        with pytest.raises(smtplib.SMTPDataError) as received:
            client.sendmail("a@example.com", "b@example.com", line * (MESSAGE_LIMIT_BYTES // len(line) + 1))
        client.sendmail("a@example.com", "b@example.com", b"Subject: small\r\n\r\n")

    assert (announced.value.smtp_code, received.value.smtp_code) == (552, 552)
    assert [message["subject"] for message in running.messages()] == ["small"]


def test_a_directory_that_cannot_be_written_is_a_transient_451_and_heals(running: Running):
    running.directory.rmdir()
    running.directory.write_text("a file in the way")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        running.send(plain())
    running.directory.unlink()
    running.directory.mkdir()

    running.send(plain("second try"))

    assert refused.value.smtp_code == 451
    assert [message["subject"] for message in running.messages()] == ["second try"]


def test_a_line_longer_than_smtp_allows_is_kept_with_a_warning(running: Running):
    running.send(b"Subject: long\r\n\r\n" + b"x" * 70_000)

    assert any("70,000 bytes" in note for note in running.only()["notes"])


def test_stopping_answers_what_is_being_sent_and_frees_the_port(tmp_path: Path):
    async def scenario() -> list[int]:
        sink = await start_sink(tmp_path / "mail")
        idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", sink.port)
        await idle_reader.readline()

        def send() -> int:
            with smtplib.SMTP("127.0.0.1", sink.port, timeout=60) as client:
                client.ehlo_or_helo_if_needed()
                client.mail("a@example.com")
                client.rcpt("b@example.com")
                code, _ = client.data(b"Subject: last\r\n\r\n" + (b"x" * 900 + b"\r\n") * 5000)
                return code

        sending = asyncio.create_task(asyncio.to_thread(send))
        while not (list((tmp_path / "mail").iterdir()) or sending.done()):
            await asyncio.sleep(0.001)
        await asyncio.wait_for(sink.stop(), 60)
        idle_writer.close()
        again = await start_sink(tmp_path / "mail", "127.0.0.1", sink.port)
        await again.stop()
        return [await sending]

    assert asyncio.run(scenario()) == [250]
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1


def test_the_sink_refuses_to_listen_beyond_loopback(tmp_path: Path):
    with pytest.raises(BadUsage, match="loopback only"):
        asyncio.run(start_sink(tmp_path, "0.0.0.0"))  # noqa: S104


# Showing


def test_an_empty_mailbox_says_how_mail_gets_here_and_that_none_leaves(running: Running):
    page = running.get("/").text

    assert "No mail yet" in page
    assert f"127.0.0.1:{running.smtp_port}" in page
    assert "no mail leaves this machine" in page


def test_a_report_with_an_inline_image_shows_it_and_offers_text_headers_and_attachments(running: Running):
    mail = plain("report")
    mail.add_alternative('<html><body><h1>Hi</h1><img src="cid:chart"></body></html>', subtype="html")
    html_part = next(part for part in mail.iter_parts() if part.get_content_type() == "text/html")
    assert isinstance(html_part, EmailMessage)
    html_part.add_related(PNG, "image", "png", cid="<chart>")
    mail.add_attachment(b"a;b\r\n", "text", "csv", filename="../Übersicht.csv")
    running.send(mail)
    message = running.only()
    address = f"/messages/{message['id']}"

    frame = running.get(f"{address}/html")
    attachment = next(part for part in message["attachments"] if part["content_type"] == "text/csv")
    download = running.get(attachment["url"])

    assert f"data:image/png;base64,{base64.b64encode(PNG).decode()}" in frame.text
    assert f'src="{address}/html"' in running.get(address).text
    assert "body" in running.get(f"{address}?view=text").text
    assert "MIME-Version" in running.get(f"{address}?view=headers").text
    assert download.body == b"a;b\r\n"
    assert "filename*=UTF-8''%C3%9Cbersicht.csv" in download.headers["content-disposition"]


def test_a_script_in_a_mail_runs_nowhere(running: Running):
    attack = "<script>alert(1)</script>"
    mail = plain(f"subject {attack}", to='"<script>alert(1)</script>" <lead@example.com>')
    mail.set_content(f"<p onclick=alert(1)>{attack}<img src=https://example.com/pixel>", subtype="html")
    mail.add_attachment(b"x", "text", "html", filename=f"{attack}.html")
    running.send(mail)
    message_id = running.messages()[0]["id"]

    shells = [
        running.get(path) for path in ("/", f"/messages/{message_id}", f"/messages/{message_id}?view=headers")
    ]
    frame = running.get(f"/messages/{message_id}/html")
    download = running.get(f"/messages/{message_id}/attachments/1")

    for answer in [*shells, frame]:
        policy = answer.headers["content-security-policy"]
        assert "<script" not in answer.text.lower()
        assert policy.startswith("default-src 'none'")
        assert "script-src" not in policy
    assert all("unsafe-inline" not in shell.headers["content-security-policy"] for shell in shells)
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in frame.headers["content-security-policy"]
    assert "img-src data:;" in frame.headers["content-security-policy"]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shells[1].text
    assert download.headers["content-type"] == "application/octet-stream"
    assert download.headers["content-disposition"].startswith("attachment;")


def test_the_search_finds_subjects_and_hidden_recipients_in_any_case(running: Running):
    running.send(plain("Weekly OVERVIEW"))
    running.send(plain("other"), "quiet@example.com")

    assert [row["subject"] for row in running.messages(q="overview")] == ["Weekly OVERVIEW"]
    assert [row["subject"] for row in running.messages(q="Quiet@")] == ["other"]
    assert "No message matches" in running.get("/?q=nothing-like-it").text


def test_a_list_longer_than_a_page_links_to_the_older_ones(running: Running):
    for number in range(3):
        running.send(plain(f"number {number}"))

    first, second = running.get("/?page_size=2").text, running.get("/?page=2&page_size=2").text

    assert "/?page=2&amp;page_size=2" in first
    assert "number 0" not in first
    assert "number 0" in second
    assert running.get("/?page=zero").status == 400


def test_a_malformed_file_is_listed_with_its_reason_and_hides_no_other(running: Running):
    running.send(plain("good"))
    (running.directory / "empty.eml").write_bytes(b"")
    (running.directory / "picture.eml").write_bytes(PNG)
    (running.directory / "link.eml").symlink_to("/etc/passwd")

    rows = {row["subject"] or row["id"]: row["unreadable"] for row in running.messages()}
    page = running.get("/").text

    assert rows["good"] is None
    assert rows["empty"] == "the file is empty"
    assert "not an e-mail" in rows["picture"]
    assert "link" not in rows
    assert running.get("/messages/link").status == 404
    assert page.count('class="flag">Unreadable') == 2
    assert "This file cannot be shown" in running.get("/messages/picture").text


# Refusing


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "10.0.0.1"]
)
def test_a_host_that_is_not_loopback_is_refused_on_every_path(running: Running, host: str):
    for path in ("/", "/api/messages", "/static/mailbox.css"):
        assert running.get(path, Host=host).status in {400, 403}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8025", "[::1]:8025", "mail.prism.localhost"])
def test_every_name_of_this_machine_is_answered(running: Running, host: str):
    assert running.get("/api/messages", Host=host).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_a_foreign_origin_is_refused_to_read_and_to_delete(running: Running, origin: str):
    running.send(plain())

    assert running.get("/api/messages", Origin=origin).status == 403
    assert running.get("/delete", "POST", "up_to=z", Origin=origin).status == 403
    assert len(running.messages()) == 1


@pytest.mark.parametrize(
    "attempt", ["..%2f..%2fsecret", "../secret", "%2e%2e%2fsecret", "..%5csecret", "%00", ".hidden"]
)
def test_an_id_that_leaves_the_directory_is_not_found(running: Running, attempt: str):
    (running.directory.parent / "secret.eml").write_bytes(b"Subject: secret\r\n\r\nsecret")
    (running.directory / ".hidden.eml").write_bytes(b"Subject: secret\r\n\r\nsecret")

    for path in (
        f"/messages/{attempt}",
        f"/messages/{attempt}/raw",
        f"/api/messages/{attempt}",
        f"/static/{attempt}.eml",
    ):
        answer = running.get(path)
        assert answer.status == 404
        assert b"secret\r\n" not in answer.body


def test_an_unknown_message_is_a_problem_document_for_machines(running: Running):
    answer = running.get("/api/messages/nobody")

    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body)["status"] == 404


# Deleting


def test_deleting_all_needs_our_own_page_and_spares_what_arrived_since(running: Running):
    own = f"http://127.0.0.1:{running.http_port}"
    running.send(plain("old"))
    seen = re.search(r'name="up_to" value="([^"]+)"', running.get("/").text)
    assert seen is not None
    running.send(plain("new"))

    without_origin = running.get("/delete", "POST", f"up_to={seen[1]}")
    by_get = running.get("/delete", Origin=own)
    answer = running.get("/delete", "POST", f"up_to={seen[1]}", Origin=own)

    assert (without_origin.status, by_get.status) == (403, 405)
    assert (answer.status, answer.headers["location"]) == (303, "/?deleted=1")
    assert [message["subject"] for message in running.messages()] == ["new"]
