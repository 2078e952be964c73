"""Roll-ups: what packs add to a window, what all events of an hour of acceptance add, and days.

Belongs here: writing them, which may be repeated, and reading windows. Does not belong here: computing
(prism_core/events/rollups.py) and when (the asset).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from prism_core.events.rollups import Grain, RollUp
from prism_core.models.events import RollupItem, hour_of
from prism_core.settings import Settings
from prism_core.tables import EVENT_ROLLUPS
from prism_resources.aws import client
from prism_resources.tables.bulk import batch_write, delete_request, put_request
from prism_resources.tables.codec import encode, encode_key
from prism_resources.tables.reader import TableReader

# The part of a row. A day is whole; of an hour or a minute there is a row for each hour of acceptance
# (`2026-01-05T07`), until then one for each pack of it (`2026-01-05T07-DIGEST`).
WHOLE: Final = ""
_HOUR_TEXT: Final = len("2026-01-05T07")
# How long windows are kept from their beginning: minutes for who looks into an incident, days for comparing years.
KEPT: Final = {
    Grain.MINUTE: timedelta(days=35),
    Grain.HOUR: timedelta(days=400),
    Grain.DAY: timedelta(days=3_660),
}


class RollupStore:
    """The table of roll-ups."""

    def __init__(self, settings: Settings) -> None:
        self._dynamodb = client(settings, "dynamodb")
        self._reader = TableReader(self._dynamodb, settings, EVENT_ROLLUPS, RollupItem)

    def put_pack(self, hour: datetime, pack: str, parts: Iterable[RollUp], now: datetime) -> int:
        """What a pack of events accepted within an hour adds, until the hour is computed. The same pack again is
        the same rows."""
        return self._write(_item(one, f"{hour_of(hour)}-{pack}", now) for one in parts)

    def put_accepted(self, hour: datetime, parts: Iterable[RollUp], now: datetime) -> int:
        """What all events accepted within an hour add, in place of what was computed of it before."""
        return self._write(_item(one, hour_of(hour), now) for one in parts)

    def put_whole(self, computed: Iterable[RollUp], now: datetime) -> int:
        """Windows that are computed from their parts."""
        return self._write(_item(one, WHOLE, now) for one in computed)

    def drop_packs(self, kind: str, hour: datetime, first: datetime, last: datetime) -> int:
        """Remove what packs of an hour of acceptance counted in the minutes from `first` to `last`; answers how
        many rows."""
        of_hour = f"{hour_of(hour)}-"
        rows = [one for one in self._rows(kind, Grain.MINUTE, first, last) if one.part.startswith(of_hour)]
        keys = (delete_request(encode_key(EVENT_ROLLUPS.key_of(one))) for one in rows)
        return batch_write(self._dynamodb, self._reader.table, keys)

    def read(self, kind: str, grain: Grain, first: datetime, last: datetime) -> list[RollUp]:
        """The windows of a type that begin from `first` to `last`, both included, in order; one without events is
        left out. A window is the sum of what hours of acceptance and packs of other hours add."""
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
        expires_at=int((one.start + KEPT[one.grain]).timestamp()),
    )


def _merged(rows: Iterable[RollupItem]) -> list[RollUp]:
    windows: dict[tuple[datetime, str], dict[str, RollUp]] = {}
    for row in rows:
        one = msgspec.json.decode(row.body, type=RollUp)
        windows.setdefault((row.start, row.type), {})[row.part] = one
    return [_sum(parts) for _, parts in sorted(windows.items(), key=lambda pair: pair[0])]


def _sum(parts: dict[str, RollUp]) -> RollUp:
    """A window from its parts: a pack whose hour was computed is counted there."""
    if WHOLE in parts:
        return parts[WHOLE]
    added = [
        one for part, one in sorted(parts.items()) if len(part) == _HOUR_TEXT or part[:_HOUR_TEXT] not in parts
    ]
    first, *others = added
    for one in others:
        first = first.merged(one)
    return first
