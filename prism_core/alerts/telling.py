"""What is told of the alerts, and to whom.

Belongs here: what is news of an alert, what another alert already says, one digest a recipient, and marking what
was told. Does not belong here: the text of a digest, mail, and the ledger of sent editions.
Mark alerts as told when the edition is stored, before it is sent: an edition that is sent again after a crash is
the same edition, and nothing in it is news any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from pydantic import JsonValue

from prism_core.alerts.findings import rank
from prism_core.models.alerts import Alert, AlertRule, AlertStatus, Ending
from prism_core.models.reports import Recipient, RecipientStatus, ReportKind, Subscription
from prism_core.models.work import Severity


class News(StrEnum):
    """Why an alert is told now, in the order in which a digest has them; `open`: to who was not told before."""

    NEW = "new"
    BACK = "back"
    WORSE = "worse"
    UNSILENCED = "unsilenced"
    REMINDER = "reminder"
    OPEN = "open"
    RESOLVED = "resolved"


# Rules are judged before each digest; what a day's judgement missed, that of the next may find.
CONFIRMED: Final = timedelta(days=2)
_ORDER: Final = {news: number for number, news in enumerate(News)}


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert and why it is told. `cause` is another alert that says it too, for those who hear of that one."""

    alert: Alert
    news: News
    cause: Alert | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """All that one recipient is told at once, by rule; the most severe alert's rule first."""

    recipient_id: str
    groups: Mapping[AlertRule, tuple[Entry, ...]]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for group in self.groups.values() for entry in group)


@dataclass(frozen=True, slots=True)
class Mark:
    """What an edition tells of an alert, and what had been told of it before.

    `severity` is the one that the edition says (None: it kept none), `first` are the recipients who hear of it for
    the first time.
    """

    news: News
    severity: Severity | None
    first: tuple[str, ...] = ()
    told: datetime | None = None
    told_severity: Severity | None = None

    def plain(self) -> dict[str, JsonValue]:
        """As an edition keeps it."""
        return {
            "news": self.news.value,
            "severity": self.severity,
            "first": list(self.first),
            "told": None if self.told is None else self.told.isoformat(),
            "told_severity": self.told_severity,
        }

    @classmethod
    def of_plain(cls, said: Mapping[str, Any] | str) -> "Mark":
        """The inverse of `plain`. The first editions kept the news alone."""
        if isinstance(said, str):
            return cls(News(said), None)
        told, severity, before = said["told"], said["severity"], said["told_severity"]
        return cls(
            News(said["news"]),
            None if severity is None else Severity(severity),
            tuple(said["first"]),
            None if told is None else datetime.fromisoformat(told),
            None if before is None else Severity(before),
        )


def news_of(alert: Alert, now: datetime, repeat: timedelta) -> News | None:
    """Why the alert is told at `now`; None where there is nothing to tell.

    Told is what is open and was not told, is worse than was told, whose silence has ended, or what nobody has
    taken up for `repeat`; and once, that something told was mended. Of what no judgement finds any more, and none
    finds mended either, nobody is reminded: it may be true no longer.
    """
    if _is_silent(alert, now):
        return None
    told = _told_of(alert)
    if alert.status is AlertStatus.RESOLVED:
        mended = alert.ending is Ending.MENDED and told is not None and alert.resolved_told is None
        return News.RESOLVED if mended else None
    if alert.status is AlertStatus.ACKNOWLEDGED:
        return None
    if told is None:
        return News.NEW if alert.told is None else News.BACK
    if alert.told_severity is not None and rank(alert.severity) > rank(alert.told_severity):
        return News.WORSE
    if alert.silenced_until is not None and told < alert.silenced_until:
        return News.UNSILENCED
    return News.REMINDER if now - told >= repeat and _is_confirmed(alert, now) else None


def due(alerts: Iterable[Alert], now: datetime, repeat: timedelta) -> list[Entry]:
    """Everything that is to be told at `now`, the most severe first; empty when there is nothing.

    With a reminder go those that would follow within half the interval: else every day had its own.
    """
    known = list(alerts)
    causes = causes_of(known, now)
    entries = [
        Entry(alert, news, causes.get(alert.fingerprint))
        for alert in known
        if (news := news_of(alert, now, repeat)) is not None
    ]
    if any(entry.news is News.REMINDER for entry in entries):
        told = {entry.alert.fingerprint for entry in entries}
        entries += [
            Entry(alert, News.REMINDER, causes.get(alert.fingerprint))
            for alert in known
            if alert.fingerprint not in told and news_of(alert, now, repeat / 2) is News.REMINDER
        ]
    return sorted(entries, key=_place)


def standing(alerts: Iterable[Alert], now: datetime) -> list[Entry]:
    """What is open and was told: news to whoever was not told then, who subscribed later or was covered later."""
    known = list(alerts)
    causes = causes_of(known, now)
    return [
        Entry(alert, News.OPEN, causes.get(alert.fingerprint))
        for alert in known
        if alert.status is AlertStatus.OPEN
        and _told_of(alert) is not None
        and not _is_silent(alert, now)
        and _is_confirmed(alert, now)
    ]


def overview(alerts: Iterable[Alert], since: datetime, now: datetime) -> list[Entry]:
    """What a digest of a longer time says, whatever was told before: what was opened, is still open, was mended.

    Nothing is to be marked as told. Silent is what is silenced at `now`, what came and went in between, what is
    over because its week went by, and what is open from before and no judgement has found of late.
    """
    known = list(alerts)
    causes = causes_of(known, now)
    entries: list[Entry] = []
    for alert in known:
        opened = alert.opened or alert.first_seen
        if _is_silent(alert, now):
            continue
        if alert.status is not AlertStatus.RESOLVED:
            first = News.NEW if alert.episodes == 1 else News.BACK
            news = first if opened >= since else News.REMINDER
            if news is not News.REMINDER or _is_confirmed(alert, now):
                entries.append(Entry(alert, news, causes.get(alert.fingerprint)))
        elif alert.ending is Ending.MENDED and alert.resolved is not None and opened < since <= alert.resolved:
            entries.append(Entry(alert, News.RESOLVED))
    return sorted(entries, key=_place)


def causes_of(alerts: Iterable[Alert], now: datetime) -> dict[str, Alert]:
    """Alerts, by fingerprint, that another one already says, with that one, unless it is silenced at `now`.

    A project whose quality falls says it for its members: its evidence names the worst of them.
    """
    quality = [
        one
        for one in alerts
        if one.rule is AlertRule.QUALITY_DEGRADATION and one.status is not AlertStatus.RESOLVED
    ]
    causes = {one.project_id: one for one in quality if one.member_id is None and not _is_silent(one, now)}
    return {
        one.fingerprint: causes[one.project_id]
        for one in quality
        if one.member_id is not None and one.project_id in causes
    }


def marks_of(found: Iterable[Digest]) -> dict[str, Mark]:
    """What digests tell, by fingerprint."""
    marks: dict[str, Mark] = {}
    for digest in found:
        for entry in digest.entries:
            alert = entry.alert
            mark = marks.get(alert.fingerprint) or Mark(
                entry.news, alert.severity, told=alert.told, told_severity=alert.told_severity
            )
            if entry.news is not News.RESOLVED and digest.recipient_id not in alert.told_to:
                mark = replace(mark, first=(*mark.first, digest.recipient_id))
            marks[alert.fingerprint] = mark
    return marks


def told(alert: Alert, mark: Mark, at: datetime) -> Alert:
    """The alert once the edition with it is stored, as it was created `at`. What was marked stays as it is."""
    if mark.news is News.RESOLVED:
        is_over = alert.status is AlertStatus.RESOLVED and alert.ending is Ending.MENDED
        was_over = alert.resolved is not None and alert.resolved <= at  # else it is over once more since
        untold_end = is_over and was_over and not alert.resolved_told
        return alert.model_copy(update={"resolved_told": at}) if untold_end else alert
    if alert.opened is not None and alert.opened > at:  # it is back since: that was told of the time before
        return alert
    changes: dict[str, Any] = {"told_to": tuple(sorted({*alert.told_to, *mark.first}))}
    if mark.news is not News.OPEN and (alert.told is None or alert.told < at):
        changes |= {"told": at, "told_severity": mark.severity or alert.severity}
    return alert.model_copy(update=changes)


def untold(alert: Alert, mark: Mark, at: datetime) -> Alert:
    """The alert once the edition that was created `at` is withdrawn before anybody got it.

    What a later one has told since stays told.
    """
    if mark.news is News.RESOLVED:
        return alert.model_copy(update={"resolved_told": None}) if alert.resolved_told == at else alert
    changes: dict[str, Any] = {"told_to": tuple(one for one in alert.told_to if one not in mark.first)}
    if mark.news is not News.OPEN:
        if alert.told != at:
            return alert
        changes |= {"told": mark.told, "told_severity": mark.told_severity}
    return alert.model_copy(update=changes)


def digests(
    entries: Sequence[Entry],
    recipients: Iterable[Recipient],
    report: ReportKind,
    teams: Mapping[str, str | None],
) -> list[Digest]:
    """One digest for each active recipient with a subscription that something is about; `teams` by member.

    What a cause says is left out for those alone who hear of the cause, now or before; what is `open`, for those
    who were told of it. Day by day, what is over is told to those who were told that it was there.
    """
    found: list[Digest] = []
    for recipient in sorted(recipients, key=lambda one: one.recipient_id):
        if recipient.status is not RecipientStatus.ACTIVE:
            continue
        wanted = next((one for one in recipient.subscriptions if one.report is report), None)
        of_them = [one for one in entries if _concerns(one, recipient.recipient_id, report)]
        mine = [] if wanted is None else _heard(of_them, wanted, teams)
        if mine:
            found.append(Digest(recipient.recipient_id, _grouped(mine)))
    return found


def _concerns(entry: Entry, recipient_id: str, report: ReportKind) -> bool:
    """Whether it is news to a recipient, by who was told of the alert before; of old alerts nobody knows that."""
    heard = entry.alert.told_to
    if entry.news is News.OPEN:
        return recipient_id not in heard
    if entry.news is News.RESOLVED and report is ReportKind.ALERTS_DAILY:
        return not heard or recipient_id in heard
    return True


def projects_of(alert: Alert) -> frozenset[str]:
    """The projects that an alert is about, those that its evidence has no room for among them."""
    return frozenset(alert.projects if alert.project_id is None else (*alert.projects, alert.project_id))


def _heard(entries: Sequence[Entry], wanted: Subscription, teams: Mapping[str, str | None]) -> list[Entry]:
    """What a subscription is about, without what its recipient is told, or was told, by another alert."""
    mine = [entry for entry in entries if _about(entry.alert, wanted, teams)]
    now = {entry.alert.fingerprint for entry in mine}

    def is_known(cause: Alert) -> bool:
        before = _told_of(cause) is not None and _about(cause, wanted, teams)
        return before or cause.fingerprint in now

    return [entry for entry in mine if entry.cause is None or not is_known(entry.cause)]


def _told_of(alert: Alert) -> datetime | None:
    """When it was told since it was opened this time."""
    return alert.told if alert.opened is None or alert.told is None or alert.told >= alert.opened else None


def _is_silent(alert: Alert, now: datetime) -> bool:
    return alert.silenced_until is not None and alert.silenced_until > now


def _is_confirmed(alert: Alert, now: datetime) -> bool:
    """Whether a judgement has found it of late; a rule may have had too little to judge by since."""
    return now - alert.last_seen < CONFIRMED


def _about(alert: Alert, subscription: Subscription, teams: Mapping[str, str | None]) -> bool:
    """Narrowed to projects or teams, a subscription is about an alert that has one of them."""
    team = None if alert.member_id is None else teams.get(alert.member_id)
    return subscription.covers(projects_of(alert), team)


def _grouped(entries: Iterable[Entry]) -> dict[AlertRule, tuple[Entry, ...]]:
    groups: dict[AlertRule, list[Entry]] = {}
    for entry in sorted(entries, key=_place):
        groups.setdefault(entry.alert.rule, []).append(entry)
    return {rule: tuple(group) for rule, group in groups.items()}


def _place(entry: Entry) -> tuple[bool, int, int, str, str]:
    """What is over comes last; then by severity, by news, by title."""
    alert = entry.alert
    over = entry.news is News.RESOLVED
    return over, -rank(alert.severity), _ORDER[entry.news], alert.title, alert.fingerprint
