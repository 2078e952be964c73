"""What is told of alerts: only what is new, once, to whom it concerns, and nothing when there is nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prism_core.alerts.findings import EvidenceRow, Finding
from prism_core.alerts.ledger import acknowledged, observed, silenced
from prism_core.alerts.telling import (
    Digest,
    Entry,
    Mark,
    News,
    digests,
    due,
    marks_of,
    news_of,
    overview,
    projects_of,
    standing,
    told,
    untold,
)
from prism_core.calendar import Week
from prism_core.models.alerts import Alert, AlertRule, AlertStatus, Ending
from prism_core.models.reports import Recipient, RecipientStatus, ReportKind, Subscription
from prism_core.models.work import Severity

WEEK = Week.parse("2026-W48")
MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)
DAY, REPEAT = timedelta(days=1), timedelta(days=7)
DAILY = ReportKind.ALERTS_DAILY


def alert(subject: str = "members/M-1", rule: AlertRule = AlertRule.OOTO_CONFLICT, **changes: Any) -> Alert:
    row = EvidenceRow("allocations/M-1/2026-W48#P-9", {"hours": "8.00 h"})
    severity, planned = changes.pop("severity", Severity.HIGH), ("P-9",) if subject.startswith("members/") else ()
    found = Finding(rule, subject, WEEK, severity, subject, (row,), member_id="M-1", projects=planned)
    return observed(None, found, MONDAY).model_copy(update=changes)


def resolved(ending: Ending = Ending.MENDED, **changes: Any) -> Alert:
    return alert(status=AlertStatus.RESOLVED, resolved=MONDAY + DAY, ending=ending, **changes)


def recipient(
    key: str, *subscriptions: Subscription, status: RecipientStatus = RecipientStatus.ACTIVE
) -> Recipient:
    return Recipient(
        recipient_id=key,
        name=key,
        email=f"{key}@example.com",
        time_zone="Europe/Madrid",
        status=status,
        subscriptions=subscriptions,
    )


def mark_of(entry: Entry, *whom: str) -> Mark:
    """What a digest to these says of it."""
    rule = entry.alert.rule
    marks = marks_of(Digest(one, {rule: (entry,)}) for one in whom or ("lead",))
    return marks[entry.alert.fingerprint]


TOLD: dict[str, Any] = {"told": MONDAY, "told_severity": Severity.HIGH}


@pytest.mark.parametrize(
    ("one", "after", "news"),
    [
        (alert(), DAY, News.NEW),
        (alert(**TOLD), DAY, None),
        (alert(**TOLD, last_seen=MONDAY + REPEAT), REPEAT, News.REMINDER),
        (alert(**TOLD, last_seen=MONDAY + REPEAT - DAY), REPEAT, News.REMINDER),
        (alert(**TOLD, last_seen=MONDAY + REPEAT - 2 * DAY), REPEAT, None),
        (alert(told=MONDAY, told_severity=Severity.LOW), DAY, News.WORSE),
        (alert(**TOLD, opened=MONDAY + DAY, episodes=2), DAY, News.BACK),
        (acknowledged(alert(), "lead", MONDAY), DAY, None),
        (acknowledged(alert(**TOLD), "lead", MONDAY), 9 * DAY, None),
        (silenced(alert(), MONDAY + 3 * DAY, "known", "lead", MONDAY), DAY, None),
        (silenced(alert(), MONDAY + 3 * DAY, "known", "lead", MONDAY), 3 * DAY, News.NEW),
        (silenced(alert(**TOLD), MONDAY + 3 * DAY, "known", "lead", MONDAY), 3 * DAY, News.UNSILENCED),
        (resolved(**TOLD), DAY, News.RESOLVED),
        (resolved(**TOLD, resolved_told=MONDAY + DAY), 2 * DAY, None),
        (resolved(), DAY, None),
        (resolved(Ending.OVER, **TOLD), DAY, None),
        (resolved(**TOLD, opened=MONDAY + DAY / 2, episodes=2), DAY, None),
    ],
    ids=[
        "new",
        "told before",
        "told long ago",
        "told long ago, found yesterday",
        "told long ago, not judged since",
        "worse than told",
        "back after its end was told",
        "taken up",
        "taken up long ago",
        "silenced",
        "silence over, never told",
        "silence over, told before",
        "mended",
        "mended and told",
        "mended before it was told",
        "over",
        "back and mended before that was told",
    ],
)
def test_an_alert_is_told_where_there_is_news_of_it(one: Alert, after: timedelta, news: News | None) -> None:
    assert news_of(one, MONDAY + after, REPEAT) is news


def test_nothing_is_due_once_it_was_told() -> None:
    known = [alert("members/M-1"), alert("members/M-2"), resolved(**TOLD)]

    entries = due(known, MONDAY + DAY, REPEAT)

    assert [entry.news for entry in entries] == [News.NEW, News.NEW, News.RESOLVED]
    after = [told(entry.alert, mark_of(entry), MONDAY + DAY) for entry in entries]
    assert due(after, MONDAY + DAY, REPEAT) == []
    assert [untold(one, mark_of(entry), MONDAY + DAY) for one, entry in zip(after, entries, strict=True)] == known


def test_a_reminder_takes_with_it_those_that_would_follow_soon() -> None:
    old, younger, fresh = (
        alert(
            f"members/M-{number}",
            told=MONDAY + number * DAY,
            told_severity=Severity.HIGH,
            last_seen=MONDAY + REPEAT,
        )
        for number in (0, 2, 6)
    )

    entries = due([old, younger, fresh], MONDAY + 7 * DAY, REPEAT)

    assert [(entry.alert.subject, entry.news) for entry in entries] == [
        ("members/M-0", News.REMINDER),
        ("members/M-2", News.REMINDER),
    ]
    assert due([younger, fresh], MONDAY + 7 * DAY, REPEAT) == []


def test_what_is_told_stands_by_severity_and_what_is_over_comes_last() -> None:
    known = [
        resolved(subject="members/M-1", **TOLD),
        alert("members/M-2", severity=Severity.LOW),
        alert("members/M-3", severity=Severity.CRITICAL),
    ]

    entries = due(known, MONDAY + DAY, REPEAT)

    assert [entry.alert.subject for entry in entries] == ["members/M-3", "members/M-2", "members/M-1"]


def test_an_overview_says_what_was_opened_is_open_and_was_mended_whatever_was_told() -> None:
    since, now = MONDAY + DAY, MONDAY + 7 * DAY
    known = [
        alert("members/new", opened=since, told=since),
        alert("members/back", opened=since, episodes=2),
        acknowledged(alert("members/open", **TOLD, last_seen=now), "lead", MONDAY),
        alert("members/not-judged-of-late", **TOLD),
        silenced(alert("members/silent"), now + DAY, "known", "lead", MONDAY),
        resolved(subject="members/mended", **TOLD, resolved_told=MONDAY + DAY),
        resolved(Ending.OVER, subject="members/over", **TOLD),
        resolved(subject="members/came-and-went", opened=since, **TOLD),
        resolved(subject="members/mended-before", **TOLD).model_copy(update={"resolved": MONDAY}),
    ]

    said = {entry.alert.subject.removeprefix("members/"): entry.news for entry in overview(known, since, now)}

    assert said == {"new": News.NEW, "back": News.BACK, "open": News.REMINDER, "mended": News.RESOLVED}
    assert overview(known[6:], since, now) == []


QUALITY = AlertRule.QUALITY_DEGRADATION
OF_PROJECT = alert("projects/P-1", QUALITY, member_id=None, project_id="P-1", evidence=())
OF_MEMBER = alert("members/M-1", QUALITY, project_id="P-1", evidence=())
EVERYTHING = recipient("all", Subscription(report=DAILY))
LEAD = recipient("lead", Subscription(report=DAILY, teams=("north",)))


def _said(*known: Alert, weekly: bool = False) -> dict[str, set[str]]:
    """By recipient, the subjects of what is told a day later."""
    now = MONDAY + DAY
    entries = overview(known, MONDAY, now) if weekly else due(known, now, REPEAT)
    found = digests(entries, [EVERYTHING, LEAD], DAILY, {"M-1": "north"})
    return {one.recipient_id: {entry.alert.subject for entry in one.entries} for one in found}


@pytest.mark.parametrize("weekly", [False, True], ids=["daily", "weekly"])
def test_a_projects_falling_quality_speaks_for_its_members_to_those_who_hear_of_it(*, weekly: bool) -> None:
    elsewhere = alert("members/M-2", QUALITY, member_id="M-2", project_id="P-2", evidence=())

    assert _said(OF_PROJECT, OF_MEMBER, elsewhere, weekly=weekly) == {
        "all": {"projects/P-1", "members/M-2"},
        "lead": {"members/M-1"},
    }


def test_who_was_told_of_the_project_before_is_not_told_of_its_members() -> None:
    heard = OF_PROJECT.model_copy(update=TOLD)

    assert _said(heard, OF_MEMBER) == {"lead": {"members/M-1"}}
    assert _said(acknowledged(heard, "lead", MONDAY), OF_MEMBER) == {"lead": {"members/M-1"}}


def test_a_project_that_nobody_hears_of_does_not_speak_for_its_members() -> None:
    everybody = {"all": {"members/M-1"}, "lead": {"members/M-1"}}
    over = {"status": AlertStatus.RESOLVED, "resolved": MONDAY, "ending": Ending.MENDED}

    assert _said(silenced(OF_PROJECT, MONDAY + 3 * DAY, "known", "lead", MONDAY), OF_MEMBER) == everybody
    assert _said(acknowledged(OF_PROJECT, "lead", MONDAY), OF_MEMBER) == everybody
    assert _said(OF_PROJECT.model_copy(update=over), OF_MEMBER) == everybody


def test_each_recipient_gets_one_digest_of_what_the_subscription_is_about() -> None:
    of_project = alert("projects/P-1", AlertRule.SLA_BREACH, member_id=None, project_id="P-1", evidence=())
    of_member = alert("members/M-1")
    of_nobody = alert("workers/w-1", AlertRule.UNRESOLVED_WORKER, member_id=None, evidence=())
    entries = [Entry(one, News.NEW) for one in (of_project, of_member, of_nobody)]
    recipients = [
        recipient("everything", Subscription(report=DAILY)),
        recipient("project", Subscription(report=DAILY, projects=("P-1",))),
        recipient("planned-on", Subscription(report=DAILY, projects=("P-9",))),
        recipient("team", Subscription(report=DAILY, teams=("north",))),
        recipient("other-team", Subscription(report=DAILY, teams=("south",))),
        recipient("weekly", Subscription(report=ReportKind.ALERTS_WEEKLY)),
        recipient("paused", Subscription(report=DAILY), status=RecipientStatus.PAUSED),
        recipient("bounced", Subscription(report=DAILY), status=RecipientStatus.BOUNCED),
        recipient("nothing"),
    ]

    found = digests(entries, recipients, DAILY, {"M-1": "north"})

    assert {one.recipient_id: {entry.alert.subject for entry in one.entries} for one in found} == {
        "everything": {"projects/P-1", "members/M-1", "workers/w-1"},
        "planned-on": {"members/M-1"},
        "project": {"projects/P-1"},
        "team": {"members/M-1"},
    }
    assert projects_of(of_member) == {"P-9"}


def test_a_digest_has_a_group_a_rule_and_there_is_none_without_news() -> None:
    everyone = [recipient("lead", Subscription(report=DAILY))]
    entries = [
        Entry(alert("members/M-1", severity=Severity.LOW), News.NEW),
        Entry(alert("projects/P-1", AlertRule.SLA_BREACH), News.NEW),
        Entry(alert("members/M-2", severity=Severity.LOW), News.NEW),
    ]

    (digest,) = digests(entries, everyone, DAILY, {})

    assert {rule: len(group) for rule, group in digest.groups.items()} == {
        AlertRule.SLA_BREACH: 1,
        AlertRule.OOTO_CONFLICT: 2,
    }
    assert next(iter(digest.groups)) is AlertRule.SLA_BREACH
    assert digests([], everyone, DAILY, {}) == []


# --- who was told, and what a withdrawn edition leaves -------------------------------------------------------


def test_what_is_open_is_told_to_whoever_subscribes_later_and_to_nobody_twice() -> None:
    heard = told(alert(), mark_of(Entry(alert(), News.NEW), "lead"), MONDAY)

    (found,) = digests(standing([heard], MONDAY + DAY), [EVERYTHING, LEAD], DAILY, {"M-1": "north"})
    after = told(heard, marks_of([found])[heard.fingerprint], MONDAY + DAY)

    assert [(found.recipient_id, one.news) for one in found.entries] == [("all", News.OPEN)]
    assert (after.told, after.told_to) == (MONDAY, ("all", "lead"))  # reminders of the others do not shift
    assert digests(standing([after], MONDAY + 1.5 * DAY), [EVERYTHING, LEAD], DAILY, {"M-1": "north"}) == []


@pytest.mark.parametrize(
    "one",
    [
        acknowledged(alert(**TOLD), "lead", MONDAY),
        silenced(alert(**TOLD), MONDAY + 3 * DAY, "known", "lead", MONDAY),
        resolved(**TOLD),
        alert(),
    ],
    ids=["taken up", "silenced", "mended", "not told yet"],
)
def test_what_is_taken_up_silent_over_or_new_is_not_open_already(one: Alert) -> None:
    assert standing([one], MONDAY + DAY) == []


def test_what_was_not_judged_of_late_is_no_news_to_who_subscribes_later() -> None:
    assert standing([alert(**TOLD)], MONDAY + 2 * DAY) == []
    assert len(standing([alert(**TOLD, last_seen=MONDAY + DAY)], MONDAY + 2 * DAY)) == 1


def test_an_alert_that_is_back_is_new_to_everybody() -> None:
    heard = told(alert(), mark_of(Entry(alert(), News.NEW), "lead"), MONDAY)
    over = heard.model_copy(update={"status": AlertStatus.RESOLVED, "resolved": MONDAY, "ending": Ending.OVER})
    row = EvidenceRow("allocations/M-1/2026-W48#P-9", {"hours": "8.00 h"})
    found = Finding(heard.rule, heard.subject, WEEK, Severity.HIGH, heard.title, (row,), member_id="M-1")

    back = observed(over, found, MONDAY + DAY)

    assert back.told_to == ()
    late = told(back, mark_of(Entry(alert(), News.NEW), "other"), MONDAY)  # of an edition of before
    assert late == back


@pytest.mark.parametrize("news", News)
def test_a_mark_of_the_first_editions_which_kept_the_news_alone_is_read(news: News) -> None:
    mark = Mark.of_plain(news.value)

    assert mark == Mark(news, None)
    assert Mark.of_plain(mark.plain()) == mark


def test_what_a_first_edition_told_is_told_and_can_be_taken_back() -> None:
    mark = Mark.of_plain("new")

    after = told(alert(), mark, MONDAY + DAY)

    assert (after.told, after.told_severity, after.told_to) == (MONDAY + DAY, Severity.HIGH, ())
    assert untold(after, mark, MONDAY + DAY) == alert()


def test_a_mark_of_before_says_nothing_of_an_end_that_came_since() -> None:
    over = resolved(told=MONDAY)

    assert told(over, Mark(News.RESOLVED, Severity.HIGH), MONDAY) == over


def test_what_is_over_is_told_to_those_who_were_told_that_it_was_there() -> None:
    entry = Entry(resolved(told=MONDAY, told_to=("lead",)), News.RESOLVED)
    weekly = ReportKind.ALERTS_WEEKLY
    both = [recipient(name, *(Subscription(report=one) for one in (DAILY, weekly))) for name in ("all", "lead")]

    assert [one.recipient_id for one in digests([entry], both, DAILY, {})] == ["lead"]
    assert [one.recipient_id for one in digests([entry], both, weekly, {})] == ["all", "lead"]
    unknown = Entry(resolved(told=MONDAY), News.RESOLVED)
    assert [one.recipient_id for one in digests([unknown], both, DAILY, {})] == ["all", "lead"]


def test_worse_between_judging_and_marking_is_told_next() -> None:
    said = mark_of(Entry(alert(severity=Severity.LOW), News.NEW))

    after = told(alert(severity=Severity.HIGH), said, MONDAY)

    assert after.told_severity is Severity.LOW
    assert news_of(after, MONDAY + DAY, REPEAT) is News.WORSE


def test_a_withdrawn_edition_gives_back_what_was_told_before_it_the_newest_first() -> None:
    first = Mark(News.NEW, Severity.LOW, ("lead",))
    low = told(alert(severity=Severity.LOW), first, MONDAY)
    worse = low.model_copy(update={"severity": Severity.HIGH})
    second = mark_of(Entry(worse, News.WORSE), "lead", "all")
    high = told(worse, Mark.of_plain(second.plain()), MONDAY + DAY)

    assert (high.told, high.told_severity, high.told_to) == (MONDAY + DAY, Severity.HIGH, ("all", "lead"))
    once = untold(high, second, MONDAY + DAY)
    assert (once.told, once.told_severity, once.told_to) == (MONDAY, Severity.LOW, ("lead",))
    assert untold(once, first, MONDAY).told is None
    assert untold(high, first, MONDAY).told == MONDAY + DAY  # a later edition has told it too
