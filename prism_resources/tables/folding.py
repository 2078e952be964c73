"""Writing the rows of a publication, one transaction of some of them after the other.

Belongs here: going through with what a pointer says, from wherever somebody was killed at it. Does not belong
here: the beginning of a publication (plans/publishing.py) and what readers see meanwhile (publications.py).
Each transaction holds only while the pointer is as it was read, so that a writer that slept through the end of the
publication writes nothing any more. A row that somebody changed since stays as they wrote it.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from prism_core import clock
from prism_core.calendar import Week
from prism_core.failures import StaleVersion, TransientFailure
from prism_core.models.alerts import Plan, PlanStatus
from prism_core.models.published import PublicationState, PublishedPlan
from prism_core.models.work import Allocation
from prism_core.publications import Replacement, left_alone
from prism_core.tables import ALLOCATIONS, PLANS, PUBLISHED_PLANS
from prism_resources.tables.codec import decode, encode_key
from prism_resources.tables.publications import Publications
from prism_resources.tables.store import TableStore, Write

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from prism_core.settings import Settings

# A transaction has a hundred actions: two a row, and the pointer.
ROWS_AT_ONCE: Final = 49
# The rows of a publication carry one instant; a slow one takes another before who waits for changes looks past it.
SAME_INSTANT_SECONDS: Final = 30
# An index follows its table within milliseconds; so often it is looked at, with growing waits, 6 s in all.
INDEX_LOOKS: Final = 7
_FIRST_WAIT_SECONDS: Final = 0.05

Sleep = Callable[[float], None]


def finish(
    dynamodb: "DynamoDBClient", settings: "Settings", pointer: PublishedPlan, *, sleep: Sleep = time.sleep
) -> PublishedPlan:
    """Write the rows of a publication that is not settled, and settle it; answers the pointer as it is then.

    Whoever finds one may do it, several at once, again after a kill. Raises TransientFailure when others keep
    the rows busy.
    """
    if pointer.state is PublicationState.SETTLED:
        return pointer
    publications = Publications(dynamodb, settings)
    rows = publications.rows_of(pointer)
    try:
        _fold(TableStore(dynamodb, settings, ALLOCATIONS, Allocation, sleep=sleep), pointer, rows.replacements)
    except TransientFailure:  # unless somebody else has settled it, whose rows were in the way
        stands = publications.of_week(pointer.week)
        if stands is None or stands.version == pointer.version:
            raise
        return stands
    seen = _when_seen(dynamodb, settings, pointer.week, rows.replacements, sleep)
    _mark_plans(dynamodb, settings, pointer)
    done: dict[str, Any] = {"state": PublicationState.SETTLED, "settled": datetime.now(UTC)}
    plan_id = pointer.plan_id if pointer.undoes is None else None
    left = left_alone(rows.replacements, seen, plan_id, pointer.published.date())
    if left:  # nobody is told, and no undo takes back, what was not written
        rows = rows.leaving(left)
        body = publications.put(pointer.week, pointer.publication, rows)
        done |= {"body": body, "changed": len(rows.replacements), "edited": len(rows.left)}
    try:
        return TableStore(dynamodb, settings, PUBLISHED_PLANS, PublishedPlan, sleep=sleep).update(
            pointer.model_copy(update=done), expected_version=pointer.version, **_author(pointer, "settled")
        )
    except StaleVersion:
        return publications.of_week(pointer.week) or pointer


def finish_weeks(
    dynamodb: "DynamoDBClient", settings: "Settings", weeks: Iterable[Week], *, sleep: Sleep = time.sleep
) -> None:
    """Finish what is unfinished of these weeks, before a row of theirs is written."""
    wanted = set(weeks)
    first, last = min(wanted).label, max(wanted).label
    for pointer in Publications(dynamodb, settings).unfinished(first, last):
        if pointer.week in wanted:
            finish(dynamodb, settings, pointer, sleep=sleep)


def _fold(store: TableStore[Allocation], pointer: PublishedPlan, replacements: Iterable[Replacement]) -> None:
    check = {
        "TableName": store.settings.table_name(PUBLISHED_PLANS.name),
        "Key": encode_key(PUBLISHED_PLANS.key({"week": pointer.week})),
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(pointer.version)}},
    }
    author, since = _author(pointer, said_of(pointer)), time.monotonic()
    remaining = iter(replacements)
    while left := list(islice(remaining, ROWS_AT_ONCE)):
        if time.monotonic() - since > SAME_INSTANT_SECONDS:
            author, since = _author(pointer, said_of(pointer)), time.monotonic()
        while left:
            try:
                store.write_together([_write(one) for one in left], check=check, **author)
                break
            except StaleVersion as stale:  # somebody changed that row since
                left = [one for one in left if _name(one) != stale.key]


def _write(one: Replacement) -> Write[Allocation]:
    expected = 0 if one.before is None else one.before.version
    return Write(one.row if one.after is None else one.after, expected, delete=one.after is None)


def _name(one: Replacement) -> str:
    key = ALLOCATIONS.key_of(one.row)
    return ALLOCATIONS.item_key(key).removeprefix(f"{ALLOCATIONS.name}/")


def _when_seen(
    dynamodb: "DynamoDBClient",
    settings: "Settings",
    week: Week,
    replacements: Iterable[Replacement],
    sleep: Sleep,
) -> list[Allocation]:
    """The rows of the week, by the index, as soon as it shows none of before: its readers come that way."""
    table = TableStore(dynamodb, settings, ALLOCATIONS, Allocation)
    condition = ALLOCATIONS.condition("by_week", {"week": week})
    old = {one.pair: one.before for one in replacements}
    for look in range(INDEX_LOOKS):
        if look:
            sleep(_FIRST_WAIT_SECONDS * 2**look)
        rows = [decode(ALLOCATIONS, Allocation, raw) for raw in table.raw(condition)]
        found = {(one.member_id, one.project_id): one.version for one in rows}
        if not any(
            pair not in found if before is None else found.get(pair) == before.version
            for pair, before in old.items()
        ):
            return rows
    return rows


def _mark_plans(dynamodb: "DynamoDBClient", settings: "Settings", pointer: PublishedPlan) -> None:
    store = TableStore(dynamodb, settings, PLANS, Plan)
    said = {"published": pointer.published, "published_by": pointer.published_by}
    _mark(store, pointer, pointer.replaced, {"status": PlanStatus.SUPERSEDED})
    _mark(store, pointer, pointer.plan_id, {"status": PlanStatus.PUBLISHED} | said)


def _mark(store: TableStore[Plan], pointer: PublishedPlan, plan_id: str | None, changes: dict[str, Any]) -> None:
    """Nothing for a plan that is not there any more."""
    for _ in range(3):
        plan = None if plan_id is None else store.get(plan_id=plan_id)
        if plan is None:
            return
        try:
            store.update(
                plan.model_copy(update=changes),
                expected_version=plan.version,
                **_author(pointer, said_of(pointer)),
            )
        except StaleVersion:
            continue
        return
    raise TransientFailure(f"plan {plan_id} is being changed all the time; publish again in a moment")


def said_of(pointer: PublishedPlan) -> str:
    """The reason that the change log gives for each row."""
    about = f"publication {pointer.publication} of {pointer.week}"
    if pointer.undoes is None:
        said = f"plan {pointer.plan_id} was published ({about})"
    else:
        now = f", back to plan {pointer.plan_id}" if pointer.plan_id else ""
        said = f"publication {pointer.undoes} of {pointer.week} was taken back{now} ({about})"
    return f"{said}: {pointer.reason}" if pointer.reason else said


def _author(pointer: PublishedPlan, reason: str) -> dict[str, Any]:
    return {
        "actor": pointer.published_by,
        "reason": reason,
        "request_id": pointer.request_id,
        "now": clock.now(),
    }
