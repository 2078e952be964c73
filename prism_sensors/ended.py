"""Runs that have ended, each seen once.

Belongs here: reading them in the order in which they ended, and the cursor behind them. Does not belong here: what
a run did (run_events.py), and what to make of it (run_incidents.py, restated.py).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from prism_core.failures import PermanentFailure

MOST_A_TICK = 200
# Two runs may end within one instant of the storage; these are read again and known by their ids.
OVERLAP = timedelta(seconds=10)
_ENDED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True, slots=True)
class EndedRuns:
    """The runs that ended since the cursor, in order, and the cursor behind them."""

    runs: Sequence[dg.DagsterRun]
    cursor: str


def ended_since(instance: dg.DagsterInstance, cursor: str | None) -> EndedRuns:
    """Read on. What ended before the first tick, which has no cursor, is no news.

    Raises PermanentFailure for a cursor that is damaged.
    """
    since, known = _read_cursor(cursor)
    records = instance.get_run_records(
        dg.RunsFilter(statuses=_ENDED, updated_after=since - OVERLAP),
        limit=MOST_A_TICK,
        order_by="update_timestamp",
        ascending=True,
    )
    ended = {record.dagster_run.run_id: _aware(record.update_timestamp) for record in records}
    last = max([since, *ended.values()])
    seen = [run_id for run_id, at in ended.items() if at > last - OVERLAP]
    return EndedRuns(
        [one.dagster_run for one in records if cursor and one.dagster_run.run_id not in known],
        json.dumps({"since": last.isoformat(), "seen": seen}),
    )


def _read_cursor(text: str | None) -> tuple[datetime, Iterable[str]]:
    """Up to when runs were read; the first tick begins with what ends from then on."""
    if not text:
        return datetime.now(UTC), ()
    try:
        values = json.loads(text)
        return datetime.fromisoformat(values["since"]), set(values["seen"])
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentFailure(f"the cursor {text[:80]!r} is damaged; reset it in Dagster") from error


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
