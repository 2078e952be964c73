"""A lead as the customer system knows it, without the person.

Belongs here: reading a contact of HubSpot down to ids, an instant and words of closed lists. Does not belong here:
asking HubSpot (resources), and which campaign a lead is of (attribution.py).
Nothing of a contact that anybody typed passes: whatever is no digit id and no known word becomes `other` or none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs, urlsplit

from prism_core.campaign.insights import json_object
from prism_core.failures import PrismFailure

OTHER: Final = "other"
SOURCES: Final = frozenset(
    (
        *("ORGANIC_SEARCH", "PAID_SEARCH", "EMAIL_MARKETING", "SOCIAL_MEDIA", "REFERRALS", "OTHER_CAMPAIGNS"),
        *("DIRECT_TRAFFIC", "OFFLINE", "PAID_SOCIAL", "AI_REFERRALS"),
    )
)
LIFECYCLES: Final = frozenset(
    ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist")
)
STATUSES: Final = frozenset(
    ("NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING")
)
PAID_SOCIAL: Final = "PAID_SOCIAL"
_ID: Final = re.compile(r"\d{1,25}", re.ASCII)
_EPOCH_MS: Final = re.compile(r"\d{1,14}", re.ASCII)


class LeadReason(StrEnum):
    """Why a contact is refused."""

    NO_CONTACT = "no_contact"
    ID = "id"
    CREATED = "created"


class RefusedLead(PrismFailure):
    """A contact that cannot be taken. What stood there is not repeated: it may be a person's."""

    def __init__(self, reason: LeadReason) -> None:
        self.reason = reason
        super().__init__(f"the contact is refused: {reason}")


@dataclass(frozen=True, slots=True)
class AdIds:
    """Where a contact carries an id of Meta: properties, else parameters of the first address it came to.

    Custom properties that a form fills from the URL parameters `{{campaign.id}}`, `{{adset.id}}`, `{{ad.id}}`.
    """

    campaign: str = "utm_campaign_id"
    adset: str = "utm_adset_id"
    ad: str = "utm_ad_id"

    @property
    def properties(self) -> tuple[str, ...]:
        """What to ask HubSpot for: no property that holds a name, a phone number or an e-mail address."""
        return (
            *(self.campaign, self.adset, self.ad),
            *("createdate", "lifecyclestage", "hs_lead_status", "hs_analytics_source", "hs_analytics_first_url"),
        )


AD_IDS: Final = AdIds()


@dataclass(frozen=True, slots=True)
class CrmLead:
    """One lead. `created` is aware, in UTC; the ids are those of Meta, None where the contact carries none."""

    lead_id: str
    created: datetime
    campaign_id: str | None
    adset_id: str | None
    ad_id: str | None
    source: str
    lifecycle: str
    status: str


@dataclass(frozen=True, slots=True)
class LeadsRead:
    """The leads of one reading, each once; how many came again, and how many were refused by reason."""

    leads: tuple[CrmLead, ...]
    repeated: int
    refused: Mapping[LeadReason, int]


def read_contacts(contacts: Iterable[object], where: AdIds = AD_IDS) -> LeadsRead:
    """The `results` of a search, all pages behind each other; the last of two with one id counts."""
    found: dict[str, CrmLead] = {}
    refused: dict[LeadReason, int] = {}
    taken = 0
    for contact in contacts:
        try:
            lead = crm_lead(contact, where)
        except RefusedLead as why:
            refused[why.reason] = refused.get(why.reason, 0) + 1
        else:
            taken += 1
            found[lead.lead_id] = lead
    return LeadsRead(tuple(found.values()), taken - len(found), refused)


def crm_lead(contact: object, where: AdIds = AD_IDS) -> CrmLead:
    """One contact. Raises RefusedLead without an id or an instant of creation."""
    top = json_object(contact)
    if top is None:
        raise RefusedLead(LeadReason.NO_CONTACT)
    properties = json_object(top.get("properties")) or {}
    lead_id = _id(top.get("id"))
    if lead_id is None:
        raise RefusedLead(LeadReason.ID)
    url = _parameters(properties.get("hs_analytics_first_url"))
    campaign, adset, ad = (
        _id(properties.get(name)) or _id(url.get(name)) for name in (where.campaign, where.adset, where.ad)
    )
    return CrmLead(
        lead_id,
        created_of(properties.get("createdate") or top.get("createdAt")),
        campaign,
        adset,
        ad,
        _word(properties.get("hs_analytics_source"), SOURCES),
        _word(properties.get("lifecyclestage"), LIFECYCLES),
        _word(properties.get("hs_lead_status"), STATUSES),
    )


def created_of(found: object) -> datetime:
    """An ISO instant, or milliseconds since 1970 as text. Raises RefusedLead."""
    try:
        if isinstance(found, str) and _EPOCH_MS.fullmatch(found):
            return datetime.fromtimestamp(int(found) / 1000, UTC)
        instant = datetime.fromisoformat(found) if isinstance(found, str) else None
        if instant is not None and instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise RefusedLead(LeadReason.CREATED)


def _parameters(url: object) -> dict[str, str]:
    try:
        found = parse_qs(urlsplit(url).query) if isinstance(url, str) else {}
    except ValueError:
        return {}
    return {name: values[-1] for name, values in found.items()}


def _id(found: object) -> str | None:
    return found if isinstance(found, str) and _ID.fullmatch(found) else None


def _word(found: object, known: frozenset[str]) -> str:
    return found if isinstance(found, str) and found in known else OTHER
