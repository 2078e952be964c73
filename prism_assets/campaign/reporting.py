"""What the report of a campaign's week is made of, for whoever writes its sentences, makes it, or checks it.

Belongs here: the figures of a report from what is published, and whether a week is of stand-ins. Does not belong
here: the two assets (telling.py), which weeks get one (reports/weeks.py), computing figures (prism_core/campaign).
"""

import hashlib
from dataclasses import dataclass

from prism_assets.campaign.published import (
    NO_LEADS,
    Campaigns,
    Places,
    ads,
    ads_read,
    attribution,
    evidence_of,
    leads,
    others_of,
    require_ads,
)
from prism_assets.checking import counts_of
from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.campaign.figures import Figures, Inputs, figures
from prism_core.campaign.lead_rule import NotALead
from prism_core.campaign.places import ad_sets, silent_sets
from prism_core.campaign.read_weeks import SOURCE
from prism_core.campaign.trends import weeks_before
from prism_core.lake_campaign import HUBSPOT_LEADS
from prism_core.models.reports import ReportKind
from prism_resources.hubspot.source import STAND_IN as STAND_IN_OF_HUBSPOT
from prism_resources.meta_ads.source import STAND_IN
from prism_resources.reports.delivery import ReportDelivery
from prism_resources.writing.brief import everything


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
        known, contacts = leads(prism, week), counts_of(prism, HUBSPOT_LEADS, week)
        sent = contacts.get("rows", 0) + contacts.get("refused", 0) + others_of(contacts)
        matched, own = attribution(prism, week), ad_sets(ads(prism, week))
        silent = silent_sets(matched, own, lambda: Places(prism).before(week, read.account_id))
        return figures(
            Inputs(
                self.campaigns.until(week),
                week,
                read.currency,
                matched,
                None if known is None else len(known),
                ReportDelivery(prism.settings()).told(ReportKind.CAMPAIGN, week),
                contacts.get("refused", 0) + contacts.get("left_out", 0),
                max(contacts.get("expected", sent) - sent, 0),
                {one: count for one in NotALead if (count := contacts.get(NO_LEADS + one.value))},
                (*own, *silent),
            )
        )


def digest_of(found: Figures) -> str:
    """What tells the figures, indicators and names of one report from others."""
    return hashlib.sha256(everything(found).encode()).hexdigest()


def is_synthetic(prism: PrismResource, week: Week) -> bool:
    """Whether a report of the week tells of ads or leads that a stand-in of the platform has made up.

    By what each week was read from, whatever the settings of today would ask.
    """
    weeks = (*weeks_before(week), week)
    if any(read is not None and read.source == STAND_IN for read in (ads_read(prism, one) for one in weeks)):
        return True
    parts = (found.parts.get(SOURCE) for one in weeks if (found := evidence_of(prism, HUBSPOT_LEADS, one)))
    return any(part is not None and (STAND_IN_OF_HUBSPOT,) in part.items for part in parts)
