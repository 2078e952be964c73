"""What a campaign came to in a week, as the table of campaign metrics holds it.

Belongs here: that item. Does not belong here: how it is computed (prism_core/campaign) and how a week is replaced
(prism_resources/tables/generations.py). It imports nothing of the campaign: every function of the API loads it.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from prism_core.calendar import Week
from prism_core.models.base import Count, Measure, Model, Text, exact

# As Meta gives it: up to six decimals, never rounded.
Money = Annotated[Decimal, BeforeValidator(exact), Field(ge=0, max_digits=18, decimal_places=6)]
MetaId = Annotated[str, Field(pattern=r"^[0-9]{1,25}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class CampaignMetricsWeek(Model):
    """One campaign in one week of its ad account. A fact: recomputed, never edited.

    `spend` and what it costs are in `currency`; absent where two currencies met. Rates are at four decimals, for
    screens: a report computes its own. `days`: with delivery.
    """

    campaign_id: MetaId
    week: Week
    name: Text
    objective: Text | None = None
    currency: Currency | None = None
    spend: Money | None = None
    impressions: Count
    clicks: Count
    leads: Count
    landing_page_views: Count | None = None
    click_rate: Measure | None = None
    cost_per_click: Measure | None = None
    cost_per_lead: Measure | None = None
    for_leads: bool
    days: Annotated[int, Field(ge=1, le=7)]
    generation: Annotated[int, Field(ge=0, lt=1_000_000, description="stamped when the week is published")] = 0
