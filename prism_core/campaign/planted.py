"""Synthetic weeks of ads of which is known what happened last: something that was planted, or only noise.

Belongs here: drawing such ads, and which indicators must, may and must not be an alert. Does not belong here: any
threshold of the indicators (indicators.py): what is planted is chosen so large that a person would want to know.
No campaign of these is anybody's; every name says so.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from prism_core.calendar import Week
from prism_core.campaign.figures import Inputs
from prism_core.campaign.insights import AdDay
from prism_core.campaign.metrics import Metric, history

CURRENCY: Final = "EUR"
WEEKS: Final = 8
LAST: Final = Week.parse("2020-W40")
# How far a week of all campaigns, and a day of one, may lie from what is usual, for no reason.
_WEEK_NOISE, _DAY_NOISE = 0.06, 0.2
_CENT: Final = Decimal("0.01")


class Planted(StrEnum):
    """What happened in the last week, or in the last two."""

    NOISE = "noise"
    FORMS_BROKE = "forms_broke"
    LEADS_ERODE = "leads_erode"
    SPEND_DOUBLED = "spend_doubled"
    ADS_WORE_OUT = "ads_wore_out"
    PAGE_DOWN = "page_down"


@dataclass(frozen=True, slots=True)
class Effect:
    """What all campaigns are multiplied by in the last `weeks`. `must` be alerts; `may`: what follows from it."""

    must: frozenset[Metric] = frozenset()
    may: frozenset[Metric] = frozenset()
    weeks: int = 1
    spend: float = 1
    clicks: float = 1
    leads: float = 1
    views: float = 1


_M = Metric
EFFECTS: Final[Mapping[Planted, Effect]] = {
    Planted.NOISE: Effect(),
    Planted.FORMS_BROKE: Effect(frozenset({_M.LEADS}), frozenset({_M.COST_PER_LEAD}), leads=0.1),
    Planted.LEADS_ERODE: Effect(frozenset({_M.LEADS}), frozenset({_M.COST_PER_LEAD}), weeks=2, leads=0.45),
    Planted.SPEND_DOUBLED: Effect(
        frozenset({_M.SPEND}), frozenset({_M.COST_PER_LEAD, _M.COST_PER_CLICK}), spend=2.3
    ),
    Planted.ADS_WORE_OUT: Effect(
        frozenset({_M.CLICKS, _M.CLICK_RATE}),
        frozenset({_M.COST_PER_CLICK, _M.LEADS, _M.COST_PER_LEAD, _M.LANDING_PAGE_VIEWS}),
        clicks=0.13,
        leads=0.13,
        views=0.13,
    ),
    Planted.PAGE_DOWN: Effect(frozenset({_M.LANDING_PAGE_VIEWS}), views=0.1),
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a campaign usually does on a day."""

    objective: str
    spend: float
    impressions: float
    click_rate: float
    lead_rate: float
    view_rate: float


_PLANS: Final = (
    _Plan("OUTCOME_LEADS", 60, 9_000, 0.013, 0.08, 0.8),
    _Plan("OUTCOME_LEADS", 35, 4_000, 0.019, 0.10, 0.75),
    _Plan("OUTCOME_TRAFFIC", 20, 6_000, 0.02, 0.0, 0.85),
)


@dataclass(frozen=True, slots=True)
class PlantedAds:
    """Whole weeks of ads, the last of which is to be told of."""

    seed: int
    planted: Planted
    week: Week
    rows: tuple[AdDay, ...]

    @property
    def effect(self) -> Effect:
        return EFFECTS[self.planted]

    @property
    def inputs(self) -> Inputs:
        """As a report reads them; the customer system knows every second lead and was not matched."""
        first = self.week + (1 - WEEKS)
        crm = sum(row.leads for row in self.rows if row.day in self.week.days) // 2
        read = history(self.rows, (first.monday, self.week.sunday))
        return Inputs(read, self.week, CURRENCY, crm_leads=crm)


def planted_ads(seed: int, planted: Planted | None = None) -> PlantedAds:
    """The same for the same seed. Of those that nobody asks for, every second one is noise."""
    rng = random.Random(f"planted {seed}")  # noqa: S311 - drawn weeks, no secrets
    drawn = Planted.NOISE if seed % 2 else rng.choice([one for one in Planted if one is not Planted.NOISE])
    what = planted or drawn
    week, rows = LAST + seed % 50, list[AdDay]()
    for back in range(WEEKS - 1, -1, -1):
        of_week = rng.uniform(1 - _WEEK_NOISE, 1 + _WEEK_NOISE)
        effect = EFFECTS[what] if back < EFFECTS[what].weeks else Effect()
        for number, plan in enumerate(_PLANS, start=1):
            rows += _week(rng, week + -back, number, plan, of_week, effect)
    if what is Planted.NOISE:
        rows[-1] = replace(rows[-1], leads=1)  # a stray one, of the campaign for traffic
    return PlantedAds(seed, what, week, tuple(rows))


def _week(rng: random.Random, week: Week, number: int, plan: _Plan, of_week: float, effect: Effect) -> list[AdDay]:
    """One ad of a campaign on each day."""
    name, found = f"Synthetic campaign {chr(64 + number)}", list[AdDay]()
    for at in range(7):
        usual = of_week * rng.uniform(1 - _DAY_NOISE, 1 + _DAY_NOISE)
        impressions = round(plan.impressions * usual)
        clicks = _about(rng, impressions * plan.click_rate)
        counted = {
            "clicks": round(clicks * effect.clicks),
            "leads": round(_about(rng, clicks * plan.lead_rate) * effect.leads),
            "landing_page_views": round(_about(rng, clicks * plan.view_rate) * effect.views),
        }
        row = AdDay(
            week.monday + timedelta(days=at), "77", f"120{number}", name, f"130{number}", f"{name}, set",
            f"140{number}", f"{name}, ad", plan.objective, impressions, 0, None,
            Decimal(plan.spend * usual * effect.spend).quantize(_CENT), CURRENCY, 0, 0,
        )  # fmt: skip
        found.append(replace(row, **counted))
    return found


def _about(rng: random.Random, mean: float) -> int:
    """A count around its mean, as wide as counts of independent events are."""
    return max(round(rng.gauss(mean, mean**0.5)), 0) if mean > 0 else 0
