"""The leads of a week at each age at which it was read: from what is published of it, and from the archive.

Belongs here: which earlier readings count, and adding their leads up. Does not belong here: what is made of them
(prism_core/campaign/ripening.py), reading a week (source.py).
The archive forgets after 90 days; what it said of an age is kept with the week.
"""

from prism_core.calendar import Week
from prism_core.campaign.account_days import day_of
from prism_core.campaign.read_weeks import AdsRead
from prism_core.campaign.ripening import RIPE_DAYS, LeadCounts, age_of, by_campaign
from prism_core.failures import PermanentFailure
from prism_resources.archive import META, Archive, Reading
from prism_resources.lake import Lake
from prism_resources.meta_ads.source import FILES, WHAT, AdsWeek, ArchivedAds


def lead_counts(lake: Lake, found: AdsWeek, before: AdsRead | None) -> LeadCounts:
    """Those of a week that was read, beside what is known of it when it was younger; `before`: as published.

    Of readings at one age the first whole one counts; no reading of another account, and none that was made after
    this one. Files are ripe: nobody counts on.
    """
    if found.source == FILES:
        return LeadCounts()
    age = age_of(found.week, day_of(found.read_at, found.account.zone))
    counts = LeadCounts(age)
    if before is not None and (before.whose, before.source) == (_whose(found), found.source):
        counts = before.counts.until(age)
    for reading in Archive(lake, META).readings(found.week, WHAT):
        young = age_of(found.week, day_of(reading.read_at, found.account.zone))
        days, source = reading.facts.get("days", ()), reading.facts.get("source", found.source)
        if young >= RIPE_DAYS or young in counts.by_age or source != found.source:
            continue
        if reading.read_at > found.read_at or len(days) < len(found.week.days):
            continue
        read = found if reading.prefix == found.reading else _read(lake, found.week, reading)
        if read is not None and _whose(read) == _whose(found) and is_whole(read):
            counts = counts.with_count(young, by_campaign((row.campaign_id, row.leads) for row in read.rows))
    return counts


def _read(lake: Lake, week: Week, reading: Reading) -> AdsWeek | None:
    """An earlier reading; None where the archive has begun to forget it."""
    try:
        return ArchivedAds(lake).week_of(week, reading)
    except PermanentFailure:
        return None


def _whose(found: AdsWeek) -> str:
    account = found.account
    return f"{account.account_id} {account.currency} {account.zone.key}"


def is_whole(found: AdsWeek) -> bool:
    """Whether nothing of its leads is known to be missing."""
    leads = sum(row.leads for row in found.rows)
    told = found.lead_control is None or sum(found.lead_control.values()) <= leads
    return len(found.days) == len(found.week.days) and not found.rejected and told
