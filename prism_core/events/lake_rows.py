"""Rows of the lake's tables of events.

Belongs here: from what the pipeline keeps to a row. Does not belong here: columns (lake_events.py), reading and
writing (prism_assets/events/weekly.py).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from prism_core.events.failed import FailedEvent, field_of
from prism_core.events.rollups import RollUp
from prism_core.events.scorecard import FailingField, failing_by_producer
from prism_core.events.tally import ProducerHour

MOST_VALUES: Final = 20
MOST_FIELDS: Final = 50
Row = dict[str, Any]


def failed_row(event: FailedEvent) -> Row:
    """A failed event; what is wrong with it holds no value of its data."""
    first = event.problems[0] if event.problems else None
    names = ("failed_id", "type", "version", "producer", "source", "event_id", "accepted_at", "failed_at")
    return {name: getattr(event, name) for name in (*names, "component", "component_version")} | {
        "failure": event.failure.value,
        "status": event.status.value,
        "field": None if first is None else field_of(first.path),
        "rule": None if first is None else first.rule,
        "problems": _json(event.problems),
        "replays": len(event.replays),
    }


def day_row(one: RollUp) -> Row:
    """The roll-up of a type's day."""
    return {
        "type": one.type,
        "day": one.start.date(),
        "events": one.count,
        "late": one.late,
        "delay_p50_ms": one.delays_ms.quantile(0.5),
        "delay_p95_ms": one.delays_ms.quantile(0.95),
        "value_p50": one.values.quantile(0.5),
        "value_p95": one.values.quantile(0.95),
        "producers": _json(dict(one.producers.top(MOST_VALUES))),
        "labels": _json(dict(one.labels.top(MOST_VALUES))),
    }


def score_rows(producers: Mapping[str, ProducerHour], failed: Iterable[FailedEvent]) -> list[Row]:
    """A row a producer, by name: its sums of a week, and the fields of its failed events, the worst first."""
    fields = failing_by_producer(failed)
    return [_score(name, one, fields.get(name, Counter())) for name, one in sorted(producers.items())]


def _score(name: str, one: ProducerHour, fields: Counter[FailingField]) -> Row:
    judged = one.stored + one.failed
    worst = sorted(fields.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_FIELDS]
    told = [{"type": f.type, "field": f.field, "rule": f.rule, "events": number} for f, number in worst]
    return {
        "producer": name,
        "accepted": one.accepted,
        "stored": one.stored,
        "failed": one.failed,
        "duplicate": one.duplicate,
        "failed_share": one.failed / judged if judged else None,
        "fields": _json(told),
    }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
