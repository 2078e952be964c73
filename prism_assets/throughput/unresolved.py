"""Workers and labelling jobs that nobody has resolved, by week.

Belongs here: the asset with its checks: what the names did, and who or what they may be. Does not belong here: the
queue that people resolve them in (queue.py), and the ranking (prism_core).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import dagster as dg

from prism_assets.checking import over_weeks, rows_of
from prism_assets.computed import Reading, read_for, replace_freely, write_facts
from prism_assets.operational import reads
from prism_assets.overtaking import reading_again
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import FRESHNESS, GROUP, OWNERS
from prism_core.calendar import Week
from prism_core.charts import as_markdown, bar_chart
from prism_core.lake_tables import THROUGHPUT, UNRESOLVED_WORKERS
from prism_core.models.people import Member, MemberStatus
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.work import Allocation
from prism_core.models.workers import JOB_PREFIX, Worker, WorkerStatus
from prism_core.quality_subjects import WORKER_PREFIX
from prism_core.tables import ALLOCATIONS, MEMBERS, PROJECTS, WORKERS
from prism_core.unresolved import WINDOW_WEEKS, UnresolvedRow, WeekEvidence, week_unresolved
from prism_resources.lake import PartitionWrite

MOST_SHOWN = 15
KINDS = ("worker", "job")


def unresolved_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """`unresolved_workers`."""

    @dg.asset(
        name="unresolved_workers",
        pool="unresolved_workers",
        deps=["throughput", *reads(WORKERS, MEMBERS, PROJECTS, ALLOCATIONS)],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "Workers that belong to no member and labelling jobs that belong to no project: their tasks and days "
            "in the week, their state in the queue, and the likeliest candidate by four weeks of plans and work."
        ),
    )
    def unresolved_workers(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():

            def read(weeks: Sequence[Week]) -> Reading[_Computation]:
                return read_for(prism, UNRESOLVED_WORKERS, weeks, lambda _weeks, _now: _Computation(prism))

            weeks = weeks_of(context)
            first = read(weeks)
            for week in weeks:
                rows, written = reading_again(week, first, read, partial(_publish, prism, week))
                context.add_asset_metadata(_metadata(week, rows, written), partition_key=week.key)
                context.log.info("unresolved in %s: %d names", week, len(rows))

    return [unresolved_workers]


def unresolved_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """The checks of unresolved_workers."""

    @dg.asset_check(
        asset="unresolved_workers",
        name="unresolved_tasks_conserved",
        blocking=True,
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Tasks of unresolved workers and unmapped jobs are those of the week's throughput.",
    )
    def unresolved_tasks_conserved(
        context: dg.AssetCheckExecutionContext, prism: PrismResource
    ) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _conservation(prism, week))

    @dg.asset_check(
        asset="unresolved_workers",
        name="every_name_is_queued",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Every name is in the queue for a person to resolve, or was decided there.",
    )
    def every_name_is_queued(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _queued(prism, week), severity=dg.AssetCheckSeverity.WARN)

    return [unresolved_tasks_conserved, every_name_is_queued]


class _Computation:
    """Reads the registers and each week once; keeps the last four weeks."""

    def __init__(self, prism: PrismResource) -> None:
        self._prism = prism
        self._kept: dict[Week, WeekEvidence] = {}
        self._members = prism.settled(MEMBERS, Member).of_statuses(*MemberStatus)
        self._projects = prism.settled(PROJECTS, Project).of_statuses(*ProjectStatus)
        workers = prism.settled(WORKERS, Worker).of_statuses(*WorkerStatus)
        self._statuses = {one.worker_key: one.status.value for one in workers}
        self._allocations = prism.settled(ALLOCATIONS, Allocation)

    def week(self, week: Week) -> list[UnresolvedRow]:
        return week_unresolved(week, self._window(week), self._members, self._projects, self._statuses)

    def _window(self, week: Week) -> dict[Week, WeekEvidence]:
        first = min(self._prism.settings().first_week, week)
        asked = [at for at in week.window(WINDOW_WEEKS) if at >= first]
        self._kept = {at: self._kept.get(at) or self._read(at) for at in asked}
        return dict(self._kept)

    def _read(self, week: Week) -> WeekEvidence:
        return WeekEvidence.of(self._prism.throughput().week(week), self._allocations.of_week(week))


def _publish(
    prism: PrismResource, week: Week, reading: Reading[_Computation]
) -> tuple[list[UnresolvedRow], PartitionWrite]:
    rows = reading.computation.week(week)
    written = replace_freely(
        prism,
        UNRESOLVED_WORKERS,
        week,
        [row.lake_row() for row in rows],
        now=reading.now,
        known=reading.known,
        counts=_counts(rows),
    )
    return rows, written


def _counts(rows: list[UnresolvedRow]) -> dict[str, int]:
    """Names and tasks of each kind, for the manifest."""
    counts: dict[str, int] = {}
    for kind in KINDS:
        of_kind = [row for row in rows if row.kind == kind]
        counts |= {f"{kind}s": len(of_kind), f"{kind}_tasks": sum(row.tasks_submitted for row in of_kind)}
    return counts


def _metadata(week: Week, rows: list[UnresolvedRow], written: PartitionWrite) -> dict[str, object]:
    largest = [(row.subject, row.tasks_submitted) for row in rows[:MOST_SHOWN]]
    return {
        "week": week.label,
        "dagster/row_count": len(rows),
        **_counts(rows),
        "with_a_suggestion": sum(row.suggestion is not None for row in rows),
        "suggestions": dg.MetadataValue.json({r.subject: r.suggestion for r in rows[:MOST_SHOWN] if r.suggestion}),
        **write_facts(written),
        "largest": dg.MetadataValue.md(as_markdown("Tasks by name", bar_chart(f"Unresolved in {week}", largest))),
    }


def _conservation(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    done, rows = rows_of(prism, THROUGHPUT, week), rows_of(prism, UNRESOLVED_WORKERS, week)
    throughput = {
        "worker": sum(row["tasks_submitted"] for row in done if row["member_id"].startswith(WORKER_PREFIX)),
        "job": sum(row["tasks_submitted"] for row in done if row["project_id"].startswith(JOB_PREFIX)),
    }
    named = {kind: sum(row["tasks_submitted"] for row in rows if row["kind"] == kind) for kind in KINDS}
    repeated = len(rows) - len({row["subject"] for row in rows})
    return throughput == named and not repeated, {"throughput": throughput, "named": named, "repeated": repeated}


def _queued(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    rows = rows_of(prism, UNRESOLVED_WORKERS, week)
    known = {status.value for status in WorkerStatus}
    missing = [row["subject"] for row in rows if row["status"] not in known]
    return not missing, {"names": len(rows), "not_queued": len(missing), "which": missing[:MOST_SHOWN]}
