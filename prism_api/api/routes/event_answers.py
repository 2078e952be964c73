"""What the API answers about events.

Belongs here: the models, and filling them from what prism_core says. Does not belong here: routes (events.py) and
figures (prism_core/events).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field, JsonValue

from prism_core.events.failed import FailedEvent, FailedStatus, Failure
from prism_core.events.ledger import HourRecord
from prism_core.events.objectives import (
    BURN_WINDOWS,
    LOSS_SHARE,
    P95_MS,
    SUCCESS_SHARE,
    Figures,
    burning,
)
from prism_core.events.rollups import Grain, RollUp
from prism_core.models.base import Choice, Count, Instant, Model

MOST_VALUES: Final = 10
# Of the windows (prism_core/events/ledger.py).
NAMES: Final = {
    timedelta(minutes=5): "5m",
    timedelta(minutes=30): "30m",
    timedelta(hours=1): "1h",
    timedelta(hours=6): "6h",
    timedelta(days=1): "1d",
    timedelta(days=28): "28d",
}
Share = Annotated[float, Field(ge=0, le=1)]


class EventProblem(Model):
    """One thing that did not fit: a JSON pointer into the data, the keyword that refused it, and why."""

    path: str
    rule: str
    reason: str


class EventReplay(Model):
    """One time it was sent again."""

    run: str
    at: Instant
    old_version: str | None
    new_version: str | None


class FailedEventAnswer(Model):
    """An accepted event that was not stored."""

    key: str
    type: str
    version: str | None
    producer: str
    source: str
    event_id: str
    failure: Choice[Failure]
    status: Choice[FailedStatus]
    accepted_at: Instant
    failed_at: Instant
    component: str
    component_version: str
    problems: list[EventProblem]
    replays: list[EventReplay]


class FailedEventWhole(FailedEventAnswer):
    """With the event as it was accepted, addresses cut."""

    payload: JsonValue


class FailedEventPage(Model):
    """Newest first."""

    items: list[FailedEventAnswer]
    next: str | None = None


class FailedCount(Model):
    """Failed events of one kind."""

    producer: str
    type: str
    failure: Choice[Failure]
    status: Choice[FailedStatus]
    events: Count


class FailedCounts(Model):
    """The most frequent first; `events` are all of them."""

    items: list[FailedCount]
    events: Count


class ProducerCounts(Model):
    """A producer's events of an hour; what was sent again counts as it ended first."""

    producer: str
    accepted: Count
    stored: Count
    failed: Count
    duplicate: Count


class EventHour(Model):
    """The events that were accepted within an hour (UTC). `holds`: each is where its receipt says; else `wrong`
    are sentences about what is not. None while the hour runs: its stores are counted when it has ended. `in_doubt`
    are beside those that were accepted: nobody was given a receipt, and the queue may have them."""

    hour: Instant
    accepted: Count
    stored: Count
    failed: Count
    duplicate: Count
    in_flight: Count
    in_doubt: Count
    overdue: Count
    lost: Count
    holds: bool | None
    wrong: list[str]
    p95_ms: float | None
    producers: list[ProducerCounts]


class EventHours(Model):
    """In their order. An hour that nobody has counted is not there."""

    items: list[EventHour]
    running: EventHour | None


class Frequent(Model):
    """A frequent value and how many events have it."""

    value: str
    events: Count


class EventRollup(Model):
    """The events of a type in a window. Percentiles are within 1 %; delays are ms from accepted to stored."""

    type: str
    grain: Choice[Grain]
    start: Instant
    events: Count
    late: Count
    delay_p50_ms: float | None
    delay_p95_ms: float | None
    value_p50: float | None
    value_p95: float | None
    producers: list[Frequent]
    labels: list[Frequent]


class EventRollups(Model):
    """By their beginnings, then by type."""

    items: list[EventRollup]


class ObjectiveWindow(Model):
    """A window up to now. `burn` 1 uses up exactly what may be missed. `p95_ms` is within 1 %; of fewer than 20
    events `holds` says nothing of their speed."""

    window: str
    events: Count
    p95_ms: float | None
    success: Share | None
    loss: Share | None
    burn: float
    holds: bool


class Burning(Model):
    """A pair of windows, and whether somebody is told: both burn faster than `rate`, and the long one has 20
    events or more."""

    long: str
    short: str
    rate: float
    told: bool


class EventObjectives(Model):
    """What is promised, what it is over each window, and what alarms look at."""

    p95_ms: float
    success: Share
    loss: Share
    windows: list[ObjectiveWindow]
    burning: list[Burning]


def failed_answer(one: FailedEvent) -> FailedEventAnswer:
    """Without its payload."""
    return FailedEventAnswer(
        key=one.failed_id,
        type=one.type,
        version=one.version,
        producer=one.producer,
        source=one.source,
        event_id=one.event_id,
        failure=one.failure,
        status=one.status,
        accepted_at=one.accepted_at,
        failed_at=one.failed_at,
        component=one.component,
        component_version=one.component_version,
        problems=[EventProblem(path=p.path, rule=p.rule, reason=p.reason) for p in one.problems],
        replays=[
            EventReplay(run=r.run, at=r.at, old_version=r.old_version, new_version=r.new_version)
            for r in one.replays
        ],
    )


def hour_answer(one: HourRecord, *, runs: bool = False) -> EventHour:
    """The record of an hour; of one that runs nothing is proven yet."""
    producers = [
        ProducerCounts(producer=name, accepted=p.accepted, stored=p.stored, failed=p.failed, duplicate=p.duplicate)
        for name, p in one.producers.items()
    ]
    return EventHour(
        hour=one.hour,
        accepted=one.accepted,
        stored=one.stored,
        failed=one.failed,
        duplicate=one.duplicate,
        in_flight=one.in_flight,
        in_doubt=one.in_doubt,
        overdue=one.overdue,
        lost=one.lost,
        holds=None if runs else one.holds,
        wrong=list(one.wrong),
        p95_ms=one.p95_ms,
        producers=producers,
    )


def rollup_answer(one: RollUp) -> EventRollup:
    """A window with the figures that a screen draws."""
    return EventRollup(
        type=one.type,
        grain=one.grain,
        start=one.start,
        events=one.count,
        late=one.late,
        delay_p50_ms=one.delays_ms.quantile(0.5),
        delay_p95_ms=one.delays_ms.quantile(0.95),
        value_p50=one.values.quantile(0.5),
        value_p95=one.values.quantile(0.95),
        producers=[Frequent(value=name, events=number) for name, number in one.producers.top(MOST_VALUES)],
        labels=[Frequent(value=name, events=number) for name, number in one.labels.top(MOST_VALUES)],
    )


def objectives_answer(found: Mapping[timedelta, Figures]) -> EventObjectives:
    """By the figures of each window."""
    told = burning(found)
    return EventObjectives(
        p95_ms=P95_MS,
        success=SUCCESS_SHARE,
        loss=LOSS_SHARE,
        windows=[_window(NAMES[length], one) for length, one in found.items()],
        burning=[
            Burning(long=NAMES[pair.long], short=NAMES[pair.short], rate=pair.rate, told=pair in told)
            for pair in BURN_WINDOWS
        ],
    )


def _window(name: str, one: Figures) -> ObjectiveWindow:
    return ObjectiveWindow(
        window=name,
        events=one.accepted,
        p95_ms=one.p95_ms,
        success=one.success,
        loss=one.loss,
        burn=round(one.burn, 3),
        holds=one.holds,
    )
