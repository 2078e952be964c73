"""Weeks of tables that live in the lake alone, replaced.

Belongs here: which generation a replacement has. Does not belong here: any figure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.lake import LakeTable
from prism_resources.lake import PartitionWrite


def replace_week(
    prism: PrismResource,
    table: LakeTable,
    week: Week,
    rows: Sequence[dict[str, Any]],
    *,
    now: datetime,
    counts: Mapping[str, int],
) -> PartitionWrite:
    """Make `rows` the content of a week. Equal rows are not written; other ones are the next generation."""
    lake = prism.lake()
    before = lake.manifest(table.partition(week))
    generation = 1 if before is None else before.generation
    write = lake.replace_partition(table, week, rows, generation=generation, now=now, counts=counts)
    if before is None or write.manifest.content_hash == before.content_hash:
        return write
    return lake.replace_partition(table, week, rows, generation=generation + 1, now=now, counts=counts)
