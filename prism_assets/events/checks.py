"""What must hold of events.

Belongs here: the checks. Does not belong here: how they are counted (prism_resources/events).
"""

from datetime import datetime

import dagster as dg

from prism_assets.events.hourly import HOURS, MISSED, ROLLUPS, SCORECARD, last_said
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.reports import ReportKind
from prism_resources.events.ledger import Ledger
from prism_resources.events.queue import DEAD_NAME, EventQueue
from prism_resources.mailing import Mailing


def event_checks() -> list[dg.AssetChecksDefinition]:
    """`conservation`, which blocks, `dead_queue_empty` and `owners_told`."""

    @dg.asset_check(
        asset=ROLLUPS,
        name="conservation",
        blocking=True,
        retry_policy=RETRIES,
        description=(
            "Of each hour that was counted: accepted = stored + failed + duplicate + in flight, and the stores "
            "hold what the receipts say. What is in flight for more than a quarter of an hour is told, and blocks "
            "nothing: its producer got no receipt, or it waits in a queue."
        ),
    )
    def conservation(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            hours = _hours(context)
            days = (hours[0].date(), hours[-1].date()) if hours else None
            known = {one.hour: one for one in Ledger(prism.settings()).of_days(*days)} if days else {}
            found = [known[hour] for hour in hours if hour in known]
            missed = int(last_said(context, ROLLUPS).get(MISSED, 0))
        wrong = {one.hour.isoformat(): list(one.wrong) for one in found if one.wrong}
        if uncounted := [hour.isoformat() for hour in hours if hour not in known]:
            wrong["uncounted"] = uncounted
        if missed:
            wrong["missed"] = [
                f"{missed} hours were not counted before their receipts expired: nothing proves them"
            ]
        says = "; ".join(f"{hour}: {'; '.join(sentences)}" for hour, sentences in wrong.items())
        accepted = sum(one.accepted for one in found)
        grave = bool(uncounted) or any(one.wrong and not one.only_waits for one in found)
        return dg.AssetCheckResult(
            passed=not wrong,
            severity=dg.AssetCheckSeverity.ERROR if grave else dg.AssetCheckSeverity.WARN,
            description=says or f"{accepted:,} accepted events of {len(found)} hours are where their receipts say",
            metadata={
                "wrong": dg.MetadataValue.json(wrong),
                "lost": sum(one.lost for one in found),
                "in_doubt": sum(one.in_doubt for one in found),
            },
        )

    @dg.asset_check(
        asset="event_dead_letters",
        name="dead_queue_empty",
        retry_policy=RETRIES,
        description="No message waits in the dead queue: each is a failed event, or had come to an end.",
    )
    def dead_queue_empty(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            waiting = EventQueue(prism.settings(), DEAD_NAME).left()
        return dg.AssetCheckResult(
            passed=not waiting,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{waiting} messages wait in the dead queue",
        )

    @dg.asset_check(
        asset=SCORECARD,
        name="owners_told",
        retry_policy=RETRIES,
        description="Of every mail about fields that began to fail each delivery is sent or skipped.",
    )
    def owners_told(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            mailing, now = Mailing(prism.settings()), clock.now()
            editions = mailing.open(Week.of(now), ReportKind.EVENTS)
            found = [one for edition in editions for one in mailing.unsettled(edition.edition_id, now=now)]
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(found)} deliveries wait for somebody",
        )

    return [conservation, dead_queue_empty, owners_told]


def _hours(context: dg.AssetCheckExecutionContext) -> list[datetime]:
    """The hours that the last run counted."""
    return sorted(datetime.fromisoformat(one) for one in last_said(context, ROLLUPS).get(HOURS, ()))
