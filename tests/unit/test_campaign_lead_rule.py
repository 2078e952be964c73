"""Only what the settings call a lead is one, and the others are counted with the reason."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from prism_core.campaign.lead_rule import (
    DEFAULT_NOT_FROM,
    DEFAULT_STAGES,
    LeadRule,
    NotALead,
    known_sources,
    known_stages,
    leads_among,
)
from prism_core.campaign.leads import CrmLead, LeadsRead
from prism_core.reports.wording import said
from tests.unit.campaign_weeks import weekly
from tests.unit.test_campaign_report import of, plain

LEAD = CrmLead("1", datetime(2023, 8, 1, tzinfo=UTC), None, None, None, "ORGANIC_SEARCH", "lead", "NEW")
DEFAULT = LeadRule.of(DEFAULT_STAGES, DEFAULT_NOT_FROM)


@pytest.mark.parametrize(
    ("changed", "why_not"),
    [
        pytest.param({}, None, id="a lead"),
        pytest.param({"lifecycle": "customer"}, None, id="one that has bought already"),
        pytest.param({"lifecycle": "subscriber"}, NotALead.STAGE, id="a reader of the newsletter"),
        pytest.param({"lifecycle": "other"}, NotALead.STAGE, id="no stage, or one of their own"),
        pytest.param({"source": "OFFLINE"}, NotALead.SOURCE, id="imported"),
        pytest.param({"source": "OFFLINE", "ad_id": "7"}, None, id="imported, from an ad"),
        pytest.param({"lifecycle": "other", "campaign_id": "7"}, None, id="a stage of their own, from an ad"),
        pytest.param({"lifecycle": "subscriber", "source": "OFFLINE", "adset_id": "7"}, None, id="from an ad"),
        pytest.param({"source": "other"}, None, id="a source that HubSpot does not define"),
    ],
)
def test_a_contact_is_a_lead_by_its_stage_and_source(changed: dict[str, str], why_not: NotALead | None) -> None:
    assert DEFAULT.why_not(replace(LEAD, **changed)) is why_not  # pyright: ignore[reportArgumentType]


def test_what_is_no_lead_is_counted_and_a_file_of_leads_holds_leads_alone() -> None:
    reader, imported = (
        replace(LEAD, lead_id="2", lifecycle="subscriber"),
        replace(LEAD, lead_id="3", source="OFFLINE"),
    )
    read = LeadsRead((LEAD, reader, imported), 0, {})

    among = leads_among(read, DEFAULT)

    assert [one.lead_id for one in among.leads] == ["1"]
    assert among.others == {NotALead.STAGE: 1, NotALead.SOURCE: 1}
    assert leads_among(read, None).leads == read.leads


def test_a_report_says_how_many_contacts_were_no_leads_and_why() -> None:
    others = {NotALead.STAGE: 12, NotALead.SOURCE: 3}
    content = plain(of(weekly([400] * 5), 5, crm_leads=300, crm_others=others))

    text = " ".join(said(content, content.statements()))
    assert "Contacts beside the leads, by their life cycle stage: 12." in text
    assert "Contacts beside the leads, by their source: 3." in text
    assert content.refused() == ()


def test_a_misspelt_stage_or_source_ends_with_those_that_there_are() -> None:
    assert known_stages("lead, other") == "lead, other"
    for known, text in ((known_stages, "led"), (known_sources, "OFLINE")):
        with pytest.raises(ValueError, match=r"unknown are .*; valid are .*other"):
            known(text)
