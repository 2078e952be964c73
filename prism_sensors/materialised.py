"""What was materialised since when, by the instance.

Belongs here: the instant from which on a materialisation can have missed a write: that at which its run began.
Does not belong here: what is asked for because of it (exports.py, changes.py).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg

from prism_core.calendar import Week

_A_PAGE = 1_000


def read_at(instance: dg.DagsterInstance, run_id: str, ended: float) -> datetime:
    """When the run of a materialisation began; what was written later may not be in it.

    `ended` is the stamp of the materialisation, for one whose run is gone.
    """
    record = instance.get_run_record_by_id(run_id) if run_id else None
    began = None if record is None else record.start_time
    return datetime.fromtimestamp(ended if began is None else min(began, ended), UTC)


def materialised_since(instance: dg.DagsterInstance, name: str, ends: Mapping[Week, datetime]) -> set[Week]:
    """Those of the weeks that a run materialised which began at or after their instant.

    A run that began before midnight has read half a week, however late it was done.
    """
    found: set[Week] = set()
    if not ends:
        return found
    wanted = dg.AssetRecordsFilter(dg.AssetKey(name), asset_partitions=[week.key for week in ends])
    began: dict[str, datetime] = {}
    cursor: str | None = None
    while True:
        answer = instance.fetch_materializations(wanted, limit=_A_PAGE, cursor=cursor, ascending=False)
        for record in answer.records:
            week = None if record.partition_key is None else Week.parse(record.partition_key)
            if week is None or week in found or datetime.fromtimestamp(record.timestamp, UTC) < ends[week]:
                continue
            if record.run_id not in began:
                began[record.run_id] = read_at(instance, record.run_id, record.timestamp)
            if began[record.run_id] >= ends[week]:
                found.add(week)
        if not answer.has_more or len(found) == len(ends):
            return found
        cursor = answer.cursor
