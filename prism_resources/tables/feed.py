"""New changes of some tables, each once: what a sensor reads at every tick.

Belongs here: a cursor by instant over the change log, with an overlap for writers whose clocks or networks are
slow. Does not belong here: what is done about a change (prism_sensors), and histories (history.py).
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from prism_core.clock import LONGEST_WRITE, SKEW
from prism_core.failures import PermanentFailure
from prism_core.models.base import instant_text
from prism_core.models.changes import Change
from prism_core.tables import TableSpec
from prism_resources.tables.history import TableHistory

# An entry carries the instant at which its writer began.
OVERLAP = LONGEST_WRITE
_NAME_BYTES = 6


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """Up to where the log was read, and short names of the changes of the last OVERLAP that were seen.

    `left` is the reader's own: what it goes on with at its next tick.
    """

    since: datetime
    seen: frozenset[str] = frozenset()
    left: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises PermanentFailure for a text that is none of ours."""
        try:
            values = json.loads(text)
            return cls(
                datetime.fromisoformat(values["since"]), frozenset(values["seen"]), str(values.get("left", ""))
            )
        except (ValueError, KeyError, TypeError) as error:
            raise PermanentFailure(
                f"the cursor {text[:80]!r} is not one of the change log; reset the sensor's cursor in Dagster"
            ) from error

    def text(self) -> str:
        return json.dumps({"since": instant_text(self.since), "seen": sorted(self.seen), "left": self.left})


@dataclass(frozen=True, slots=True)
class News:
    """Changes that were not seen before, in the order of the log, and the cursor behind them."""

    changes: tuple[Change, ...]
    cursor: FeedCursor


def read_news(
    history: TableHistory, specs: Iterable[TableSpec], cursor: FeedCursor, now: datetime, *, most: int
) -> News:
    """What is new in the logs of `specs`, at most `most` changes, the oldest first; the cursor leads to the rest.

    Personal values stay sealed. Reading again from the new cursor answers no change twice.
    """
    low = cursor.since - OVERLAP
    # A writer whose clock is ahead is seen at once, and again within the overlap.
    until = max(now, cursor.since)
    found = [change for spec in specs for change in history.between(spec, low, until + SKEW, opened=False)]
    found.sort(key=lambda change: (change.instant, change.ulid))
    new = [change for change in found if name_of(change) not in cursor.seen]
    if len(new) > most:
        left = set(map(name_of, new[most:]))
        # Not back from where it stood: what lies before the overlap was seen, and is not remembered.
        new, until = new[:most], max(cursor.since, new[most - 1].instant)
        found = [change for change in found if name_of(change) not in left]
    seen = frozenset(name_of(change) for change in found if change.instant > until - OVERLAP)
    return News(tuple(new), FeedCursor(until, seen, cursor.left))


def digest_of(changes: Sequence[Change]) -> str:
    """One name for these changes, in whatever order they come."""
    return hashlib.blake2b("\n".join(sorted(map(name_of, changes))).encode(), digest_size=8).hexdigest()


def name_of(change: Change) -> str:
    """Eight characters for a change: a cursor holds thousands of them after an import."""
    digest = hashlib.blake2b(f"{change.item_key} {change.ulid}".encode(), digest_size=_NAME_BYTES).digest()
    return base64.urlsafe_b64encode(digest).decode()
