"""What checks of all domains share.

Belongs here: one verdict over the weeks of a run, and a week's volume beside the weeks before it.
Does not belong here: what must hold (the domains).
"""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.retries import failures_by_intent
from prism_core.bands import WEEKS, band
from prism_core.calendar import Week
from prism_core.clock import this_week
from prism_core.lake import LakeTable

Judge = Callable[[Week], tuple[bool, dict[str, Any]]]
# The labels of the weeks for which a check does not hold, in its metadata.
FAILED_WEEKS = "failed_weeks"


def over_weeks(
    context: dg.AssetCheckExecutionContext,
    judge: Judge,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """The verdict over the weeks of the run, with the figures of each week."""
    with failures_by_intent():
        verdicts = {week.label: judge(week) for week in weeks_of(context)}
    failed = [label for label, (passed, _) in verdicts.items() if not passed]
    shown = f"fails in {', '.join(failed)}" if failed else f"holds in every week of the run ({len(verdicts)})"
    return dg.AssetCheckResult(
        passed=not failed,
        severity=severity,
        description=shown,
        metadata={
            "weeks": dg.MetadataValue.json({label: facts for label, (_, facts) in verdicts.items()}),
            FAILED_WEEKS: dg.MetadataValue.json(failed),
        },
    )


def rows_of(prism: PrismResource, table: LakeTable, week: Week) -> list[dict[str, Any]]:
    """What was published of a week; nothing when it never was."""
    found = prism.lake().read_partition(table, week)
    return [] if found is None else found.to_pylist()


def counts_of(prism: PrismResource, table: LakeTable, week: Week) -> Mapping[str, int]:
    """What the manifest counts of a published week; nothing when it never was."""
    manifest = prism.lake().manifest(table.partition(week))
    return {} if manifest is None else manifest.counts


def volume(prism: PrismResource, table: LakeTable, week: Week, count: str) -> tuple[bool, dict[str, Any]]:
    """A count of the manifest beside the four weeks before. The running week is not over: it always holds."""

    def of(at: Week) -> float | None:
        found = counts_of(prism, table, at).get(count)
        return float(found) if found else None

    if week >= this_week():
        return True, {"value": of(week), "running": True}
    earlier = [of(week + -back) for back in range(WEEKS, 0, -1)]
    found = band(of(week) or 0.0, earlier, prism.settings().volume_band)
    return found.holds, found.facts()
