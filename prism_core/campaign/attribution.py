"""Which leads of the customer system Meta counted, and which leads one of the two does not know.

Belongs here: laying leads beside the counts of campaigns and ad sets, by id. Does not belong here: reading either
(leads.py, insights.py). Never by name: people rename campaigns.
Meta tells how many leads an ad set had, not who they were: as many are matched, those that came first, and what is
left over says so.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from prism_core.campaign.insights import AdDay
from prism_core.campaign.known_places import Place
from prism_core.campaign.leads import PAID_SOCIAL, CrmLead
from prism_core.models.base import measure

# At a match rate below this the report says that attribution is not to be relied on.
RELIABLE_SHARE: Final = Decimal("0.5")


class By(StrEnum):
    """Which id of a lead told where it is from."""

    AD = "ad"
    AD_SET = "ad_set"
    CAMPAIGN = "campaign"


class Outcome(StrEnum):
    """What became of a lead of the customer system."""

    MATCHED = "matched"
    NOT_FROM_ADS = "not_from_ads"
    NO_IDS = "no_ids"
    UNKNOWN_IDS = "unknown_ids"
    CONTRADICTING_IDS = "contradicting_ids"
    NOT_COUNTED_BY_META = "not_counted_by_meta"
    COUNTED_LEADS_USED_UP = "counted_leads_used_up"


@dataclass(frozen=True, slots=True)
class AttributedLead:
    """One lead: its campaign and ad set as far as its ids tell, whether or not Meta counted it.

    `by`: the finest id that told the place; None without one.
    """

    lead_id: str
    outcome: Outcome
    campaign_id: str | None = None
    adset_id: str | None = None
    by: By | None = None


@dataclass(frozen=True, slots=True)
class AttributionRow:
    """An ad set, or what of a campaign is of no known one (`adset_id` None)."""

    campaign_id: str
    adset_id: str | None
    meta_leads: int
    crm_leads: int
    matched: int
    landing_page_views: int | None

    @property
    def meta_only(self) -> int:
        """Leads of Meta that no matched lead stands for here."""
        return max(self.meta_leads - self.matched, 0)

    @property
    def crm_only(self) -> int:
        """Leads of the customer system that are of this place and not matched."""
        return self.crm_leads - self.matched


@dataclass(frozen=True, slots=True)
class Attribution:
    """The leads of a week: `matched` and `crm_only` are those of the customer system.

    `meta_only`: leads of Meta that no matched one stands for. `beyond`: matched ones beyond Meta's count, of weeks
    that were computed when all of an ad set were; none otherwise.
    """

    leads: tuple[AttributedLead, ...]
    rows: tuple[AttributionRow, ...]
    matched: int
    meta_only: int
    crm_only: Mapping[Outcome, int]
    beyond: int = 0

    @property
    def meta(self) -> int:
        """The leads that Meta counted."""
        return self.matched - self.beyond + self.meta_only

    @property
    def match_rate(self) -> Decimal | None:
        """The share of Meta's leads that the customer system knows by id; None without leads of Meta."""
        return measure(Decimal(self.matched - self.beyond) / self.meta) if self.meta else None


def attribute(ads: Iterable[AdDay], leads: Iterable[CrmLead], before: Iterable[Place] = ()) -> Attribution:
    """The ads of one week of the account beside the leads that were created in it, each once.

    `before`: where ads belonged in weeks before, oldest first; what a later week says of one counts.
    """
    known = _Known(ads, before)
    in_order = sorted(leads, key=lambda one: (one.created, one.lead_id))
    judged = _within_counts(list(map(known.attributed, in_order)), known.leads)
    found = sorted(judged, key=lambda one: one.lead_id)
    return attribution_from(found, known.rows(found))


def _within_counts(
    leads: Iterable[AttributedLead], counted: Mapping[tuple[str, str], int]
) -> Iterator[AttributedLead]:
    """As many matched ones of an ad set as Meta counted, in their order; of a campaign alone what those leave."""
    left, loose = Counter(counted), list[AttributedLead]()
    for one in leads:
        if one.outcome is not Outcome.MATCHED or one.campaign_id is None:
            yield one
        elif one.adset_id is None:
            loose.append(one)
        else:
            yield _counted(one, left[one.campaign_id, one.adset_id])
            left[one.campaign_id, one.adset_id] -= 1
    of_campaign: Counter[str] = Counter()
    for (campaign, _), count in left.items():
        of_campaign[campaign] += max(count, 0)
    for one in loose:
        campaign = one.campaign_id or ""
        yield _counted(one, of_campaign[campaign])
        of_campaign[campaign] -= 1


def _counted(lead: AttributedLead, left: int) -> AttributedLead:
    return lead if left > 0 else replace(lead, outcome=Outcome.COUNTED_LEADS_USED_UP)


def attribution_from(leads: Iterable[AttributedLead], rows: Iterable[AttributionRow]) -> Attribution:
    """The counts over leads and the places that they are of."""
    every, places = tuple(leads), tuple(rows)
    outcomes = Counter(one.outcome for one in every)
    meta_only = beyond = 0
    for of_campaign in _by_campaign(places).values():
        lacking = sum(row.meta_only for row in of_campaign if row.adset_id is not None)
        more = sum(max(row.matched - row.meta_leads, 0) for row in of_campaign if row.adset_id is not None)
        # Leads that name no ad set may be any that are lacking in their campaign.
        loose = sum(row.matched for row in of_campaign if row.adset_id is None)
        meta_only += max(lacking - loose, 0)
        beyond += more + max(loose - lacking, 0)
    alone = {one: outcomes[one] for one in Outcome if one is not Outcome.MATCHED and outcomes[one]}
    return Attribution(every, places, outcomes[Outcome.MATCHED], meta_only, alone, beyond)


def _by_campaign(rows: Iterable[AttributionRow]) -> dict[str, list[AttributionRow]]:
    found: dict[str, list[AttributionRow]] = {}
    for row in rows:
        found.setdefault(row.campaign_id, []).append(row)
    return found


class _Known:
    """Campaigns, ad sets and ads of the account, and how many leads Meta counted for each ad set."""

    def __init__(self, ads: Iterable[AdDay], before: Iterable[Place]) -> None:
        self.leads: Counter[tuple[str, str]] = Counter()
        self.leads_of_campaign: Counter[str] = Counter()
        self._views: dict[tuple[str, str], int | None] = {}
        self._campaign_of: dict[str, str] = {}
        self._adset_of: dict[str, str] = {}
        for one in before:  # ads without delivery in this week; what the week itself says counts
            self.leads_of_campaign[one.campaign_id] = 0
            self._campaign_of[one.adset_id] = one.campaign_id
            self._adset_of[one.ad_id] = one.adset_id
        for ad in ads:
            place = (ad.campaign_id, ad.adset_id)
            self.leads[place] += ad.leads
            self.leads_of_campaign[ad.campaign_id] += ad.leads
            seen, more = self._views.get(place), ad.landing_page_views
            self._views[place] = seen if more is None else (seen or 0) + more
            self._campaign_of[ad.adset_id] = ad.campaign_id
            self._adset_of[ad.ad_id] = ad.adset_id

    def attributed(self, lead: CrmLead) -> AttributedLead:
        """By its own ids: matched where Meta counted leads."""
        campaign, adset, problem = self.place(lead)
        if problem is not None or campaign is None:
            return AttributedLead(lead.lead_id, problem or Outcome.NO_IDS)
        counted = self.leads_of_campaign[campaign] if adset is None else self.leads[campaign, adset]
        by = By.CAMPAIGN if adset is None else By.AD if lead.ad_id in self._adset_of else By.AD_SET
        outcome = Outcome.MATCHED if counted else Outcome.NOT_COUNTED_BY_META
        return AttributedLead(lead.lead_id, outcome, campaign, adset, by)

    def place(self, lead: CrmLead) -> tuple[str | None, str | None, Outcome | None]:
        """Campaign and ad set by the finest id that the account knows, or why there is none."""
        if not (lead.campaign_id or lead.adset_id or lead.ad_id):
            return None, None, Outcome.NO_IDS if lead.source == PAID_SOCIAL else Outcome.NOT_FROM_ADS
        by_ad = self._adset_of.get(lead.ad_id or "")
        of_lead = lead.adset_id if lead.adset_id in self._campaign_of else None
        adset = by_ad or of_lead
        by_adset = self._campaign_of.get(adset or "")
        campaign = by_adset or (lead.campaign_id if lead.campaign_id in self.leads_of_campaign else None)
        if campaign is None:
            return None, None, Outcome.UNKNOWN_IDS
        if (by_ad and lead.adset_id not in {None, by_ad}) or (
            by_adset and lead.campaign_id not in {None, by_adset}
        ):
            return None, None, Outcome.CONTRADICTING_IDS
        return campaign, adset, None

    def rows(self, leads: Iterable[AttributedLead]) -> Iterator[AttributionRow]:
        crm: Counter[tuple[str, str | None]] = Counter()
        matched: Counter[tuple[str, str | None]] = Counter()
        for one in leads:
            if one.campaign_id is not None:
                crm[one.campaign_id, one.adset_id] += 1
                matched[one.campaign_id, one.adset_id] += one.outcome is Outcome.MATCHED
        places: set[tuple[str, str | None]] = {*self.leads, *crm}
        for campaign, adset in sorted(places, key=lambda one: (one[0], one[1] or "")):
            counted = 0 if adset is None else self.leads[campaign, adset]
            views = None if adset is None else self._views.get((campaign, adset))
            place = (campaign, adset)
            yield AttributionRow(campaign, adset, counted, crm[place], matched[place], views)
