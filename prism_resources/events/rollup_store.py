"""Roll-ups: those of packs until all events of a window are computed, and those that are.

Belongs here: writing both, which may be repeated, and reading windows. Does not belong here: computing
(prism_core/events/rollups.py) and when (the asset).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from prism_core.events.rollups import Grain, RollUp
from prism_core.models.events import RollupItem
from prism_core.settings import Settings
from prism_core.tables import EVENT_ROLLUPS
from prism_resources.aws import client
from prism_resources.tables.bulk import batch_write, delete_request, put_request
from prism_resources.tables.codec import encode, encode_key
from prism_resources.tables.reader import TableReader

# Of a window that was computed from all of its events; else it is the pack that counted some of them.
WHOLE: Final = ""


class RollupStore:
    """The table of roll-ups."""

    def __init__(self, settings: Settings) -> None:
        self._dynamodb = client(settings, "dynamodb")
        self._reader = TableReader(self._dynamodb, settings, EVENT_ROLLUPS, RollupItem)

    def put_pack(self, pack: str, parts: Iterable[RollUp], now: datetime) -> int:
        """What a pack of events adds, until the windows are computed. The same pack again is the same rows."""
        return self._write(_item(one, pack, now) for one in parts)

    def put_whole(self, computed: Iterable[RollUp], now: datetime) -> int:
        """Windows computed from all of their stored events, in place of what was computed before."""
        return self._write(_item(one, WHOLE, now) for one in computed)

    def drop_packs(self, kind: str, grain: Grain, first: datetime, last: datetime) -> int:
        """Remove what packs counted in windows that are computed; answers how many rows."""
        rows = [one for one in self._rows(kind, grain, first, last) if one.part != WHOLE]
        keys = (delete_request(encode_key(EVENT_ROLLUPS.key_of(one))) for one in rows)
        return batch_write(self._dynamodb, self._reader.table, keys)

    def read(self, kind: str, grain: Grain, first: datetime, last: datetime) -> list[RollUp]:
        """The windows of a type that begin from `first` to `last`, both included, in order; one without events is
        left out. A window that is computed is what was computed, another one the sum of its packs."""
        return _merged(self._rows(kind, grain, first, last))

    def of_day(self, grain: Grain, day: datetime) -> list[RollUp]:
        """The windows of every type that begin on a day (UTC)."""
        return _merged(self._reader.query("by_day", day=day.date(), grain=grain))

    def _rows(self, kind: str, grain: Grain, first: datetime, last: datetime) -> Iterator[RollupItem]:
        return self._reader.query("by_type", type=kind, grain=grain, first=first, last=last)

    def _write(self, items: Iterable[RollupItem]) -> int:
        requests = (put_request(encode(EVENT_ROLLUPS, one)) for one in items)
        return batch_write(self._dynamodb, self._reader.table, requests)


def _item(one: RollUp, part: str, now: datetime) -> RollupItem:
    return RollupItem(
        type=one.type,
        grain=one.grain,
        start=one.start,
        part=part,
        count=one.count,
        late=one.late,
        body=msgspec.json.encode(one).decode(),
        computed_at=now,
    )


def _merged(rows: Iterable[RollupItem]) -> list[RollUp]:
    found: dict[tuple[datetime, str], tuple[bool, RollUp]] = {}
    for row in rows:
        one, key, whole = msgspec.json.decode(row.body, type=RollUp), (row.start, row.type), row.part == WHOLE
        is_whole, before = found.get(key, (False, None))
        if whole or before is None:
            found[key] = (whole, one)
        elif not is_whole:
            found[key] = (False, before.merged(one))
    return [one for _, (_, one) in sorted(found.items())]
