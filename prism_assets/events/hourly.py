"""What is done with events every hour.

Belongs here: the dead queue, roll-ups, the scorecard with its mails, and what each shows of itself. Does not
belong here: checks (checks.py), and any figure.
No partitions: an hour is none of the weeks that everything else has; a run goes on where the one before ended.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import dagster as dg

from prism_assets.refusals import require_sent
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core import clock
from prism_core.events.conservation import KEPT_IN_QUEUES
from prism_core.events.ledger import HourRecord, to_count_again
from prism_core.events.rollups import Grain
from prism_core.events.scorecard import FailingField, Score
from prism_core.failures import PrismFailure
from prism_core.models.base import instant_text
from prism_resources.events.balancing import Balancing
from prism_resources.events.dead import drain
from prism_resources.events.folding import Folded, Folding
from prism_resources.events.large import forget_large
from prism_resources.events.ledger import Ledger
from prism_resources.events.measuring import measure, send
from prism_resources.events.scoring import Scoring, Telling

GROUP: Final = "events"
OWNERS: Final = ["team:data-engineering"]
FRESHNESS: Final = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=4), warn_window=timedelta(hours=2, minutes=30)
)
ROLLUPS: Final = "event_rollups"
SCORECARD: Final = "event_scorecard"
# In the metadata of `event_rollups`: the hours that were counted, and which of them to look at again. That of
# `event_scorecard` has until when, too.
SINCE, UNTIL, HOURS, AGAIN = "since", "until", "hours", "again"
# And hours that nobody counted while their receipts were there.
MISSED: Final = "missed_hours"
# What a first run looks back, and what one run counts at most: after an outage the next ones go on.
_FIRST: Final = timedelta(days=1)
_MOST: Final = timedelta(days=7)
_HOUR: Final = timedelta(hours=1)
# How old an hour is counted while something of it is in flight: a day longer than a queue may have it, so that
# what vanished is told. Receipts stay a day longer still (the setting events_keep_days, 16 at least).
_LONGEST: Final = KEPT_IN_QUEUES + timedelta(days=1)


def hourly_assets() -> list[dg.AssetsDefinition]:
    """`event_dead_letters`, `event_rollups` and `event_scorecard`."""

    @dg.asset(
        name="event_dead_letters",
        pool="event_dead_letters",
        group_name=GROUP,
        owners=OWNERS,
        kinds={"sqs", "dynamodb"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            "Empties the dead queue: an event that nobody could bring to an end becomes a failed event of the "
            "kind `undeliverable`, which `prism events replay` sends again. Data of large events that ended more "
            "than an hour ago are deleted."
        ),
    )
    def event_dead_letters(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            done = drain(prism.settings(), clock.now())
            shown = {
                "undeliverable": done.undeliverable,
                "settled": done.settled,
                "unreadable": done.unreadable,
                "stuck": done.stuck,
            }
            try:
                shown["large_forgotten"] = forget_large(prism.settings())
            except PrismFailure as failure:  # the next hour deletes them, and S3 in the end
                context.log.warning("data of large events were not deleted: %s", failure)
            context.add_asset_metadata(shown)
            if done.stuck:
                context.log.error("%d messages could not be kept and still wait in the dead queue", done.stuck)
            context.log.info("%d undeliverable, %d unreadable messages", done.undeliverable, done.unreadable)

    @dg.asset(
        name=ROLLUPS,
        pool=ROLLUPS,
        deps=["event_dead_letters"],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"dynamodb", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "Counts, percentiles and most frequent values by type and minute, hour and day, of the hours that "
            "have ended since the run before, a week of them at most. An event that comes up to seven days late "
            "corrects its own window, a later one counts when it was accepted. The promises of the last hour are "
            "measured from the receipts, and sent to where the alarms are."
        ),
    )
    def event_rollups(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            now, before = clock.now(), last_said(context, ROLLUPS)
            kept = timedelta(days=prism.settings().events_keep_days)
            hours = hours_to_count(before, now, kept)
            missed = hours_missed(before, now, kept)
            # Balances first: what is stored after them is in flight in them, and has the hour folded again.
            balancing = Balancing(prism.settings())
            balanced = [balancing.of_hour(hour, now) for hour in hours]
            folded = Folding(prism.settings()).fold(hours, now)
            Ledger(prism.settings()).write(balanced)
            lost = sum(one.lost for one in balanced)
            measured = measure(prism.settings(), now, lost, balancing.slowest_seconds)
            shown = {one.name: one.value for one in measured.metrics()} | {"windows": folded.windows}
            context.add_asset_metadata(_metadata(hours, folded, balanced) | shown | {MISSED: missed})
            context.log.info("%d hours, %d windows", len(hours), folded.windows)
            if missed:
                context.log.error("receipts of %d hours expired before anybody counted them", missed)
            try:
                send(prism.settings(), measured)
            except PrismFailure as failure:  # what is counted stands, and the next hour sends its own
                context.log.warning("CloudWatch took no figures of events: %s", failure)

    @dg.asset(
        name=SCORECARD,
        pool=SCORECARD,
        # Not on roll-ups, whose check of conservation blocks: one lost event would keep owners from being told.
        deps=["event_dead_letters"],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"dynamodb", "ses"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            "How well producers kept to their schemas in the last day. A field that failed in three events within "
            "eight days, and in fewer (or a tenth of them) until a day ago, is told to the owner of its type; in "
            "the same week or the next one again only when ten times as many fail. After an outage "
            "the time since the scorecard before counts as that day: what began meanwhile is told."
        ),
    )
    def event_scorecard(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            now, scoring = clock.now(), Scoring(prism.settings())
            before = last_said(context, SCORECARD).get(UNTIL)
            scored = scoring.lately(now)
            began = scoring.began(scored, now, None if before is None else datetime.fromisoformat(before))
            told = Telling(prism.settings()).tell(began, now)
            mails = [one for outcome in told for one in outcome.deliveries]
            context.add_asset_metadata(
                {
                    UNTIL: instant_text(now),
                    "dagster/row_count": len(scored),
                    "scores": dg.MetadataValue.md(_scores(scored)),
                    "began_to_fail": dg.MetadataValue.json(_began(began)),
                    "mails": dg.MetadataValue.json({one.recipient_id: one.status.value for one in mails}),
                }
            )
            require_sent(told)

    return [event_dead_letters, event_rollups, event_scorecard]


def hours_to_count(before: Mapping[str, Any], now: datetime, kept: timedelta) -> list[datetime]:
    """The hours of acceptance that have ended since the run before, the last one of that again, since a tick may
    come while its events are on their way, and those that it left in flight or wrong. A day for a first run; after
    an outage the oldest week of those whose receipts are `kept`."""
    running = Grain.HOUR.start_of(now)
    known = datetime.fromisoformat(before[UNTIL]) if UNTIL in before else running - _FIRST
    start = max(_oldest(now, kept), min(known, running) - _HOUR)
    number = int(min(running - start, _MOST) / _HOUR)
    again = {datetime.fromisoformat(one) for one in before.get(AGAIN, ())}
    waiting = {one for one in again if running - _LONGEST < one < running}
    return sorted({start + n * _HOUR for n in range(number)} | waiting)


def hours_missed(before: Mapping[str, Any], now: datetime, kept: timedelta) -> int:
    """How many hours since the run before can never be counted: their receipts have begun to expire."""
    known = datetime.fromisoformat(before[UNTIL]) if UNTIL in before else now
    return max(0, int((_oldest(now, kept) - known) / _HOUR))


def _oldest(now: datetime, kept: timedelta) -> datetime:
    return Grain.HOUR.start_of(now) - kept + timedelta(days=1)


def last_said(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, asset: str) -> dict[str, Any]:
    """What the last run of an asset said of itself; nothing before the first one."""
    event = context.instance.get_latest_materialization_event(dg.AssetKey(asset))
    found = None if event is None else event.asset_materialization
    return {} if found is None else {name: value.value for name, value in found.metadata.items()}


def _metadata(hours: list[datetime], folded: Folded, balanced: list[HourRecord]) -> dict[str, Any]:
    again = [instant_text(one) for one in to_count_again(balanced, folded.hours)]
    until = instant_text(max(hours) + _HOUR)
    accepted = sum(one.accepted for one in balanced)
    return {
        SINCE: instant_text(min(hours)),
        UNTIL: until,
        HOURS: dg.MetadataValue.json([instant_text(one) for one in hours]),
        AGAIN: dg.MetadataValue.json(again),
        "dagster/row_count": sum(folded.events.values()),
        "accepted": accepted,
        "events": dg.MetadataValue.json(dict(folded.events)),
        "conservation": dg.MetadataValue.md(_balances(balanced)),
    }


def _balances(balanced: list[HourRecord]) -> str:
    names = ("hour (UTC)", "accepted", "stored", "failed", "duplicate", "in flight", "in doubt")
    lines = [f"| {' | '.join(names)} |", f"|---{'|--:' * (len(names) - 1)}|"]
    for one in balanced:
        if one.accepted or one.in_doubt:
            figures = (one.accepted, one.stored, one.failed, one.duplicate, one.in_flight, one.in_doubt)
            lines.append(f"| {one.hour:%Y-%m-%d %H}:00 | {' | '.join(f'{figure:,}' for figure in figures)} |")
    return "\n".join(lines)


def _scores(scored: tuple[Score, ...]) -> str:
    lines = ["| producer | accepted | stored | failed | duplicate | share failed |", "|---|--:|--:|--:|--:|--:|"]
    for one in scored:
        figures = " | ".join(f"{figure:,}" for figure in (one.accepted, one.stored, one.failed, one.duplicate))
        lines.append(f"| {one.producer} | {figures} | {one.failed_share:.1%} |")
    return "\n".join(lines)


def _began(began: Mapping[str, Mapping[FailingField, int]]) -> dict[str, list[dict[str, str | int]]]:
    return {
        producer: [
            {"type": one.type, "field": one.field, "rule": one.rule, "events": number}
            for one, number in fields.items()
        ]
        for producer, fields in began.items()
    }
