"""The mail of a report keeps to what mail programs can do, its text says all of it, and no name is markup."""

import csv
import dataclasses
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from infra.local.mail.parsing import framed_html, read_message
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.reports.content import Department, Recommendation, ReportContent, Statement, Table
from prism_core.reports.plain_text import WIDTH
from prism_core.reports.reading import report_of
from prism_core.reports.wording import SYNTHETIC
from prism_resources.letters import Letter, letter_document, letter_of
from prism_resources.messages import Inline, message
from prism_resources.reports.files import write_mail
from prism_resources.reports.rendering import MOST_BYTES, ReportMail, render
from tests.unit.mail_rules import offences, read, visible_text
from tests.unit.report_mails import CONTENTS, empty, named, real_week

FIGURE = re.compile(r"[+-]?\d+(?:,\d{3})*(?:\.\d+)?")
NOW = datetime(2023, 9, 4, 5, tzinfo=UTC)
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


@cache
def mail_of(name: str) -> ReportMail:
    return render(CONTENTS[name]())


def figures_shown(content: ReportContent) -> set[str]:
    """Every figure that the content names, as it is written, without its unit."""
    used = {one for text in content.texts() for one in re.findall(r"\{\{fact:([^}]+)\}\}", text)}
    return {content.fact(one).text.split("\xa0")[0] for one in used}


def without_further(content: ReportContent) -> ReportContent:
    """What the HTML has room for."""
    shown = (dataclasses.replace(one, further=()) if isinstance(one, Table) else one for one in content.sections)
    return dataclasses.replace(content, sections=tuple(shown))


@pytest.mark.parametrize("name", CONTENTS)
def test_the_html_keeps_to_the_rules_of_mail_programs(name: str) -> None:
    assert offences(mail_of(name).html) == []


@pytest.mark.parametrize("name", CONTENTS)
def test_the_same_content_is_the_same_mail(name: str) -> None:
    assert render(CONTENTS[name]()) == mail_of(name)


@pytest.mark.parametrize("name", [name for name in CONTENTS if name != "huge"])
def test_html_and_text_say_every_figure(name: str) -> None:
    content, mail = CONTENTS[name](), mail_of(name)

    for said, shown in ((visible_text(mail.html), without_further(content)), (mail.text, content)):
        assert figures_shown(shown) - set(FIGURE.findall(said)) == set()


@pytest.mark.parametrize("name", CONTENTS)
def test_the_text_says_every_figure_that_the_html_says_even_in_its_pictures(name: str) -> None:
    mail = mail_of(name)
    alts = " ".join(one.attributes.get("alt", "") for one in read(mail.html).root.all())

    shown = set(FIGURE.findall(visible_text(mail.html) + " " + alts))

    assert {one for one in shown - set(FIGURE.findall(mail.text)) if f"and {one} more" not in mail.html} == set()


def test_points_of_every_chart_stand_in_the_text() -> None:
    text = mail_of("real-w35").text

    assert "LEADS BY WEEK" in text
    assert "* 2023-W31 *: 713\n" in text  # the first day of it was not read
    assert "SPEND BY WEEK, EUR" in text
    assert "* 2023-W31 *: 11,715.57\n" in text


def test_the_text_is_lines_that_a_person_reads() -> None:
    text = mail_of("real-w34").text

    assert text.startswith("CAMPAIGN REPORT 2023-W34, 21 TO 27 AUGUST 2023\n")
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []
    assert "\xa0" not in text
    assert "{{" not in text
    assert "* Spend: " in text
    assert text.index("WHAT TO DO") < text.index("CAMPAIGNS\n") < text.index("no model is set up")


def test_who_wrote_the_sentences_stands_under_both() -> None:
    by_model, by_code = mail_of("model"), mail_of("real-w34")

    for said in (visible_text(by_model.html), by_model.text):
        assert "Sentences by a language model, every figure by code." in said
        assert "Model: claude-example-1." in said
    for said in (visible_text(by_code.html), by_code.text):
        assert "no model is set up" in said


def test_why_a_mail_came_is_its_last_line() -> None:
    mail = render(empty(), closing="You get this because you asked for it.")

    assert visible_text(mail.html).endswith("You get this because you asked for it.")
    assert mail.text.endswith("You get this because you asked for it.\n")


def test_made_up_figures_say_so_before_anything_else() -> None:
    mail = mail_of("alert")

    assert mail.subject.startswith("[SYNTHETIC] ")
    assert visible_text(mail.html).startswith(SYNTHETIC)
    assert SYNTHETIC in mail.text
    assert "ynthetic" not in mail_of("real-w34").html


def test_an_edition_that_corrects_says_what_was_told_before() -> None:
    mail = mail_of("alert")

    assert "edition 2" in mail.subject
    for said in (visible_text(mail.html), " ".join(mail.text.split())):
        assert "Edition 2: it replaces the report of 2023-W35 that was sent before." in said
        assert "Leads of 2023-W34 were 377, now 400." in said


def test_an_alert_is_a_word_in_subject_card_and_text() -> None:
    mail = mail_of("alert")

    assert mail.subject.endswith(": ALERT on leads, cost per lead")
    assert "DOWN , ALERT" in visible_text(mail.html)
    assert "* Leads: 40 (DOWN, ALERT, -90.0 % against four weeks)" in mail.text
    assert "ALERT" not in visible_text(mail_of("real-w34").html)


def test_a_card_that_was_not_judged_claims_neither_direction_nor_rest() -> None:
    text = mail_of("real-w31").text

    assert "* Leads: 713 (not judged)" in text


def test_a_unit_is_said_once_for_a_column_and_with_each_figure_of_the_text() -> None:
    mail = mail_of("real-w31")

    table = visible_text(mail.html).split("Cost per lead, EUR For leads")[1]
    assert table.strip().startswith("1178 11,173.28")
    assert "* 1178: Spend 11,173.28 EUR; Impressions" in mail.text


def test_outlook_for_windows_has_no_picture_of_the_dark() -> None:
    """It shows what other programs hide by a style: the dark one would stand below the light one."""
    html = mail_of("real-w34").html

    for_outlook = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)

    assert len(re.findall("<img", html)) == 4
    assert re.findall(r"cid:(\w+-\w+)\.png", for_outlook) == ["leads-light", "spend-light"]


def test_what_does_not_fit_is_counted_and_stands_in_the_text() -> None:
    mail = mail_of("huge")

    assert len(mail.html) <= MOST_BYTES
    left = [int(one) for one in re.findall(r"and (\d+) more in the text part", mail.html)]
    assert len(left) == 2
    assert min(left) > 200
    assert mail.text.count("\n* Spend of") == 300


def test_a_mail_that_cannot_be_made_small_enough_is_refused() -> None:
    todo = tuple(Recommendation(one, Statement("Wait. " * 300)) for one in Department for _ in range(40))

    with pytest.raises(PermanentFailure, match="bytes of HTML"):
        render(dataclasses.replace(empty(), recommendations=todo))


def test_pictures_are_named_by_what_they_show_and_each_is_there() -> None:
    mail = mail_of("real-w34")

    named_in_html = set(re.findall(r'src="cid:([^"]+)"', mail.html))
    assert named_in_html == {one.cid for one in mail.pictures}
    assert [one.name for one in mail.pictures] == [
        "leads-light.png",
        "leads-dark.png",
        "spend-light.png",
        "spend-dark.png",
    ]
    assert all(one.png.startswith(PNG_HEAD) for one in mail.pictures)
    assert named_in_html.isdisjoint(one.cid for one in mail_of("real-w33").pictures)


@pytest.mark.parametrize("name", CONTENTS)
def test_a_mail_is_parsed_back_to_what_was_put_together(name: str) -> None:
    mail = mail_of(name)
    sent = message(
        "prism@example.com", ["a@example.com"], mail.subject, mail.text, html=mail.html, pictures=mail.pictures
    ).as_bytes()

    found = message_from_bytes(sent, EmailMessage, policy=policy.default)

    assert max(sent) < 128
    assert max(len(line) for line in sent.splitlines()) <= 998
    assert found.get_content_type() == "multipart/alternative"
    text, rich = found.iter_parts()
    assert text.get_content().splitlines() == mail.text.splitlines()
    html = found.get_body(("html",))
    assert html is not None
    assert html.get_content().splitlines() == mail.html.splitlines()
    attached = [one for one in rich.iter_parts() if one.get_content_maintype() == "image"] if mail.pictures else []
    assert [(one["Content-ID"], one.get_content()) for one in attached] == [
        (f"<{one.cid}>", one.png) for one in mail.pictures
    ]
    assert {one.get_content_disposition() for one in attached} <= {"inline"}
    assert found["Subject"] == mail.subject


PIECES = (
    "<script>alert(1)</script>", '"><img src=x onerror=x>', "</td></table>", "<!--[if mso]>", "]]>", "&amp;", "\n",
    "<style>*{display:none}</style>", "{{7*7}}", "{% raw %}", "{{fact:x}}", "https://evil.example/", "cid:x", "'",
    "\u202e", "\u2066", "\x00", "\ud83d", "A" * 100, "\u0645\u0631\u062d\u0628\u0627", "\U0001f468", '"',
)  # fmt: skip
HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=120),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
)


@cache
def elements_of_autumn() -> int:
    """How many a mail about a harmless name has."""
    return len(list(read(render(named("Autumn")).html).root.all()))


@hypothesis_settings(max_examples=60)
@given(HOSTILE)
def test_whatever_a_campaign_is_called_it_is_text_and_nothing_else(name: str) -> None:
    calm, mail = mail_of("matched"), render(named(name))
    page = read(mail.html)

    assert offences(mail.html) == []
    assert page.comments == read(calm.html).comments
    assert len(list(page.root.all())) == elements_of_autumn()
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\ud800-\udfff]", unescape(mail.html) + mail.text)
    message("p@example.com", ["a@example.com"], mail.subject, mail.text, html=mail.html).as_bytes()


@pytest.mark.parametrize("name", CONTENTS)
def test_a_report_is_rendered_from_its_document_as_it_was(name: str) -> None:
    content = CONTENTS[name]()

    found = report_of(json.loads(json.dumps(content.document())))

    assert found.document() == content.document()
    assert render(found) == mail_of(name)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda found: found.pop("week"), id="no-week"),
        pytest.param(lambda found: found.update(cards=[]), id="no-cards"),
        pytest.param(lambda found: found.update(facts=[]), id="no-facts"),
        pytest.param(lambda found: found["sections"][0].update(part="picture"), id="unknown-part"),
        pytest.param(lambda found: found.update(provenance=3), id="no-provenance"),
    ],
)
def test_what_is_no_report_is_refused_with_what_is_wrong(change: object) -> None:
    document = json.loads(json.dumps(real_week(34).document()))
    change(document)  # pyright: ignore[reportCallIssue]

    with pytest.raises(BadUsage, match="not the content of a report"):
        report_of(document)


def test_a_mail_can_be_looked_at_before_it_is_sent(tmp_path: Path) -> None:
    mail = mail_of("real-w34")

    written = write_mail(mail, tmp_path / "new" / "folder", now=NOW)

    assert [one.name for one in written[:3]] == ["report.html", "report.txt", "report.eml"]
    html = written[0].read_text()
    assert "cid:" not in html
    assert all((written[0].parent / name).is_file() for name in re.findall(r'src="([^"]+)"', html))
    found = message_from_bytes(written[2].read_bytes(), EmailMessage, policy=policy.default)
    assert (found["Subject"], found["Date"].datetime) == (mail.subject, NOW)
    assert written[1].read_text() == mail.text


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BadUsage, match="nothing can be written to"):
        write_mail(mail_of("empty"), tmp_path / "file" / "folder", now=NOW)


def test_the_mailbox_shows_the_mail_with_its_pictures() -> None:
    mail = mail_of("real-w34")
    sent = message(
        "p@example.com", ["a@example.com"], mail.subject, mail.text, html=mail.html, pictures=mail.pictures
    )

    found = read_message(sent.as_bytes())

    assert found.notes == ()
    assert framed_html(found).count("data:image/png;base64,") == len(mail.pictures) == 4
    assert "cid:" not in framed_html(found)


def test_one_picture_has_one_id_and_another_one_another() -> None:
    assert Inline("a.png", b"1").cid == Inline("a.png", b"1").cid != Inline("a.png", b"2").cid


BROKEN = [
    ("<body", '<body onload="x"', "onload on <body>"),
    ("<h1", "<script>1</script><h1", "<script>"),
    ("<h1", '<a href="https://x.example">x</a><h1', "<a>"),
    ("<h1", '<div style="display:flex"></div><h1', "flex on <div>"),
    ("<h1", '<div style="width:50px"></div><h1', "width on <div>"),
    ("<h1", '<p style="padding:4px"></p><h1', "padding on <p>"),
    ("<h1", '<div style="max-width:50px"></div><h1', "max-width on <div>"),
    ("<h1", '<p style="margin:0 auto"></p><h1', "an automatic margin on <p>"),
    ("<h1", '<div style="display:none"></div><h1', "<div> is not hidden from Outlook"),
    ("<h1", '<img src="https://x.example/a.png" width="1" height="1" alt="x"><h1', "a picture from elsewhere"),
    ("<h1", '<img src="cid:a" width="1" alt="x"><h1', "a picture without height"),
    ("<h1", '<img src="cid:a" width="1" height="1" alt=""><h1', "a picture without words"),
    ("<h1", "<table><tr><td>1</td></tr></table><h1", "a table that is neither for layout nor has heads"),
    ("<h1", "\xe4<h1", "a byte above 127"),
    ('lang="en"', "", "no language or no title"),
    ('content="light dark"', 'content="light"', "no colour scheme or no viewport"),
    ('width="25%"', 'width="24%"', "the cards are no row of four"),
    ("<!--[if mso]>", "<!--[if mso]>http://x.example", "an address"),
    ("@media only", "@import url(x);@media only", "@import in a style"),
    ("<h1", f"<p>{'x' * MOST_BYTES}</p><h1", "bytes"),
]


@pytest.mark.parametrize(("old", "new", "problem"), BROKEN, ids=[str(at) for at in range(len(BROKEN))])
def test_a_breach_of_the_rules_is_caught(old: str, new: str, problem: str) -> None:
    html = mail_of("real-w34").html
    assert old in html

    assert any(problem in one for one in offences(html.replace(old, new, 1)))


def test_what_the_table_has_no_room_for_is_in_the_text_and_in_an_attached_list() -> None:
    content, mail = CONTENTS["many"](), mail_of("many")
    attached, places = mail.attached

    rows = list(csv.DictReader(attached.csv.decode("utf-8-sig").splitlines()))

    assert (attached.name, places.name) == ("campaigns-2023-W31.csv", "where-leads-came-from-2023-W31.csv")
    assert len(rows) == 200
    assert rows[0]["Campaign"] == "'=Campaign 199", "a spreadsheet computes no name"
    spends = [Decimal(row["Spend, EUR"]) for row in rows]
    assert sum(spends) == content.fact("week.2023-w31.spend").value
    assert sum(spends[20:]) == content.fact("rest.spend").value
    assert all(f"=Campaign {one}" in mail.text for one in (0, 100, 199))
    assert len(mail.html) <= MOST_BYTES


def test_an_attached_list_travels_with_the_mail_and_is_kept_with_the_letter() -> None:
    mail = mail_of("many")
    letter = Letter(None, mail.subject, mail.text, mail.html, mail.pictures, mail.attached)
    sent = message("a@b.example", ["c@d.example"], "s", mail.text, html=mail.html, attached=mail.attached)

    found = message_from_bytes(sent.as_bytes(), EmailMessage, policy=policy.default)

    part, _ = found.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("campaigns-2023-W31.csv", "text/csv")
    assert part.get_payload(decode=True) == mail.attached[0].csv
    assert sent.as_bytes().isascii()
    assert letter_of(letter_document(letter)) == letter
