"""Loading a workbook into the tables: what planning must be given, and carrying out a plan.

Belongs here: batched reads of the items that a workbook names, and its writes, each with its change entry.
Does not belong here: what is loaded (prism_core/workbooks/planning.py) and files (the command line, the API).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from prism_core import clock
from prism_core.calendar import Week
from prism_core.day_hours import overfilling
from prism_core.failures import StaleVersion, TransientFailure
from prism_core.models.base import Versioned
from prism_core.models.work import Allocation
from prism_core.settings import Settings
from prism_core.table_spec import Key, TableSpec
from prism_core.tables import ALLOCATIONS, TABLES
from prism_core.workbooks.plan import ImportPlan, ItemWrite
from prism_core.workbooks.planning import plan_import
from prism_core.workbooks.reading import Workbook
from prism_resources.failures import calling
from prism_resources.privacy import PersonKeys
from prism_resources.tables.bulk import MAX_ATTEMPTS, backoff_seconds
from prism_resources.tables.codec import Attribute, decode, encode_key
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

BATCH_KEYS = 100  # the service's limit of one BatchGetItem
WRITERS = 8
_LOST = "somebody else changed it during the load; load the file again"


@dataclass(frozen=True, slots=True)
class Author:
    """Who loads, as the change log will say."""

    actor: str
    reason: str
    request_id: str


def plan_of(client: "DynamoDBClient", settings: Settings, workbook: Workbook, *, now: datetime) -> ImportPlan:
    """What loading the workbook would do now. Reads the items and ids that it names, and its members' weeks."""
    current: dict[str, Versioned] = {}
    for name, keys in workbook.keys().items():
        spec = TABLES[name]
        for raw in batch_get(client, settings, spec, keys):
            item = cast("Versioned", decode(spec, spec.model, raw))
            current[spec.item_key(spec.key_of(item))] = item
    known: dict[str, set[str]] = {}
    for name, ids in workbook.references().items():
        part = TABLES[name].partition.name
        keys = [{part: one} for one in sorted(ids)]
        known[name] = {raw[part]["S"] for raw in batch_get(client, settings, TABLES[name], keys, only=part)}
    plan = plan_import(workbook, current, now=now, known=known)
    return plan.without(_overfilled(client, settings, plan, current))


def _overfilled(
    client: "DynamoDBClient", settings: Settings, plan: ImportPlan, current: Mapping[str, Versioned]
) -> dict[str, str]:
    """Writes of allocations with which a day of a member has more than 24 hours over all projects, and why."""
    planned = [
        (write.item_key, cast("Allocation | None", current.get(write.item_key)), write.item)
        for write in plan.writes
        if isinstance(write.item, Allocation)
    ]
    weeks: dict[str, list[Week]] = {}
    for _, _, after in planned:
        weeks.setdefault(after.member_id, []).append(after.week)
    reader = TableReader(client, settings, ALLOCATIONS, Allocation)
    stored = [
        one
        for member, named in sorted(weeks.items())
        for one in reader.query(
            ALLOCATIONS.home, member_id=member, first=min(named), last=max(named), consistent=True
        )
    ]
    refused = overfilling(stored, [(before, after) for _, before, after in planned])
    return {planned[number][0]: day.message for number, day in refused.items()}


def carry_out(
    client: "DynamoDBClient",
    settings: Settings,
    plan: ImportPlan,
    author: Author,
    *,
    keys: PersonKeys | None = None,
    written: Callable[[], object] = lambda: None,
) -> ImportPlan:
    """Write what a plan says, one transaction an item; answers the plan as it came out.

    A write that lost against somebody else becomes a conflict of its rows. Loading the file again after a kill
    continues: what was written is unchanged then. `written` is called after each write.
    """
    keys = keys or PersonKeys(client, settings)
    stores = {write.spec.name: _store(client, settings, write.spec, keys) for write in plan.writes}

    def write(one: ItemWrite) -> str | None:
        try:
            stores[one.spec.name].put(
                one.item,
                expected_version=one.expected_version,
                actor=author.actor,
                reason=author.reason,
                request_id=author.request_id,
                now=clock.now(),  # of this write: a sensor has read the log up to long after the load began
            )
        except StaleVersion:
            return one.item_key
        finally:
            written()
        return None

    with ThreadPoolExecutor(WRITERS) as pool:
        lost = [key for key in pool.map(write, plan.writes) if key is not None]
    return plan.with_losses(dict.fromkeys(lost, _LOST)) if lost else plan


def batch_get(
    client: "DynamoDBClient",
    settings: Settings,
    spec: TableSpec,
    keys: Iterable[Key],
    *,
    only: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Attribute]:
    """The stored attributes of many items, read consistently, in no order; those that do not exist are left out.

    Raises TransientFailure when the service stays throttled.
    """
    table = settings.table_name(spec.name)
    remaining = iter(keys)
    while chunk := [encode_key(key) for key in islice(remaining, BATCH_KEYS)]:
        yield from _batch(client, table, chunk, only, sleep)


def _batch(
    client: "DynamoDBClient",
    table: str,
    keys: Sequence[Mapping[str, Any]],
    only: str | None,
    sleep: Callable[[float], None],
) -> Iterator[Attribute]:
    request: dict[str, Any] = {"Keys": keys, "ConsistentRead": True}
    if only is not None:
        request |= {"ProjectionExpression": "#only", "ExpressionAttributeNames": {"#only": only}}
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            sleep(backoff_seconds(attempt - 1))
        with calling(table, "batch read"):
            answer = client.batch_get_item(RequestItems={table: cast("Any", request)})
        yield from answer["Responses"].get(table, [])
        left = answer.get("UnprocessedKeys", {}).get(table)
        if not left:
            return
        request = dict(left)
    raise TransientFailure(f"{table}: {len(request['Keys'])} items were not read after {MAX_ATTEMPTS} attempts")


def _store(client: "DynamoDBClient", settings: Settings, spec: TableSpec, keys: PersonKeys) -> TableStore[Any]:
    return TableStore(client, settings, spec, spec.model, keys=keys)
