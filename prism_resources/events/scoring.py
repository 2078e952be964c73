"""Scores of producers, and telling the owner of a type what began to fail.

Belongs here: what producers sent in a time, from the ledger and receipts, with their failed events; who is told,
and the letter. Does not belong here: the scores (prism_core/events/scorecard.py) and sending (mailing.py).
A field is told once in a week and the next one, and again when ten times as many events fail by it: an edition
keeps the fields that it told, with their numbers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from prism_core.calendar import Week
from prism_core.events.failed import FailedEvent, FailedFilter, Failure
from prism_core.events.ledger import HOUR, HourRecord, by_producer, running
from prism_core.events.rollups import Grain
from prism_core.events.scorecard import ENVELOPE, FailingField, Score, began_to_fail, failing, is_news, scores
from prism_core.mail_attempts import Outcome
from prism_core.models.reports import Edition, ReportKind
from prism_core.settings import Settings
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.ledger import Ledger
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore
from prism_resources.events.tallying import tally_of
from prism_resources.letters import Letter, opt_out
from prism_resources.mailing import Mailing, edition_id_of
from prism_resources.recipients import Recipients

LATELY: Final = timedelta(hours=24)
BEFORE: Final = timedelta(days=7)
# What was accepted before a scorecard may fail after it: a message is tried for three hours.
_TRIED: Final = timedelta(hours=4)
_ENVELOPES: Final = {
    Failure.UNKNOWN_TYPE.value: "there is no schema of this type; add one, or have the producer mend its type",
    Failure.UNKNOWN_VERSION.value: "their dataschema names a version that there is not",
    Failure.CONFLICT.value: "source and id are those of another event with other data; these are not sent again",
}


class Scoring:
    """Scores of a platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._receipts, self._failed, self._ledger = Receipts(settings), FailedStore(settings), Ledger(settings)

    def lately(self, now: datetime) -> tuple[Score, ...]:
        """The producers of the events that were accepted in the hours of the last day, the worst first."""
        since = _first_hour(now)
        return scores(by_producer(self._hours(since, now)), self.failed(since, now))

    def failed(self, since: datetime, until: datetime) -> Iterator[FailedEvent]:
        """The failed events of the time."""
        return self._failed.find(FailedFilter(since=since, until=until))

    def began(
        self, lately: Iterable[Score], now: datetime, last: datetime | None = None
    ) -> dict[str, dict[FailingField, int]]:
        """What is news, by producer, with how often it failed: of the last day and of the time since the scorecard
        before (`last`; None: there was none), beside the seven days before that. What began while no scorecard was
        made is told by the next one."""
        today = _first_hour(now)
        since = today if last is None else min(today, Grain.HOUR.start_of(last - _TRIED))
        failed: Counter[FailingField] = failing(self.failed(since, today)) if since < today else Counter()
        for one in lately:
            failed.update(one.fields)
        return began_to_fail(failing(self.failed(since - BEFORE, since)), failed)

    def _hours(self, since: datetime, now: datetime) -> Iterator[HourRecord]:
        """As the ledger has them; one that nobody has counted yet by its receipts."""
        known = {one.hour: one for one in self._ledger.of_days(since.date(), now.date())}
        hour = since
        while hour <= now:
            yield known.get(hour) or running(tally_of(self._receipts, hour, now))
            hour += HOUR


def _first_hour(now: datetime) -> datetime:
    return Grain.HOUR.start_of(now - LATELY)


class Telling:
    """Mails about fields that began to fail."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._mailing, self._schemas = Mailing(settings), SchemaStore(settings)
        self._recipients = Recipients(settings)

    def tell(self, began: Mapping[str, Mapping[FailingField, int]], now: datetime) -> list[Outcome]:
        """One letter to each owner, of what is news beside what was told; what a crash left is sent first."""
        week = Week.of(now)
        left = [self._mailing.deliver(one, now=now) for one in self._mailing.open(week, ReportKind.EVENTS)]
        told = self._told(week + -1) | self._told(week)
        new = {
            field: number
            for fields in began.values()
            for field, number in fields.items()
            if is_news(number, told[_name(field)])
        }
        letters = [
            _letter(self._settings, recipient, fields) for recipient, fields in self._by_recipient(new).items()
        ]
        if not letters:
            return left
        last = self._mailing.last(ReportKind.EVENTS, week)
        edition = self._mailing.prepare(
            ReportKind.EVENTS,
            week,
            "Events that began to fail",
            letters,
            now=now,
            number=1 if last is None else last.number + 1,
            data={"fields": {_name(field): number for field, number in new.items()}},
        )
        return [*left, self._mailing.deliver(edition, now=now)]

    def _told(self, week: Week) -> Counter[str]:
        """By the name of a field, the highest number that was told."""
        told: Counter[str] = Counter()
        last = self._mailing.last(ReportKind.EVENTS, week)
        for number in range(1, (last.number if last else 0) + 1):
            edition: Edition | None = self._mailing.edition(edition_id_of(ReportKind.EVENTS, week, number))
            if edition is not None:
                told |= _numbers(self._mailing.content(edition).data.get("fields"))
        return told

    def _by_recipient(self, fields: Mapping[FailingField, int]) -> dict[str, dict[FailingField, int]]:
        """The owner of each type, or whoever subscribed to `events` where it has none."""
        found: dict[str, dict[FailingField, int]] = {}
        for field, number in fields.items():
            versions = self._schemas.versions(field.type)
            owner = versions[-1].owner if versions else None
            subscribed = self._recipients.subscribed(ReportKind.EVENTS) if owner is None else []
            for recipient in [owner] if owner is not None else [one.recipient_id for one in subscribed]:
                found.setdefault(recipient, {})[field] = number
        return found


def _letter(settings: Settings, recipient: str, fields: Mapping[FailingField, int]) -> Letter:
    producers = sorted({field.producer for field in fields})
    lines = [f"Events of {', '.join(producers)} began to fail. They are kept, and can be sent again:", ""]
    lines += [f"- {one.type}{_said(one)} ({one.producer}, {number:,} events)" for one, number in fields.items()]
    kinds = sorted({field.type for field in fields})
    lines += ["", "What is wrong, and sending them again once it is mended or allowed by a new version:", ""]
    for kind in kinds:
        lines += [f"    prism events failed list --type {kind}", f"    prism events replay --type {kind}"]
    lines += ["", opt_out(settings, ReportKind.EVENTS)]
    subject = f"{producers[0] if len(producers) == 1 else f'{len(producers)} producers'}: events began to fail"
    return Letter((recipient,), subject, "\n".join(lines))


def _said(one: FailingField) -> str:
    if one.field == ENVELOPE:
        return f": {_ENVELOPES[one.rule]}"
    return f", field {one.field or '/'}: breaks the rule {one.rule}"


def _name(field: FailingField) -> str:
    return "\n".join((field.producer, field.type, field.field, field.rule))


def _numbers(value: JsonValue) -> Counter[str]:
    found = value if isinstance(value, dict) else {}
    return Counter({name: number for name, number in found.items() if isinstance(number, int)})
