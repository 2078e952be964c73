"""What must hold of a proposal.

Belongs here: asset checks that read back what was stored. Does not belong here: repairing anything.
"""

from typing import Any

import dagster as dg

from prism_assets.checking import over_weeks
from prism_assets.planning.computing import MOST_SHOWN, newest_proposal
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES
from prism_core.calendar import Week
from prism_core.capacity.kept import KeptPlan
from prism_core.capacity.verifying import breaches
from prism_resources.plans.bodies import read_body
from prism_resources.plans.storing import PlanStore

# What limits of people and blocks may leave at once (docs/capacity.md).
MOST_GAP = 0.005


def planning_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """The checks of capacity_plan; one that breaks a rule of the week blocks what is built on it."""

    @dg.asset_check(
        asset="capacity_plan",
        name="within_hours",
        blocking=True,
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "The stored plan, read back, exceeds nobody's hours, plans no day off, keeps pins, exclusions and "
            "limits, and its figures are those of the item."
        ),
    )
    def within_hours(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _rules(prism, week + 1))

    @dg.asset_check(
        asset="capacity_plan",
        name="gap_small",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="No plan could be more than 0.5 % better.",
    )
    def gap_small(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _gap(prism, week + 1), severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(
        asset="capacity_plan",
        name="requests_placed",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Every approved request is demand of a project, so that the plan knows of it.",
    )
    def requests_placed(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _placed(prism, week + 1), severity=dg.AssetCheckSeverity.WARN)

    return [within_hours, gap_small, requests_placed]


def _read(prism: PrismResource, week: Week) -> tuple[KeptPlan, dict[str, Any]] | None:
    """The newest proposal with its figures; None where there is none, as of a week that had begun."""
    settings = prism.settings()
    plan = newest_proposal(PlanStore(settings), week)
    if plan is None:
        return None
    facts = {"plan_id": plan.plan_id, "objective": str(plan.objective), "bound": str(plan.bound)}
    return read_body(settings, plan), facts


def _rules(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    read = _read(prism, week)
    if read is None:
        return True, {"proposals": 0}
    kept, facts = read
    wrong = breaches(kept.problem, kept.plan)
    same = (str(kept.plan.objective), str(kept.plan.bound)) == (facts["objective"], facts["bound"])
    return not wrong and same, {**facts, "breaches": wrong[:MOST_SHOWN], "figures_of_the_item": same}


def _gap(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    read = _read(prism, week)
    if read is None:
        return True, {"proposals": 0}
    gap = float(read[0].plan.gap)
    return gap <= MOST_GAP, {**read[1], "gap": round(gap, 6), "limit": MOST_GAP}


def _placed(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    read = _read(prism, week)
    if read is None:
        return True, {"proposals": 0}
    unplaced = dict(read[0].unplaced)
    shown = dict(sorted(unplaced.items())[:MOST_SHOWN])
    return not unplaced, {**read[1], "unplaced": len(unplaced), "which": shown}
