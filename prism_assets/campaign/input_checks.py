"""What must hold of a week of ads and leads as they were read.

Belongs here: checks that read what was published, and the archive, by another way than the assets wrote it.
Does not belong here: figures (figure_checks.py), that a partition is whole (lake/checks.py), repairing anything.
"""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import dagster as dg
import msgspec

from prism_assets.campaign.check import MOST_NAMED, WARN, Checks, Outcome
from prism_assets.campaign.published import CRM_READ, ads_read, evidence_of, others_of
from prism_assets.checking import counts_of, rows_of
from prism_assets.resources import PrismResource
from prism_core import clock
from prism_core.calendar import Week
from prism_core.campaign.account_days import bounds, day_of
from prism_core.campaign.read_weeks import READING, ROUNDING
from prism_core.lake import LakeTable
from prism_core.lake_campaign import HUBSPOT_LEADS, META_INSIGHTS
from prism_resources.archive import HUBSPOT, META, Archive, Reading
from prism_resources.hubspot.contacts import PAGE as CONTACTS
from prism_resources.hubspot.errors import judge as judge_hubspot
from prism_resources.hubspot.source import WHAT as CONTACTS_OF_A_WEEK
from prism_resources.meta_ads.errors import judge as judge_meta
from prism_resources.meta_ads.insights import PAGE
from prism_resources.meta_ads.source import WHAT as INSIGHTS_OF_A_WEEK
from prism_resources.meta_ads.source import AdsWeek, ArchivedAds
from prism_resources.wire.calls import Answer, Verdict, answer_of


def input_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """The checks of `meta_insights` and `hubspot_leads`."""
    check = Checks(weekly).check
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
            "leads_accounted",
            _leads_accounted,
            "The rows come to the account's own leads.",
            WARN,
        ),
        check(
            META_INSIGHTS,
            "no_page_lost",
            _no_page_lost,
            "Where no row was refused, the rows do not fall short of both the account's spend and its leads, or "
            "lack what the reading before has lacked: then the account differs, which the report says.",
            blocking=True,
        ),
        check(
            META_INSIGHTS,
            "every_row_taken",
            _taken,
            "No row of ads was refused, of a file or of an answer; the log of the run says why.",
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
            META_INSIGHTS,
            "one_account",
            _one_account,
            "Every amount is in the account's currency; account, currency and time zone are those of the week "
            "before: else the weeks cannot be compared.",
            WARN,
        ),
        check(
            HUBSPOT_LEADS,
            "contacts_conserved",
            _leads_conserved,
            "Every contact that the archive holds of the reading is in the lake, is no lead, came again, or was "
            "refused.",
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
            "No fewer contacts than HubSpot counts: else a page was lost.",
            blocking=True,
        ),
        check(
            HUBSPOT_LEADS,
            "every_contact_taken",
            _contacts_taken,
            "No contact was refused.",
            WARN,
        ),
        check(
            HUBSPOT_LEADS,
            "customer_system_read",
            lambda prism, week: (_crm_read(prism, week), {}),
            "HubSpot was asked for the week, or the archive has its answers.",
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
    kept = len(rows) + counts.get("repeated", 0) + counts.get("refused", 0) + others_of(counts)
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
    allowed = ROUNDING * len(rows)
    facts = {"account": str(told), "rows": str(spent), "unaccounted": str(told - spent), "allowed": str(allowed)}
    return abs(told - spent) <= allowed, facts


def _leads_accounted(prism: PrismResource, week: Week) -> Outcome:
    read, counted = ads_read(prism, week), sum(row["leads"] for row in rows_of(prism, META_INSIGHTS, week))
    if read is None or read.lead_control is None:
        return True, {"account": "nobody told its leads", "rows": counted}
    return not read.uncounted(counted), {"account": sum(read.lead_control.values()), "rows": counted}


def _no_page_lost(prism: PrismResource, week: Week) -> Outcome:
    """Figures of two levels may differ in one of both; a page that is gone took spend and leads along.

    Where the reading before lacked the same, it is no page: the account differs, and blocking would never end.
    """
    of_spend, spend = _accounted(prism, week)
    of_leads, leads = _leads_accounted(prism, week)
    refused = _taken(prism, week)[1]["refused"]
    short = Decimal(spend.get("unaccounted", 0)) > 0 and int(leads["rows"]) < leads.get("account", 0)
    facts = {"spend": spend, "leads": leads, "refused": refused}
    if refused or of_spend or of_leads or not short:
        return True, facts
    before = _reading_before(prism, week)
    if before is None or before.unaccounted is None:
        return False, facts
    same = (before.unaccounted, before.uncounted) == (
        Decimal(spend["unaccounted"]),
        leads["account"] - leads["rows"],
    )
    lacked = {"spend": str(before.unaccounted), "leads": before.uncounted}
    return same, facts | {"the_reading_before_lacked": lacked}


def _reading_before(prism: PrismResource, week: Week) -> AdsWeek | None:
    """The reading of the same days before the one that is published, of the same source."""
    published = ads_read(prism, week)
    if published is None:
        return None
    days = [day.isoformat() for day in published.days]
    known = [
        one
        for one in Archive(prism.lake(), META).readings(week, INSIGHTS_OF_A_WEEK)
        if (one.read_at, one.prefix) < (published.read_at, published.reading)
        and one.facts.get("days") == days
        and one.facts.get("source") == published.source
    ]
    return ArchivedAds(prism.lake()).week_of(week, known[-1]) if known else None


def _taken(prism: PrismResource, week: Week) -> Outcome:
    counts = counts_of(prism, META_INSIGHTS, week)
    refused, left_out = counts.get("rejected", 0), counts.get("left_out", 0)
    return not refused and not left_out, {"refused": refused, "left_out_of_files": left_out}


def _days_read(prism: PrismResource, week: Week) -> Outcome:
    read = ads_read(prism, week)
    if read is None:
        return False, {"read": 0}
    today = day_of(clock.now(), read.zone)
    missing = [day.isoformat() for day in week.days if day not in read.days and day < today]
    return not missing, {"read": len(read.days), "missing": missing}


def _one_account(prism: PrismResource, week: Week) -> Outcome:
    read, rows = ads_read(prism, week), rows_of(prism, META_INSIGHTS, week)
    if read is None:
        return not rows, {"rows": len(rows)}
    others = sorted({row["currency"] for row in rows} - {read.currency})
    facts = {"account": read.whose, "other_currencies": others}
    before = ads_read(prism, week + -1)
    if before is None:
        return not others, facts
    return not others and before.whose == read.whose, facts | {"week_before": before.whose}


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
    found = counts.get("rows", 0) + counts.get("refused", 0) + others_of(counts)
    expected = counts.get("expected", found)
    return found >= expected, {"expected": expected, "found": found}


def _contacts_taken(prism: PrismResource, week: Week) -> Outcome:
    counts = counts_of(prism, HUBSPOT_LEADS, week)
    refused, left_out = counts.get("refused", 0), counts.get("left_out", 0)
    return not refused and not left_out, {"refused": refused, "left_out_of_files": left_out}
