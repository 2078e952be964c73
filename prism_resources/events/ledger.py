"""The ledger: what each hour of events came to, an object a day.

Belongs here: writing records of hours that have ended, and reading days. Does not belong here: what a record says
(prism_core/events/ledger.py) and counting an hour (balancing.py).
One process at a time writes it, the hourly run; a run that is killed between two days writes both again.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Final

import msgspec

from prism_core.events.ledger import HourRecord
from prism_core.models.events import hour_of
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.events import objects

ROOT: Final = "events/hours/"
_READERS: Final = 8
_decode: Final = msgspec.json.Decoder(dict[str, HourRecord]).decode


class Ledger:
    """The records of a platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def write(self, records: Iterable[HourRecord]) -> None:
        """Keep them, in place of what was counted of the same hours before."""
        days: dict[date, dict[str, HourRecord]] = {}
        for one in records:
            days.setdefault(one.hour.date(), {})[hour_of(one.hour)] = one
        for day, new in sorted(days.items()):
            whole = self._of_day(day) | new
            body = msgspec.json.encode(dict(sorted(whole.items())))
            objects.put(self._settings, _key(day), body, objects.JSON)

    def of_days(self, first: date, last: date) -> list[HourRecord]:
        """The hours of days (UTC), both included, that have ended and were counted, in their order."""
        number = (last - first).days + 1
        days = [first + timedelta(days=one) for one in range(number)]
        client(self._settings, "s3")  # it is made here, and shared by the threads
        with ThreadPoolExecutor(_READERS) as pool:  # four weeks are asked for by whom people wait for
            return [one for found in pool.map(self._of_day, days) for _, one in sorted(found.items())]

    def _of_day(self, day: date) -> dict[str, HourRecord]:
        try:
            return _decode(objects.get(self._settings, _key(day)))
        except objects.LostObject:
            return {}


def _key(day: date) -> str:
    return f"{ROOT}{day.isoformat()}.json"
