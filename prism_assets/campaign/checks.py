"""What must hold of a week of the campaign.

Belongs here: asset checks that read what was published, and the archive, by another way than the assets wrote it.
Does not belong here: repairing anything, and that a partition is whole (lake/checks.py).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import dagster as dg
import msgspec

from prism_assets.campaign.published import CRM_READ, ads_read, attribution, evidence_of, leads, published_weeks
from prism_assets.checking import counts_of, over_weeks, rows_of
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES
from prism_core import clock
from prism_core.calendar import Week
from prism_core.campaign.account_days import bounds, day_of
from prism_core.campaign.attribution import RELIABLE_SHARE
from prism_core.campaign.metrics import WINDOW_WEEKS
from prism_core.campaign.read_weeks import READING, AdsRead
from prism_core.lake import LakeTable
from prism_core.lake_campaign import (
    CAMPAIGN_METRICS,
    CAMPAIGN_TRENDS,
    HUBSPOT_LEADS,
    LEAD_ATTRIBUTION,
    META_INSIGHTS,
)
from prism_core.models.campaign import CampaignMetricsWeek
from prism_core.tables import CAMPAIGN_METRICS as TABLE
from prism_resources.archive import HUBSPOT, META, Archive, Reading
from prism_resources.hubspot.contacts import PAGE as CONTACTS
from prism_resources.hubspot.errors import judge as judge_hubspot
from prism_resources.hubspot.source import WHAT as CONTACTS_OF_A_WEEK
from prism_resources.meta_ads.errors import judge as judge_meta
from prism_resources.meta_ads.insights import PAGE
from prism_resources.meta_ads.source import WHAT as INSIGHTS_OF_A_WEEK
from prism_resources.wire.calls import Answer, Verdict, answer_of

WARN: Final = dg.AssetCheckSeverity.WARN
ERROR: Final = dg.AssetCheckSeverity.ERROR
# Meta rounds each row to cents: so much of an amount a row is nothing that went missing.
_ROUNDING: Final = Decimal("0.005")
MOST_NAMED: Final = 20
_SUMS: Final = ("impressions", "clicks", "leads")

Outcome = tuple[bool, dict[str, Any]]
Judged = Callable[[PrismResource, Week], Outcome]


def campaign_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """The checks of the five assets; what adds up wrongly blocks what is built on it."""

    def check(
        asset: LakeTable,
        name: str,
        judge: Judged,
        description: str,
        severity: dg.AssetCheckSeverity = ERROR,
        *,
        blocking: bool = False,
    ) -> dg.AssetChecksDefinition:
        @dg.asset_check(
            asset=asset.name,
            name=name,
            blocking=blocking,
            partitions_def=weekly,
            retry_policy=RETRIES,
            description=description,
        )
        def checked(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
            return over_weeks(context, lambda week: judge(prism, week), severity)

        return checked

    return [
        check(
            META_INSIGHTS,
            "rows_conserved",
            _ads_conserved,
            "Every row that the archive holds of the reading is in the lake, came again, or was refused; in the "
            "lake no ad is there twice a day.",
            blocking=True,
        ),
        check(
            META_INSIGHTS,
            "figures_in_range",
            _ads_in_range,
            "No figure is below zero, and every row is of a day that was read.",
            blocking=True,
        ),
        check(
            META_INSIGHTS,
            "spend_accounted",
            _accounted,
            "The rows come to the account's own total, up to half a cent a row.",
            WARN,
        ),
        check(
            META_INSIGHTS,
            "every_row_taken",
            _taken,
            "No row of ads was refused; the log of the run says why.",
            WARN,
        ),
        check(
            META_INSIGHTS,
            "days_read",
            _days_read,
            "Every day of the week that is over in the account's time zone was read.",
            WARN,
        ),
        check(
            HUBSPOT_LEADS,
            "contacts_conserved",
            _leads_conserved,
            "Every contact that the archive holds of the reading is in the lake, came again, or was refused.",
            blocking=True,
        ),
        check(
            HUBSPOT_LEADS,
            "created_in_the_week",
            _within,
            "Every lead was created within the week of the ad account.",
        ),
        check(
            HUBSPOT_LEADS,
            "contacts_expected",
            _expected,
            "As many contacts as HubSpot said there are, and none was refused.",
            WARN,
        ),
        check(
            HUBSPOT_LEADS,
            "customer_system_read",
            lambda prism, week: (_crm_read(prism, week), {}),
            "HubSpot was asked for the week, or the archive has its answers.",
            WARN,
        ),
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
            "Matched leads and those of Meta alone are the leads of Meta; every lead of the customer system is "
            "there once.",
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


def _ads_conserved(prism: PrismResource, week: Week) -> Outcome:
    counts, rows = counts_of(prism, META_INSIGHTS, week), rows_of(prism, META_INSIGHTS, week)
    places = Counter((row["day"], row["ad_id"]) for row in rows)
    twice = [f"{ad} on {day}" for (day, ad), count in places.items() if count > 1]
    kept = len(rows) + counts.get("repeated", 0) + counts.get("rejected", 0)
    archived = _archived_rows(prism, week, META_INSIGHTS, META, INSIGHTS_OF_A_WEEK, PAGE, "data", judge_meta)
    facts = {"lake": len(rows), "kept": kept, "archive": archived, "twice": twice[:MOST_NAMED]}
    return (archived is None or kept == archived) and not twice, facts


def _leads_conserved(prism: PrismResource, week: Week) -> Outcome:
    if not _crm_read(prism, week):
        return not rows_of(prism, HUBSPOT_LEADS, week), {"customer_system_read": False}
    counts, rows = counts_of(prism, HUBSPOT_LEADS, week), rows_of(prism, HUBSPOT_LEADS, week)
    kept = len(rows) + counts.get("repeated", 0) + counts.get("refused", 0)
    archived = _archived_rows(
        prism, week, HUBSPOT_LEADS, HUBSPOT, CONTACTS_OF_A_WEEK, CONTACTS, "results", judge_hubspot
    )
    once = len({row["lead_id"] for row in rows}) == len(rows)
    return (archived is None or kept == archived) and once, {"lake": len(rows), "kept": kept, "archive": archived}


def _archived_rows(
    prism: PrismResource,
    week: Week,
    table: LakeTable,
    source: str,
    what: str,
    step: str,
    of: str,
    judge: Callable[[Answer], Verdict | None],
) -> int | None:
    """Rows of the reading that a week was made of, counted in its answers; None when it has expired."""
    reading = _reading(prism, week, table, source, what)
    if reading is None:
        return None
    answers = (answer_of(one) for one in reading.exchanges() if one.step == step)
    return sum(len(msgspec.json.decode(one.body)[of]) for one in answers if judge(one) is None)


def _reading(prism: PrismResource, week: Week, table: LakeTable, source: str, what: str) -> Reading | None:
    evidence = evidence_of(prism, table, week)
    part = None if evidence is None else evidence.parts.get(READING)
    prefixes = set() if part is None else {prefix for (prefix,) in part.items}
    known = Archive(prism.lake(), source).readings(week, what)
    return next((one for one in known if one.prefix in prefixes), None)


def _ads_in_range(prism: PrismResource, week: Week) -> Outcome:
    read, rows = ads_read(prism, week), rows_of(prism, META_INSIGHTS, week)
    days = set() if read is None else set(read.days)
    figures = ("impressions", "clicks", "inline_link_clicks", "spend", "leads", "landing_page_views")
    below = [row for row in rows if any(row[name] is not None and row[name] < 0 for name in figures)]
    outside = [row for row in rows if row["day"] not in days]
    named = [f"{row['ad_id']} on {row['day']}" for row in (*below, *outside)]
    return not named, {"rows": len(rows), "below_zero": len(below), "of_no_day": len(outside), "which": named[:20]}


def _accounted(prism: PrismResource, week: Week) -> Outcome:
    read, rows = ads_read(prism, week), rows_of(prism, META_INSIGHTS, week)
    if read is None or read.control is None:
        return True, {"account": "nobody told its total", "rows": len(rows)}
    spent = sum((Decimal(repr(row["spend"])) for row in rows), Decimal(0))
    told = sum(read.control.values(), Decimal(0))
    allowed = _ROUNDING * len(rows)
    facts = {"account": str(told), "rows": str(spent), "unaccounted": str(told - spent), "allowed": str(allowed)}
    return abs(told - spent) <= allowed, facts


def _taken(prism: PrismResource, week: Week) -> Outcome:
    refused = counts_of(prism, META_INSIGHTS, week).get("rejected", 0)
    return not refused, {"refused": refused}


def _days_read(prism: PrismResource, week: Week) -> Outcome:
    read = ads_read(prism, week)
    if read is None:
        return False, {"read": 0}
    missing = [day.isoformat() for day in week.days if day not in read.days and day < _today(read)]
    return not missing, {"read": len(read.days), "missing": missing}


def _today(read: AdsRead) -> Any:
    return day_of(clock.now(), read.zone)


def _crm_read(prism: PrismResource, week: Week) -> bool:
    return bool(counts_of(prism, HUBSPOT_LEADS, week).get(CRM_READ))


def _within(prism: PrismResource, week: Week) -> Outcome:
    read, rows = ads_read(prism, week), rows_of(prism, HUBSPOT_LEADS, week)
    if read is None:
        return not rows, {"leads": len(rows)}
    start, end = bounds(week, read.zone)
    outside = [row["lead_id"] for row in rows if not start <= row["created"] < end]
    return not outside, {"leads": len(rows), "outside": outside[:MOST_NAMED]}


def _expected(prism: PrismResource, week: Week) -> Outcome:
    counts = counts_of(prism, HUBSPOT_LEADS, week)
    found = counts.get("rows", 0) + counts.get("refused", 0)
    expected, refused = counts.get("expected", found), counts.get("refused", 0)
    return found == expected and not refused, {"expected": expected, "found": found, "refused": refused}


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
    return once and by_meta == counted and matched <= min(counted, len(known)), facts


def _match_rate(prism: PrismResource, week: Week) -> Outcome:
    found = attribution(prism, week)
    rate = None if found is None else found.match_rate
    facts = {"match_rate": None if rate is None else float(rate), "limit": float(RELIABLE_SHARE)}
    return rate is None or rate >= RELIABLE_SHARE, facts


def _trends_follow(prism: PrismResource, week: Week) -> Outcome:
    told = {row["metric"]: row["value"] for row in rows_of(prism, CAMPAIGN_TRENDS, week)}
    rows = rows_of(prism, CAMPAIGN_METRICS, week)
    whole = counts_of(prism, CAMPAIGN_METRICS, week).get("days") == len(week.days)
    sums = {name: sum(row[name] for row in rows) for name in _SUMS} if whole else dict.fromkeys(_SUMS)
    wrong = {
        name: {"trend": told.get(name), "metrics": sums[name]} for name in _SUMS if told.get(name) != sums[name]
    }
    return not wrong, {"whole": whole, "wrong": wrong}


def _window(prism: PrismResource, week: Week) -> Outcome:
    """Before the first week there is nothing to compare with; a week that lacks days is told by days_read."""
    first = min(published_weeks(prism), default=week)
    counts = counts_of(prism, CAMPAIGN_TRENDS, week)
    whole = counts_of(prism, CAMPAIGN_METRICS, week).get("days") == len(week.days)
    found, wanted = counts.get("weeks_in_window", 0), min(WINDOW_WEEKS, week - first)
    return not whole or found >= wanted, {"weeks_in_window": found, "since_the_first": wanted}
