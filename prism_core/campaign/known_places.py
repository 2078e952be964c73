"""Ads and where they belong, by id, as weeks before have told them.

Belongs here: that record. Does not belong here: reading it (assets), and laying leads beside it (attribution.py).
An ad without delivery has no row in a week, and who fills in its form that week has its ids all the same. Places
alone are known from other weeks, never counts.
"""

from dataclasses import dataclass
from typing import Final

# A form is filled in days after an ad was seen, seldom weeks after.
KNOWN_WEEKS: Final = 13


@dataclass(frozen=True, slots=True)
class Place:
    """One ad, its ad set and its campaign, under the names of its time."""

    campaign_id: str
    adset_id: str
    ad_id: str
    campaign_name: str
    adset_name: str
