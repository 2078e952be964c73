"""Weeks of tables that live in the lake alone: computed, compared with what was published, replaced.

Belongs here: what such an asset gives for a week, and publishing the weeks of a run, going on behind a refusal.
Does not belong here: any figure (the domains), and judging a restatement (restatements/gate.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import dagster as dg

from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import Comparison, Guarded, Intent, compare, guarded_replace
from prism_assets.restatements.running import intent_of, publishing, restatement_metadata
from prism_core.calendar import Week
from prism_core.evidence import Evidence
from prism_core.lake import LakeTable
from prism_core.restatements import Figures
from prism_resources.lake import PartitionWrite, hash_of_rows

# Which content of the week it is, in the metadata of a materialisation.
GENERATION = "generation"


@dataclass(frozen=True, slots=True)
class ComputedWeek:
    """A week as it would be published, and what it was computed from.

    `counts` are for the manifest, `facts` for the asset's metadata, `told` is the line of its log.
    """

    table: LakeTable
    week: Week
    rows: Sequence[dict[str, Any]]
    figures: Figures
    evidence: Evidence
    counts: Mapping[str, int]
    facts: Mapping[str, object]
    told: str

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
        )

    def publish(self, prism: PrismResource, now: datetime, intent: Intent | None = None) -> Guarded:
        """Replace the week in the lake. Raises Refused as the gate does."""
        return guarded_replace(
            prism,
            self.table,
            self.week,
            self.rows,
            figures=self.figures,
            evidence=self.evidence,
            now=now,
            intent=intent,
            counts=self.counts,
        )


class Computation(Protocol):
    """Computes weeks, oldest first, reading what several of them need once."""

    def week(self, week: Week) -> ComputedWeek: ...


def publish_weeks(
    context: dg.AssetExecutionContext, prism: PrismResource, computation: Computation, now: datetime
) -> None:
    """Publish the weeks of the run, each with its metadata. Raises Refused at the end when a week was."""
    intent = intent_of(context)
    with publishing(context) as run:
        for week in weeks_of(context):
            with run.refusals(week):
                computed = computation.week(week)
                guarded = computed.publish(prism, now, intent)
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
    counts: Mapping[str, int],
) -> PartitionWrite:
    """Replace a week of a table that is no published figure: what becomes of it is no restatement."""
    before = prism.lake().manifest(table.partition(week))
    generation = 1 if before is None else before.generation
    if before is not None and before.content_hash != hash_of_rows(table, rows):
        generation += 1
    return prism.lake().replace_partition(table, week, rows, generation=generation, now=now, counts=counts)


def write_facts(write: PartitionWrite) -> dict[str, object]:
    """What every such asset shows of its partition."""
    facts: dict[str, object] = {GENERATION: write.manifest.generation, "written": write.written}
    return facts | ({"set_right": dg.MetadataValue.json(list(write.notes))} if write.notes else {})
