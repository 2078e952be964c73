"""What campaigns came to, by week, in the table of campaign metrics and in the lake.

Belongs here: the asset, and publishing a week in both places. Does not belong here: adding up
(prism_core/campaign/metrics.py) and what must hold (checks.py).
Reports say themselves what moved of a week that was told before, so no gate asks for a reason here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import dagster as dg

from prism_assets.campaign.inputs import GROUP
from prism_assets.campaign.published import ads, ads_read, campaigns, require_ads, window_of
from prism_assets.checking import counts_of
from prism_assets.computed import replace_freely, write_facts
from prism_assets.overtaking import reading_again
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.restatements.running import publishing
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import OWNERS
from prism_assets.two_places import Stands, TwoPlaces
from prism_core import clock, tables
from prism_core.calendar import Week, WeekRange
from prism_core.campaign.lake_rows import metrics_item, metrics_row
from prism_core.campaign.metrics import WINDOW_WEEKS, CampaignWeek, History, Sums, WeekTotals, history, history_of
from prism_core.campaign.read_weeks import DAYS, WHOLENESS, AdsRead, Wholeness, days_part
from prism_core.campaign.ripening import LEAD_COUNTS
from prism_core.charts import as_markdown, grouped_bar_chart
from prism_core.evidence import Evidence, Part
from prism_core.lake_campaign import CAMPAIGN_METRICS, META_INSIGHTS
from prism_core.models.campaign import CampaignMetricsWeek
from prism_resources.lake import PartitionWrite

PLACES: Final = TwoPlaces(CAMPAIGN_METRICS, tables.CAMPAIGN_METRICS, CampaignMetricsWeek, ("campaign_id",))
MOST_SHOWN = 15


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a run has read for its weeks: first what stands, then the ads of the weeks and of their windows."""

    stands: Stands
    now: datetime
    history: History
    read: Mapping[Week, AdsRead]
    contents: Mapping[Week, str]


@dataclass(frozen=True, slots=True)
class _Published:
    """A week as it was published, and as it was before."""

    totals: WeekTotals
    rows: Sequence[CampaignWeek]
    before: WeekTotals | None
    weeks_in_window: int
    written: PartitionWrite


def metrics_assets(
    weekly: dg.WeeklyPartitionsDefinition, freshness: dg.FreshnessPolicy
) -> list[dg.AssetsDefinition]:
    """`campaign_metrics`."""
    window = dg.TimeWindowPartitionMapping(start_offset=1 - WINDOW_WEEKS)

    @dg.asset(
        name="campaign_metrics",
        pool="campaign_metrics",
        deps=[dg.AssetDep("meta_insights", partition_mapping=window)],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"dynamodb", "parquet", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=freshness,
        description=(
            "Spend, impressions, clicks, leads and their rates per campaign, in the campaign_metrics table and "
            "the lake. A campaign is there for leads when its objective says so, or when it brought one in the "
            "four weeks that end with the week: the cost per lead is over the spend of these alone."
        ),
    )
    def campaign_metrics(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent(), publishing(context) as run:

            def read(weeks: Sequence[Week]) -> _Reading:
                return _read(prism, weeks)

            weeks = weeks_of(context)
            first = read(weeks)
            for week in weeks:

                def publish(reading: _Reading, week: Week = week) -> _Published:
                    return _publish(prism, reading, week)

                done = reading_again(week, first, read, publish)
                run.published(week, _metadata(week, done))
                context.log.info("campaigns of %s: %d with delivery", week, len(done.rows))
                for line in _moved(done):
                    context.log.warning("%s of %s", line, week)

    return [campaign_metrics]


def _read(prism: PrismResource, weeks: Sequence[Week]) -> _Reading:
    stands, now = PLACES.stands(prism, weeks), clock.now()
    every = window_of(WeekRange(min(weeks), max(weeks)), WINDOW_WEEKS)
    contents = {week: _content(prism, week) for week in every}
    read = {week: found for week in every if (found := ads_read(prism, week)) is not None}
    rows = (row for week in every for row in ads(prism, week))
    added = history(rows, (every.first.monday, every.last.sunday))
    return _Reading(stands, now, added, read, {week: hash_ for week, hash_ in contents.items() if hash_})


def _content(prism: PrismResource, week: Week) -> str | None:
    manifest = prism.lake().manifest(META_INSIGHTS.partition(week))
    return None if manifest is None else manifest.content_hash


def _publish(prism: PrismResource, reading: _Reading, week: Week) -> _Published:
    read = reading.read.get(week) or require_ads(prism, week)
    rows = reading.history.weeks[week]
    before, added = _before(prism, reading, week), counts_of(prism, META_INSIGHTS, week)
    sums = reading.history.totals(week).sums
    wholeness = Wholeness(
        read.whose,
        added.get("rejected", 0) + added.get("left_out", 0),
        read.unaccounted(sums.spend, added.get("rows", 0)),
        read.uncounted(sums.leads),
    )
    totals = history_of({week: rows}, {week: read.days}, {week: wholeness}).totals(week)
    table = PLACES.generations(prism).replace(
        week, map(metrics_item, rows), now=reading.now, known=reading.stands.controls
    )
    window = [one for one in week.window(WINDOW_WEEKS) if one in reading.read]
    contents = {(one.label,): reading.contents[one] for one in window if one in reading.contents}
    written = replace_freely(
        prism,
        CAMPAIGN_METRICS,
        week,
        [metrics_row(row) for row in rows],
        now=reading.now,
        known=reading.stands.known,
        counts={
            "campaigns": len(rows),
            "days": len(read.days),
            "weeks_in_window": len(window),
            "whole": int(totals.sound),  # a part of it is no figure of the week
        },
        evidence=Evidence(
            {
                DAYS: days_part(read.days),
                WHOLENESS: wholeness.part(),
                LEAD_COUNTS: read.counts.part(),
                META_INSIGHTS.name: Part(("of_week",), contents),
            }
        ),
        generation=table.generation,
    )
    return _Published(totals, rows, before, len(window), written)


def _before(prism: PrismResource, reading: _Reading, week: Week) -> WeekTotals | None:
    """What was published of a week until now; None when it is the first time."""
    if CAMPAIGN_METRICS.partition(week).parquet not in reading.stands.known:
        return None
    return history_of({week: campaigns(prism, week)}, {}).totals(week)


def _moved(done: _Published) -> list[str]:
    """Totals that were others before, in words."""
    if done.before is None:
        return []
    was, now = done.before.sums, done.totals.sums
    spend = [] if (was.spend, was.currency) == (now.spend, now.currency) else [("spend", _spent(was), _spent(now))]
    leads = [] if was.leads == now.leads else [("leads", was.leads, now.leads)]
    return [f"{name} {old} is {new} now" for name, old, new in (*spend, *leads)]


def _spent(sums: Sums) -> str:
    return "not known" if sums.spend is None else f"{sums.spend} {sums.currency or ''}".rstrip()


def _metadata(week: Week, done: _Published) -> dict[str, object]:
    sums, for_leads = done.totals.sums, done.totals.lead_sums
    cost = for_leads.spend / for_leads.leads if for_leads.spend is not None and for_leads.leads else None
    largest = sorted(done.rows, key=lambda row: (-(row.sums.spend or Decimal(0)), row.campaign_id))[:MOST_SHOWN]
    bars = [
        (row.campaign_id, [float(row.sums.spend or 0), float(row.sums.leads), float(row.sums.clicks)])
        for row in largest
    ]
    chart = grouped_bar_chart(f"Campaigns of {week}", ["spend", "leads", "clicks"], bars)
    return {
        "week": week.label,
        "dagster/row_count": len(done.rows),
        "currency": sums.currency or "several, or none",
        "spend": "not known: two currencies met" if sums.spend is None else str(sums.spend),
        "impressions": sums.impressions,
        "clicks": sums.clicks,
        "leads": sums.leads,
        "cost_per_lead": "none" if cost is None else f"{cost:.2f}",
        "for_leads": dg.MetadataValue.json(list(done.totals.included)),
        "not_for_leads": dg.MetadataValue.json(list(done.totals.excluded)),
        "days_not_read": len(done.totals.missing),
        "whole": done.totals.whole,
        "weeks_in_window": done.weeks_in_window,
        "restated": dg.MetadataValue.json(_moved(done)),
        **write_facts(done.written),
        "by_campaign": dg.MetadataValue.md(as_markdown("Spend, leads and clicks by campaign", chart)),
    }
