"""Ads, leads, campaign weeks, attribution and trends as rows of the lake, and back; campaign weeks as items, too.

Belongs here: both directions, without a figure changing on the way. Does not belong here: the columns
(lake_campaign.py), reading and writing partitions (resources).
The lake holds money as a double. Up to 15 digits it has the text of the decimal that it came from; an amount with
more is refused instead of being written as another one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.campaign.attribution import (
    AttributedLead,
    Attribution,
    AttributionRow,
    By,
    Outcome,
    attribution_from,
)
from prism_core.campaign.insights import AdDay
from prism_core.campaign.leads import CrmLead
from prism_core.campaign.metrics import CampaignWeek, Metric, Sums
from prism_core.campaign.trends import MONEY, Trend
from prism_core.failures import PermanentFailure
from prism_core.models.campaign import CampaignMetricsWeek

LEAD, AD_SET = "lead", "ad_set"
_CENT: Final = Decimal("0.01")
_OF_ALL_TIME: Final[Mapping[Metric, str]] = {
    Metric.SPEND: "spend",
    Metric.LEADS: "leads",
    Metric.IMPRESSIONS: "impressions",
    Metric.CLICKS: "clicks",
    Metric.LANDING_PAGE_VIEWS: "landing_page_views",
}

Row = Mapping[str, Any]


def money_double(amount: Decimal) -> float:
    """An amount as the lake holds it. Raises PermanentFailure when it would read back as another one."""
    found = float(amount)
    if Decimal(repr(found)) != amount:
        raise PermanentFailure(
            f"{amount} has more digits than the lake can hold; it would be written as {found!r}"
        )
    return found


def money_of(found: float) -> Decimal:
    """The amount that `money_double` wrote, with two places at least."""
    amount = Decimal(repr(found))
    if not amount.is_finite():
        raise PermanentFailure(f"the lake holds {found!r} as an amount of money; write its week anew")
    exponent = amount.as_tuple().exponent
    return amount.quantize(_CENT) if isinstance(exponent, int) and exponent > -2 else amount


def ad_row(one: AdDay) -> dict[str, Any]:
    """A row of `meta_insights` without its week."""
    return {
        "day": one.day,
        "account_id": one.account_id,
        "campaign_id": one.campaign_id,
        "campaign_name": one.campaign_name,
        "adset_id": one.adset_id,
        "adset_name": one.adset_name,
        "ad_id": one.ad_id,
        "ad_name": one.ad_name,
        "objective": one.objective,
        "impressions": one.impressions,
        "clicks": one.clicks,
        "inline_link_clicks": one.inline_link_clicks,
        "spend": money_double(one.spend),
        "currency": one.currency,
        "leads": one.leads,
        "landing_page_views": one.landing_page_views,
    }


def ad_of(row: Row) -> AdDay:
    """The inverse of `ad_row`."""
    named: dict[str, Any] = {**row, "spend": money_of(row["spend"])}
    return AdDay(**named)


def lead_row(one: CrmLead) -> dict[str, Any]:
    """A row of `hubspot_leads` without its week."""
    return {
        "lead_id": one.lead_id,
        "created": one.created,
        "campaign_id": one.campaign_id,
        "adset_id": one.adset_id,
        "ad_id": one.ad_id,
        "source": one.source,
        "lifecycle": one.lifecycle,
        "status": one.status,
    }


def lead_of(row: Row) -> CrmLead:
    """The inverse of `lead_row`."""
    return CrmLead(**row)


def metrics_row(row: CampaignWeek) -> dict[str, Any]:
    """A row of `campaign_metrics` without its week: rates as doubles, none where unknown.

    `spend` in `currency`; `ctr` a fraction of impressions; `cpc` and `cpl` in `currency`.
    """

    def rate(metric: Metric) -> float | None:
        parts = row.parts(metric)
        value = parts.value if parts else None
        return None if value is None else float(value)

    sums = row.sums
    return {
        "campaign_id": row.campaign_id,
        "campaign_name": row.name,
        "objective": row.objective,
        "currency": sums.currency,
        "spend": None if sums.spend is None else money_double(sums.spend),
        "impressions": sums.impressions,
        "clicks": sums.clicks,
        "leads": sums.leads,
        "landing_page_views": sums.landing_page_views,
        "ctr": rate(Metric.CLICK_RATE),
        "cpc": rate(Metric.COST_PER_CLICK),
        "cpl": rate(Metric.COST_PER_LEAD),
        "for_leads": row.for_leads,
        "days": row.days,
    }


def metrics_of(week: Week, row: Row) -> CampaignWeek:
    """The inverse of `metrics_row`: rates are computed again where they are needed."""
    sums = Sums(
        None if row["spend"] is None else money_of(row["spend"]),
        row["currency"],
        row["impressions"],
        row["clicks"],
        row["leads"],
        row["landing_page_views"],
    )
    return CampaignWeek(
        week, row["campaign_id"], row["campaign_name"], row["objective"], sums, row["days"], row["for_leads"]
    )


def metrics_item(row: CampaignWeek) -> CampaignMetricsWeek:
    """The item of the table `campaign_metrics`."""

    def rate(metric: Metric) -> Decimal | None:
        parts = row.parts(metric)
        return None if parts is None else parts.value

    return CampaignMetricsWeek(
        campaign_id=row.campaign_id,
        week=row.week,
        name=row.name,
        objective=row.objective,
        currency=row.sums.currency,
        spend=row.sums.spend,
        impressions=row.sums.impressions,
        clicks=row.sums.clicks,
        leads=row.sums.leads,
        landing_page_views=row.sums.landing_page_views,
        click_rate=rate(Metric.CLICK_RATE),
        cost_per_click=rate(Metric.COST_PER_CLICK),
        cost_per_lead=rate(Metric.COST_PER_LEAD),
        for_leads=row.for_leads,
        days=row.days,
    )


def attribution_rows(found: Attribution) -> Iterator[dict[str, Any]]:
    """Rows of `lead_attribution` without their week: the leads by id, then the ad sets."""
    for lead in found.leads:
        yield {
            "kind": LEAD,
            "lead_id": lead.lead_id,
            "outcome": lead.outcome.value,
            "campaign_id": lead.campaign_id,
            "adset_id": lead.adset_id,
            "by": None if lead.by is None else lead.by.value,
            "meta_leads": 0,
            "crm_leads": 1,
            "matched": int(lead.outcome is Outcome.MATCHED),
            "landing_page_views": None,
        }
    for one in found.rows:
        if one.adset_id is not None:  # what is of no ad set is in the rows of its leads
            yield {
                "kind": AD_SET,
                "lead_id": None,
                "outcome": None,
                "campaign_id": one.campaign_id,
                "adset_id": one.adset_id,
                "by": None,
                "meta_leads": one.meta_leads,
                "crm_leads": 0,
                "matched": 0,
                "landing_page_views": one.landing_page_views,
            }


def attribution_of(rows: Iterable[Row]) -> Attribution:
    """The inverse of `attribution_rows`."""
    leads, ad_sets = list[AttributedLead](), dict[tuple[str, str | None], Row]()
    for row in rows:
        if row["kind"] == LEAD:
            outcome = Outcome(row["outcome"])
            by = row.get("by")
            place = (row["campaign_id"], row["adset_id"], None if by is None else By(by))
            leads.append(AttributedLead(row["lead_id"], outcome, *place))
        else:
            ad_sets[row["campaign_id"], row["adset_id"]] = row
    crm = Counter((one.campaign_id, one.adset_id) for one in leads if one.campaign_id is not None)
    matched = Counter(
        (one.campaign_id, one.adset_id) for one in leads if one.outcome is Outcome.MATCHED and one.campaign_id
    )
    places = {*ad_sets, *crm}
    return attribution_from(
        leads,
        (
            _attribution_row(place, ad_sets.get(place), crm[place], matched[place])
            for place in sorted(places, key=lambda one: (one[0], one[1] or ""))
        ),
    )


def _attribution_row(place: tuple[str, str | None], row: Row | None, crm: int, matched: int) -> AttributionRow:
    counted = 0 if row is None else row["meta_leads"]
    views = None if row is None else row["landing_page_views"]
    return AttributionRow(*place, counted, crm, matched, views)


def trend_row(metric: Metric, found: Trend, currency: str | None, ever: Sums, weeks_read: int) -> dict[str, Any]:
    """A row of `campaign_trends` without its week; `ever` are the sums since the first week."""
    name = _OF_ALL_TIME.get(metric)
    return {
        "metric": metric.value,
        "currency": currency if metric in MONEY else None,
        "value": _double(found.value),
        "before": _double(found.before),
        "change": _double(found.change),
        "weeks_in_window": found.weeks_in_window,
        "events": found.events,
        "events_before": found.events_before,
        "all_time": None if name is None else _double(getattr(ever, name)),
        "weeks_read": weeks_read,
    }


def _double(value: Decimal | int | None) -> float | None:
    return None if value is None else float(value)
