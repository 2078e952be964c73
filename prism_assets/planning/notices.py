"""What published plans changed for people, told to each of them.

Belongs here: the asset `allocation_notices`, what it shows, and its check. Does not belong here: letters and
sending (prism_resources/plans/telling.py).
No partitions: it tells whatever is not told. What is told, is told no second time.
"""

from collections import Counter

import dagster as dg

from prism_assets.operational import reads
from prism_assets.planning.assets import GROUP
from prism_assets.refusals import require_sent
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import OWNERS
from prism_core import clock
from prism_core.tables import MEMBERS, PROJECTS, RECIPIENTS
from prism_resources.plans.telling import tell_all, unsettled


def notice_assets() -> list[dg.AssetsDefinition]:
    """`allocation_notices`."""

    @dg.asset(
        name="allocation_notices",
        pool="allocation_notices",
        deps=reads(MEMBERS, PROJECTS, RECIPIENTS),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"ses", "dynamodb"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            "One mail for each publication of a plan to everybody whose hours it changes, for weeks that have not "
            "ended; also where whoever published was killed before the rows were written. At most one mail for "
            "each publication and person, also after a crash."
        ),
    )
    def allocation_notices(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            outcomes = tell_all(prism.settings(), now=clock.now())
            by_status = Counter(one.status.value for outcome in outcomes for one in outcome.deliveries)
            context.add_asset_metadata(
                {
                    "editions": dg.MetadataValue.json([one.edition.edition_id for one in outcomes]),
                    "deliveries": dg.MetadataValue.json(dict(by_status)),
                    "dagster/row_count": sum(by_status.values()),
                }
            )
            require_sent(outcomes)

    return [allocation_notices]


def notice_checks() -> list[dg.AssetChecksDefinition]:
    """That every mail of a publication is settled."""

    @dg.asset_check(
        asset="allocation_notices",
        name="deliveries_settled",
        retry_policy=RETRIES,
        description=(
            "Each mail about a publication of a week that has not ended is sent or skipped. One that stays "
            "claimed may have gone or not, and is sent by nobody: `prism deliveries EDITION` settles it."
        ),
    )
    def deliveries_settled(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            found = unsettled(prism.settings(), now=clock.now())
        said = [f"{one.edition_id} to {one.recipient_id}: {one.status}" for one in found]
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(found)} deliveries wait for somebody" if found else "every delivery is settled",
            metadata={"deliveries": dg.MetadataValue.json(said)},
        )

    return [deliveries_settled]
