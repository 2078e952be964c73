"""Receipts of hours added up, without holding them.

Belongs here: reading the receipts that a question is about, page by page. Does not belong here: what they add up
to (prism_core/events/tally.py, objectives.py), and what the stores hold (holding.py).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from prism_core.events.ledger import HOUR, OF_RECEIPTS, WINDOWS, over_windows, running
from prism_core.events.objectives import Figures, Meter, total
from prism_core.events.rollups import Grain
from prism_core.events.tally import Tally
from prism_resources.events.ledger import Ledger
from prism_resources.events.receipts import Receipts


def tally_of(receipts: Receipts, hour: datetime, now: datetime, since: Sequence[datetime] = ()) -> Tally:
    """All receipts of the hour (UTC) that begins then, as they stand at `now`."""
    tally = Tally(hour, now, since)
    for page in receipts.pages_of_hour(hour):
        tally.add(page)
    return tally


def windows_of(receipts: Receipts, ledger: Ledger, now: datetime) -> dict[timedelta, Figures]:
    """The figures of each of the windows up to `now` that the promises are looked at over."""
    hour, since = Grain.HOUR.start_of(now), [now - one for one in OF_RECEIPTS]
    runs, before = tally_of(receipts, hour, now, since), Meter(now, since)
    for page in receipts.pages_of_hour(hour - HOUR, since=now - HOUR):
        before.add(page)
    recent = {one: total([before.figures(now - one), runs.figures(now - one)]) for one in OF_RECEIPTS}
    days = ledger.of_days((now - WINDOWS[-1]).date(), now.date())
    return over_windows(recent, [*(one for one in days if one.hour < hour), running(runs)], now)
