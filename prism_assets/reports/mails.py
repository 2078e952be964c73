"""Reports, mailed to who reads them.

Belongs here: the asset `report_mails`, what it shows, and its checks. Does not belong here: making reports, who is
to get what (prism_resources/reports/delivery.py) and when (prism_sensors/reports.py).
No partitions: a report is mailed in the week in which it is read, and not when an old week is computed again.
"""

from collections import Counter
from collections.abc import Iterable

import dagster as dg

from prism_assets.refusals import require_sent
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import OWNERS
from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.reports import Delivery
from prism_core.reports.late import Late
from prism_core.reports.missing import REPORTS
from prism_resources.mailing import Mailing
from prism_resources.recipients import Recipients
from prism_resources.reports.delivery import ReportDelivery

GROUP, MAILS = "reports", "report_mails"
# Of a run: the campaign report that is due and not there, as the sensor that asks for the mails knows it.
LATE_TAG = "prism/late"


def mail_assets(reports: Iterable[str]) -> list[dg.AssetsDefinition]:
    """`report_mails`, behind the assets that make reports."""

    @dg.asset(
        name=MAILS,
        pool=MAILS,
        deps=sorted(reports),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"ses", "dynamodb", "s3"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            "The newest edition of the campaign and operations reports of the week that is due, to each recipient "
            "whose hour has come, once; when a figure of it is another one later, an edition that says which. "
            "Where Monday's campaign report is not there, a notice that says why. At most one mail for each "
            "edition and recipient, also after a crash."
        ),
    )
    def report_mails(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            late = Late.of(context.run.tags.get(LATE_TAG))
            outcomes = ReportDelivery(prism.settings()).deliver(clock.now(), late=late)
            found = [one for outcome in outcomes for one in outcome.deliveries]
            by_status = Counter(one.status.value for one in found)
            context.add_asset_metadata(
                {
                    "editions": dg.MetadataValue.json([one.edition.edition_id for one in outcomes]),
                    "deliveries": dg.MetadataValue.json(dict(by_status)),
                    "recipients": dg.MetadataValue.json([_said(one) for one in found]),
                    "dagster/row_count": len(found),
                }
            )
            # What no attempt of this run mends is told at once; later runs try it all the same.
            require_sent(outcomes, at_once=True)

    return [report_mails]


def mail_checks() -> list[dg.AssetChecksDefinition]:
    """That somebody reads the reports, and that every delivery is settled."""

    @dg.asset_check(
        asset=MAILS,
        name="has_recipients",
        retry_policy=RETRIES,
        description="At least one active recipient is subscribed to each report: else nobody reads it.",
    )
    def has_recipients(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            recipients = Recipients(prism.settings())
            found = {report.value: len(recipients.subscribed(report)) for report in REPORTS}
        return dg.AssetCheckResult(
            passed=all(found.values()),
            severity=dg.AssetCheckSeverity.WARN,
            description=", ".join(f"{count} of {report}" for report, count in found.items()),
            metadata={"recipients": dg.MetadataValue.json(found)},
        )

    @dg.asset_check(
        asset=MAILS,
        name="deliveries_settled",
        retry_policy=RETRIES,
        description=(
            "Of the reports of the last weeks each delivery is sent or skipped. One that stays claimed may have "
            "gone or not, and is sent by nobody: `prism deliveries` says which, and settles it."
        ),
    )
    def deliveries_settled(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            mailing, now = Mailing(prism.settings()), clock.now()
            found = [
                _said(one)
                for report in REPORTS
                for edition in mailing.open(Week.of(now), report)
                for one in mailing.unsettled(edition.edition_id, now=now)
            ]
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(found)} deliveries wait for somebody" if found else "every delivery is settled",
            metadata={"deliveries": dg.MetadataValue.json(found)},
        )

    return [has_recipients, deliveries_settled]


def _said(delivery: Delivery) -> str:
    return f"{delivery.edition_id} to {delivery.recipient_id}: {delivery.status}"
