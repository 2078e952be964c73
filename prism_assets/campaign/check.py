"""A check of the campaign's weeks, made from what it judges.

Belongs here: the one form that all of them have. Does not belong here: what must hold (input_checks.py,
figure_checks.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from prism_assets.checking import over_weeks
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import BECAUSE_TAG
from prism_assets.retries import RETRIES
from prism_core.calendar import Week
from prism_core.lake import LakeTable

WARN: Final = dg.AssetCheckSeverity.WARN
MOST_NAMED: Final = 20

Outcome = tuple[bool, dict[str, Any]]
Judged = Callable[[PrismResource, Week], Outcome]


@dataclass(frozen=True, slots=True)
class Checks:
    """Makes the checks of a location."""

    weekly: dg.WeeklyPartitionsDefinition

    def check(
        self,
        asset: LakeTable,
        name: str,
        judge: Judged,
        description: str,
        severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
        *,
        blocking: bool = False,
        excusable: bool = False,
    ) -> dg.AssetChecksDefinition:
        """A verdict over the weeks of a run; a blocking one that fails keeps what is built on its asset from
        running. An `excusable` one holds in a run whose tag says why (BECAUSE_TAG)."""

        @dg.asset_check(
            asset=asset.name,
            name=name,
            blocking=blocking,
            partitions_def=self.weekly,
            retry_policy=RETRIES,
            description=description,
        )
        def checked(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
            because = context.run.tags.get(BECAUSE_TAG) if excusable else None

            def judged(week: Week) -> Outcome:
                passed, facts = judge(prism, week)
                return (True, facts | {"because": because}) if because and not passed else (passed, facts)

            return over_weeks(context, judged, severity)

        return checked
