"""Runs that have ended, each seen once.

Belongs here: reading them in the order in which they ended, and the cursor behind them. Does not belong here: what
a run did (run_events.py), and what to make of it (run_incidents.py, restated.py).
"""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import dagster as dg

from prism_core.failures import PermanentFailure

MOST_A_TICK = 200
# Two runs may end within one instant of the storage; these are read again and known by their ids.
OVERLAP = timedelta(seconds=10)
_ENDED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True, slots=True)
class EndedRuns:
    """The runs that ended since the cursor, in order; `stamps` are those of all that were read, of which `known`
    were seen before."""

    runs: Sequence[dg.DagsterRun]
    since: datetime
    stamps: Mapping[str, datetime]
    known: Set[str]

    def cursor(self, before: str = "") -> str:
        """The cursor behind all of them, or behind those before a run, which the next tick begins with."""
        followed = dict(takewhile(lambda one: one[0] != before, self.stamps.items()))
        followed |= {run_id: at for run_id, at in self.stamps.items() if run_id in self.known}
        last = max([self.since, *followed.values()])
        seen = [run_id for run_id, at in followed.items() if at > last - OVERLAP]
        return json.dumps({"since": last.isoformat(), "seen": seen})


def ended_since(instance: dg.DagsterInstance, cursor: str | None, *, at_most: int = MOST_A_TICK) -> EndedRuns:
    """Read on, `at_most` runs. What ended before the first tick, which has no cursor, is no news.

    Raises PermanentFailure for a cursor that is damaged.
    """
    since, known = _read_cursor(cursor)
    records = instance.get_run_records(
        dg.RunsFilter(statuses=_ENDED, updated_after=since - OVERLAP),
        limit=at_most + len(known),  # those are read again, however many ended together
        order_by="update_timestamp",
        ascending=True,
    )
    stamps = {record.dagster_run.run_id: _aware(record.update_timestamp) for record in records}
    new = [one.dagster_run for one in records if cursor and one.dagster_run.run_id not in known]
    return EndedRuns(new, since, stamps, known)


def _read_cursor(text: str | None) -> tuple[datetime, frozenset[str]]:
    """Up to when runs were read; the first tick begins with what ends from then on."""
    if not text:
        return datetime.now(UTC), frozenset()
    try:
        values = json.loads(text)
        return datetime.fromisoformat(values["since"]), frozenset(values["seen"])
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentFailure(f"the cursor {text[:80]!r} is damaged; reset it in Dagster") from error


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
