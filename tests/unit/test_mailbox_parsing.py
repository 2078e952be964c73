"""What a kept message says, from its bytes alone: headers, bodies, attachments, reasons for failure."""

import base64
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.mail.keeping import SAFE_ID, Envelope, envelope_lines, new_id, split_envelope
from infra.local.mail.parsing import framed_html, read_heading, read_message, safe_name

MONDAY = datetime(2026, 1, 5, 7, tzinfo=UTC)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_the_envelope_comes_back_and_the_message_is_unchanged_byte_for_byte():
    envelope = Envelope("prism@example.com", ("a@example.com", "zoë@example.com"), MONDAY)
    message = b" starts with a blank\r\nX-Prism-Envelope-To: forged@example.com\r\n\r\nbody\x00\xff"

    assert split_envelope(envelope_lines(envelope) + message) == (envelope, message)


def test_a_control_character_in_an_address_adds_no_envelope_line():
    envelope = Envelope("a\rX-Prism-Envelope-To: forged@example.com", ("b@example.com",), MONDAY)

    parsed, _ = split_envelope(envelope_lines(envelope) + b"Subject: x\r\n\r\n")

    assert parsed is not None
    assert parsed.recipients == ("b@example.com",)


def test_ids_of_one_fixed_instant_sort_by_arrival_and_are_safe_file_names():
    ids = [new_id(MONDAY) for _ in range(50)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 50
    assert all(SAFE_ID.fullmatch(message_id) for message_id in ids)


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("=?utf-8?b?V29jaGUgMzMg4oaSIMOcYmVyc2ljaHQ=?=", "Woche 33 → Übersicht"),
        ("=?utf-8?q?caf=C3?=\r\n =?utf-8?q?=A9_au_lait?=", "café au lait"),
        ("Re: =?iso-8859-1?q?caf=E9?= (copy)", "Re: café (copy)"),
        ("=?no-such-charset?q?caf=E9?=", "café"),
        ("=?utf-8?b?A?=", "=?utf-8?b?A?="),
        ("レポート", "レポート"),
    ],
)
def test_a_subject_is_read_however_the_mailer_encoded_it(header, subject):
    heading = read_heading(f"Subject: {header}\r\n\r\n".encode())

    assert heading.subject == subject


def test_a_recipient_that_no_header_names_is_a_bcc():
    envelope = Envelope("prism@example.com", ("lead@example.com", "boss@example.com", "quiet@example.com"), MONDAY)
    headers = b'To: "Doe, Jane" <Lead@example.com>\r\nCc: boss@example.com\r\n\r\n'

    heading = read_heading(envelope_lines(envelope) + headers)

    assert heading.bcc == ("quiet@example.com",)


def test_cid_images_are_put_into_the_html_and_stay_downloadable():
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = "chart"
    mail.set_content("see the chart")
    mail.add_alternative('<html><head></head><body><img src="cid:chart@prism"></body></html>', subtype="html")
    html_part = next(part for part in mail.iter_parts() if part.get_content_type() == "text/html")
    assert isinstance(html_part, EmailMessage)
    html_part.add_related(PNG, "image", "png", cid="<chart@prism>", filename="chart.png")

    message = read_message(mail.as_bytes())

    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in framed_html(message)
    assert [(part.name, part.data) for part in message.parts] == [("chart.png", PNG)]
    assert message.text == "see the chart\r\n"


def test_a_content_type_cannot_break_out_of_the_image_address():
    html = b'Content-Type: text/html\r\n\r\n<img src="cid:x">'
    image = b'Content-Type: image/png"><b>\r\nContent-ID: <x>\r\n\r\ndata'
    raw = b"Content-Type: multipart/related; boundary=B\r\n\r\n--B\r\n%b\r\n--B\r\n%b\r\n--B--\r\n" % (html, image)

    assert '"><b>' not in framed_html(read_message(raw))


def test_scripts_of_a_mail_become_text_and_the_reader_is_told():
    message = read_message(b"Content-Type: text/html\r\n\r\n<p>a</p><ScRiPt src=//x>alert(1)</script>")

    assert "<script" not in framed_html(message).lower()
    assert any("script" in note for note in message.notes)


def test_a_body_in_an_unknown_character_set_is_still_readable():
    message = read_message(b"Content-Type: text/plain; charset=klingon\r\n\r\ncaf\xc3\xa9")

    assert message.text == "café"


def test_a_line_longer_than_smtp_allows_is_pointed_out():
    message = read_message(b"Subject: long\r\n\r\n" + b"x" * 1200)

    assert any("1,200 bytes" in note for note in message.notes)


@pytest.mark.parametrize(
    ("raw", "reason"), [(b"", "empty"), (b"\r\n\r\n", "empty"), (b"\x89PNG\r\n\x1a\n\x00", "not an e-mail")]
)
def test_a_file_that_is_no_message_says_why(raw, reason):
    assert reason in (read_heading(raw).unreadable or "")
    assert reason in (read_message(raw).heading.unreadable or "")


def test_a_message_of_a_thousand_nested_parts_is_answered_without_a_crash():
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(1000)
    )

    message = read_message(b"Subject: deep\r\n" + nested)

    assert message.heading.subject == "deep" or "nested too deeply" in (message.heading.unreadable or "")


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"Subject: x\r\nContent-Type: multipart/mixed; boundary=a\r\n"])
)
def test_no_bytes_whatever_make_reading_fail(tail, head):
    raw = head + tail

    read_heading(raw)
    framed_html(read_message(raw))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\evil.exe", "evil.exe"),
        (".htaccess", "htaccess"),
        ("..", "fallback.bin"),
        ("CON.txt", "fallback.bin"),
        ("gpj\u202efdp.exe", "gpjfdp.exe"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie_ x"),
        ("Übersicht - Woche.pdf", "Übersicht - Woche.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_attachment_names_are_safe_on_every_system(name, safe):
    assert safe_name(name, "fallback.bin") == safe
