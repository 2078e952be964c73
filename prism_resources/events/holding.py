"""What the stores hold of an hour, counted in them.

Belongs here: asking each partition of their indexes for a number: no row crosses the network. Does not belong
here: what is compared with it (balancing.py). An index knows a row some moments after its table.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

import msgspec

from prism_core.events.conservation import Held
from prism_core.models.events import EVENT_SHARDS, FAILED_SHARDS, hour_of
from prism_core.settings import Settings
from prism_core.tables import EVENTS, FAILED_EVENTS
from prism_resources.events.schema_store import SchemaStore
from prism_resources.tables.raw import RawTables, Request
from prism_resources.tables.reader import query_of

_READERS: Final = 8


class _Counted(msgspec.Struct):
    """A page of which only the number is told."""

    Count: int
    LastEvaluatedKey: msgspec.Raw = msgspec.Raw(b"")


_decode: Final = msgspec.json.Decoder(_Counted).decode


class Holding:
    """The stores of a platform. Raises TransientFailure."""

    def __init__(self, settings: Settings) -> None:
        self._raw, self._schemas = RawTables(settings), SchemaStore(settings)
        self._events, self._failed = (settings.table_name(spec.name) for spec in (EVENTS, FAILED_EVENTS))

    def of_hour(self, hour: datetime) -> Held:
        """By the hour of acceptance (UTC). The partitions of failed events have a day, and all of that is read."""
        return Held(self._number(self._of_types(hour_of(hour))), self._number(self._of_day(hour_of(hour))))

    def _of_types(self, hour: str) -> Iterable[Request]:
        for kind in {one.type for one in self._schemas.all()}:
            for shard in range(EVENT_SHARDS):
                found = EVENTS.condition("by_type_hour", {"type": kind, "hour": hour, "shard": shard})
                yield query_of(self._events, found)

    def _of_day(self, hour: str) -> Iterable[Request]:
        for shard in range(FAILED_SHARDS):
            found = FAILED_EVENTS.condition("by_day", {"day": hour[:10], "shard": shard})
            request = query_of(self._failed, found)
            request["FilterExpression"] = "begins_with(#accepted_at, :hour)"
            request["ExpressionAttributeNames"] |= {"#accepted_at": "accepted_at"}
            request["ExpressionAttributeValues"] |= {":hour": {"S": hour}}
            yield request

    def _number(self, requests: Iterable[Request]) -> int:
        with ThreadPoolExecutor(_READERS) as pool:
            return sum(pool.map(self._of_query, requests))

    def _of_query(self, request: Request) -> int:
        asked: dict[str, Any] = {**request, "Select": "COUNT"}
        number = 0
        while True:
            page = _decode(self._raw.call("Query", asked, request["TableName"]))
            number += page.Count
            if not bytes(page.LastEvaluatedKey):
                return number
            asked["ExclusiveStartKey"] = page.LastEvaluatedKey
