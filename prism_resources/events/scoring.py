"""Scores of producers, and telling the owner of a type what began to fail.

Belongs here: reading receipts and failed events of a time, who is told, and the letter. Does not belong here: the
scores (prism_core/events/scorecard.py) and sending (mailing.py).
A field is told once in a week and the next one: an edition keeps which ones it told.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from prism_core.calendar import Week
from prism_core.events.conservation import Receipt
from prism_core.events.failed import FailedEvent, FailedFilter, Failure
from prism_core.events.rollups import Grain
from prism_core.events.scorecard import ENVELOPE, FailingField, Score, began_to_fail, scores
from prism_core.mail_attempts import Outcome
from prism_core.models.reports import Edition, ReportKind
from prism_core.settings import Settings
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore
from prism_resources.letters import Letter, opt_out
from prism_resources.mailing import Mailing, edition_id_of
from prism_resources.recipients import Recipients

LATELY: Final = timedelta(hours=24)
BEFORE: Final = timedelta(days=7)
_HOUR: Final = timedelta(hours=1)
_ENVELOPES: Final = {
    Failure.UNKNOWN_TYPE.value: "there is no schema of this type; add one, or have the producer mend its type",
    Failure.UNKNOWN_VERSION.value: "their dataschema names a version that there is not",
    Failure.CONFLICT.value: "source and id are those of another event with other data; these are not sent again",
}


class Scoring:
    """Scores of a platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._receipts, self._failed = Receipts(settings), FailedStore(settings)

    def of_time(self, since: datetime, until: datetime) -> tuple[Score, ...]:
        """The producers of the events that were accepted from `since` to before `until`, the worst first."""
        receipts = [one for one in self._receipts_of(since, until) if since <= one.accepted_at < until]
        return scores(receipts, self.failed(since, until))

    def failed(self, since: datetime, until: datetime) -> list[FailedEvent]:
        """The failed events of the time; those that were sent again count as they failed first."""
        return list(self._failed.find(FailedFilter(since=since, until=until)))

    def began(self, lately: Iterable[Score], now: datetime) -> dict[str, tuple[FailingField, ...]]:
        """What fails in the last day and did not in the seven days before, by producer."""
        before = scores((), self.failed(now - LATELY - BEFORE, now - LATELY))
        return began_to_fail(before, lately)

    def _receipts_of(self, since: datetime, until: datetime) -> Iterator[Receipt]:
        hour = Grain.HOUR.start_of(since)
        while hour < until:
            yield from self._receipts.of_hour(hour)
            hour += _HOUR


class Telling:
    """Mails about fields that began to fail."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._mailing, self._schemas = Mailing(settings), SchemaStore(settings)
        self._recipients = Recipients(settings)

    def tell(self, began: Mapping[str, Iterable[FailingField]], now: datetime) -> list[Outcome]:
        """One letter to each owner, of what nobody was told yet; what a crash left is sent first."""
        week = Week.of(now)
        left = [self._mailing.deliver(one, now=now) for one in self._mailing.open(week, ReportKind.EVENTS)]
        told = {name for one in (week + -1, week) for name in self._told(one)}
        new = [field for fields in began.values() for field in fields if _name(field) not in told]
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
            data={"fields": [_name(field) for field in new]},
        )
        return [*left, self._mailing.deliver(edition, now=now)]

    def _told(self, week: Week) -> Iterator[str]:
        last = self._mailing.last(ReportKind.EVENTS, week)
        for number in range(1, (last.number if last else 0) + 1):
            edition: Edition | None = self._mailing.edition(edition_id_of(ReportKind.EVENTS, week, number))
            if edition is not None:
                yield from (str(name) for name in _listed(self._mailing.content(edition).data.get("fields")))

    def _by_recipient(self, fields: Iterable[FailingField]) -> dict[str, list[FailingField]]:
        """The owner of each type, or whoever subscribed to `events` where it has none."""
        found: dict[str, list[FailingField]] = {}
        for field in fields:
            versions = self._schemas.versions(field.type)
            owner = versions[-1].owner if versions else None
            subscribed = self._recipients.subscribed(ReportKind.EVENTS) if owner is None else []
            for recipient in [owner] if owner is not None else [one.recipient_id for one in subscribed]:
                found.setdefault(recipient, []).append(field)
        return found


def _letter(settings: Settings, recipient: str, fields: list[FailingField]) -> Letter:
    producers = sorted({field.producer for field in fields})
    lines = [f"Events of {', '.join(producers)} began to fail. They are kept, and can be sent again:", ""]
    lines += [f"- {one.type}{_said(one)} ({one.producer})" for one in fields]
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


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
