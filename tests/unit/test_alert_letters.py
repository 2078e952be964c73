"""A digest as it is mailed: all of a short one, the worst of a long one, and nothing that a reader trips over."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from prism_core.alerts.findings import EvidenceRow, Finding
from prism_core.alerts.ledger import observed
from prism_core.alerts.letters import MOST_OF_A_RULE, MOST_SHOWN, RULES, Frame, written
from prism_core.alerts.telling import Digest, Entry, News
from prism_core.calendar import Week
from prism_core.models.alerts import AlertRule
from prism_core.models.work import Severity

WEEK = Week.parse("2026-W48")
MONDAY = datetime(2026, 11, 23, 6, 15, tzinfo=UTC)
FRAME = Frame(
    MONDAY, "You get this as a recipient of alerts_daily.", more="http://127.0.0.1:3000/assets/alert_ledger"
)
GMAIL_CUTS_AT_BYTES = 102_000


def entry(
    number: int = 0,
    rule: AlertRule = AlertRule.LATE_REQUEST,
    severity: Severity = Severity.HIGH,
    news: News = News.NEW,
    rows: int = 1,
    title: str = "Request {number} is 3 days late",
) -> Entry:
    evidence = tuple(EvidenceRow(f"requests/r-{number}-{row}", {"hours": "6.00 h"}) for row in range(rows))
    found = Finding(rule, f"requests/r-{number}", WEEK, severity, title.format(number=number), evidence)
    alert = observed(None, found, MONDAY)
    if news is News.RESOLVED:
        alert = alert.model_copy(update={"resolved": MONDAY + timedelta(days=2)})
    return Entry(alert, news)


def digest(*entries: Entry) -> Digest:
    rules = dict.fromkeys(one.alert.rule for one in entries)
    return Digest("r", {rule: tuple(one for one in entries if one.alert.rule is rule) for rule in rules})


class Reader(HTMLParser):
    """Words and tags, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.tags, self.open = list[str](), set[str](), list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_short_digest_has_every_alert_with_its_evidence_in_both_forms() -> None:
    entries = [entry(1), entry(2, AlertRule.OOTO_CONFLICT, Severity.LOW, News.RESOLVED, rows=2)]

    letter = written(digest(*entries), FRAME)

    html = " ".join(Reader(letter.html).words)
    assert letter.subject == "PRISM alerts: 1 new, 1 over"
    for words in (
        "Late requests",
        "HIGH, new",
        "Request 1 is 3 days late",
        "requests/r-2-1: hours 6.00 h",
        "over since 25 Nov 2026",
        "As of 23 Nov 2026, 06:15 UTC.",
        entries[0].alert.fingerprint,
        str(FRAME.more),
        FRAME.closing,
    ):
        assert words in letter.text
        assert words in html


def test_a_long_digest_names_every_alert_and_has_the_evidence_of_the_worst_of_each_rule() -> None:
    entries = [
        entry(number, rule, Severity.CRITICAL if number < MOST_OF_A_RULE else Severity.LOW)
        for rule in AlertRule
        for number in range(8)
    ]

    letter = written(digest(*entries), FRAME)

    assert letter.subject == "PRISM alerts: 56 new"
    assert letter.text.count("* CRITICAL") == 7 * MOST_OF_A_RULE
    assert letter.text.count("* LOW") == 7 * 5
    html = " ".join(Reader(letter.html).words)
    for one in entries:
        row = f"requests/r-{one.alert.title.split()[1]}-0"
        assert one.alert.fingerprint in letter.text
        assert one.alert.fingerprint in html
        assert (row in letter.text) is (one.alert.severity is Severity.CRITICAL)
    assert str(FRAME.more) in letter.text
    assert len(letter.text.splitlines()) < 200
    assert len(letter.html.encode()) < GMAIL_CUTS_AT_BYTES / 2


def test_each_alert_links_to_where_it_can_be_looked_at() -> None:
    entries = [entry(number) for number in range(MOST_SHOWN + 5)]

    letter = written(digest(*entries), Frame(MONDAY, "Why.", base="https://prism.example.org/alerts/"))

    for one in entries:
        link = f"https://prism.example.org/alerts/{one.alert.fingerprint}"
        assert link in letter.text
        assert f'href="{link}"' in letter.html
    assert Reader(letter.html).open == []


def test_a_long_evidence_is_cut_and_says_so() -> None:
    letter = written(digest(entry(1, rows=9)), FRAME)

    assert letter.text.count("requests/r-1-") == 3
    assert "and 6 more rows" in letter.text


def test_the_longest_letter_stays_below_what_gmail_shows() -> None:
    entries = [entry(number, rows=3, title="ü" * 200) for number in range(MOST_SHOWN)]

    assert len(written(digest(*entries), FRAME).html.encode()) < GMAIL_CUTS_AT_BYTES


def test_the_html_holds_only_what_outlook_and_gmail_show_and_every_tag_is_closed() -> None:
    reader = Reader(written(digest(entry(1), entry(2, AlertRule.SLA_BREACH)), FRAME).html)

    assert reader.open == []
    assert reader.tags <= {
        "html", "head", "meta", "title", "body", "table", "tr", "td", "h1", "h2", "p", "span", "strong", "a", "br"
    }  # fmt: skip


def test_hundreds_of_alerts_are_named_below_what_gmail_shows() -> None:
    entries = [entry(number) for number in range(300)]

    letter = written(digest(*entries), FRAME)

    assert len(letter.html.encode()) < GMAIL_CUTS_AT_BYTES


def test_what_somebody_typed_is_no_markup() -> None:
    html = written(digest(entry(1, title="<img src=x onerror=alert(1)> & co")), FRAME).html

    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; co" in html


def test_the_digest_of_a_week_names_it() -> None:
    letter = written(digest(entry(1, news=News.REMINDER)), Frame(MONDAY, "Why.", WEEK))

    assert letter.subject == "PRISM alerts of 2026-W48: 1 still open"
    assert "All of them" not in letter.text


@pytest.mark.parametrize("rule", AlertRule)
def test_every_rule_has_words_for_people(rule: AlertRule) -> None:
    assert RULES[rule]
