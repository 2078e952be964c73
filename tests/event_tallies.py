"""Receipts at hand added up by hour, as those of a table are while they are read."""

from collections.abc import Iterable
from datetime import datetime

from prism_core.events.conservation import Balance, Receipt
from prism_core.events.rollups import Grain
from prism_core.events.tally import Tally


def tallies(receipts: Iterable[Receipt], now: datetime) -> dict[datetime, Tally]:
    """Of each hour of acceptance, in pages of two."""
    hours: dict[datetime, list[Receipt]] = {}
    for one in receipts:
        hours.setdefault(Grain.HOUR.start_of(one.accepted_at), []).append(one)
    found = {hour: Tally(hour, now) for hour in sorted(hours)}
    for hour, rows in hours.items():
        for start in range(0, len(rows), 2):
            found[hour].add(rows[start : start + 2])
    return found


def balances(receipts: Iterable[Receipt], now: datetime) -> dict[datetime, Balance]:
    """The balance of each hour."""
    return {hour: one.balance for hour, one in tallies(receipts, now).items()}
