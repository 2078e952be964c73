"""Tables of the lake that the weekly assets of the campaign write.

Belongs here: their columns with type and meaning. Does not belong here: what a row is made of
(campaign/lake_rows.py). No table has a column for anything that a person typed or is called by.
Days and weeks are those of the ad account. Money is a double that reads back exactly (campaign/lake_rows.py).
"""

from typing import Final

from prism_core.lake import Column, LakeTable

META_INSIGHTS: Final = LakeTable(
    "meta_insights",
    "What ads did: one row per ad and day of the ad account.",
    (
        Column("day", "date", "day in the time zone of the ad account"),
        Column("account_id", "string", "ad account, without act_"),
        Column("campaign_id", "string", "campaign"),
        Column("campaign_name", "string", "its name when the row was read"),
        Column("adset_id", "string", "ad set"),
        Column("adset_name", "string", "its name when the row was read"),
        Column("ad_id", "string", "ad"),
        Column("ad_name", "string", "its name when the row was read"),
        Column("objective", "string", "what the campaign is for, as Meta says it; null when it does not"),
        Column("impressions", "bigint", "times the ad was shown"),
        Column("clicks", "bigint", "clicks of any kind"),
        Column("inline_link_clicks", "bigint", "clicks on its links; null when the source says nothing of them"),
        Column("spend", "double", "what it cost, in currency"),
        Column("currency", "string", "ISO 4217; its code for no currency where the source names none"),
        Column("leads", "bigint", "leads as Meta counts them; counted up to 28 days later"),
        Column("landing_page_views", "bigint", "landing pages that were loaded; null when Meta says nothing"),
    ),
)

HUBSPOT_LEADS: Final = LakeTable(
    "hubspot_leads",
    "Leads of the customer system: one row per contact that was created in the account's week. No person's data.",
    (
        Column("lead_id", "string", "the contact"),
        Column("created", "timestamp", "when it was created, UTC"),
        Column("campaign_id", "string", "campaign of Meta that it carries; null without one"),
        Column("adset_id", "string", "ad set of Meta that it carries; null without one"),
        Column("ad_id", "string", "ad of Meta that it carries; null without one"),
        Column("source", "string", "where it came from, in HubSpot's own words; other for anything else"),
        Column("lifecycle", "string", "life cycle stage, in HubSpot's own words; other for anything else"),
        Column("status", "string", "lead status, in HubSpot's own words; other for anything else"),
    ),
)

CAMPAIGN_METRICS: Final = LakeTable(
    "campaign_metrics",
    "What campaigns came to: one row per campaign with delivery in the week.",
    (
        Column("campaign_id", "string", "campaign"),
        Column("campaign_name", "string", "its newest name in the week"),
        Column("objective", "string", "what it is for, as Meta says it; null when it does not"),
        Column("currency", "string", "ISO 4217; null where two currencies met"),
        Column("spend", "double", "what it cost, in currency; null where two currencies met"),
        Column("impressions", "bigint", "times its ads were shown"),
        Column("clicks", "bigint", "clicks of any kind"),
        Column("leads", "bigint", "leads as Meta counts them"),
        Column("landing_page_views", "bigint", "landing pages that were loaded; null when Meta says nothing"),
        Column("ctr", "double", "clicks over impressions, a fraction; null without impressions"),
        Column("cpc", "double", "spend over clicks, in currency; null without clicks"),
        Column("cpl", "double", "spend over leads, in currency; null without leads"),
        Column("for_leads", "boolean", "whether its spend is part of the cost per lead of the week"),
        Column("days", "bigint", "days of the week with delivery"),
    ),
)

LEAD_ATTRIBUTION: Final = LakeTable(
    "lead_attribution",
    "Leads of the customer system beside those that Meta counted: a row per lead, and a row per ad set. Sums over "
    "both by campaign are its figures.",
    (
        Column("kind", "string", "lead or ad_set"),
        Column("lead_id", "string", "the contact; null in the row of an ad set"),
        Column("outcome", "string", "matched, or why not; null in the row of an ad set"),
        Column("campaign_id", "string", "campaign as far as the ids of the lead tell"),
        Column("adset_id", "string", "ad set as far as the ids of the lead tell"),
        Column("by", "string", "which id of the lead told the place: ad, ad_set or campaign; null without one"),
        Column("meta_leads", "bigint", "leads that Meta counted for the ad set; 0 in the row of a lead"),
        Column("crm_leads", "bigint", "1 in the row of a lead"),
        Column("matched", "bigint", "1 in the row of a lead whose ids are of ads that Meta counted leads of"),
        Column("landing_page_views", "bigint", "of the ad set; null when Meta says nothing"),
    ),
)

CAMPAIGN_TRENDS: Final = LakeTable(
    "campaign_trends",
    "Each figure of the week beside the four weeks before it and since the first week: one row per metric.",
    (
        Column("metric", "string", "spend, leads, cost_per_lead, impressions, clicks, click_rate and others"),
        Column("currency", "string", "ISO 4217 of a metric of money; null of the others"),
        Column("value", "double", "of the week; null where it is not known, or days of the week were not read"),
        Column("before", "double", "mean of the weeks before, a ratio of their sums; leads as counted at one age"),
        Column("change", "double", "value against before, as a fraction of it; null without one"),
        Column("weeks_in_window", "bigint", "how many of the four weeks before have the figure"),
        Column("events", "bigint", "independent events behind value; null where it is no matter of chance"),
        Column("events_before", "bigint", "the same of before"),
        Column("all_time", "double", "sum since the first week that was read; null of a ratio"),
        Column("weeks_read", "bigint", "weeks that all_time is of"),
    ),
)

CAMPAIGN_ANALYSIS: Final = LakeTable(
    "campaign_analysis",
    "What the report of the week says in sentences: one row per text. No row: no report of the week was made.",
    (
        Column("part", "string", "headline, analysis or recommendation"),
        Column("place", "bigint", "which of its part, from 0"),
        Column("department", "string", "whom a recommendation is for; null of the others"),
        Column("said", "string", "the text as it is read"),
        Column("prose", "string", "the text with {{fact:ID}} and {{name:ID}} where a figure and a name stand"),
        Column("about", "string", "JSON list of the metrics whose direction or alarm it tells", json=True),
        Column("writer", "string", "model or code"),
        Column("fallback", "string", "why code wrote it; null when a model did"),
        Column("model", "string", "the model that wrote it; null when code did"),
        Column("prompt", "string", "the version of the prompt that it was asked with; null when code wrote"),
    ),
)

CAMPAIGN: Final = (
    META_INSIGHTS,
    HUBSPOT_LEADS,
    CAMPAIGN_METRICS,
    LEAD_ATTRIBUTION,
    CAMPAIGN_TRENDS,
    CAMPAIGN_ANALYSIS,
)
