"""What the report of a campaign's week is made of, for whoever writes its sentences, makes it, or checks it.

Belongs here: the figures of a report from what is published, which weeks of a run get one, whether a week is of
stand-ins. Does not belong here: the two assets (telling.py) and computing a figure (prism_core/campaign).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import dagster as dg

from prism_assets.campaign.published import Campaigns, ads_read, attribution, leads, require_ads
from prism_assets.checking import counts_of
from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.campaign.figures import Figures, Inputs, figures
from prism_core.campaign.trends import weeks_before
from prism_core.clock import this_week
from prism_core.failures import BadUsage
from prism_core.lake_campaign import META_INSIGHTS
from prism_core.models.reports import ReportKind
from prism_resources.meta_ads.source import FROM_META
from prism_resources.reports.delivery import ReportDelivery
from prism_resources.writing.passes import brief

# A run with this tag makes reports of fewer weeks than it has. Without it, of each that has ended.
REPORTS_TAG: Final = "prism/reports"
NEWEST_WEEK: Final = "newest"


def weeks_to_report(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, weeks: Sequence[Week]
) -> list[Week]:
    """The weeks of a run of which it makes a report, oldest first: none before it has ended.

    A week that is read again four times over is reported on once: what moved is told by the reports after it.
    Raises BadUsage for a tag that is none.
    """
    tag = context.run.tags.get(REPORTS_TAG)
    if tag not in {None, NEWEST_WEEK}:
        raise BadUsage(f"{REPORTS_TAG}={tag!r} is not {NEWEST_WEEK}")
    ended = sorted(week for week in weeks if week < this_week())
    return ended if tag is None else ended[-1:]


@dataclass(frozen=True, slots=True)
class Told:
    """The figures of reports: of published weeks, beside what mails of the weeks before have told.

    What another edition of a week says otherwise is told when it is sent: whoever sends it knows what was.
    """

    prism: PrismResource
    campaigns: Campaigns

    @classmethod
    def of(cls, prism: PrismResource) -> "Told":
        return cls(prism, Campaigns(prism))

    def figures(self, week: Week) -> Figures:
        """Raises PermanentFailure when the week, or its ads, were not computed."""
        prism, read = self.prism, require_ads(self.prism, week)
        known = leads(prism, week)
        return figures(
            Inputs(
                self.campaigns.until(week),
                week,
                read.currency,
                attribution(prism, week),
                None if known is None else len(known),
                ReportDelivery(prism.settings()).told(ReportKind.CAMPAIGN, week),
                counts_of(prism, META_INSIGHTS, week).get("rejected", 0),
            )
        )


def digest_of(found: Figures) -> str:
    """What tells the figures, indicators and names of one report from others."""
    return hashlib.sha256(brief(found).encode()).hexdigest()


def is_synthetic(prism: PrismResource, week: Week) -> bool:
    """Whether a report of the week tells of ads that the platform's stand-in of Meta has made up."""
    if not prism.settings().meta_is_stand_in:
        return False
    read = (ads_read(prism, one) for one in (*weeks_before(week), week))
    return any(one is not None and one.source == FROM_META for one in read)
