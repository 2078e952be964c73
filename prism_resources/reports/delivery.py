"""Reports to their readers: each the newest edition of the week that is due by the own clock, once.

Belongs here: who is to get what now, storing an edition, and sending it. Does not belong here: what is due when
(prism_core/reports/hours.py), whether there is another edition (editions.py), and the send ledger (mailing.py).
What should be is compared with what was sent, and the rest is sent: whoever joins on a Wednesday gets the report
of Monday, and a run that was killed is finished by the next one. An edition is stored when the first reader's hour
has come, without names: who gets it is read as it is sent.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from prism_core.calendar import Week
from prism_core.campaign.restatements import WAS
from prism_core.facts.ledger import Fact
from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.mail_attempts import Outcome
from prism_core.models.reports import Edition, EditionStatus, ReportKind
from prism_core.reports.content import ReportContent
from prism_core.reports.editions import next_edition
from prism_core.reports.hours import last_due
from prism_core.reports.late import Late
from prism_core.reports.missing import REPORTS, overdue
from prism_core.reports.reading import report_of
from prism_core.reports.waking import may_be_sent
from prism_core.settings import Settings
from prism_resources.letters import Letter, opt_out
from prism_resources.mailing import Mailing, Overtaken, edition_id_of
from prism_resources.recipients import Recipients
from prism_resources.reports.rendering import render
from prism_resources.reports.shelf import Shelf

# Figures that a report told are looked up in the editions of so many weeks before.
TOLD_WEEKS: Final = 8
_ATTEMPTS: Final = 5
# In what an edition keeps, that it is the notice of a report that is late.
_NOTICE: Final = "late"


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be sent now: an edition that stands, or one to be stored (None), and to whom, by id.

    `late`: there is no report; what is stored is the notice of it.
    """

    report: ReportKind
    week: Week
    content_hash: str
    edition: Edition | None
    recipients: tuple[str, ...]
    late: Late | None = None


class ReportDelivery:
    """Everything may be repeated, by several processes at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self.mailing = settings, Mailing(settings)
        self._shelf, self._recipients = Shelf(settings), Recipients(settings)
        self._notices: dict[str, bool] = {}  # by the hash of what an edition says

    def due(self, now: datetime, *, at_once: bool = False, late: Late | None = None) -> list[Due]:
        """What `deliver` would send; nothing is written. `at_once`: whatever hour it is where the readers are.

        `late`: the campaign report that was to be made and is not there; its readers get a notice, once.
        """
        found: list[Due] = []
        for report in REPORTS:
            for week, whom in self._readers(report, now, at_once=at_once).items():
                try:
                    due = self._due(report, week, tuple(whom), now, late)
                except PermanentFailure:  # it is due, and the run that sends it says what is wrong
                    due = Due(report, week, "", None, tuple(whom))
                found += [due] if due else []
        return found

    def missing(self, now: datetime) -> list[tuple[ReportKind, Week]]:
        """Reports that somebody is subscribed to, that are due there since two hours, and that nobody has made."""
        hour, first = self._settings.report_at, self._settings.first_week
        return [
            (report, week)
            for report in REPORTS
            for zones in [[one.time_zone for one in self._recipients.subscribed(report)]]
            for week in overdue(now, zones, hour, first)
            if not self._shelf.has(report, week)
        ]

    def deliver(self, now: datetime, *, at_once: bool = False, late: Late | None = None) -> list[Outcome]:
        """Send what is `due`. One report that cannot be sent holds no other up.

        Raises PermanentFailure for it when all were tried, TransientFailure when others store editions all the
        time.
        """
        outcomes: list[Outcome] = []
        failures: list[str] = []
        for report in REPORTS:
            for week, whom in self._readers(report, now, at_once=at_once).items():
                try:
                    outcome = self._sent(report, week, tuple(whom), now, late)
                except PermanentFailure as failure:
                    failures.append(str(failure))
                else:
                    outcomes += [outcome] if outcome else []
        if failures:
            raise PermanentFailure("; ".join(dict.fromkeys(failures)))
        return [*outcomes, *self._given_up(now, {one.edition.edition_id for one in outcomes})]

    def _given_up(self, now: datetime, sent: Collection[str]) -> Iterator[Outcome]:
        """Other editions of the weeks that are due, whatever hour it is, where a mail is given up: a run that had
        nothing to send of them is no end of that."""
        for report in REPORTS:
            zones = {ZoneInfo(one.time_zone) for one in self._recipients.subscribed(report)}
            for week in {last_due(now, zone, self._settings.report_at) for zone in zones}:
                newest = self.mailing.last(report, week)
                if newest is not None and newest.edition_id not in sent:
                    outcome = Outcome(newest, tuple(self.mailing.deliveries(newest.edition_id)))
                    if outcome.given_up:
                        yield outcome

    def told(self, report: ReportKind, week: Week) -> dict[str, Fact]:
        """The figures that editions of the weeks before one have told, by id, as the newest of them said each."""
        found: dict[str, Fact] = {}
        for one in week.window(TOLD_WEEKS + 1):
            edition = self._read(self.mailing.last(report, one)) if one < week else None
            if edition is not None:
                content = self._content(edition)
                shown = (fact_id for fact_id in content.shown() if not fact_id.startswith(WAS))
                found |= {fact_id: content.fact(fact_id) for fact_id in shown}
        return found

    def _readers(self, report: ReportKind, now: datetime, *, at_once: bool) -> Mapping[Week, list[str]]:
        """Who may get a report now, by the week that is due by their clocks."""
        hour = self._settings.report_at
        found: dict[Week, list[str]] = {}
        for one in sorted(self._recipients.subscribed(report), key=lambda one: one.recipient_id):
            zone = ZoneInfo(one.time_zone)
            if at_once:
                found.setdefault(Week.of(now.astimezone(zone).date()) + -1, []).append(one.recipient_id)
            elif may_be_sent(now, zone, hour):
                found.setdefault(last_due(now, zone, hour), []).append(one.recipient_id)
        return found

    def _due(
        self, report: ReportKind, week: Week, whom: tuple[str, ...], now: datetime, late: Late | None
    ) -> Due | None:
        kept, newest = self._shelf.newest(report, week), self.mailing.last(report, week)
        if kept is None:
            return self._notice_due(newest, week, whom, now, late) if report is ReportKind.CAMPAIGN else None
        told = newest is not None and not self._is_notice(newest)
        if newest is not None and told and next_edition(self._content(newest), kept.content) is None:
            left = self._left(newest, whom, now)
            return Due(report, week, kept.content_hash, newest, left) if left else None
        return Due(report, week, kept.content_hash, None, whom)

    def _notice_due(
        self, newest: Edition | None, week: Week, whom: tuple[str, ...], now: datetime, late: Late | None
    ) -> Due | None:
        """One notice a week, whatever the reason becomes."""
        if late is None or late.week != week:
            return None
        if newest is None:
            return Due(ReportKind.CAMPAIGN, week, late.why, None, whom, late)
        left = self._left(newest, whom, now) if self._is_notice(newest) else ()
        return Due(ReportKind.CAMPAIGN, week, newest.content_hash, newest, left, late) if left else None

    def _left(self, edition: Edition, whom: tuple[str, ...], now: datetime) -> tuple[str, ...]:
        """A person who has withdrawn an edition wants what it says to go to nobody."""
        open_still = edition.status is EditionStatus.PREPARED
        return self.mailing.untried(edition, whom, now=now) if open_still else ()

    def _sent(
        self, report: ReportKind, week: Week, whom: tuple[str, ...], now: datetime, late: Late | None
    ) -> Outcome | None:
        for _ in range(_ATTEMPTS):
            due = self._due(report, week, whom, now, late)
            if due is None:
                return None
            try:
                edition = due.edition or (
                    self._notice(report, due.late, now) if due.late else self._stored(report, week, now)
                )
            except Overtaken:
                continue
            for number in range(1, edition.number):
                before = self.mailing.edition(edition_id_of(report, week, number))
                if before is not None and before.status is EditionStatus.PREPARED:
                    self.mailing.closed(before, now, "another edition stands for it")
            return self.mailing.deliver(edition, now=now, to=due.recipients)
        raise TransientFailure(f"other runs store {report} editions of {week} all the time; try again")

    def _notice(self, report: ReportKind, late: Late, now: datetime) -> Edition:
        """The first edition of a week whose report is not there. Raises Overtaken as `_stored` does."""
        self.mailing.require_sender()
        letter = Letter(None, late.subject, f"{late.text}\n{opt_out(self._settings, report)}\n")
        data = {_NOTICE: late.why.value}
        return self.mailing.prepare(report, late.week, late.subject, [letter], now=now, number=1, data=data)

    def _stored(self, report: ReportKind, week: Week, now: datetime) -> Edition:
        """The edition that says what is so now. Raises Overtaken when another run stored one meanwhile."""
        newest, kept = self.mailing.last(report, week), self._shelf.newest(report, week)
        if kept is None:
            raise PermanentFailure(f"the {report} report of {week} is gone from its shelf; make it again")
        read = self._read(newest)
        self.mailing.require_sender()
        open_still = newest is not None and newest is not read and newest.status is EditionStatus.PREPARED
        # A notice is not taken back: what it told was so.
        taken_back = newest is None or not open_still or self._is_notice(newest)
        if newest is not None and not taken_back and not self.mailing.recall(newest, now=now):
            raise Overtaken(f"{newest.edition_id} is being sent just now")
        told = None if read is None else self._content(read)
        content = next_edition(told, kept.content)
        if content is None:  # as it was before one that went to nobody
            content = replace(kept.content, edition=1 if told is None else told.edition + 1)
        mail = render(content, closing=opt_out(self._settings, report))
        letter = Letter(None, mail.subject, mail.text, mail.html, mail.pictures, mail.attached)
        number, data = 1 if newest is None else newest.number + 1, {"document": content.document()}
        return self.mailing.prepare(report, week, mail.subject, [letter], now=now, number=number, data=data)

    def _read(self, edition: Edition | None) -> Edition | None:
        """This report, or the last one before it, that somebody has got, or may have; a notice is none."""
        while edition is not None and (not self.mailing.may_have_gone(edition) or self._is_notice(edition)):
            before = edition_id_of(edition.report, edition.week, edition.number - 1)
            edition = self.mailing.edition(before) if edition.number > 1 else None
        return edition

    def _is_notice(self, edition: Edition) -> bool:
        if edition.content_hash not in self._notices:  # else it would be read twice at each look
            self._notices[edition.content_hash] = _NOTICE in self.mailing.content(edition).data
        return self._notices[edition.content_hash]

    def _content(self, edition: Edition) -> ReportContent:
        """The report that an edition is; a notice is none."""
        document: Any = self.mailing.content(edition).data["document"]
        return report_of(document)
