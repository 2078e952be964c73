"""One week of throughput, published.

Belongs here: the order in which a week is read, computed and replaced in table and lake.
Does not belong here: the computation (prism_core worker_activity/throughput.py) and Dagster.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import msgspec

from prism_assets.overtaking import reading_again
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import Comparison, Guarded, Intent, compare, put, record
from prism_assets.throughput.causes import FIGURES, LookUps, Noted, Recompute, evidence_of
from prism_assets.two_places import Stands, TwoPlaces
from prism_core import tables
from prism_core.calendar import Week
from prism_core.corrections import Reassignment
from prism_core.evidence import RESOLUTION, Evidence, Part
from prism_core.failures import PermanentFailure
from prism_core.lake import WORKER_RESPONSE
from prism_core.lake_tables import THROUGHPUT
from prism_core.models.disputes import Correction
from prism_core.models.work import ThroughputDay, ThroughputWeek
from prism_core.worker_activity.throughput import ThroughputRow, WeekThroughput, week_throughput
from prism_resources.lake import Lake, Manifest, UnreadableManifest
from prism_resources.registers import Registers
from prism_resources.restatements import State
from prism_resources.tables.generations import Control, Replacement
from prism_resources.worker_activity.landing import Landing
from prism_resources.worker_activity.responses import read_week_clock

# The table has one row a project and member, the lake one for each of their days.
PLACES: Final = TwoPlaces(THROUGHPUT, tables.THROUGHPUT, ThroughputWeek, ("project_id", "member_id"))


@dataclass(frozen=True, slots=True)
class PublishedWeek:
    """What became of a week; `answers` are those of the registers that its figures rest on."""

    result: WeekThroughput
    table: Replacement
    lake: Guarded
    unusable_answers: int
    answers: Part


@dataclass(frozen=True, slots=True)
class RehearsedWeek:
    """What would become of a week, and the rows that others would be computed from."""

    comparison: Comparison
    rows: tuple[ThroughputWeek, ...]


@dataclass(frozen=True, slots=True)
class KeptWeek:
    """A week that stands as it was published, because raw objects that it was computed from have expired."""

    week: Week
    manifest: Manifest
    expired: list[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a run has read for its weeks: first what stands in table and lake, then who is who."""

    stands: Stands
    registers: Registers


def read_for(prism: PrismResource, weeks: Sequence[Week]) -> Reading:
    """A reading for these weeks, in that order."""
    return Reading(PLACES.stands(prism, weeks), prism.registers())


def publish_week(
    prism: PrismResource, first: Reading, week: Week, now: datetime, intent: Intent | None = None
) -> PublishedWeek | KeptWeek:
    """Compute a week from what has landed, with its human corrections, and replace it in table and lake.

    Repeating it on the same input changes nothing. A kill leaves the old week or the new one in the table;
    the lake follows when the week is materialised again. A week whose raw input has expired is kept: what is
    left of it would give smaller figures; unless the intent says that a person wants these. `first` is what was
    read for the whole run; it is read again when another run has published the week since. Raises Refused when a
    published total would move too far without a reason, Overtaken or Superseded when other runs of the same week
    keep publishing at the same time.
    """
    intent = intent or Intent()

    def publish(reading: Reading) -> PublishedWeek | KeptWeek:
        kept = None if intent.anew is not None else expired_week(prism, week)
        return _publish_once(prism, reading, week, now, intent) if kept is None else kept

    return reading_again(week, first, lambda weeks: read_for(prism, weeks), publish)


def rehearse_week(
    prism: PrismResource, reading: Reading, week: Week, now: datetime, intent: Intent | None = None
) -> RehearsedWeek | KeptWeek:
    """What `publish_week` would change of what people have read. Writes nothing."""
    intent = intent or Intent()
    kept = None if intent.anew is not None else expired_week(prism, week)
    if kept is not None:
        return kept
    computed = _compute(prism, reading, week)
    return RehearsedWeek(computed.compared(prism, now, intent), tuple(table_items(computed.result)))


def expired_week(prism: PrismResource, week: Week) -> KeptWeek | None:
    """The published week, when some of its raw objects are gone; None when all are there or none were needed."""
    try:
        manifest = prism.lake().manifest(THROUGHPUT.partition(week))
    except UnreadableManifest as error:
        raise PermanentFailure(
            f"{error}. But which raw objects its figures came from is not known any more, so that some may have "
            f'expired: `prism materialize throughput --weeks {week} --anew "the manifest was damaged"` computes '
            "it from what is there"
        ) from error
    if manifest is None:
        return None
    expired = sorted(set(manifest.inputs) - set(raw_keys(prism.lake(), week)))
    return KeptWeek(week, manifest, expired) if expired else None


def uncounted_keys(prism: PrismResource, week: Week, landed: Iterable[str]) -> list[str]:
    """Those of the week's raw objects that its published figures do not come from, in order.

    Raises UnreadableManifest when nobody can say.
    """
    manifest = prism.lake().manifest(THROUGHPUT.partition(week))
    return sorted(set(landed) - set(manifest.inputs if manifest else ()))


def uncounted_ids(prism: PrismResource, kept: KeptWeek) -> set[str]:
    """Records that landed after the week was computed for the last time, so that no figure holds them."""
    landing, counted = prism.landing(), set(kept.manifest.inputs)
    keys = landing.keys(kept.week)
    new = landing.ids_of(key for key in keys if key not in counted)
    return new - landing.ids_of(key for key in keys if key in counted) if new else new


def raw_keys(lake: Lake, week: Week) -> list[str]:
    """Every raw object that the week's figures depend on."""
    return [*Landing(lake).keys(week), *Landing(lake, WORKER_RESPONSE).keys(week)]


def raw_keys_by_week(lake: Lake) -> dict[Week, list[str]]:
    """The same of every week into which something has landed."""
    activity, responses = Landing(lake).by_week(), Landing(lake, WORKER_RESPONSE).by_week()
    return {week: [*activity.get(week, ()), *responses.get(week, ())] for week in {*activity, *responses}}


def _out_since(week: Week, control: Control | None) -> datetime | None:
    """When people could first read a figure of the whole week: a running week has none that could be restated."""
    return None if control is None else max(control.first_published_at, week.end)


@dataclass(frozen=True, slots=True)
class _Computed:
    """A week as it would be published, and what it was computed from."""

    result: WeekThroughput
    rows: list[dict[str, Any]]
    inputs: list[str]
    unusable_answers: int
    evidence: Evidence
    causes: Recompute

    def compared(self, prism: PrismResource, now: datetime, intent: Intent) -> Comparison:
        return compare(
            prism,
            THROUGHPUT,
            self.result.week,
            self.rows,
            figures=FIGURES,
            evidence=self.evidence,
            now=now,
            intent=intent,
            attribute=self.causes,
        )


def _compute(prism: PrismResource, reading: Reading, week: Week) -> _Computed:
    lake, control, registers = prism.lake(), reading.stands.controls.get(week), reading.registers
    inputs = raw_keys(lake, week)
    clock = read_week_clock(lake, week)
    corrections = list(prism.corrections().query("by_week", week=week, consistent=True))

    def throughput_of(look_ups: LookUps, corrections: Sequence[Correction]) -> WeekThroughput:
        return week_throughput(
            week,
            Landing(lake).contents(week),
            look_ups.member,
            look_ups.project,
            active=clock.milliseconds,
            published_at=_out_since(week, control),
            corrections=Reassignment(corrections),
        )

    noted = Noted(registers, week)
    result = throughput_of(noted, corrections)
    rows = [lake_row(row) for row in result.rows]
    return _Computed(
        result,
        rows,
        inputs,
        len(clock.rejected),
        evidence_of(inputs, noted, corrections),
        Recompute(
            week,
            registers,
            rows,
            lambda look_ups, others: [lake_row(row) for row in throughput_of(look_ups, others).rows],
        ),
    )


def _publish_once(
    prism: PrismResource, reading: Reading, week: Week, now: datetime, intent: Intent
) -> PublishedWeek:
    computed = _compute(prism, reading, week)
    comparison = computed.compared(prism, now, intent)
    comparison.require_reason()
    table = prism.throughput().replace(week, table_items(computed.result), now=now, known=reading.stands.controls)
    # What was published is kept before it is replaced: a kill from here on loses no old figure.
    record(prism, comparison, State(table.generation, comparison.content.content_hash), now)
    written = put(
        prism,
        comparison,
        table.generation,
        now,
        reading.stands.known,
        counts=counts_of(computed.result) | {"unusable_answers": computed.unusable_answers},
        inputs=computed.inputs,
    )
    answers = computed.evidence.parts[RESOLUTION]
    return PublishedWeek(computed.result, table, Guarded(written, comparison), computed.unusable_answers, answers)


def counts_of(result: WeekThroughput) -> dict[str, int]:
    """The counts that the manifest keeps, so that checks and screens need no second computation."""
    counts = result.counts
    return {
        "lines": counts.lines,
        "records": counts.records,
        "duplicates": counts.duplicates,
        "invalid_lines": counts.invalid_lines,
        "late": counts.late,
        "unresolved_by_worker": sum(counts.unresolved_by_worker.values()),
        "unresolved_by_job": sum(counts.unresolved_by_job.values()),
        "corrections": len(counts.by_correction),
        "corrections_idle": sum(not moved for moved in counts.by_correction.values()),
        "corrected": sum(counts.by_correction.values()),
        "tasks_submitted": sum(row.tasks_submitted for row in result.rows),
    }


def lake_row(row: ThroughputRow) -> dict[str, Any]:
    """The row as the lake's columns: measures as doubles."""
    values = msgspec.structs.asdict(row)
    for name in ("median_handle_seconds", "mean_handle_seconds", "tasks_per_hour"):
        values[name] = None if values[name] is None else float(values[name])
    return values


def table_items(result: WeekThroughput) -> Iterator[ThroughputWeek]:
    """Rows by day, gathered to one item per project and member."""
    for (project_id, member_id), rows in groupby(result.rows, key=lambda row: (row.project_id, row.member_id)):
        yield _item(result.week, project_id, member_id, list(rows))


def _item(week: Week, project_id: str, member_id: str, rows: Iterable[ThroughputRow]) -> ThroughputWeek:
    days = list(rows)
    return ThroughputWeek(
        project_id=project_id,
        week=week,
        member_id=member_id,
        days=tuple(_day(row) for row in days),
        # A member may be resolved on a Monday only; the item says so when every day is.
        worker_resolved=all(row.worker_resolved for row in days),
        project_resolved=all(row.project_resolved for row in days),
    )


def _day(row: ThroughputRow) -> ThroughputDay:
    return ThroughputDay.model_validate(
        {name: getattr(row, name) for name in ThroughputDay.model_fields if getattr(row, name) is not None}
    )
