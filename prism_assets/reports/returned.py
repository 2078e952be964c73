"""Mail that came back.

Belongs here: the asset `returned_mail`, what it shows, and its check. Does not belong here: reading the queue
(prism_resources/returns.py), and when (prism_sensors/returned.py).
No partitions: what came back is known when it comes back.
"""

import dagster as dg

from prism_assets.reports.mails import GROUP
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import OWNERS
from prism_core import clock
from prism_resources.returns import UNREAD, MailReturns

RETURNED = "returned_mail"


def returned_assets() -> list[dg.AssetsDefinition]:
    """`returned_mail`."""

    @dg.asset(
        name=RETURNED,
        pool=RETURNED,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"sqs", "ses", "dynamodb"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            "What SES told of mails that came back and of readers who complained: said of each delivery, and the "
            "reader gets nothing more until a person sets the status to active."
        ),
    )
    def returned_mail(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            taken = MailReturns(prism.settings()).take(clock.now())
            for said in taken.unread:
                context.log.error("%s", said)
            context.add_asset_metadata(
                {
                    "by_kind": dg.MetadataValue.json({kind.value: count for kind, count in taken.kinds.items()}),
                    "stopped": dg.MetadataValue.json(taken.stopped),
                    "of_nobody": dg.MetadataValue.json(taken.of_nobody),
                    "unread": len(taken.unread),
                    "dagster/row_count": taken.kinds.total(),
                }
            )

    return [returned_mail]


def returned_checks() -> list[dg.AssetChecksDefinition]:
    """That everything could be read."""

    @dg.asset_check(
        asset=RETURNED,
        name="everything_read",
        retry_policy=RETRIES,
        description=f"The queue `{UNREAD}` is empty: what lies there says of a mail what nobody understood.",
    )
    def everything_read(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            count = MailReturns(prism.settings()).waiting(UNREAD)
        return dg.AssetCheckResult(
            passed=not count,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{count} messages wait in {UNREAD}" if count else "nothing is left unread",
            metadata={"unread": count},
        )

    return [everything_read]
