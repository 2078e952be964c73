"""Which calls read the rows that an export wants.

Belongs here: a scan of the whole table, or queries of the wanted weeks where these are few, the table is large
and a way leads there. Does not belong here: making the calls (tables/raw.py) and what items say (decode.py).
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.lake import LakeTable
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, TABLES, KeyCondition
from prism_resources.export.decode import RowDecoder
from prism_resources.tables.codec import encode_key
from prism_resources.tables.raw import RawTables, segments_of
from prism_resources.tables.reader import key_expression

# So much is read whole in sixteen calls, whatever weeks are wanted; the log of a week alone takes 72 queries.
SCAN_BYTES: Final = 16 * 1024 * 1024
# A query reads a week, a scan all weeks there are: above so many weeks the scan is the fewer calls.
QUERY_WEEKS: Final = 4
# Of the log, a week is a partition a logged table and shard.
QUERY_LOG_WEEKS: Final = 2
_BY_WEEK: Final = "by_week"


def pages_of(
    raw: RawTables, settings: Settings, decoder: RowDecoder, weeks: Sequence[Week]
) -> Iterator[list[Any]]:
    """Pages with at least every item of these weeks; of a register, with every item."""
    name = settings.table_name(decoder.spec.name)
    size = raw.bytes_of(name)
    conditions = _conditions(decoder.table, settings, weeks) if size > SCAN_BYTES else []
    if not conditions:
        return raw.scan(name, decoder.pages, segments=segments_of(size), fields=decoder.fields)
    return raw.pages("Query", [_query(name, condition) for condition in conditions], decoder.pages)


def _conditions(table: LakeTable, settings: Settings, weeks: Sequence[Week]) -> list[KeyCondition]:
    """None: scan."""
    spec = TABLES[table.name]
    if table.kind == "log":
        return _log_conditions(settings, weeks) if len(weeks) <= QUERY_LOG_WEEKS else []
    # A weekly table's rows are compared with its changes, so they are read consistently, as no index is.
    by_week = table.kind == "fact" and len(weeks) <= QUERY_WEEKS and _BY_WEEK in spec.paths
    return [spec.condition(_BY_WEEK, {"week": week}) for week in weeks] if by_week else []


def _log_conditions(settings: Settings, weeks: Sequence[Week]) -> list[KeyCondition]:
    logged = [spec.name for spec in TABLES.values() if spec.logged]
    return [
        CHANGELOG.condition(CHANGELOG.home, {"table": name, "week": week, "shard": shard})
        for week in weeks
        for name in logged
        for shard in range(settings.changelog_shards)
    ]


def _query(table: str, condition: KeyCondition) -> dict[str, Any]:
    expression, names, values = key_expression(condition)
    index = condition.path.index
    return {
        "TableName": table,
        "KeyConditionExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": encode_key(values),
        **({"IndexName": index} if index else {"ConsistentRead": True}),
    }
