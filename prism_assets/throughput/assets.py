"""Worker activity and throughput, by week.

Belongs here: the two assets and what they show of themselves. Does not belong here: how a week is computed
(prism_core) or replaced (publish.py), and the checks (checks.py).
"""

from datetime import timedelta

import dagster as dg

from prism_assets.computed import GENERATION
from prism_assets.operational import reads
from prism_assets.overtaking import ATTEMPTS
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import Intent
from prism_assets.restatements.running import PublishedWeeks, intent_of, publishing, restatement_metadata
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.causes import answered_otherwise
from prism_assets.throughput.publish import KeptWeek, PublishedWeek, publish_week, read_for
from prism_assets.throughput.queue import UnresolvedQueue
from prism_core import clock
from prism_core.calendar import Week
from prism_core.charts import as_markdown, bar_chart
from prism_core.evidence import Part
from prism_core.settings import ActivitySource
from prism_core.tables import CORRECTIONS, PROJECTS, WORKERS
from prism_resources.worker_activity.log import LogCounts, LogIngest

GROUP = "throughput"
OWNERS = ["team:data-engineering"]
# Leads plan on Monday morning with last week's figures.
FRESHNESS = dg.FreshnessPolicy.cron(
    deadline_cron="0 6 * * 1", lower_bound_delta=timedelta(hours=30), timezone="UTC"
)


def throughput_assets(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """`worker_activity` and `throughput`."""

    @dg.asset(
        name="worker_activity",
        pool="worker_activity",
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"s3", "cloudwatch"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            "Raw Ground Truth worker activity of a week, untouched, in `raw/worker_activity/week=…`. With the "
            "log as its source, materialising reads the log of the week again and lands what is new; with "
            "files, `prism ingest worker-activity` lands them and this shows what is there."
        ),
    )
    def worker_activity(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            for week in weeks_of(context):
                read = _read_log(prism, week) if _reads_log(prism) else None
                context.add_asset_metadata(_landed_metadata(prism, week, read), partition_key=week.key)
                context.log.info("worker activity of %s is in place", week)

    @dg.asset(
        name="throughput",
        pool="throughput",
        deps=[worker_activity, *reads(WORKERS, PROJECTS, CORRECTIONS)],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"dynamodb", "parquet", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "What was done: tasks by outcome, wall and active seconds per project, member and day, in the "
            "throughput table and the lake. Workers and labelling jobs that nobody has resolved are kept as "
            "`worker:…` and `job:…`. The week's human corrections are applied every time."
        ),
    )
    def throughput(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            queue = UnresolvedQueue(prism.workers())
            with publishing(context) as run:
                try:
                    _publish_weeks(context, prism, run, queue)
                finally:  # also when a later week fails: these weeks are published
                    _flush(context, queue)

    return [worker_activity, throughput]


def _publish_weeks(
    context: dg.AssetExecutionContext, prism: PrismResource, run: PublishedWeeks, queue: UnresolvedQueue
) -> None:
    """Every week of the run, and again those for which the registers answer otherwise when all are published.

    The sensors look for a name among published rows. Who is resolved while the run goes on is in none of those
    that it has yet to write, so that nobody would ask for these weeks; who is resolved later is found in them.
    """
    intent, answers = intent_of(context), dict[Week, Part]()
    weeks = weeks_of(context)
    for _ in range(ATTEMPTS):
        reading, now = read_for(prism, weeks), clock.now()
        for week in weeks:
            answers.pop(week, None)
            with run.refusals(week):
                outcome = publish_week(prism, reading, week, now, intent)
                _show(context, run, week, outcome, intent)
                if isinstance(outcome, PublishedWeek):
                    queue.see(outcome.result)
                    answers[week] = outcome.answers
        registers = prism.registers()
        weeks = [week for week, before in answers.items() if answered_otherwise(before, registers, week)]
        if not weeks:
            return
        context.log.info("names of %d published weeks were resolved meanwhile", len(weeks))


def _show(
    context: dg.AssetExecutionContext,
    run: PublishedWeeks,
    week: Week,
    outcome: PublishedWeek | KeptWeek,
    intent: Intent,
) -> None:
    if isinstance(outcome, KeptWeek):
        run.published(week, _kept_metadata(outcome))
        context.log.warning("throughput of %s stands: its raw input has expired", week)
        return
    facts = _published_metadata(outcome) | restatement_metadata(outcome.lake)
    facts |= {} if intent.anew is None else {"computed_anew_because": intent.anew}
    run.published(week, facts)
    context.log.info("throughput of %s: %d records", week, outcome.result.counts.records)
    if outcome.lake.restated:
        context.log.warning("%d published figures of %s are other ones now", outcome.lake.restated, week)
    if outcome.unusable_answers:
        context.log.warning("%d worker responses of %s could not be used", outcome.unusable_answers, week)
    for correction in _idle(outcome):
        context.log.warning("correction %s of %s found no work to move", correction, week)


def _flush(context: dg.AssetExecutionContext, queue: UnresolvedQueue) -> None:
    queued = queue.flush(lambda done, total: context.log.info("unresolved names: %d of %d", done, total))
    if queued.new:
        context.log.info("%d workers and labelling jobs are new in the queue of unresolved ones", queued.new)
    if queued.left or queued.unusable:
        context.log.warning(
            "unresolved names that are not queued: %d too many for one run, %d that no item can have",
            queued.left,
            queued.unusable,
        )


def _reads_log(prism: PrismResource) -> bool:
    return prism.settings().worker_activity_source is ActivitySource.LOG


def _read_log(prism: PrismResource, week: Week) -> LogCounts:
    """Read the log of a week; what is refused is kept in the lake, and a check shows it."""
    return LogIngest(prism.settings(), prism.lake(), prism.weeks()).read_week(week, clock.now(), lambda _: None)


def _landed_metadata(prism: PrismResource, week: Week, read: LogCounts | None) -> dict[str, object]:
    landing = prism.landing()
    facts: dict[str, object] = {
        "week": week.label,
        "source": landing.source(week) or "nothing has landed",
        "objects": len(landing.keys(week)),
        "records": len(landing.ids(week)),
    }
    if read is not None:
        facts |= {"read_from_log": read.read, "new": read.loaded, "late": read.late, "rejected": read.rejected}
    return facts


def _kept_metadata(kept: KeptWeek) -> dict[str, object]:
    return {
        "week": kept.week.label,
        "dagster/row_count": kept.manifest.rows,
        "records": kept.manifest.counts.get("records", 0),
        GENERATION: kept.manifest.generation,
        "written": False,
        "expired_raw_objects": len(kept.expired),
    }


def _published_metadata(published: PublishedWeek) -> dict[str, object]:
    counts, week = published.result.counts, published.result.week
    days = [(f"{day:%a %d %b}", tasks) for day, tasks in sorted(counts.by_day.items())]
    unresolved = {**_largest(counts.unresolved_by_worker, "worker:"), **_largest(counts.unresolved_by_job, "job:")}
    return {
        "week": week.label,
        "dagster/row_count": len(published.result.rows),
        "records": counts.records,
        "duplicates": counts.duplicates,
        "late": counts.late,
        "unresolved_by_worker": sum(counts.unresolved_by_worker.values()),
        "unresolved_by_job": sum(counts.unresolved_by_job.values()),
        "largest_unresolved": dg.MetadataValue.json(unresolved),
        "corrections": dg.MetadataValue.json(counts.by_correction),
        "corrections_without_effect": len(_idle(published)),
        "unusable_answers": published.unusable_answers,
        "event_types": dg.MetadataValue.json(counts.by_event_type),
        GENERATION: published.table.generation,
        "written": not published.table.unchanged or published.lake.write.written,
        "tasks_per_day": dg.MetadataValue.md(
            as_markdown("Tasks per day", bar_chart(f"Tasks per day, {week}", days))
        ),
    }


def _idle(published: PublishedWeek) -> list[str]:
    """Corrections that found no work to move: their worker may have been resolved since."""
    return [correction for correction, records in published.result.counts.by_correction.items() if not records]


def _largest(tasks: dict[str, int], prefix: str, most: int = 5) -> dict[str, int]:
    return {prefix + key: tasks[key] for key in sorted(tasks, key=lambda key: (-tasks[key], key))[:most]}
