"""The digests of alerts: stored as editions, marked as told, and sent.

Belongs here: the order of that, so that a kill at any point and two runs at once tell each thing once. Does not
belong here: what is told (prism_core/alerts/telling.py), its text (letters.py) and the send ledger (mailing.py).

An edition carries what it tells. It is stored first, the alerts are marked next, and then it is sent. Whoever
comes later begins with the marks of the editions that are not finished. A daily digest is stored under the number
behind the last one that was read before the alerts were: who comes second finds it taken, and reads again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import JsonValue

from prism_core.alerts.letters import Frame, written
from prism_core.alerts.telling import Digest, Entry, Mark, News, digests, due, marks_of, overview, standing
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.mail_attempts import Outcome
from prism_core.models.people import Member, MemberStatus
from prism_core.models.reports import Edition, EditionStatus, ReportKind
from prism_core.settings import Settings
from prism_core.tables import MEMBERS
from prism_resources.alerts.ledger import AlertLedger
from prism_resources.aws import client
from prism_resources.letters import Letter, opt_out
from prism_resources.mailing import Mailing, Overtaken
from prism_resources.recipients import Recipients
from prism_resources.tables.reader import TableReader

DAILY, WEEKLY = ReportKind.ALERTS_DAILY, ReportKind.ALERTS_WEEKLY
# A daily run that begins some seconds earlier than that of a week ago must not remind a day late.
_EARLY: Final = timedelta(hours=1)
_ATTEMPTS: Final = 5
# Of an edition that is older, no run is just about to send it.
STALE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Told:
    """What a run told: the edition that it stored, None when there was nothing to tell, and all that it sent."""

    edition: Edition | None
    entries: tuple[Entry, ...]
    outcomes: tuple[Outcome, ...]


class AlertDigests:
    """Tells the recipients of alerts what is new."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self.mailing, self.ledger = settings, Mailing(settings), AlertLedger(settings)
        self._recipients = Recipients(settings)
        self._members = TableReader(client(settings, "dynamodb"), settings, MEMBERS, Member)

    def catch_up(self, now: datetime) -> None:
        """Mark what stored editions tell and a kill left unmarked. Before judging, so that no mark is of later."""
        week = Week.of(now)
        last = self.mailing.last(DAILY, week)
        for edition in {one.edition_id: one for one in (*self.mailing.open(week, DAILY), last) if one}.values():
            self._mark(edition, now)

    def take_back(self, now: datetime) -> None:
        """Withdraw daily editions of before that have gone to nobody, and what they marked: the next says it anew.

        After an outage one mail says what is so now. One that cannot be read is left to whoever is told of it.
        """
        for edition in reversed(self.mailing.open(Week.of(now), DAILY)):  # each gives back what was told before it
            if now - edition.created < STALE or self.mailing.may_have_gone(edition):
                continue
            try:
                marks = self._marks(edition)
            except PermanentFailure:
                continue
            # In this order: a kill in between leaves an edition that is to be sent, whose marks are set again.
            self.ledger.unmark(marks, edition.created, now)
            if self.mailing.recall(edition, now=now):
                self.ledger.unmark(marks, edition.created, now)  # another run may have marked it in between
            else:
                self._mark(edition, now)

    def _mark(self, edition: Edition, now: datetime) -> None:
        """Mark what an edition tells, unless another run has withdrawn it: what is told anew must not be marked.

        One that cannot be read is left out: the run that would send it says so.
        """
        if self._is_withdrawn(edition):
            return
        try:
            marks = self._marks(edition)
        except PermanentFailure:
            return
        self.ledger.mark(marks, edition.created)
        if self._is_withdrawn(edition):  # while it was marked
            self.ledger.unmark(marks, edition.created, now)

    def _is_withdrawn(self, edition: Edition) -> bool:
        """As the table says it: the index may be behind."""
        found = self.mailing.edition(edition.edition_id)
        return found is None or found.status is EditionStatus.WITHDRAWN

    def _marks(self, edition: Edition) -> dict[str, Mark]:
        said: Any = self.mailing.content(edition).data.get("told") or {}
        return {fingerprint: Mark.of_plain(mark) for fingerprint, mark in said.items()}

    def daily(self, now: datetime) -> Told:
        """Tell what is new, and send what an earlier run left, also of a week. Nothing new: no edition, no mail.

        Raises TransientFailure when others tell all the time, PermanentFailure when an edition cannot be sent.
        """
        edition, entries = self._stored_daily(now)
        return Told(edition, entries, self._delivered((WEEKLY, DAILY), Week.of(now), edition, now))

    def weekly(self, now: datetime) -> Told:
        """Tell what was opened, is open and was mended in the last week that has ended, once.

        What the digest of the week before has told, on the Monday of this one, is not of this one.
        """
        week = Week.of(now) + -1
        stored, entries = None, tuple[Entry, ...]()
        if self.mailing.last(WEEKLY, week) is None:
            before = self.mailing.last(WEEKLY, week + -1)
            since = week.start if before is None else before.created
            found = overview((*self.ledger.open(), *self.ledger.over(now)), since, now)
            of_each = self._of_each(found, WEEKLY)
            if of_each:
                letters, entries = self._letters(of_each, WEEKLY, now, week), tuple(found)
                self.mailing.require_sender()
                try:
                    title = f"Alerts of {week}"
                    stored = self.mailing.prepare(WEEKLY, week, title, letters, now=now, number=1)
                except Overtaken:
                    entries = ()
        return Told(stored, entries, self._delivered((WEEKLY,), week, stored, now))

    def _stored_daily(self, now: datetime) -> tuple[Edition | None, tuple[Entry, ...]]:
        week = Week.of(now)
        for _ in range(_ATTEMPTS):
            last = self.mailing.last(DAILY, week)
            self.take_back(now)
            self.catch_up(now)
            of_each = self._due(now)
            if not of_each:
                return None, ()
            self.mailing.require_sender()
            entries = {entry.alert.fingerprint: entry for one in of_each for entry in one.entries}
            marks = marks_of(of_each)
            letters, number = self._letters(of_each, DAILY, now), 1 if last is None else last.number + 1
            told: dict[str, JsonValue] = {key: mark.plain() for key, mark in marks.items()}
            try:
                title = f"Alerts of {now:%d %b %Y}"
                edition = self.mailing.prepare(
                    DAILY, week, title, letters, now=now, number=number, data={"told": told}
                )
            except Overtaken:
                continue
            self.ledger.mark(marks, edition.created)
            return edition, tuple(entries.values())
        raise TransientFailure("other runs tell alerts all the time; try again")

    def _due(self, now: datetime) -> list[Digest]:
        """What is to be told, by what the table says itself: the index that lists alerts may lag behind a mark."""
        repeat = timedelta(days=self._settings.alert_thresholds.repeat_days) - _EARLY
        listed = {one.fingerprint: one for one in (*self.ledger.open(), *self.ledger.over(now))}

        def of_each() -> list[Digest]:
            news = due(listed.values(), now, repeat)
            told = {entry.alert.fingerprint for entry in news}
            before = (one for one in standing(listed.values(), now) if one.alert.fingerprint not in told)
            return self._of_each([*news, *before], DAILY)

        for fingerprint in {entry.alert.fingerprint for one in of_each() for entry in one.entries}:
            fresh = self.ledger.get(fingerprint)
            if fresh is None:
                del listed[fingerprint]
            else:
                listed[fingerprint] = fresh
        return of_each()

    def _of_each(self, entries: Sequence[Entry], report: ReportKind) -> list[Digest]:
        if not entries:
            return []
        members = self._members.query("by_status", status=MemberStatus.ACTIVE)
        return digests(
            entries, self._recipients.subscribed(report), report, {m.member_id: m.team for m in members}
        )

    def _letters(
        self, found: Sequence[Digest], report: ReportKind, now: datetime, week: Week | None = None
    ) -> list[Letter]:
        """Who is told the same gets the same letter."""
        url = self._settings.dagster_url
        more = None if url is None else f"{str(url).rstrip('/')}/assets/alert_ledger"
        base = self._settings.alerts_url
        frame = Frame(now, opt_out(self._settings, report), week, more, None if base is None else str(base))
        whom: dict[tuple[tuple[str, News], ...], list[Digest]] = {}
        for one in found:
            same = tuple((entry.alert.fingerprint, entry.news) for entry in one.entries)
            whom.setdefault(same, []).append(one)
        letters: list[Letter] = []
        for alike in whom.values():
            text = written(alike[0], frame)
            letters.append(Letter(tuple(one.recipient_id for one in alike), text.subject, text.text, text.html))
        return letters

    def _delivered(
        self, reports: Sequence[ReportKind], week: Week, stored: Edition | None, now: datetime
    ) -> tuple[Outcome, ...]:
        """Send what is stored and not finished, the oldest first; the index may not list the newest yet.

        One that cannot be sent holds no other up. Raises PermanentFailure for it when all were tried.
        """
        editions: Mapping[str, Edition] = {
            one.edition_id: one
            for one in (*(one for report in reports for one in self.mailing.open(week, report)), stored)
            if one is not None
        }
        outcomes: list[Outcome] = []
        failures: list[str] = []
        for one in editions.values():
            try:
                outcomes.append(self.mailing.deliver(one, now=now))
            except PermanentFailure as failure:
                failures.append(str(failure))
        if failures:
            raise PermanentFailure("; ".join(dict.fromkeys(failures)))
        return tuple(outcomes)
