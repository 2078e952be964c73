"""When a mail that was refused is handed over again, and how long.

Belongs here: that rule. Does not belong here: the ledger of what was sent (prism_resources/mailing.py), and the
seconds that a throttled call waits (mail.py).
An outage of a mail service, or a person who is to lift a limit, takes longer than an evening: attempts go on for
more than three days, ever farther apart.
"""

from datetime import datetime, timedelta
from typing import Final

from prism_core.models.reports import Delivery, DeliveryStatus

# As many as the attempts of one run; then as many an hour apart, and the others by the longer wait.
AT_ONCE: Final = 4
HOURLY: Final = 8
LONG_WAIT: Final = timedelta(hours=4)
MOST_ATTEMPTS: Final = 30


def is_open(delivery: Delivery) -> bool:
    """Whether a refused one is tried again at all; one that a person settled anew begins with no attempt."""
    return delivery.status is DeliveryStatus.FAILED and delivery.attempts < MOST_ATTEMPTS


def is_due(delivery: Delivery, now: datetime) -> bool:
    """Whether it may be tried again by now."""
    waited = now - (delivery.settled or delivery.claimed)
    return is_open(delivery) and waited >= wait_after(delivery.attempts)


def wait_after(attempts: int) -> timedelta:
    """How long after the last of so many attempts the next one may be."""
    if attempts < AT_ONCE:
        return timedelta(0)
    return timedelta(hours=1) if attempts < AT_ONCE + HOURLY else LONG_WAIT
