"""Which contacts of the customer system are leads, as the settings say it.

Belongs here: that rule, and why a contact is none. Does not belong here: reading contacts (leads.py), and which
campaign a lead is of (attribution.py).
A customer system also holds readers of a newsletter, imported lists and suppliers, who are not what ads are for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from prism_core.campaign.leads import LIFECYCLES, OTHER, SOURCES, CrmLead, LeadsRead

# Not `subscriber` and `evangelist`, nor a contact without a stage or with one of somebody's own.
DEFAULT_STAGES: Final = "lead,marketingqualifiedlead,salesqualifiedlead,opportunity,customer"
# What people type in or import is OFFLINE.
DEFAULT_NOT_FROM: Final = "OFFLINE"


class NotALead(StrEnum):
    """Why a contact is none: its life cycle stage, or where it came from."""

    STAGE = "stage"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class LeadRule:
    """`stages` are those of leads, contacts of `not_from` are none; one with an id of Meta is one anyway."""

    stages: frozenset[str]
    not_from: frozenset[str]

    @classmethod
    def of(cls, stages: str, not_from: str) -> "LeadRule":
        """As the settings write it, words behind commas."""
        return cls(frozenset(_words(stages)), frozenset(_words(not_from)))

    def why_not(self, lead: CrmLead) -> NotALead | None:
        """None for a lead."""
        if lead.campaign_id or lead.adset_id or lead.ad_id:
            return None
        if lead.lifecycle not in self.stages:
            return NotALead.STAGE
        return NotALead.SOURCE if lead.source in self.not_from else None


@dataclass(frozen=True, slots=True)
class Leads:
    """The leads among the contacts of one reading, and how many of the others there are by reason."""

    leads: tuple[CrmLead, ...]
    others: Mapping[NotALead, int] = field(default_factory=dict[NotALead, int])


def leads_among(found: LeadsRead, rule: LeadRule | None) -> Leads:
    """`rule` None: every contact is one, as in a file of leads."""
    kept, others = list[CrmLead](), dict[NotALead, int]()
    for one in found.leads:
        why_not = None if rule is None else rule.why_not(one)
        if why_not is None:
            kept.append(one)
        else:
            others[why_not] = others.get(why_not, 0) + 1
    return Leads(tuple(kept), others)


def known_stages(text: str) -> str:
    """The text. Raises ValueError for a stage that HubSpot does not define."""
    return _known(text, LIFECYCLES)


def known_sources(text: str) -> str:
    """The text. Raises ValueError for a source that HubSpot does not define."""
    return _known(text, SOURCES)


def _known(text: str, words: frozenset[str]) -> str:
    if unknown := [one for one in _words(text) if one not in {*words, OTHER}]:
        raise ValueError(f"unknown are {', '.join(unknown)}; valid are {', '.join(sorted({*words, OTHER}))}")
    return text


def _words(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
