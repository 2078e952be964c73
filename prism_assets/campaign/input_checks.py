"""What must hold of a week of ads and leads as they were read.

Belongs here: checks that read what was published, and the archive, by another way than the assets wrote it.
Does not belong here: figures (figure_checks.py), that a partition is whole (lake/checks.py), repairing anything.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import dagster as dg
import msgspec

from prism_assets.campaign.access import access_check
from prism_assets.campaign.check import MOST_NAMED, WARN, Checks, Outcome
from prism_assets.campaign.published import CRM_READ, ads_read, campaigns, evidence_of, others_of
from prism_assets.checking import counts_of, rows_of
from prism_assets.resources import PrismResource
from prism_core import clock
from prism_core.calendar import Week
from prism_core.campaign.account_days import bounds, day_of, week_of
from prism_core.campaign.lacking import Lacking, may_stand
from prism_core.campaign.read_weeks import READING, ROUNDING, AdsRead, Wholeness, days_of
from prism_core.lake import LakeTable
from prism_core.lake_campaign import CAMPAIGN_METRICS, HUBSPOT_LEADS, META_INSIGHTS
from prism_resources.archive import HUBSPOT, META, Archive, Reading
from prism_resources.hubspot.contacts import PAGE as CONTACTS
from prism_resources.hubspot.errors import judge as judge_hubspot
from prism_resources.hubspot.source import WHAT as CONTACTS_OF_A_WEEK
from prism_resources.meta_ads.errors import judge as judge_meta
from prism_resources.meta_ads.insights import PAGE
from prism_resources.meta_ads.source import FILES, AdsWeek, ArchivedAds
from prism_resources.meta_ads.source import WHAT as INSIGHTS_OF_A_WEEK
from prism_resources.wire.calls import Answer, Verdict, answer_of

# A week without a row is believed when two readings so far apart say so: an answer that lacks everything is rarely
# wrong for as long.
HOURS_APART: Final = 3


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
            "lack as little as the reading before and the published week: then the account differs, which the "
            "report says. A person who knows why lets it pass with --because.",
            blocking=True,
            excusable=True,
        ),
        check(
            META_INSIGHTS,
            "no_week_emptied",
            _no_week_emptied,
            "A week that is published with a spend does not come back without a row; the newest week, behind one "
            "with a spend, has none only when a reading hours before had none either. A person who knows why "
            "lets it pass with --because.",
            blocking=True,
            excusable=True,
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
        access_check(weekly),
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
    """Figures of two levels may differ in one of both; a page that is gone took spend and leads along."""
    read, rows = ads_read(prism, week), rows_of(prism, META_INSIGHTS, week)
    refused = _taken(prism, week)[1]["refused"]
    facts: dict[str, Any] = {
        "spend": _accounted(prism, week)[1],
        "leads": _leads_accounted(prism, week)[1],
        "refused": refused,
    }
    if read is None or refused:
        return True, facts
    spent = sum((Decimal(repr(row["spend"])) for row in rows), Decimal(0))
    now = Lacking.of(read, spent, sum(row["leads"] for row in rows), len(rows))
    if now is None or not now.of_both:
        return True, facts
    before, published = _lacked_before(prism, week), _published_lack(prism, week, read)
    lacked = {"the_reading_before_lacked": _as_facts(before), "published_lacks": _as_facts(published)}
    return may_stand(read, now, before, published), facts | lacked


def _as_facts(lack: Lacking | None) -> dict[str, str | int] | None:
    return None if lack is None else {"spend": str(lack.spend), "leads": lack.leads}


def _lacked_before(prism: PrismResource, week: Week) -> Lacking | None:
    before = _reading_before(prism, week)
    if before is None or before.unaccounted is None or before.uncounted is None:
        return None
    return Lacking(before.unaccounted, before.uncounted)


def _published_lack(prism: PrismResource, week: Week, read: AdsRead) -> Lacking | None:
    """What the published figures of the same days and account lack; what was refused has not replaced them."""
    evidence = evidence_of(prism, CAMPAIGN_METRICS, week)
    if evidence is None or days_of(evidence) != tuple(sorted(read.days)):
        return None
    found = Wholeness.of(evidence)
    return Lacking(found.unaccounted, found.uncounted) if found.whose == read.whose else None


def _no_week_emptied(prism: PrismResource, week: Week) -> Outcome:
    """An answer without any row is a week without delivery, or a fault of both levels at once."""
    read, counts = ads_read(prism, week), counts_of(prism, META_INSIGHTS, week)
    if read is None or read.source == FILES or counts.get("rows") or counts.get("rejected"):
        return True, {"rows": counts.get("rows", 0)}
    if sum((read.control or {}).values(), Decimal(0)):
        return True, {"rows": 0, "account": "has spent: no_page_lost judges it"}
    if _published_with_spend(prism, week, read):
        return False, {"rows": 0, "published_with_spend": True}
    newest = week + 1 == week_of(read.read_at, read.zone) and len(read.days) == len(week.days)
    if not newest or not _had_spend(prism, week + -1, read):
        return True, {"rows": 0}
    said_before = _was_empty_before(prism, week, read)
    return said_before, {
        "rows": 0,
        "week_before_with_spend": True,
        "a_reading_hours_before_was_empty": said_before,
    }


def _published_with_spend(prism: PrismResource, week: Week, read: AdsRead) -> bool:
    """By the figures of the week, which a refused reading has not replaced; those of another account are none."""
    evidence = evidence_of(prism, CAMPAIGN_METRICS, week)
    whose = None if evidence is None else Wholeness.of(evidence).whose
    if evidence is None or (whose is not None and whose.partition(" ")[0] != read.account_id):
        return False
    return any(row.sums.spend is None or row.sums.spend > 0 for row in campaigns(prism, week))


def _had_spend(prism: PrismResource, week: Week, read: AdsRead) -> bool:
    """By the ads of a week of the same account, as they were read last."""
    found = ads_read(prism, week)
    ours = found is not None and found.account_id == read.account_id
    return ours and any(row["spend"] > 0 for row in rows_of(prism, META_INSIGHTS, week))


def _was_empty_before(prism: PrismResource, week: Week, read: AdsRead) -> bool:
    """Whether a reading of the same days, hours before, had no row either."""
    until = read.read_at - timedelta(hours=HOURS_APART)
    earlier = [one for one in _readings_before(prism, week, read) if one.read_at <= until]
    return bool(earlier) and not ArchivedAds(prism.lake()).week_of(week, earlier[-1]).rows


def _reading_before(prism: PrismResource, week: Week) -> AdsWeek | None:
    """The reading of the same days before the one that is published, of the same source."""
    published = ads_read(prism, week)
    known = [] if published is None else _readings_before(prism, week, published)
    return ArchivedAds(prism.lake()).week_of(week, known[-1]) if known else None


def _readings_before(prism: PrismResource, week: Week, published: AdsRead) -> list[Reading]:
    days = [day.isoformat() for day in published.days]
    return [
        one
        for one in Archive(prism.lake(), META).readings(week, INSIGHTS_OF_A_WEEK)
        if (one.read_at, one.prefix) < (published.read_at, published.reading)
        and one.facts.get("days") == days
        and one.facts.get("source") == published.source
    ]


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
