"""What must hold of a week of campaign figures, attribution and trends.

Belongs here: checks that add up again, by another way than the assets did, and what a person should know. Does not
belong here: ads and leads as they were read (input_checks.py), that a partition is whole (lake/checks.py).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from prism_assets.campaign.check import MOST_NAMED, WARN, Checks, Outcome
from prism_assets.campaign.published import attribution, leads, published_weeks
from prism_assets.checking import counts_of, rows_of
from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.campaign.attribution import RELIABLE_SHARE
from prism_core.campaign.metrics import WINDOW_WEEKS
from prism_core.lake_campaign import CAMPAIGN_METRICS, CAMPAIGN_TRENDS, LEAD_ATTRIBUTION, META_INSIGHTS
from prism_core.models.campaign import CampaignMetricsWeek
from prism_core.tables import CAMPAIGN_METRICS as TABLE

_SUMS: Final = ("impressions", "clicks", "leads")


def figure_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """The checks of `campaign_metrics`, `lead_attribution` and `campaign_trends`."""
    check = Checks(weekly).check
    return [
        check(
            CAMPAIGN_METRICS,
            "ads_conserved",
            _metrics_conserved,
            "Spend, impressions, clicks and leads of every campaign are those of its ads, in the table and in the "
            "lake alike.",
            blocking=True,
        ),
        check(
            CAMPAIGN_METRICS,
            "rates_in_range",
            _rates,
            "No figure is below zero; there is a cost per lead only for campaigns that are there for leads.",
        ),
        check(
            LEAD_ATTRIBUTION,
            "leads_conserved",
            _attribution_conserved,
            "Matched leads, less those beyond Meta's count and with those of Meta alone, are the leads of Meta; "
            "every lead of the customer system is there once.",
            blocking=True,
        ),
        check(
            LEAD_ATTRIBUTION,
            "match_rate",
            _match_rate,
            f"At least {RELIABLE_SHARE:.0%} of Meta's leads are known to the customer system by their ids.",
            WARN,
        ),
        check(
            CAMPAIGN_TRENDS,
            "trends_follow_metrics",
            _trends_follow,
            "The sums of a week that was read whole are those of its campaigns.",
        ),
        check(
            CAMPAIGN_TRENDS,
            "window_whole",
            _window,
            f"The week is compared with all of the {WINDOW_WEEKS} weeks before it since the first one.",
            WARN,
        ),
    ]


def _metrics_conserved(prism: PrismResource, week: Week) -> Outcome:
    """By campaign; the rows of ads are added up as doubles here, which the asset does not do."""
    of_ads: defaultdict[str, Counter[str]] = defaultdict(Counter)
    spent: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows_of(prism, META_INSIGHTS, week):
        of_ads[row["campaign_id"]].update({name: row[name] for name in _SUMS})
        spent[row["campaign_id"]].append(row["spend"])
    in_lake = {row["campaign_id"]: row for row in rows_of(prism, CAMPAIGN_METRICS, week)}
    items = prism.generations(TABLE, CampaignMetricsWeek).week(week)
    in_table = {one.campaign_id: one.model_dump() for one in items}
    wrong = [
        campaign
        for campaign in sorted({*of_ads, *in_lake, *in_table})
        if not all(_same(of_ads[campaign], spent[campaign], one.get(campaign)) for one in (in_lake, in_table))
    ]
    facts = {"campaigns": len(of_ads), "lake": len(in_lake), "table": len(in_table)}
    return not wrong, facts | {"wrong": wrong[:MOST_NAMED]}


def _same(sums: Mapping[str, int], spent: list[float], row: Mapping[str, Any] | None) -> bool:
    if row is None or any(row[name] != sums.get(name, 0) for name in _SUMS):
        return False
    return row["spend"] is None or math.isclose(float(row["spend"]), math.fsum(spent), rel_tol=1e-9, abs_tol=1e-9)


def _rates(prism: PrismResource, week: Week) -> Outcome:
    rows = rows_of(prism, CAMPAIGN_METRICS, week)
    figures = ("spend", *_SUMS, "ctr", "cpc", "cpl", "landing_page_views")
    wrong = [
        row["campaign_id"]
        for row in rows
        if any(row[name] is not None and row[name] < 0 for name in figures)
        or (row["cpl"] is not None and not row["for_leads"])
        or not 1 <= row["days"] <= len(week.days)
    ]
    return not wrong, {"campaigns": len(rows), "wrong": wrong[:MOST_NAMED]}


def _attribution_conserved(prism: PrismResource, week: Week) -> Outcome:
    rows, known = rows_of(prism, LEAD_ATTRIBUTION, week), leads(prism, week)
    if known is None:
        return not rows, {"customer_system_read": False}
    counted = sum(row["leads"] for row in rows_of(prism, META_INSIGHTS, week))
    ids = Counter(row["lead_id"] for row in rows if row["lead_id"] is not None)
    by_meta, matched = (sum(row[name] for row in rows) for name in ("meta_leads", "matched"))
    facts = {"meta": counted, "attributed": by_meta, "matched": matched, "crm": len(known), "in_lake": len(ids)}
    once = ids == Counter(one.lead_id for one in known)
    noted = counts_of(prism, LEAD_ATTRIBUTION, week)
    sides = noted.get("matched", 0) - noted.get("beyond", 0) + noted.get("meta_only", 0)
    return once and by_meta == counted == sides and matched == noted.get("matched"), facts | {"sides": sides}


def _match_rate(prism: PrismResource, week: Week) -> Outcome:
    found = attribution(prism, week)
    rate = None if found is None else found.match_rate
    facts = {"match_rate": None if rate is None else float(rate), "limit": float(RELIABLE_SHARE)}
    return rate is None or rate >= RELIABLE_SHARE, facts


def _trends_follow(prism: PrismResource, week: Week) -> Outcome:
    told = {row["metric"]: row["value"] for row in rows_of(prism, CAMPAIGN_TRENDS, week)}
    rows = rows_of(prism, CAMPAIGN_METRICS, week)
    whole = _is_whole(prism, week)
    sums = {name: sum(row[name] for row in rows) for name in _SUMS} if whole else dict.fromkeys(_SUMS)
    wrong = {
        name: {"trend": told.get(name), "metrics": sums[name]} for name in _SUMS if told.get(name) != sums[name]
    }
    return not wrong, {"whole": whole, "wrong": wrong}


def _window(prism: PrismResource, week: Week) -> Outcome:
    """Before the first week there is nothing to compare with; a week that is not whole is told by the
    checks of its ads."""
    first = min(published_weeks(prism), default=week)
    counts = counts_of(prism, CAMPAIGN_TRENDS, week)
    whole = _is_whole(prism, week)
    found, wanted = counts.get("weeks_in_window", 0), min(WINDOW_WEEKS, week - first)
    return not whole or found >= wanted, {"weeks_in_window": found, "since_the_first": wanted}


def _is_whole(prism: PrismResource, week: Week) -> bool:
    """By its manifest; one that was written before that was counted says its days alone."""
    counts = counts_of(prism, CAMPAIGN_METRICS, week)
    return bool(counts.get("whole", counts.get("days") == len(week.days)))
