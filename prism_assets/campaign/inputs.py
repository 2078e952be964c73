"""Ads of Meta and leads of HubSpot, by week of the ad account.

Belongs here: the two assets that read services, or the archive of what these have answered. Does not belong here:
which of them (sources.py), reading either (prism_resources), and every figure (metrics.py).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from types import MappingProxyType

import dagster as dg

from prism_assets.campaign.access import refused_for
from prism_assets.campaign.published import CRM_READ, MAY_ANSWER, NO_LEADS, ads_read, require_ads
from prism_assets.campaign.sources import Sources
from prism_assets.checking import counts_of
from prism_assets.computed import Reading, read_for, replace_freely, write_facts
from prism_assets.overtaking import reading_again
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.restatements.running import publishing
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import OWNERS
from prism_core.calendar import Week
from prism_core.campaign.insights import AdDay
from prism_core.campaign.lake_rows import ad_row, lead_row
from prism_core.campaign.lead_rule import LeadRule, Leads, leads_among
from prism_core.campaign.leads import CrmLead
from prism_core.campaign.read_weeks import READING, SOURCE, AdsRead
from prism_core.charts import as_markdown, bar_chart
from prism_core.evidence import Evidence, Part
from prism_core.failures import PermanentFailure, PrismFailure, TransientFailure
from prism_core.lake_campaign import HUBSPOT_LEADS, META_INSIGHTS
from prism_resources.hubspot.source import FILES as FILES_OF_LEADS
from prism_resources.hubspot.source import LeadsWeek
from prism_resources.lake import PartitionWrite
from prism_resources.meta_ads.ripening import lead_counts
from prism_resources.meta_ads.source import AdsWeek

GROUP = "campaign"
MOST_SHOWN = 10


def input_assets(
    weekly: dg.WeeklyPartitionsDefinition, freshness: dg.FreshnessPolicy
) -> list[dg.AssetsDefinition]:
    """`meta_insights` and `hubspot_leads`."""

    @dg.asset(
        name="meta_insights",
        pool="meta_insights",
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"python", "s3", "parquet"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=freshness,
        description=(
            "What every ad did on every day of the week that is over in the account's time zone, from Meta or "
            "from the archive of what Meta has answered, with the account's own totals as a control. Meta counts "
            "leads to a day for 28 days: a closed week is read again on the four Mondays after it."
        ),
    )
    def meta_insights(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent(), publishing(context) as run:
            sources = Sources.of(context, prism)

            def read(weeks: Sequence[Week]) -> Reading[Sources]:
                return read_for(prism, META_INSIGHTS, weeks, lambda _weeks, _now: sources)

            weeks = weeks_of(context)
            sources.must_be_ours(weeks)  # before one of them is replaced
            first = read(weeks)
            for week in reversed(weeks):  # the one that is due first
                found, written = reading_again(week, first, read, partial(_publish_ads, prism, week))
                run.published(week, _ads_metadata(found, written))
                context.log.info("ads of %s: %d rows over %d days", week, len(found.rows), len(found.days))
                if found.rejected:
                    context.log.warning("%d rows of ads of %s were refused", len(found.rejected), week)

    @dg.asset(
        name="hubspot_leads",
        pool="hubspot_leads",
        deps=[meta_insights],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"python", "s3", "parquet"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=freshness,
        description=(
            "Contacts of HubSpot that were created in the week of the ad account and are leads by the settings: "
            "ids of Meta and words of closed lists, no name, address or number of anybody. Beside ads from files "
            "only what the archive holds; a week without that says that the customer system was not read."
        ),
    )
    def hubspot_leads(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent(), publishing(context) as run:
            sources = Sources.of(context, prism)

            def read(weeks: Sequence[Week]) -> Reading[Sources]:
                return read_for(prism, HUBSPOT_LEADS, weeks, lambda _weeks, _now: sources)

            weeks = weeks_of(context)
            first, stood, unread = read(weeks), list[PrismFailure](), False
            for week in reversed(weeks):  # the one that is due first
                try:
                    found, written = reading_again(week, first, read, partial(_publish_leads, prism, week))
                except _NotRead as refusal:
                    context.log.warning("%s", refusal.why)
                    if not _may_be_unread(context, prism, week, refusal.why):
                        stood.append(refusal.why)
                        continue
                    found, unread = None, True
                    publish = partial(_publish_unread, prism, week, refusal.why)
                    _, written = reading_again(week, first, read, publish)
                among = None if found is None else _leads(prism, found)
                run.published(week, _leads_metadata(week, found, among, written))
                if among is None:
                    context.log.warning("the customer system was not read for %s", week)
                else:
                    others = sum(among.others.values())
                    context.log.info("leads of %s: %d, other contacts: %d", week, len(among.leads), others)
            if stood and not unread:  # else the report of a week says it
                raise stood[0]

    return [meta_insights, hubspot_leads]


def _publish_ads(prism: PrismResource, week: Week, reading: Reading[Sources]) -> tuple[AdsWeek, PartitionWrite]:
    found = reading.computation.ads(week)
    read = AdsRead(
        found.account.account_id,
        found.account.currency,
        found.account.zone,
        found.days,
        found.control,
        found.reading,
        found.read_at,
        found.source,
        found.lead_control,
        lead_counts(prism.lake(), found, ads_read(prism, week)),
    )
    written = replace_freely(
        prism,
        META_INSIGHTS,
        week,
        [ad_row(row) for row in sorted(found.rows, key=lambda row: (row.day, row.ad_id))],
        now=reading.now,
        known=reading.known,
        counts={
            "rows": len(found.rows),
            "repeated": found.repeated,
            "rejected": len(found.rejected),
            "left_out": sum(found.left_out.values()),
            "days": len(found.days),
        },
        evidence=read.evidence(),
        inputs=[found.reading],
    )
    return found, written


def _ads_metadata(found: AdsWeek, written: PartitionWrite) -> dict[str, object]:
    reasons = Counter(one.reason.value for one in found.rejected)
    title, bars = f"Spend per day, {found.week}, {found.account.currency}", _by_day(found.days, found.rows)
    untold = "nobody told the account's total"
    return {
        "week": found.week.label,
        "dagster/row_count": len(found.rows),
        "account": f"{found.account.name} ({found.account.account_id})",
        "currency": found.account.currency,
        "time_zone": found.account.zone.key,
        "days": len(found.days),
        "read_at": found.read_at.isoformat(),
        "archived_in": found.reading,
        "spend": str(sum((row.spend for row in found.rows), Decimal(0))),
        "leads": sum(row.leads for row in found.rows),
        "account_leads": "not told" if found.lead_control is None else sum(found.lead_control.values()),
        "unaccounted_spend": untold if found.unaccounted is None else str(found.unaccounted),
        "repeated": found.repeated,
        "rejected": len(found.rejected),
        "left_out_of_files": sum(found.left_out.values()),
        "rejected_by_reason": dg.MetadataValue.json(dict(reasons)),
        "largest_rejected": dg.MetadataValue.json(
            [f"row {one.row}: {one.field}: {one.reason}: {one.found}" for one in found.rejected[:MOST_SHOWN]]
        ),
        **write_facts(written),
        "spend_per_day": dg.MetadataValue.md(as_markdown("Spend per day", bar_chart(title, bars))),
    }


def _by_day(days: Iterable[date], rows: Iterable[AdDay]) -> list[tuple[str, int]]:
    spent = dict.fromkeys(days, Decimal(0))
    for row in rows:
        spent[row.day] = spent.get(row.day, Decimal(0)) + row.spend
    return [(f"{day:%a %d %b}", round(spend)) for day, spend in sorted(spent.items())]


class _NotRead(Exception):
    """The customer system did not answer for a week."""

    def __init__(self, why: PrismFailure) -> None:
        self.why = why
        super().__init__(str(why))


def _publish_leads(
    prism: PrismResource, week: Week, reading: Reading[Sources]
) -> tuple[LeadsWeek | None, PartitionWrite]:
    read = require_ads(prism, week)
    try:
        found = reading.computation.leads(week, read.zone, read.source)
    except (PermanentFailure, TransientFailure) as why:
        raise _NotRead(why) from why
    return found, _write_leads(prism, week, reading, found)


def _publish_unread(
    prism: PrismResource, week: Week, why: PrismFailure, reading: Reading[Sources]
) -> tuple[None, PartitionWrite]:
    refused = refused_for(why) if isinstance(why, PermanentFailure) else None
    return None, _write_leads(prism, week, reading, None, {MAY_ANSWER: int(refused is None)}, refused)


def _may_be_unread(context: dg.AssetExecutionContext, prism: PrismResource, week: Week, why: PrismFailure) -> bool:
    """Whether a week is told without the customer system: never one of which leads are published.

    Raises what may pass while the step has retries left.
    """
    if isinstance(why, TransientFailure) and context.retry_number < RETRIES.max_retries:
        raise why
    return not counts_of(prism, HUBSPOT_LEADS, week).get(CRM_READ)


def _write_leads(
    prism: PrismResource,
    week: Week,
    reading: Reading[Sources],
    found: LeadsWeek | None,
    more: Mapping[str, int] = MappingProxyType({}),
    refused: Evidence | None = None,
) -> PartitionWrite:
    leads: Sequence[CrmLead] = ()
    counts = {CRM_READ: int(found is not None)}
    if found is not None:
        among = _leads(prism, found)
        leads = among.leads
        counts |= {NO_LEADS + reason.value: count for reason, count in among.others.items()}
    counts |= {"rows": len(leads), **more}
    if found is not None:
        counts |= {"repeated": found.found.repeated, "refused": sum(found.found.refused.values())}
        counts |= {"left_out": found.left_out}
        counts |= {} if found.expected is None else {"expected": found.expected}
    return replace_freely(
        prism,
        HUBSPOT_LEADS,
        week,
        [lead_row(one) for one in sorted(leads, key=lambda one: (one.created, one.lead_id))],
        now=reading.now,
        known=reading.known,
        counts=counts,
        evidence=refused if found is None else _evidence(found),
        inputs=[] if found is None else [found.reading],
    )


def _leads(prism: PrismResource, found: LeadsWeek) -> Leads:
    """The leads among the contacts, as the settings say it; a file of leads holds leads alone."""
    settings = prism.settings()
    rule = LeadRule.of(settings.hubspot_lead_stages, settings.hubspot_no_lead_sources)
    return leads_among(found.found, None if found.source == FILES_OF_LEADS else rule)


def _evidence(found: LeadsWeek) -> Evidence:
    """Where the answers lie, what they are from, and from when to when they are."""
    return Evidence(
        {
            READING: Part(("reading",), {(found.reading,): found.read_at.isoformat()}),
            SOURCE: Part(("source",), {(found.source,): ""}),
            "span": Part(("from", "until"), {(found.start.isoformat(), found.end.isoformat()): ""}),
        }
    )


def _leads_metadata(
    week: Week, found: LeadsWeek | None, among: Leads | None, written: PartitionWrite
) -> dict[str, object]:
    facts: dict[str, object] = {"week": week.label, "customer_system_read": found is not None}
    if found is None or among is None:
        return facts | {"dagster/row_count": 0} | write_facts(written)
    leads = among.leads
    sources = Counter(one.source for one in leads).most_common(MOST_SHOWN)
    return facts | {
        "dagster/row_count": len(leads),
        "from": found.start.isoformat(),
        "until": found.end.isoformat(),
        "read_at": found.read_at.isoformat(),
        "archived_in": found.reading,
        "expected": "HubSpot did not say" if found.expected is None else found.expected,
        "with_ids": sum(1 for one in leads if one.campaign_id or one.adset_id or one.ad_id),
        "no_leads": dg.MetadataValue.json({reason.value: n for reason, n in among.others.items()}),
        "repeated": found.found.repeated,
        "refused": dg.MetadataValue.json({reason.value: n for reason, n in found.found.refused.items()}),
        **write_facts(written),
        "by_source": dg.MetadataValue.md(as_markdown("Leads by source", bar_chart(f"Leads, {week}", sources))),
    }
