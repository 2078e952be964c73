"""Where the changes of tables lie in the log.

Belongs here: the partitions of the log (table, week, shard) and the bounds of a span in them, for everybody who
reads it. Does not belong here: how pages are read (reader.py, raw.py) and what changes mean (history.py).
"""

from collections.abc import Iterable
from datetime import datetime

from prism_core.calendar import Week
from prism_core.models.base import instant_text
from prism_core.settings import Settings
from prism_core.tables import AFTER_ALL, CHANGELOG, KeyCondition

Span = tuple[str, str]


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
