"""Leads of the customer system beside those of Meta, and each figure beside the weeks before, by week.

Belongs here: the two assets. Does not belong here: matching and trends (prism_core/campaign), and what must hold
(checks.py).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import dagster as dg

from prism_assets.campaign.inputs import GROUP
from prism_assets.campaign.published import (
    CRM_READ,
    Places,
    ads,
    ads_read,
    history_until,
    leads,
    require_ads,
)
from prism_assets.computed import Reading, read_for, replace_freely, write_facts
from prism_assets.overtaking import reading_again
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.restatements.running import publishing
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import OWNERS
from prism_core.calendar import Week
from prism_core.campaign.attribution import RELIABLE_SHARE, Attribution, Outcome, attribute
from prism_core.campaign.lake_rows import attribution_rows, trend_row
from prism_core.campaign.metrics import WINDOW_WEEKS, History, Metric
from prism_core.campaign.trends import Trend, all_time, comparable, since_the_first, trend, weeks_before
from prism_core.charts import as_markdown, bar_chart, grouped_bar_chart
from prism_core.lake_campaign import CAMPAIGN_TRENDS, LEAD_ATTRIBUTION
from prism_resources.lake import PartitionWrite


@dataclass(frozen=True, slots=True)
class _TrendsWeek:
    """A week's trends; `weeks_read` are those that the all-time sums are of."""

    trends: dict[Metric, Trend]
    weeks_read: int
    written: PartitionWrite


def comparing_assets(
    weekly: dg.WeeklyPartitionsDefinition, freshness: dg.FreshnessPolicy
) -> list[dg.AssetsDefinition]:
    """`lead_attribution` and `campaign_trends`."""
    window = dg.TimeWindowPartitionMapping(start_offset=-WINDOW_WEEKS)

    @dg.asset(
        name="lead_attribution",
        pool="lead_attribution",
        deps=["meta_insights", "hubspot_leads"],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=freshness,
        description=(
            "Campaign and ad set of each lead, by id: matched, counted by Meta alone, or known to the customer "
            "system alone with the reason; landing page views per ad set. A week of which the customer system was "
            "not read has no rows and says so."
        ),
    )
    def lead_attribution(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent(), publishing(context) as run:

            def read(weeks: Sequence[Week]) -> Reading[Places]:
                return read_for(prism, LEAD_ATTRIBUTION, weeks, lambda _weeks, _now: Places(prism))

            weeks = weeks_of(context)
            first = read(weeks)
            for week in weeks:
                found, written = reading_again(week, first, read, partial(_attribute, prism, week))
                run.published(week, _attribution_metadata(week, found, written))
                matched = "the customer system was not read" if found is None else f"{found.matched} matched"
                context.log.info("attribution of %s: %s", week, matched)

    @dg.asset(
        name="campaign_trends",
        pool="campaign_trends",
        deps=[dg.AssetDep("campaign_metrics", partition_mapping=window)],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=freshness,
        description=(
            "Each figure of the week beside the mean of up to four weeks before it, and its sum since the first "
            "week that was read. A week that was not read whole is compared with nothing, and nothing with it."
        ),
    )
    def campaign_trends(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent(), publishing(context) as run:

            def read(weeks: Sequence[Week]) -> Reading[History]:
                def begin(weeks: Sequence[Week], _: datetime) -> History:
                    return history_until(prism, max(weeks))

                return read_for(prism, CAMPAIGN_TRENDS, weeks, begin)

            weeks = weeks_of(context)
            first = read(weeks)
            for week in weeks:
                done = reading_again(week, first, read, partial(_trends, prism, week))
                run.published(week, _trends_metadata(week, first.computation, done))
                context.log.info("trends of %s against %d weeks", week, _weeks_in_window(done))

    return [lead_attribution, campaign_trends]


def _attribute(
    prism: PrismResource, week: Week, reading: Reading[Places]
) -> tuple[Attribution | None, PartitionWrite]:
    account, known = require_ads(prism, week).account_id, leads(prism, week)
    # Places of weeks before, and no count of theirs: a figure of those that moves moves none of this week.
    before = reading.computation.before(week, account) if known else ()
    found = None if known is None else attribute(ads(prism, week), known, before)
    counts = {CRM_READ: int(found is not None)}
    if found is not None:
        alone = {f"crm_only_{outcome}": count for outcome, count in found.crm_only.items()}
        counts |= {"matched": found.matched, "meta_only": found.meta_only, "beyond": found.beyond, **alone}
    written = replace_freely(
        prism,
        LEAD_ATTRIBUTION,
        week,
        [] if found is None else list(attribution_rows(found)),
        now=reading.now,
        known=reading.known,
        counts=counts,
    )
    return found, written


def _attribution_metadata(week: Week, found: Attribution | None, written: PartitionWrite) -> dict[str, object]:
    facts: dict[str, object] = {"week": week.label, "customer_system_read": found is not None}
    if found is None:
        return facts | {"dagster/row_count": 0} | write_facts(written)
    rate = found.match_rate
    outcomes = [("matched", found.matched), ("Meta alone", found.meta_only)]
    outcomes += [(outcome.value.replace("_", " "), count) for outcome, count in found.crm_only.items()]
    return facts | {
        "dagster/row_count": written.manifest.rows,
        "matched": found.matched,
        "matched_by": dg.MetadataValue.json(_by_id(found)),
        "meta_only": found.meta_only,
        "beyond_meta": found.beyond,
        "crm_only": dg.MetadataValue.json({outcome.value: n for outcome, n in found.crm_only.items()}),
        "match_rate": "Meta counted no lead" if rate is None else float(rate),
        "reliable_from": float(RELIABLE_SHARE),
        "landing_page_views": sum(row.landing_page_views or 0 for row in found.rows),
        **write_facts(written),
        "outcomes": dg.MetadataValue.md(as_markdown("Leads by outcome", bar_chart(f"Leads, {week}", outcomes))),
    }


def _by_id(found: Attribution) -> dict[str, int]:
    """Matched leads by the id that told their place."""
    return dict(Counter(one.by.value for one in found.leads if one.by and one.outcome is Outcome.MATCHED))


def _trends(prism: PrismResource, week: Week, reading: Reading[History]) -> _TrendsWeek:
    past = reading.computation
    own, read = past.totals(week), ads_read(prism, week)
    # A week without delivery has spent nothing of the account's money.
    currency = own.sums.currency or (None if read is None else read.currency)
    found = {metric: trend(week, comparable(past, metric, currency, own.read.whose, week)) for metric in Metric}
    ever = all_time(past, week)
    weeks_read = sum(1 for one in since_the_first(past, week) if not past.totals(one).unread)
    written = replace_freely(
        prism,
        CAMPAIGN_TRENDS,
        week,
        [trend_row(metric, one, currency, ever, weeks_read) for metric, one in found.items()],
        now=reading.now,
        known=reading.known,
        counts={"metrics": len(found), "weeks_in_window": _most(found), "weeks_read": weeks_read},
    )
    return _TrendsWeek(found, weeks_read, written)


def _most(trends: dict[Metric, Trend]) -> int:
    return max(one.weeks_in_window for one in trends.values())


def _weeks_in_window(done: _TrendsWeek) -> int:
    return _most(done.trends)


def _trends_metadata(week: Week, past: History, done: _TrendsWeek) -> dict[str, object]:
    changes = {
        metric.value: round(float(one.change), 4) for metric, one in done.trends.items() if one.change is not None
    }
    known = [one for one in (*weeks_before(week), week) if one in past.weeks]
    sums = [(one.label, past.totals(one).sums) for one in known]
    bars = [(label, [float(found.spend or 0), float(found.leads)]) for label, found in sums]
    return {
        "week": week.label,
        "dagster/row_count": len(done.trends),
        "weeks_in_window": _weeks_in_window(done),
        "weeks_read": done.weeks_read,
        "change": dg.MetadataValue.json(changes),
        **write_facts(done.written),
        "window": dg.MetadataValue.md(
            as_markdown("Spend and leads by week", grouped_bar_chart(f"Up to {week}", ["spend", "leads"], bars))
        ),
    }
