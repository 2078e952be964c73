"""How events fare: what failed, the balance of hours, roll-ups, and the promises with their burn rates.

Belongs here: reading them. Does not belong here: taking events in (prism_api/events), sending failed ones again
(`prism events replay`), the models of the answers (event_answers.py) and any figure (prism_core/events).
Events are of no team: who sees one team is refused before any of these is asked (matrix.py).
"""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api import backend, documents
from prism_api.api.answers import respond
from prism_api.api.calls import current
from prism_api.api.configured import settings
from prism_api.api.crud import PastInstant
from prism_api.api.lists import DEFAULT_LIMIT, MAX_LIMIT, in_order
from prism_api.api.opaque import decode_cursor, encode_cursor
from prism_api.api.problems import FieldError, Problem, invalid, not_found
from prism_api.api.routes.event_answers import (
    EventHour,
    EventHours,
    EventObjectives,
    EventRollups,
    FailedCount,
    FailedCounts,
    FailedEventPage,
    FailedEventWhole,
    failed_answer,
    hour_answer,
    objectives_answer,
    rollup_answer,
)
from prism_core.events.failed import FailedEvent, FailedFilter, FailedStatus, Failure
from prism_core.events.ledger import running
from prism_core.events.rollups import Grain
from prism_core.models.base import Day, instant_text
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.ledger import Ledger
from prism_resources.events.receipts import Receipts
from prism_resources.events.rollup_store import RollupStore
from prism_resources.events.tallying import tally_of, windows_of

TAG: Final = "events"
MOST_FAILED: Final = 10_000
MOST_DAYS: Final = 35
MOST_ROLLUPS: Final = 5_000
_LATELY = timedelta(days=7)
router = APIGatewayHttpRouter()
Kind = Annotated[str | None, Query(description="of this type alone", min_length=1, max_length=200)]
Producer = Annotated[str | None, Query(description="of this producer alone", min_length=1, max_length=128)]
FailureOf = Annotated[Failure | None, Query(description="why they were not stored")]
Status = Annotated[FailedStatus | None, Query(description="what became of them since")]
Field = Annotated[str | None, Query(description="a JSON pointer into the data, * for an index", max_length=1_024)]
Since = Annotated[PastInstant | None, Query(description="accepted from then on; seven days back, if left out")]
Until = Annotated[PastInstant | None, Query(description="accepted before then; now, if left out")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="rows of a page")]
Cursor = Annotated[str | None, Query(max_length=2_000, description="`next` of the page before")]
FirstDay = Annotated[Day | None, Query(description="from this day (UTC) on")]
LastDay = Annotated[Day | None, Query(description="up to this day (UTC); today, if left out")]


@lru_cache(maxsize=1)
def _failed() -> FailedStore:
    return FailedStore(settings())


@lru_cache(maxsize=1)
def _receipts() -> Receipts:
    return Receipts(settings())


@lru_cache(maxsize=1)
def _rollups() -> RollupStore:
    return RollupStore(settings())


@router.get(
    "/api/events/failed",
    **documents.operation("Events that were not stored, the newest first", TAG, FailedEventPage, reads=True),
)
def failed(
    type: Kind = None,  # noqa: A002 - the name of the query
    producer: Producer = None,
    failure: FailureOf = None,
    status: Status = None,
    field: Field = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[FailedEventPage]:
    """Without payload. More than 10,000 events of a filter are refused: narrow it."""
    wanted = _filter(type, producer, failure, field, since, until)
    listed = json.dumps(["failed", *_named(type, producer, failure, status, field, since, until)])
    position = decode_cursor(backend.cursor_key(), listed, cursor) if cursor else None
    rows, following = in_order(_found(wanted, status), _key, "-accepted_at", limit, position)
    after = None if following is None else encode_cursor(backend.cursor_key(), listed, following)
    return respond(FailedEventPage(items=[failed_answer(one) for one in rows], next=after))


@router.get(
    "/api/events/failed/counts",
    **documents.operation("How many failed, by producer, type, failure and status", TAG, FailedCounts, reads=True),
)
def failed_counts(
    type: Kind = None,  # noqa: A002 - the name of the query
    producer: Producer = None,
    failure: FailureOf = None,
    status: Status = None,
    field: Field = None,
    since: Since = None,
    until: Until = None,
) -> Response[FailedCounts]:
    """The most frequent first."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for one in _found(_filter(type, producer, failure, field, since, until), status):
        kind = (one.producer, one.type, one.failure.value, one.status.value)
        counts[kind] = counts.get(kind, 0) + 1
    items = [
        FailedCount(producer=name, type=of, failure=Failure(why), status=FailedStatus(what), events=number)
        for (name, of, why, what), number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return respond(FailedCounts(items=items, events=sum(counts.values())))


@router.get(
    "/api/events/failed/<key>",
    **documents.operation("A failed event with its payload", TAG, FailedEventWhole, reads=True, item=True),
)
def failed_event(
    key: Annotated[str, Path(description="the failed event", min_length=1, max_length=64)],
) -> Response[FailedEventWhole]:
    found = _failed().get(key)
    if found is None:
        raise not_found(f"failed event {key}")
    whole = FailedEventWhole.model_validate(failed_answer(found).model_dump() | {"payload": found.payload})
    return respond(whole)


@router.get(
    "/api/events/hours",
    **documents.operation(
        "Accepted = stored + failed + duplicate + in flight, by hour", TAG, EventHours, reads=True
    ),
)
def hours(first: FirstDay = None, last: LastDay = None) -> Response[EventHours]:
    """The hours of days that have ended and were counted, 35 days at most; `running` is the one that runs, by its
    receipts alone. Today and yesterday, if no day is given."""
    now = current().now
    until = last or now.date()
    since = first or until - timedelta(days=1)
    _bounded_days(since, until)
    ended = Ledger(settings()).of_days(since, until)
    of_running = _running(now) if until >= now.date() else None
    return respond(EventHours(items=[hour_answer(one) for one in ended], running=of_running))


@router.get(
    "/api/events/rollups",
    **documents.operation("Events by type and minute, hour or day", TAG, EventRollups, reads=True),
)
def rollups(
    grain: Annotated[Grain, Query(description="minute, hour or day")] = Grain.DAY,
    type: Kind = None,  # noqa: A002 - the name of the query
    first: FirstDay = None,
    last: LastDay = None,
) -> Response[EventRollups]:
    """Counts, percentiles and the most frequent values of windows, by their beginnings; of every type, if none is
    given. Minutes of two days at most. The last seven days, of minutes today, if no day is given."""
    until = last or current().now.date()
    since = first or until - (timedelta(0) if grain is Grain.MINUTE else timedelta(days=6))
    _bounded_days(since, until, 2 if grain is Grain.MINUTE else MOST_DAYS)
    days = [since + timedelta(days=number) for number in range((until - since).days + 1)]
    starts = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days]
    if type is None:
        found = [one for start in starts for one in _rollups().of_day(grain, start)]
    else:
        found = _rollups().read(type, grain, starts[0], starts[-1] + timedelta(days=1) - grain.length)
    if len(found) > MOST_ROLLUPS:
        raise Problem(
            422, f"These are {len(found):,} windows of at most {MOST_ROLLUPS:,}; name a type or fewer days."
        )
    return respond(EventRollups(items=[rollup_answer(one) for one in found]))


@router.get(
    "/api/events/objectives",
    **documents.operation(
        "The promises of the pipeline, and how fast they are used up", TAG, EventObjectives, reads=True
    ),
)
def objectives() -> Response[EventObjectives]:
    """Windows of up to an hour are measured from receipts, longer ones from the ledger and the running hour."""
    return respond(measured(current().now))


def measured(now: datetime) -> EventObjectives:
    """The promises, as they are at an instant."""
    return objectives_answer(windows_of(_receipts(), Ledger(settings()), now))


def _running(now: datetime) -> EventHour:
    return hour_answer(running(tally_of(_receipts(), Grain.HOUR.start_of(now), now)), runs=True)


def _filter(
    kind: str | None,
    producer: str | None,
    failure: Failure | None,
    field: str | None,
    since: datetime | None,
    until: datetime | None,
) -> FailedFilter:
    end = until or current().now
    start = since or end - _LATELY
    if start >= end:
        raise invalid((FieldError("query.until", "is not after `since`"),))
    return FailedFilter(type=kind, producer=producer, failure=failure, since=start, until=end, path=field)


def _found(wanted: FailedFilter, status: FailedStatus | None) -> list[FailedEvent]:
    found = list(islice(_failed().find(wanted, status), MOST_FAILED + 1))
    if len(found) > MOST_FAILED:
        raise Problem(422, f"More than {MOST_FAILED:,} events failed in this time; narrow the filters.")
    return found


def _key(one: FailedEvent) -> str:
    return one.failed_id


def _named(*values: Any) -> Iterable[str]:
    """The filters of a list, for its cursor: a page of one list is no page of another."""
    return [instant_text(one) if isinstance(one, datetime) else str(one) for one in values]


def _bounded_days(first: date, last: date, most: int = MOST_DAYS) -> None:
    if not timedelta(0) <= last - first < timedelta(days=most):
        raise invalid((FieldError("query.last", f"is one of the {most} days from `first` on"),))
