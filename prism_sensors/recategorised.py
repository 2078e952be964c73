"""Another taxonomy counts: scores of the weeks with a review that it names otherwise.

Belongs here: comparing two versions over the reviews of all weeks, as long as a tick may take, and where to go on.
Does not belong here: what a version makes of a category (prism_core/taxonomy.py) and other rules (rules.py).
"""

import time
from collections.abc import Sequence
from datetime import datetime

import msgspec

from prism_core import clock
from prism_core.calendar import Week
from prism_core.clock import SKEW
from prism_core.failures import PermanentFailure
from prism_core.models.taxonomy import TaxonomyVersion
from prism_core.tables import TAXONOMY
from prism_core.taxonomy import Categorised, in_force, rehearse
from prism_resources.ahead import read_ahead
from prism_resources.tables.feed import OVERLAP
from prism_sensors.asking import Asked
from prism_sensors.known import KnownAssets
from prism_sensors.reads import Reads
from prism_sensors.rules import window_of

SECONDS_A_TICK = 25.0  # Dagster ends a tick after a minute


class Comparison(msgspec.Struct, frozen=True):
    """The versions in force at two instants, their names, and the week to go on with; the newest comes first."""

    since: datetime
    until: datetime
    pair: str
    week: str = ""


class Remembered(msgspec.Struct):
    """The last pair that differed, and what is not compared yet."""

    last: str = ""
    todo: list[Comparison] = []


def recategorised(reads: Reads, known: KnownAssets, since: datetime, asked: Asked, left: str) -> str:
    """Scores of the weeks with a review that is of another category than it was at `since`.

    A version counts from its effective day, which may come without any change. Answers what is left to compare: a
    pair is compared once, in as many ticks as it takes.
    """
    scores, now, state = known.with_downstream("quality_scores"), clock.now(), _parse(left)
    if not scores:
        return left
    versions, looked = reads.taxonomies(), since - OVERLAP
    came = any(looked.date() < one.effective <= now.date() for one in versions)
    if came or any(reads.history.between(TAXONOMY, looked, now + SKEW, opened=False)):
        before, after = (_in_force_at(reads, versions, at, now) for at in (looked, now))
        pair = f"{_named(before)} to {_named(after)}"
        if (before and before.entries) != (after and after.entries) and pair != state.last:
            state.last = pair
            state.todo.append(Comparison(looked, now, pair))
    end = time.monotonic() + SECONDS_A_TICK
    while state.todo:
        rest = _compared(reads, versions, state.todo[0], scores, asked, end)
        state.todo[:1] = [] if rest is None else [rest]
        if time.monotonic() >= end:
            break
    return msgspec.json.encode(state).decode()


def _compared(
    reads: Reads, versions: Sequence[TaxonomyVersion], one: Comparison, scores: list[str], asked: Asked, end: float
) -> Comparison | None:
    """Compare until the end of the time, a week at least; what is left of it."""
    before, after = (_in_force_at(reads, versions, at, clock.now()) for at in (one.since, one.until))
    weeks = [week for week in reversed(list(reads.weeks)) if not one.week or week <= Week.parse(one.week)]

    def rows(week: Week) -> list[Categorised]:
        return [Categorised(review.review_id, review.category, week.monday) for review in reads.reviews(week)]

    for week, found in zip(weeks, read_ahead(rows, weeks), strict=True):
        if rehearse(found, before, after).moved:
            asked.add(window_of(week), scores, f"taxonomy {one.pair}")
        if time.monotonic() >= end and week != weeks[-1]:
            return msgspec.structs.replace(one, week=(week + -1).label)
    return None


def _in_force_at(
    reads: Reads, versions: Sequence[TaxonomyVersion], instant: datetime, now: datetime
) -> TaxonomyVersion | None:
    if instant >= now:
        return in_force(versions, now.date())
    states = reads.history.list_at(TAXONOMY, versions, instant, now=now, max_weeks=None, max_changes=None)
    return in_force((TaxonomyVersion.from_plain(state) for state in states.values()), instant.date())


def _named(version: TaxonomyVersion | None) -> str:
    return "none" if version is None else f"{version.taxonomy_id}@{version.version}"


def _parse(left: str) -> Remembered:
    try:
        return msgspec.json.decode(left, type=Remembered) if left else Remembered()
    except msgspec.MsgspecError as error:
        raise PermanentFailure(f"what is left, {left!r:.80}, is damaged; reset the sensor's cursor") from error
