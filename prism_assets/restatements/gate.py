"""Replacing a week of figures that people may have read: compared, judged, recorded, and only then replaced.

Belongs here: the one way in which computed tables replace a partition, and its rehearsal, which writes nothing.
Does not belong here: what figures and causes are (prism_core), and the asset that shows them (assets.py).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.evidence import Baseline, Cause, Changed, Evidence, Part, changed
from prism_core.failures import PermanentFailure
from prism_core.lake import LakeTable
from prism_core.lake_tables import LAKE_TABLES
from prism_core.restatements import Difference, Figures, Move, differences, is_published, with_cause, with_causes
from prism_resources.lake import PartitionWrite, RestsOn, Stored
from prism_resources.lake_files import Content, arrow_rows, content_of
from prism_resources.restatements import Entry, Published, RestatementLog, State

# A run with this tag may move a published total beyond the limit; its value is the reason.
BECAUSE_TAG = "prism/because"
# A run with this tag computes its weeks from what is there, whatever has expired; its value is the reason.
ANEW_TAG = "prism/anew"

# Given what was published and what would be, the differences with their causes: for figures that know better than
# the keys of their inputs which input moved which row.
Attribute = Callable[[Published, list[Difference], list[Changed]], list[Difference]]


@dataclass(frozen=True, slots=True)
class Intent:
    """Why a person runs it, if they said so."""

    because: str | None = None
    anew: str | None = None

    @property
    def reason(self) -> str | None:
        return self.because or self.anew


class Refused(PermanentFailure):
    """A published total would move further than the limit, or nobody can tell, and nobody has said why."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a replacement would do to what people have read. Nothing has been written yet.

    `published` is None where nobody has read figures of the week: it was never computed, had no rows, is not
    over, or its end is too fresh. `replaces` is the content that the log goes on from: one without rows, too.
    `content` is what would be published, `move` what the gate watches, `rows` every figure that would change.
    """

    table: LakeTable
    week: Week
    content: Content
    before: Published | None
    replaces: State | None
    published: Published | None
    move: Move | None
    limit: float
    rows: tuple[Difference, ...]
    changed: Mapping[str, Mapping[str, int]]
    evidence: Evidence
    intent: Intent

    @property
    def beyond(self) -> bool:
        return self.move is not None and self.move.beyond(self.limit)

    @property
    def lost(self) -> bool:
        """What people have read is in no object any more, and this is something else."""
        before = self.published
        return before is not None and before.lost and before.state.content_hash != self.content.content_hash

    @property
    def refused(self) -> bool:
        return (self.beyond or self.lost) and self.intent.reason is None

    @property
    def causes(self) -> dict[Cause, int]:
        """How many figures have which first cause."""
        return dict(Counter(one.causes[0] for one in self.rows if one.keys and one.causes))

    def require_reason(self) -> None:
        """Raises Refused when this must not be published without a word."""
        if self.refused:
            why = (
                "its rows are lost, so that nobody can say what would change"
                if self.lost
                else f"{self.move} is more than the limit of {self.limit:.0%}"
            )
            raise Refused(
                f"{self.table.name} of {self.week} is published, and {why}: nothing was "
                f"written. To see what would change: `prism materialize {self.table.name} --weeks {self.week} "
                '--rehearse`. To publish it: the same with --because "why" in the place of --rehearse '
                f"(in Dagster the run tag {BECAUSE_TAG})"
            )


@dataclass(frozen=True, slots=True)
class Guarded:
    """What became of a replacement, and what it did to published figures."""

    write: PartitionWrite
    comparison: Comparison

    @property
    def restated(self) -> int:
        """Published figures that are other ones now."""
        return sum(1 for one in self.comparison.rows if one.keys) if self.write.written else 0


def compare(
    prism: PrismResource,
    table: LakeTable,
    week: Week,
    rows: Sequence[Mapping[str, Any]],
    *,
    figures: Figures,
    evidence: Evidence,
    now: datetime,
    intent: Intent | None = None,
    attribute: Attribute | None = None,
    below: Comparison | None = None,
) -> Comparison:
    """What these rows would change of what is published. Reads only: this is the rehearsal, too.

    `below` is the rehearsal of a table that they are computed from: its restatement is not in the log.
    """
    settings, intent = prism.settings(), intent or Intent()
    log, content = RestatementLog(prism.lake()), content_of(table, [arrow_rows(table, rows)])
    before = log.published(table, week)
    grace = timedelta(hours=settings.restatement_grace_hours)
    over = before is not None and _of_whole_week(before, week) and is_published(week, now, grace)
    replaces = before.state if before is not None and over else None
    published = before if before is not None and over and not before.is_empty else None
    evidence = replace(evidence, complete=now >= week.end)
    if published is None:
        limit = settings.restatement_limit
        return Comparison(table, week, content, before, replaces, None, None, limit, (), {}, evidence, intent)
    inputs = changed(published.evidence, evidence)
    # Most weeks that are computed again are what they were: their rows need not be compared one by one.
    same = published.state.content_hash == content.content_hash
    found = [] if same or published.lost else differences(figures, published.rows(), rows)
    if intent.anew is not None and found:
        found = with_cause(found, Cause.COMPUTED_ANEW)
    elif attribute is not None and found:
        found = attribute(published, found, inputs)
    elif found:
        rehearsed = None if below is None else _entry(below, State(0, below.content.content_hash), now)
        upstream = _upstream(log, published, evidence, week, rehearsed)
        moved = {
            name: [row for one in entries for row in one.rows if row.keys] for name, entries in upstream.items()
        }
        found = with_causes(found, inputs, moved)
        intent = _allowed_below(intent, upstream)
    total = figures.total(rows)
    baseline = _baseline(published, figures, total if same else None)
    unknown = published.lost and not same
    kept = Baseline(figures.watched, total) if unknown or (intent.reason and found) else baseline
    return Comparison(
        table,
        week,
        content,
        before,
        replaces,
        published,
        None if unknown else Move(figures.watched, baseline.total, total),
        settings.restatement_limit,
        tuple(found),
        _counted(inputs),
        replace(evidence, baseline=kept),
        intent,
    )


def record(prism: PrismResource, comparison: Comparison, new: State, now: datetime) -> None:
    """Keep what was published before `new` replaces it. Nothing where nobody has read it, or nothing changes."""
    entry = _entry(comparison, new, now)
    if entry is not None and entry.old != new:
        RestatementLog(prism.lake()).write(entry)


def _entry(comparison: Comparison, new: State, now: datetime) -> Entry | None:
    if comparison.replaces is None:
        return None
    return Entry(
        comparison.table.name,
        comparison.week,
        comparison.replaces,
        new,
        now.isoformat(),
        comparison.intent.reason,
        comparison.rows,
        comparison.changed,
        comparison.evidence,
    )


def guarded_replace(
    prism: PrismResource,
    table: LakeTable,
    week: Week,
    rows: Sequence[dict[str, Any]],
    *,
    figures: Figures,
    evidence: Evidence,
    now: datetime,
    known: Mapping[str, Stored],
    intent: Intent | None = None,
    counts: Mapping[str, int] | None = None,
) -> Guarded:
    """Make `rows` the content of a week of a table that lives in the lake alone.

    Equal rows are not written again. A published week whose total of the main measure would move beyond the
    setting `restatement_limit` raises Refused, unless the intent has a reason; the old figures are kept in the
    restatement log before the new ones are put. A kill leaves the old week or the new one, and repeating it ends
    well. `known` are the objects of the table as they were listed before the rows' inputs were read: raises
    Superseded when another run has written the week since.
    """
    comparison = compare(prism, table, week, rows, figures=figures, evidence=evidence, now=now, intent=intent)
    comparison.require_reason()
    content, before = comparison.content.content_hash, comparison.before
    if before is not None and before.state.content_hash == content:
        new = before.state
    else:
        # A partition that is lost does not begin again where the log has been: one generation is one content.
        last = RestatementLog(prism.lake()).highest(table, week) if before is None else before.state.generation
        new = State(last + 1, content)
    record(prism, comparison, new, now)
    return Guarded(put(prism, comparison, new.generation, now, known, counts=counts), comparison)


def put(
    prism: PrismResource,
    comparison: Comparison,
    generation: int,
    now: datetime,
    known: Mapping[str, Stored],
    *,
    counts: Mapping[str, int] | None = None,
    inputs: Sequence[str] = (),
) -> PartitionWrite:
    """Replace the partition in the lake, with the evidence that the next comparison needs; see guarded_replace."""
    return prism.lake().write_partition(
        comparison.table,
        comparison.week,
        comparison.content,
        generation=generation,
        now=now,
        known=known,
        rests_on=RestsOn(dict(counts or {}), sorted(inputs), comparison.evidence.plain()),
    )


def _of_whole_week(before: Published, week: Week) -> bool:
    """Figures of a week that was still running are of a part of it: what comes later is no restatement."""
    if before.evidence.complete or not before.written_at:  # a manifest that is lost is no excuse
        return True
    return datetime.fromisoformat(before.written_at) >= week.end


def _baseline(published: Published, figures: Figures, total: float | None) -> Baseline:
    """Small steps add up: the gate compares with the total as first published, or as a person last allowed it.

    `total` is that of the published rows, where it is known.
    """
    known = published.evidence.baseline
    if known is not None and known.measure == figures.watched:
        return known
    return Baseline(figures.watched, figures.total(published.rows()) if total is None else total)


def week_of(prism: PrismResource, table: LakeTable, week: Week) -> Part:
    """The evidence of figures that are computed from a week of another computed table."""
    manifest = prism.lake().manifest(table.partition(week))
    return content_part(table, None if manifest is None else manifest.content_hash)


def content_part(table: LakeTable, content_hash: str | None) -> Part:
    """The same of a content that is known; None for a week that was never written."""
    return Part(("content",), {} if content_hash is None else {("content",): content_hash}, table.name)


def _upstream(
    log: RestatementLog, published: Published, evidence: Evidence, week: Week, rehearsed: Entry | None
) -> dict[str, list[Entry]]:
    """What was restated of the tables below since these figures were computed from them, the newest first; before
    that what would be."""
    found: dict[str, list[Entry]] = {}
    for name, part in evidence.parts.items():
        was = published.evidence.parts.get(name)
        if part.table is None or was is None or was.items == part.items:
            continue
        since = set(was.items.values())
        found[part.table] = entries = []
        first = [rehearsed] if rehearsed is not None and rehearsed.table == part.table else []
        for entry in [*first, *reversed(log.recorded(LAKE_TABLES[part.table], week).entries)]:
            entries.append(entry)
            if entry.old.content_hash in since:
                break
    return found


def _allowed_below(intent: Intent, upstream: Mapping[str, Sequence[Entry]]) -> Intent:
    """What a person has allowed of throughput is allowed of what follows from it: nobody is asked twice."""
    reasons = [entry.reason for entries in upstream.values() for entry in entries if entry.reason]
    return intent if intent.reason or not reasons else replace(intent, because=reasons[0])


def _counted(inputs: Sequence[Changed]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for one in inputs:
        of_part = counts.setdefault(one.part, {})
        of_part[one.cause.value] = of_part.get(one.cause.value, 0) + 1
    return counts
