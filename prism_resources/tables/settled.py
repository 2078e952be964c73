"""Items of a week or a status, read through an index, and what the index may not know yet.

Belongs here: items whose last changes are in the log, which is read consistently, but not in the index: they are
read one by one from the table. Does not belong here: whole tables (the export scans them consistently).
For figures: a row that an index gave too late would be missing from a week for which nothing asks again.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Generic, TypeVar

from prism_core import clock
from prism_core.calendar import Week
from prism_core.clock import SKEW
from prism_core.models.base import Versioned
from prism_core.models.changes import Change, Operation
from prism_core.settings import Settings
from prism_core.tables import AVAILABILITY, TableSpec
from prism_resources.aws import client
from prism_resources.tables.codec import decode
from prism_resources.tables.history import TableHistory, key_of_item_key
from prism_resources.tables.reader import TableReader

V = TypeVar("V", bound=Versioned)

# Indexes lag by milliseconds, under load by seconds. What is older was asked for while the index knew it.
LAG: Final = timedelta(minutes=10)


class Settled(Generic[V]):
    """One table at an instant: what changed within LAG before it is as the table has it."""

    def __init__(self, reader: TableReader[V], history: TableHistory, now: datetime) -> None:
        self._reader, self._spec = reader, reader.spec
        self._lately: dict[str, Change] = {}
        for change in history.between(reader.spec, now - LAG, now + SKEW, opened=False):  # the newest first
            self._lately.setdefault(change.item_key, change)

    def of_week(self, week: Week) -> list[V]:
        """The items of a week."""
        mine = [key for key in self._lately if week_of_item_key(self._spec, key) == week.label]
        return list(self._with(self._reader.query("by_week", week=week), mine).values())

    def of_statuses(self, *statuses: StrEnum) -> list[V]:
        """The items that have one of these statuses."""
        found = (item for status in statuses for item in self._reader.query("by_status", status=status))
        items = self._with(found, self._lately).values()
        return [item for item in items if getattr(item, "status", None) in statuses]

    def _with(self, found: Iterator[V], keys: Iterable[str]) -> dict[str, V]:
        items = {self._spec.item_key(self._spec.key_of(item)): item for item in found}
        for key in keys:
            known, change = items.get(key), self._lately[key]
            if known is not None and known.version >= change.version and change.operation is not Operation.DELETE:
                continue
            raw = self._reader.read(key_of_item_key(self._spec, key))
            if raw is None:
                items.pop(key, None)
            else:
                items[key] = decode(self._spec, self._reader.model, raw)
        return items


def settled(settings: Settings, spec: TableSpec, model: type[V]) -> Settled[V]:
    """A table as it stands now."""
    dynamodb = client(settings, "dynamodb")
    history = TableHistory(dynamodb, settings)
    return Settled(TableReader(dynamodb, settings, spec, model), history, clock.now())


def week_of_item_key(spec: TableSpec, item_key: str) -> str:
    """The week of an item of a table whose key says it, by the key as the change log writes it."""
    key = key_of_item_key(spec, item_key)
    if spec is AVAILABILITY:
        return Week.of(date.fromisoformat(key["date"])).label
    return key[spec.key_attributes[-1].name].partition("#")[0]
