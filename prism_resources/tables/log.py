"""Where the changes of tables lie in the log.

Belongs here: the partitions of the log (table, week, shard) and the bounds of a span in them, for everybody who
reads it. Does not belong here: how pages are read (reader.py, raw.py) and what changes mean (history.py).
"""

import re
from collections.abc import Iterable
from datetime import datetime

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.base import instant_text
from prism_core.models.changes import Change
from prism_core.settings import Settings
from prism_core.tables import AFTER_ALL, CHANGELOG, KeyCondition

Span = tuple[str, str]
_PLACE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z#[0-7][0-9A-Z]{25}")


def span(after: datetime, until: datetime) -> Span:
    """Between which sort keys the changes later than `after` lie, up to and including `until`."""
    return f"{instant_text(after)}#{AFTER_ALL}", f"{instant_text(until)}#{AFTER_ALL}"


def log_conditions(
    settings: Settings, tables: Iterable[str], weeks: Iterable[Week], within: Span | None = None
) -> list[KeyCondition]:
    """A condition a partition of these tables and weeks; what it finds may be read consistently."""
    names, way, (low, high) = list(tables), CHANGELOG.path(CHANGELOG.home), within or (None, None)
    partitions = (
        CHANGELOG.partition.text({"table": name, "week": week, "shard": shard})
        for week in weeks
        for name in names
        for shard in range(settings.changelog_shards)
    )
    return [KeyCondition(way, str(partition), low=low, high=high) for partition in partitions]


def place_of(change: Change) -> str:
    """The sort key of a change, which is also the cursor of a page that ends with it."""
    return f"{instant_text(change.instant)}#{change.ulid}"


def instant_of(place: str, low: str, high: str) -> datetime:
    """The instant of a cursor between two sort keys. It comes back from a browser, so it may be anything.

    Raises BadUsage.
    """
    try:
        if _PLACE.fullmatch(place) and low < place < high:
            return datetime.fromisoformat(place.partition("#")[0])
    except ValueError:
        pass
    raise BadUsage("the cursor does not belong to this list of changes; start from the first page")
