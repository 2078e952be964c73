"""The assets of the campaign, for the composition root.

Belongs here: gathering them, and by when a person waits for them. Does not belong here: any of them.
"""

from datetime import timedelta

import dagster as dg

from prism_assets.campaign.comparing import comparing_assets
from prism_assets.campaign.inputs import input_assets
from prism_assets.campaign.metrics import metrics_assets
from prism_assets.campaign.telling import telling_assets
from prism_core.settings import Settings


def campaign_assets(weekly: dg.WeeklyPartitionsDefinition, settings: Settings) -> list[dg.AssetsDefinition]:
    """`meta_insights`, `hubspot_leads`, `campaign_metrics`, `lead_attribution`, `campaign_trends`,
    `campaign_analysis` and `campaign_report`."""
    # The first mails go at seven, and somebody must have the time to look.
    freshness = dg.FreshnessPolicy.cron(
        deadline_cron="0 6 * * 1", lower_bound_delta=timedelta(hours=30), timezone=settings.report_time_zone
    )
    return [
        *input_assets(weekly, freshness),
        *metrics_assets(weekly, freshness),
        *comparing_assets(weekly, freshness),
        *telling_assets(weekly, freshness),
    ]
