"""The restatements of a week, from the log into the table that screens read and into the lake.

Belongs here: which entries count, and their rows in both places. Does not belong here: Dagster (assets.py) and
writing the log (gate.py).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from prism_assets.overtaking import reading_again
from prism_assets.resources import PrismResource
from prism_core import lake_tables, tables
from prism_core.calendar import Week
from prism_core.evidence import Cause
from prism_core.lake import RESTATEMENTS_ROOT, LakeTable
from prism_core.models.base import Model
from prism_core.models.restatements import Restatement
from prism_core.restatements import WHOLE_WEEK
from prism_resources.lake import PartitionWrite, Stored, hash_of_rows
from prism_resources.lake_files import arrow_rows, content_of
from prism_resources.restatements import Entry, RestatementLog
from prism_resources.tables.bulk import batch_write, delete_request, put_request
from prism_resources.tables.codec import encode, encode_key
from prism_resources.tables.reader import TableReader

# Tables whose published weeks are guarded.
GUARDED: tuple[LakeTable, ...] = (
    lake_tables.THROUGHPUT,
    lake_tables.QUALITY_SCORES,
    lake_tables.UTILISATION,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """The objects of the lake table, and after them the weeks of which the log has an entry."""

    known: Mapping[str, Stored]
    touched: Set[Week]


@dataclass(frozen=True, slots=True)
class Booked:
    """What a week's restatements are, and what writing them did."""

    entries: tuple[Entry, ...]
    abandoned: tuple[str, ...]
    rows: int
    lake: PartitionWrite
    put: int
    deleted: int


def book(prism: PrismResource, week: Week, now: datetime, first: Listed | None = None) -> Booked:
    """Bring table and lake to what the log says. Repeating it writes nothing; a kill is healed by repeating it.

    `first` is what was listed for a whole run. Of two runs at once, the one that another run was faster than reads
    the log again; Superseded when that happens each time.
    """

    def listed(weeks: Sequence[Week]) -> Listed:
        return listed_for(prism, weeks)

    return reading_again(week, first or listed([week]), listed, lambda found: _book(prism, week, now, found))


def _book(prism: PrismResource, week: Week, now: datetime, listed: Listed) -> Booked:
    entries, abandoned = entries_of(prism, week) if week in listed.touched else ([], [])
    put, deleted = _into_table(prism, week, [row for entry in entries for row in items(entry)])
    rows = [row for entry in entries for row in _lake_rows(entry)]
    written = _into_lake(prism, week, rows, now, listed.known)
    return Booked(tuple(entries), tuple(abandoned), len(rows), written, put, deleted)


def listed_for(prism: PrismResource, weeks: Sequence[Week]) -> Listed:
    """What stands of these weeks, and then what the log has."""
    known = prism.lake().listed(lake_tables.RESTATEMENTS, weeks)
    return Listed(known, touched_weeks(prism))


def touched_weeks(prism: PrismResource) -> set[Week]:
    """The weeks that the log has entries of, by one listing."""
    return {Week.parse(key.split("week=")[1][:8]) for key in prism.lake().keys(RESTATEMENTS_ROOT)}


def entries_of(prism: PrismResource, week: Week) -> tuple[list[Entry], list[str]]:
    """The replacements of published weeks that took place, oldest first; and the entries of those that did not."""
    log, entries, abandoned = RestatementLog(prism.lake()), list[Entry](), list[str]()
    for table in GUARDED:
        recorded = log.recorded(table, week)
        entries += recorded.entries
        abandoned += recorded.abandoned
    return sorted(entries, key=lambda entry: (entry.restated_at, entry.key)), abandoned


def totals_of(entries: Iterable[Entry]) -> dict[tuple[str, str], tuple[float, float]]:
    """By table and measure, the total of the week as it was first published, and as it is now; where it moved."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for entry in entries:
        for one in entry.rows:
            if one.subject == WHOLE_WEEK:
                first = found.get((entry.table, one.measure), (one.old or 0.0,))[0]
                found[entry.table, one.measure] = first, one.new or 0.0
    return found


def figures_in_log(prism: PrismResource, week: Week) -> int:
    """Restated figures of a week, by the log; totals of the week do not count."""
    return sum(1 for entry in entries_of(prism, week)[0] for one in entry.rows if one.keys)


def unbooked(prism: PrismResource, weeks: Iterable[Week]) -> list[Week]:
    """The weeks whose restatements are not all in the lake yet. One listing where there are none."""
    touched = touched_weeks(prism)
    return [week for week in weeks if week in touched and not _is_booked(prism, week)]


def _is_booked(prism: PrismResource, week: Week) -> bool:
    entries, _ = entries_of(prism, week)
    rows = [row for entry in entries for row in _lake_rows(entry)]
    published = RestatementLog(prism.lake()).published(lake_tables.RESTATEMENTS, week)
    return (published is None and not rows) or (
        published is not None and published.state.content_hash == hash_of_rows(lake_tables.RESTATEMENTS, rows)
    )


def reader(prism: PrismResource) -> TableReader[Restatement]:
    return prism.reader(tables.RESTATEMENTS, Restatement)


def items(entry: Entry) -> Iterator[Restatement]:
    """The rows of one replacement, as screens read them."""
    for one in entry.rows:
        causes = one.causes or (Cause.UNKNOWN,)
        yield Restatement(
            week=entry.week,
            table=entry.table,
            new_generation=entry.new.generation,
            subject=one.subject,
            measure=one.measure,
            old_generation=entry.old.generation,
            old=_measure(one.old),
            new=_measure(one.new),
            cause=causes[0],
            causes=causes,
            restated_at=datetime.fromisoformat(entry.restated_at),
            evidence={part: dict(counts) for part, counts in entry.changed.items()},
            reason=entry.reason,
            member_id=one.keys.get("member_id"),
            project_id=one.keys.get("project_id"),
        )


def _lake_rows(entry: Entry) -> Iterator[dict[str, Any]]:
    for one in entry.rows:
        causes = one.causes or (Cause.UNKNOWN,)
        yield {
            "table": entry.table,
            "subject": one.subject,
            "measure": one.measure,
            "old": one.old,
            "new": one.new,
            "cause": causes[0].value,
            "causes": json.dumps([cause.value for cause in causes]),
            "restated_at": datetime.fromisoformat(entry.restated_at),
            "old_generation": entry.old.generation,
            "new_generation": entry.new.generation,
            "evidence": json.dumps(entry.changed, sort_keys=True),
            "reason": entry.reason,
        }


def _into_table(prism: PrismResource, week: Week, wanted: list[Restatement]) -> tuple[int, int]:
    spec, table = tables.RESTATEMENTS, reader(prism)

    def key(item: Restatement) -> str:
        return spec.item_key(spec.key_of(item))

    before = {key(item): item for item in table.query("by_week", week=week, consistent=True)}
    after = {key(item): item for item in wanted}
    changed: list[Model] = [item for name, item in after.items() if before.get(name) != item]
    gone = [item for name, item in before.items() if name not in after]
    put = batch_write(table.client, table.table, (put_request(encode(spec, item)) for item in changed))
    deletes = (delete_request(encode_key(spec.key_of(item))) for item in gone)
    return put, batch_write(table.client, table.table, deletes)


def _into_lake(
    prism: PrismResource, week: Week, rows: list[dict[str, Any]], now: datetime, known: Mapping[str, Stored]
) -> PartitionWrite:
    table = lake_tables.RESTATEMENTS
    content = content_of(table, [arrow_rows(table, rows)])
    return prism.lake().write_partition(table, week, content, now=now, known=known, sparse=True)


def _measure(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value))
