"""What must hold of a week's worker activity and throughput.

Belongs here: asset checks that read what was published, and the raw records again, by another way than the
asset wrote it. Does not belong here: repairing anything.
"""

from collections import Counter
from typing import Any

import dagster as dg
import pyarrow.compute as pc

from prism_assets.checking import over_weeks
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES
from prism_assets.throughput.publish import expired_week, uncounted_ids
from prism_core.calendar import Week
from prism_core.lake import WORKER_ACTIVITY
from prism_core.lake_tables import THROUGHPUT
from prism_resources.lake import Manifest
from prism_resources.worker_activity.landing import rejects_prefix

OUTCOMES = ("tasks_submitted", "tasks_returned", "tasks_declined", "tasks_accepted", "tasks_other")
_NEVER_NEGATIVE = ("wall_seconds", "active_seconds", "median_handle_seconds", "mean_handle_seconds", *OUTCOMES)


def throughput_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """The checks of both assets; the conservation of records blocks what is built on throughput."""

    @dg.asset_check(
        asset="worker_activity",
        name="one_source",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Everything that landed came from the source that the week is bound to: no task counts twice.",
    )
    def one_source(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _sources(prism, week))

    @dg.asset_check(
        asset="worker_activity",
        name="every_event_is_a_record",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="No event of the log was rejected; those that were lie beside the raw input, with the reason.",
    )
    def every_event_is_a_record(
        context: dg.AssetCheckExecutionContext, prism: PrismResource
    ) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _rejects(prism, week), severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(
        asset="throughput",
        name="records_conserved",
        blocking=True,
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "Distinct raw records = tasks in the table = tasks in the lake; no line was unreadable, and no record "
            "landed after raw input of the week had expired."
        ),
    )
    def records_conserved(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _conservation(prism, week))

    @dg.asset_check(
        asset="throughput",
        name="no_negative_figures",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="No count and no duration is below zero.",
    )
    def no_negative_figures(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _negatives(prism, week))

    @dg.asset_check(
        asset="throughput",
        name="unresolved_share",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="The share of tasks with an unresolved worker or labelling job is at most the setting.",
    )
    def unresolved_share(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        limit = prism.settings().unresolved_share_warning
        return over_weeks(
            context, lambda week: _unresolved(prism, week, limit), severity=dg.AssetCheckSeverity.WARN
        )

    @dg.asset_check(
        asset="throughput",
        name="late_records",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="No record arrived after the week's figures were first published.",
    )
    def late_records(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _late(prism, week), severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(
        asset="throughput",
        name="raw_input_complete",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="No raw object that the figures came from has expired: the week can be computed again.",
    )
    def raw_input_complete(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _expired(prism, week), severity=dg.AssetCheckSeverity.WARN)

    return [
        one_source,
        every_event_is_a_record,
        records_conserved,
        no_negative_figures,
        unresolved_share,
        late_records,
        raw_input_complete,
    ]


def _sources(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    landing = prism.landing()
    bound_to = landing.source(week)
    objects = Counter(key.split("/")[-2] for key in landing.keys(week))
    return set(objects) <= {bound_to}, {"bound_to": bound_to, "objects": dict(objects)}


def _conservation(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    counts = _counts(prism, week)
    kept = expired_week(prism, week)
    not_counted = 0 if kept is None else len(uncounted_ids(prism, kept))
    raw = counts.get("records", 0) if kept else len(prism.landing().ids(week))
    in_table = sum(
        sum(getattr(day, outcome) for outcome in OUTCOMES)
        for item in prism.throughput().week(week)
        for day in item.days
    )
    arrow = prism.lake().read_partition(THROUGHPUT, week)
    in_lake = 0 if arrow is None else sum(pc.sum(arrow[name]).as_py() or 0 for name in OUTCOMES)
    unreadable = counts.get("invalid_lines", 0)
    facts = {
        "raw": raw,
        "table": in_table,
        "lake": in_lake,
        "unreadable_lines": unreadable,
        "raw_from": "the manifest, the raw input has expired" if kept else "the raw input",
        "not_counted": not_counted,
    }
    if not_counted:
        facts["what_to_do"] = (
            f"{not_counted} records landed after raw input of the week had expired, so nobody has counted them: "
            f"`prism materialize throughput --weeks {week} --anew REASON` computes the week from what is there"
        )
    return raw == in_table == in_lake and unreadable == 0 and not not_counted, facts


def _negatives(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    arrow = prism.lake().read_partition(THROUGHPUT, week)
    if arrow is None:
        return True, {"rows": 0}
    below = {
        name: sum(1 for value in arrow[name].to_pylist() if value is not None and value < 0)
        for name in _NEVER_NEGATIVE
    }
    return not any(below.values()), {"rows": arrow.num_rows, "below_zero": sum(below.values())}


def _unresolved(prism: PrismResource, week: Week, limit: float) -> tuple[bool, dict[str, Any]]:
    counts = _counts(prism, week)
    records = counts.get("records", 0)
    shares = {
        kind: counts.get(kind, 0) / records if records else 0.0
        for kind in ("unresolved_by_worker", "unresolved_by_job")
    }
    return all(share <= limit for share in shares.values()), {**shares, "limit": limit}


def _late(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    late = _counts(prism, week).get("late", 0)
    return late == 0, {"late": late}


def _expired(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    kept = expired_week(prism, week)
    return kept is None, {"expired_raw_objects": 0 if kept is None else len(kept.expired)}


def _rejects(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    keys = list(prism.lake().keys(rejects_prefix(WORKER_ACTIVITY, week)))
    return not keys, {"files": keys}


def _counts(prism: PrismResource, week: Week) -> dict[str, int]:
    manifest: Manifest | None = prism.lake().manifest(THROUGHPUT.partition(week))
    return {} if manifest is None else manifest.counts
