"""From an accepted event to a message that the queue has.

Belongs here: the order that makes accepted mean never lost: large data to S3, the receipt's row, the message.
Does not belong here: the rows (receipts.py), the queue (queue.py), and who accepts (prism_api/events/ingest.py).
"""

import logging
import math
from collections.abc import Callable, Iterable, Sequence

from prism_core.events.messages import Accepted, apart, encode, is_large
from prism_core.failures import PrismFailure
from prism_core.settings import Settings
from prism_resources.events.large import put_large
from prism_resources.events.queue import EventQueue
from prism_resources.events.receipts import Receipts

_Mark = Callable[[Sequence[Accepted]], None]
_log = logging.getLogger("prism.events")


class Sender:
    """Receipts and queue of a platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.receipts, self.queue = Receipts(settings), EventQueue(settings)

    def send(self, accepted: Sequence[Accepted], *, until: float = math.inf) -> set[str]:
        """Answers the receipts of those that the queue has, as far as it says so before `until` (of
        time.monotonic): these alone may be given out.

        The others are marked: nobody was told that they are accepted, so they must never count as lost. Raises
        TransientFailure when not all of their rows were written, or there is no queue; nothing is sent then.
        """
        messages = [self._message(one) for one in accepted]
        try:
            self.receipts.accept(accepted)
            unsent = self.queue.send(messages, until=until)
        except PrismFailure:
            self._mark(self.receipts.refuse, accepted, range(len(accepted)))
            raise
        self._mark(self.receipts.refuse, accepted, unsent.refused)
        self._mark(self.receipts.doubt, accepted, unsent.doubtful)
        left = unsent.refused | unsent.doubtful
        return {one.receipt for number, one in enumerate(accepted) if number not in left}

    def _mark(self, mark: _Mark, accepted: Sequence[Accepted], numbers: Iterable[int]) -> None:
        """Where even this cannot be written they stay in flight, are told as overdue, and lost after 14 days
        (docs/adr/0019)."""
        named = [accepted[number] for number in sorted(numbers)]
        try:
            mark(named)
        except PrismFailure:
            _log.exception("%d receipts without a message could not be marked", len(named))

    def _message(self, one: Accepted) -> bytes:
        text = encode(one)
        if not is_large(text):
            return text
        return encode(apart(one, put_large(self._settings, one))[0])
