"""Who was told what.

Belongs here: the assets `alert_digest` (daily) and `alert_week_digest`, what they show of themselves, and their
checks. Does not belong here: storing, marking and sending (prism_resources).
No partitions: a digest is of the moment; one of an earlier day would tell what nobody waits for any more.
"""

from collections import Counter
from typing import Any

import dagster as dg

from prism_assets.alerts.judgements import FRESHNESS, GROUP, OWNERS
from prism_assets.refusals import require_sent
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.reports import Delivery, ReportKind
from prism_resources.alerts.digests import DAILY, WEEKLY, AlertDigests, Told
from prism_resources.mailing import Mailing
from prism_resources.recipients import Recipients

_ASSETS = {"alert_digest": DAILY, "alert_week_digest": WEEKLY}


def digest_assets() -> list[dg.AssetsDefinition]:
    """`alert_digest` and `alert_week_digest`."""

    @dg.asset(
        name="alert_digest",
        pool="alert_digest",
        deps=["alert_ledger"],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"ses", "dynamodb"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "One mail to each recipient of `alerts_daily`, with what is new, back, worse, due again or mended "
            "since the last one, narrowed to the recipient's projects and teams. Nothing new: no mail. At most "
            "one mail for each edition and recipient, also after a crash."
        ),
    )
    def alert_digest(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            _tell(context, AlertDigests(prism.settings()).daily(clock.now()))

    @dg.asset(
        name="alert_week_digest",
        pool="alert_week_digest",
        deps=["alert_ledger"],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"ses", "dynamodb"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            "One mail to each recipient of `alerts_weekly` about the last week that has ended: what was opened in "
            "it, is still open or was mended. Once a week, whatever the daily ones told."
        ),
    )
    def alert_week_digest(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            _tell(context, AlertDigests(prism.settings()).weekly(clock.now()))

    return [alert_digest, alert_week_digest]


def digest_checks() -> list[dg.AssetChecksDefinition]:
    """For each of the two: that somebody reads it, and that every delivery is settled."""
    return [
        check for asset, report in _ASSETS.items() for check in (_read(asset, report), _settled(asset, report))
    ]


def _read(asset: str, report: ReportKind) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset,
        name="has_recipients",
        retry_policy=RETRIES,
        description=f"At least one active recipient is subscribed to `{report}`: else nobody is told.",
    )
    def has_recipients(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            found = Recipients(prism.settings()).subscribed(report)
        return dg.AssetCheckResult(
            passed=bool(found),
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(found)} recipients of {report}",
            metadata={"recipients": dg.MetadataValue.json([one.recipient_id for one in found])},
        )

    return has_recipients


def _settled(asset: str, report: ReportKind) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset,
        name="deliveries_settled",
        retry_policy=RETRIES,
        description=(
            "Of every edition of the last weeks each delivery is sent or skipped. One that stays claimed may have "
            "gone or not, and is sent by nobody: `prism deliveries` says which, and settles it."
        ),
    )
    def deliveries_settled(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            mailing, now = Mailing(prism.settings()), clock.now()
            found = [
                one
                for edition in mailing.open(Week.of(now), report)
                for one in mailing.unsettled(edition.edition_id, now=now)
            ]
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(found)} deliveries wait for somebody" if found else "every delivery is settled",
            metadata={"deliveries": dg.MetadataValue.json([_plain(one) for one in found])},
        )

    return deliveries_settled


def _tell(context: dg.AssetExecutionContext, told: Told) -> None:
    """The figures of a run. Raises what `require_sent` does."""
    deliveries = [one for outcome in told.outcomes for one in outcome.deliveries]
    by_news, by_status = (
        Counter(entry.news.value for entry in told.entries),
        Counter(one.status.value for one in deliveries),
    )
    facts: dict[str, Any] = {
        "edition": "none: nothing is new" if told.edition is None else told.edition.edition_id,
        "dagster/row_count": len(told.entries),
        "told": dg.MetadataValue.json(dict(by_news)),
        "deliveries": dg.MetadataValue.json(dict(by_status)),
        "recipients": dg.MetadataValue.json([_plain(one) for one in deliveries]),
    }
    context.add_asset_metadata(facts)
    context.log.info("%s: %s", facts["edition"], dict(by_status))
    require_sent(told.outcomes)


def _plain(delivery: Delivery) -> dict[str, Any]:
    found = delivery.plain()
    kept = ("edition_id", "recipient_id", "status", "claimed", "attempts", "error")
    return {name: found[name] for name in kept if name in found}
