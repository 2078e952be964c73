"""Which calls read the rows that an export wants, and how many there are.

Belongs here: scans of the table itself, narrowed in the service where few weeks of a large table are wanted, and
queries of the log. Does not belong here: making the calls (tables/raw.py) and what items say (decode.py).
Every read is consistent, and so none goes through an index, which lags behind its table: an item that was written
just before would be missing from the published week, and nothing would ask for that week again.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from prism_core.calendar import Week
from prism_core.lake import LakeTable
from prism_core.settings import Settings
from prism_core.tables import TABLES
from prism_resources.export.decode import WEEK, WEEK_OF_INSTANT, RowDecoder
from prism_resources.tables.log import log_conditions
from prism_resources.tables.raw import Between, Page, RawTables, segments_of
from prism_resources.tables.reader import query_of

# So much is read whole in sixteen calls, whatever weeks are wanted; the log of a week alone takes 72 queries.
SCAN_BYTES: Final = 16 * 1024 * 1024
# Of so few weeks the service sends none of the other rows; of more, most would be sent, and each is compared.
FEW_WEEKS: Final = 4
# Of the log, a week is a partition a logged table and shard.
QUERY_LOG_WEEKS: Final = 2


class _Text(msgspec.Struct, frozen=True):
    S: str = ""


class _Placed(msgspec.Struct):
    week: _Text = _Text()


_PLACED = msgspec.json.Decoder(Page[_Placed])


def pages_of(
    raw: RawTables, settings: Settings, decoder: RowDecoder, weeks: Sequence[Week]
) -> Iterator[list[Any]]:
    """Pages with at least every item of these weeks, which follow one another; of a register, with every item."""
    name = settings.table_name(decoder.spec.name)
    # Most tables are one page; what is asked of the others' size first is a third of the calls of a small export.
    items, more = raw.first_page(name, decoder.pages, decoder.fields)
    if more:
        yield from pages_of_many(raw, settings, decoder, weeks)
    elif items:
        yield items


def pages_of_many(
    raw: RawTables, settings: Settings, decoder: RowDecoder, weeks: Sequence[Week]
) -> Iterator[list[Any]]:
    """The same of a table of more than one page, in a way that its size decides."""
    name = settings.table_name(decoder.spec.name)
    size = raw.bytes_of(name)
    if decoder.table.kind == "log" and size > SCAN_BYTES and len(weeks) <= QUERY_LOG_WEEKS:
        logged = [spec.name for spec in TABLES.values() if spec.logged]
        conditions = log_conditions(settings, logged, weeks)
        return raw.pages("Query", [query_of(name, condition) for condition in conditions], decoder.pages)
    segments, between = segments_of(size), _between(decoder.table, size, weeks)
    return raw.scan(name, decoder.pages, segments=segments, fields=decoder.fields, between=between)


def items_by_week(raw: RawTables, settings: Settings, table: LakeTable, weeks: Sequence[Week]) -> Counter[str]:
    """How many items of each of these weeks the operational table holds, by label; of its own read."""
    name = settings.table_name(table.name)
    size = raw.bytes_of(name)
    pages = raw.scan(
        name, _PLACED, segments=segments_of(size), fields=[WEEK], between=_between(table, size, weeks)
    )
    return Counter(item.week.S for page in pages for item in page)


def _between(table: LakeTable, size: int, weeks: Sequence[Week]) -> Between | None:
    """Items without a week come, too: the decoder refuses them, where a filter would leave them unseen."""
    has_week = table.kind in {"fact", "weekly"} and table.name not in WEEK_OF_INSTANT
    if not has_week or size <= SCAN_BYTES or len(weeks) > FEW_WEEKS:
        return None
    return Between(WEEK, weeks[0].label, weeks[-1].label)
