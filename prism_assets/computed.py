"""Weeks of tables that live in the lake alone: computed, compared with what was published, replaced.

Belongs here: what such an asset gives for a week, and publishing the weeks of a run, going on behind a refusal.
Does not belong here: any figure (the domains), and judging a restatement (restatements/gate.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import dagster as dg

from prism_assets.overtaking import reading_again
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import Comparison, Guarded, Intent, compare, guarded_replace
from prism_assets.restatements.running import intent_of, publishing, restatement_metadata
from prism_core import clock
from prism_core.calendar import Week
from prism_core.evidence import Evidence
from prism_core.lake import LakeTable
from prism_core.restatements import Figures
from prism_resources.lake import PartitionWrite, RestsOn, Stored
from prism_resources.lake_files import arrow_rows, content_of

# Which content of the week it is, in the metadata of a materialisation.
GENERATION = "generation"
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class ComputedWeek:
    """A week as it would be published, and what it was computed from.

    `counts` are for the manifest, `facts` for the asset's metadata, `told` is the line of its log. `below` is the
    rehearsal that it was computed from, if any.
    """

    table: LakeTable
    week: Week
    rows: Sequence[dict[str, Any]]
    figures: Figures
    evidence: Evidence
    counts: Mapping[str, int]
    facts: Mapping[str, object]
    told: str
    below: Comparison | None = None

    def rehearse(self, prism: PrismResource, now: datetime, intent: Intent | None = None) -> Comparison:
        """What publishing it would change of what people have read. Writes nothing."""
        return compare(
            prism,
            self.table,
            self.week,
            self.rows,
            figures=self.figures,
            evidence=self.evidence,
            now=now,
            intent=intent,
            below=self.below,
        )

    def publish(
        self, prism: PrismResource, now: datetime, known: Mapping[str, Stored], intent: Intent | None = None
    ) -> Guarded:
        """Replace the week in the lake. Raises Refused and Superseded as the gate does."""
        return guarded_replace(
            prism,
            self.table,
            self.week,
            self.rows,
            figures=self.figures,
            evidence=self.evidence,
            now=now,
            known=known,
            intent=intent,
            counts=self.counts,
        )


class Computation(Protocol):
    """Computes weeks, oldest first, reading what several of them need once."""

    def week(self, week: Week) -> ComputedWeek: ...


@dataclass(frozen=True, slots=True)
class Reading(Generic[C]):
    """What a run has read: first the objects of its table, then the time it is, then what all its weeks need."""

    known: Mapping[str, Stored]
    now: datetime
    computation: C


def read_for(
    prism: PrismResource, table: LakeTable, weeks: Sequence[Week], begin: Callable[[Sequence[Week], datetime], C]
) -> Reading[C]:
    """A reading for these weeks of a table, in that order."""
    known, now = prism.lake().listed(table, weeks), clock.now()
    return Reading(known, now, begin(weeks, now))


def publish_weeks(
    context: dg.AssetExecutionContext,
    prism: PrismResource,
    table: LakeTable,
    begin: Callable[[Sequence[Week], datetime], Computation],
) -> None:
    """Publish the weeks of the run, each with its metadata. Raises Refused at the end when a week was."""
    intent = intent_of(context)

    def read(weeks: Sequence[Week]) -> Reading[Computation]:
        return read_for(prism, table, weeks, begin)

    with publishing(context) as run:
        weeks = weeks_of(context)
        first = read(weeks)
        for week in weeks:

            def publish(reading: Reading[Computation], week: Week = week) -> tuple[ComputedWeek, Guarded]:
                computed = reading.computation.week(week)
                return computed, computed.publish(prism, reading.now, reading.known, intent)

            with run.refusals(week):
                computed, guarded = reading_again(week, first, read, publish)
                facts = {
                    "week": week.label,
                    "dagster/row_count": len(computed.rows),
                    **computed.facts,
                    **write_facts(guarded.write),
                    **restatement_metadata(guarded),
                }
                run.published(week, facts)
                context.log.info("%s", computed.told)
                if guarded.restated:
                    context.log.warning("%d published figures of %s are other ones now", guarded.restated, week)


def replace_freely(
    prism: PrismResource,
    table: LakeTable,
    week: Week,
    rows: Sequence[dict[str, Any]],
    *,
    now: datetime,
    known: Mapping[str, Stored],
    counts: Mapping[str, int],
    evidence: Evidence | None = None,
    inputs: Sequence[str] = (),
    generation: int | None = None,
) -> PartitionWrite:
    """Replace a week of a table that is no published figure, or whose reports tell themselves what moved: what
    becomes of it is no restatement. Without a `generation` it gets the next one."""
    content = content_of(table, [arrow_rows(table, rows)])
    rests_on = RestsOn(dict(counts), sorted(inputs), {} if evidence is None else evidence.plain())
    return prism.lake().write_partition(
        table, week, content, now=now, known=known, rests_on=rests_on, generation=generation
    )


def write_facts(write: PartitionWrite) -> dict[str, object]:
    """What every such asset shows of its partition."""
    facts: dict[str, object] = {GENERATION: write.manifest.generation, "written": write.written}
    return facts | ({"set_right": dg.MetadataValue.json(list(write.notes))} if write.notes else {})
