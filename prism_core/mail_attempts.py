"""What became of an edition, and when a mail of it that was refused is handed over again, and how long.

Belongs here: that rule. Does not belong here: the ledger of what was sent (prism_resources/mailing.py), and the
seconds that a throttled call waits (mail.py).
An outage of a mail service, or a person who is to lift a limit, takes longer than an evening: attempts go on, ever
farther apart. They end with their number and with the time until which the mail is worth sending, whichever comes
first: runs that look once a day would else send the news of a month ago.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prism_core.models.reports import Delivery, DeliveryStatus, Edition, EditionStatus, ReportKind

# As many as the attempts of one run; then as many an hour apart, and the others by the longer wait.
AT_ONCE: Final = 4
HOURLY: Final = 8
LONG_WAIT: Final = timedelta(hours=4)
MOST_ATTEMPTS: Final = 30
_THREE_DAYS: Final = timedelta(days=3, hours=12)  # so that thirty attempts fit in
# How long after it was made an edition is worth sending. A daily one until the next, whose run is the last to try.
WORTH: Final[Mapping[ReportKind, timedelta]] = {
    ReportKind.CAMPAIGN: _THREE_DAYS,
    ReportKind.OPERATIONS: _THREE_DAYS,
    ReportKind.ALERTS_DAILY: timedelta(hours=12),
    ReportKind.ALERTS_WEEKLY: _THREE_DAYS,
    ReportKind.ALLOCATION_CHANGES: _THREE_DAYS,
    ReportKind.EVENTS: timedelta(days=1),
}


def worth_until(edition: Edition) -> datetime:
    """The instant from which no mail of an edition is tried any more, but for a last time."""
    return edition.created + WORTH[edition.report]


def is_open(delivery: Delivery, until: datetime) -> bool:
    """Whether a refused one is tried again at all, of an edition that is worth sending `until`.

    The attempts of one run are made whenever it is: of somebody who joins late, or whom a person settles anew. And
    the last attempt lies behind `until`, so that a run sees each mail that is given up.
    """
    if delivery.status is not DeliveryStatus.FAILED or delivery.attempts >= MOST_ATTEMPTS:
        return False
    return delivery.attempts < AT_ONCE or _tried(delivery) < until


def is_given_up(delivery: Delivery, until: datetime) -> bool:
    """Whether it was refused, and nobody tries it again."""
    return delivery.status is DeliveryStatus.FAILED and not is_open(delivery, until)


def is_due(delivery: Delivery, until: datetime, now: datetime) -> bool:
    """Whether it may be tried again by now."""
    return is_open(delivery, until) and now - _tried(delivery) >= wait_after(delivery.attempts)


def wait_after(attempts: int) -> timedelta:
    """How long after the last of so many attempts the next one may be."""
    if attempts < AT_ONCE:
        return timedelta(0)
    return timedelta(hours=1) if attempts < AT_ONCE + HOURLY else LONG_WAIT


def _tried(delivery: Delivery) -> datetime:
    return delivery.settled or delivery.claimed


@dataclass(frozen=True, slots=True)
class Outcome:
    """The deliveries of an edition, one for each of its recipients; `for_good`: whom SES refused now, by id, for
    what does not pass by itself."""

    edition: Edition
    deliveries: tuple[Delivery, ...]
    for_good: frozenset[str] = frozenset()

    def of(self, status: DeliveryStatus) -> list[Delivery]:
        return [one for one in self.deliveries if one.status is status]

    @property
    def waiting(self) -> list[Delivery]:
        """Refused ones that a later run tries again."""
        return [one for one in self._refused if is_open(one, worth_until(self.edition))]

    @property
    def given_up(self) -> list[Delivery]:
        """Refused ones that nobody tries again: a person says what becomes of them."""
        return [one for one in self._refused if is_given_up(one, worth_until(self.edition))]

    @property
    def _refused(self) -> list[Delivery]:
        """Of an edition that is to be sent: in place of a closed one stands another, which says so itself."""
        return self.of(DeliveryStatus.FAILED) if self.edition.status is EditionStatus.PREPARED else []
