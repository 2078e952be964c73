"""What is published of the campaign's weeks, as the types that it was made from.

Belongs here: reading partitions and manifests back, and the history that trends and reports are made of. Does not
belong here: rows (prism_core/campaign/lake_rows.py), and publishing (the assets).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from prism_assets.checking import counts_of, rows_of
from prism_assets.resources import PrismResource
from prism_core.calendar import Week, WeekRange
from prism_core.campaign.attribution import Attribution
from prism_core.campaign.insights import AdDay
from prism_core.campaign.known_places import KNOWN_WEEKS, Place
from prism_core.campaign.lake_rows import ad_of, attribution_of, lead_of, metrics_of
from prism_core.campaign.leads import CrmLead
from prism_core.campaign.metrics import CampaignWeek, History, history_of
from prism_core.campaign.read_weeks import AdsRead, Wholeness, days_of
from prism_core.campaign.ripening import LeadCounts
from prism_core.evidence import Evidence
from prism_core.failures import PermanentFailure
from prism_core.lake import LakeTable, manifests_prefix
from prism_core.lake_campaign import CAMPAIGN_METRICS, HUBSPOT_LEADS, LEAD_ATTRIBUTION, META_INSIGHTS

# In the manifests of leads and of attribution: 1 where the customer system was read.
CRM_READ = "crm_read"
# In those of leads that were not read: 1 where asking again may help, 0 where a person must act before.
MAY_ANSWER = "may_answer"
# And how many contacts were no leads, by the reason behind it.
NO_LEADS = "no_leads_"
_ROWS_AT_ONCE = 8_192
_ACCOUNT, _DAY = "account_id", "day"
_PLACE = ("campaign_id", "adset_id", "ad_id", "campaign_name", "adset_name")


def ads_read(prism: PrismResource, week: Week) -> AdsRead | None:
    """What the ads of a week were read from; None when they never were."""
    evidence = evidence_of(prism, META_INSIGHTS, week)
    return None if evidence is None else AdsRead.of(evidence)


def require_ads(prism: PrismResource, week: Week) -> AdsRead:
    """The same. Raises PermanentFailure where there are none."""
    read = ads_read(prism, week)
    if read is None:
        raise PermanentFailure(
            f"the ads of {week} were not read; `prism materialize meta_insights --weeks {week}` does"
        )
    return read


def ads(prism: PrismResource, week: Week) -> Iterator[AdDay]:
    """The ads of a week by day, some thousands at a time: a large account has hundreds of thousands."""
    found = prism.lake().read_partition(META_INSIGHTS, week)
    for part in [] if found is None else found.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield from map(ad_of, part.to_pylist())


class Places:
    """Where the ads of an account belonged, by week: each is read once, for however many weeks behind it."""

    def __init__(self, prism: PrismResource) -> None:
        self._prism = prism
        self._weeks: dict[Week, list[tuple[str, Place]]] = {}

    def before(self, week: Week, account_id: str) -> list[Place]:
        """Of the weeks before one, oldest first. Ads of another account are none of its ads."""
        weeks = WeekRange(week + -KNOWN_WEEKS, week + -1)
        return [place for one in weeks for account, place in self._week(one) if account == account_id]

    def _week(self, week: Week) -> list[tuple[str, Place]]:
        if week not in self._weeks:
            columns = (_ACCOUNT, *_PLACE, _DAY)
            rows = self._prism.lake().read_partition(META_INSIGHTS, week, columns)
            found: list[dict[str, str]] = []
            if rows is not None:
                by_day = rows.sort_by(_DAY).drop_columns(_DAY)
                found = by_day.group_by([_ACCOUNT, *_PLACE], use_threads=False).aggregate([]).to_pylist()
            self._weeks[week] = [(row.pop(_ACCOUNT), Place(**row)) for row in found]
        return self._weeks[week]


def leads(prism: PrismResource, week: Week) -> list[CrmLead] | None:
    """The leads of a week; None when the customer system was not read."""
    if not counts_of(prism, HUBSPOT_LEADS, week).get(CRM_READ):
        return None
    return [lead_of(row) for row in rows_of(prism, HUBSPOT_LEADS, week)]


def others_of(counts: Mapping[str, int]) -> int:
    """How many contacts of a week were no leads, by what its manifest counts."""
    return sum(count for name, count in counts.items() if name.startswith(NO_LEADS))


def attribution(prism: PrismResource, week: Week) -> Attribution | None:
    """The attribution of a week; None when the customer system was not read."""
    if not counts_of(prism, LEAD_ATTRIBUTION, week).get(CRM_READ):
        return None
    return attribution_of(rows_of(prism, LEAD_ATTRIBUTION, week))


class Campaigns:
    """Published weeks of campaigns, each read once for however many histories."""

    def __init__(self, prism: PrismResource) -> None:
        self._prism = prism
        self._weeks: dict[Week, tuple[tuple[CampaignWeek, ...], tuple[date, ...], Wholeness, LeadCounts]] = {}
        self._published = published_weeks(prism)

    def until(self, last: Week) -> History:
        """Every published week up to one, that one included.

        Raises PermanentFailure when it is not published. Weeks between that nobody has read count as not read.
        """
        published = [week for week in self._published if week <= last]
        if last not in published:
            raise PermanentFailure(
                f"{CAMPAIGN_METRICS.name} of {last} is not there; `prism materialize {CAMPAIGN_METRICS.name} "
                f"--weeks {last}` computes it"
            )
        read = {week: self._week(week) for week in published}
        return history_of(
            {week: rows for week, (rows, _, _, _) in read.items()},
            {week: days for week, (_, days, _, _) in read.items()},
            {week: wholeness for week, (_, _, wholeness, _) in read.items()},
            {week: counts for week, (_, _, _, counts) in read.items()},
        )

    def _week(self, week: Week) -> tuple[tuple[CampaignWeek, ...], tuple[date, ...], Wholeness, LeadCounts]:
        if week not in self._weeks:
            evidence = evidence_of(self._prism, CAMPAIGN_METRICS, week) or Evidence()
            rows, counts = campaigns(self._prism, week), LeadCounts.of(evidence)
            self._weeks[week] = rows, days_of(evidence), Wholeness.of(evidence), counts
        return self._weeks[week]


def history_until(prism: PrismResource, last: Week) -> History:
    """One history of `Campaigns`."""
    return Campaigns(prism).until(last)


def campaigns(prism: PrismResource, week: Week) -> tuple[CampaignWeek, ...]:
    """The campaigns of a week, in the order of the lake."""
    return tuple(metrics_of(week, row) for row in rows_of(prism, CAMPAIGN_METRICS, week))


def published_weeks(prism: PrismResource) -> list[Week]:
    """The weeks of campaigns that the lake has, by one listing."""
    prefix = manifests_prefix(CAMPAIGN_METRICS.name)
    labels = (key.removeprefix(f"{prefix}week=").removesuffix(".json") for key in prism.lake().keys(prefix))
    return sorted(map(Week.parse, labels))


def window_of(weeks: WeekRange, size: int) -> WeekRange:
    """The weeks that a rolling window of `size` weeks needs for each of these."""
    return WeekRange(weeks.first.window(size).first, weeks.last)


def evidence_of(prism: PrismResource, table: LakeTable, week: Week) -> Evidence | None:
    """What a published week was computed from; None when it never was."""
    manifest = prism.lake().manifest(table.partition(week))
    found: Any = None if manifest is None else manifest.evidence
    return None if found is None else Evidence.from_plain(found)
