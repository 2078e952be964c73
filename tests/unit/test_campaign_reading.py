"""What Meta, a file and HubSpot say is taken whole, once, and without the person, or refused with the reason."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.campaign.insights import Account, Reason, RefusedRow, ad_day, read_csv, read_insights
from prism_core.campaign.leads import AD_IDS, LIFECYCLES, OTHER, SOURCES, STATUSES, LeadReason, read_contacts
from prism_core.failures import BadUsage

ACCOUNT = Account("77", "EUR")
ROW: dict[str, Any] = {
    "date_start": "2023-08-01",
    "date_stop": "2023-08-01",
    "account_id": "77",
    "account_currency": "EUR",
    "campaign_id": "1178",
    "campaign_name": "Spring",
    "adset_id": "144536",
    "adset_name": "UK",
    "ad_id": "1121121",
    "ad_name": "Picture",
    "objective": "OUTCOME_LEADS",
    "impressions": "323899",
    "clicks": "46",
    "inline_link_clicks": "40",
    "spend": "78.92",
    "actions": [
        {"action_type": "lead", "value": "5", "7d_click": "5"},
        {"action_type": "onsite_conversion.lead_grouped", "value": "3"},
        {"action_type": "offsite_conversion.fb_pixel_lead", "value": "2"},
        {"action_type": "landing_page_view", "value": "31"},
        {"action_type": "link_click", "value": "40"},
    ],
}
CONTACT: dict[str, Any] = {
    "id": "501",
    "createdAt": "2023-08-01T22:30:00.000Z",
    "properties": {
        "createdate": "2023-08-01T22:30:00.000Z",
        "email": "jane@example.org",
        "firstname": "Jane",
        "phone": "+34 600 100 200",
        "lifecyclestage": "lead",
        "hs_lead_status": "NEW",
        "hs_analytics_source": "PAID_SOCIAL",
        "hs_analytics_first_url": "https://a.example/?utm_adset_id=144536&utm_ad_id=1121121&email=jane@example.org",
        "utm_campaign_id": "1178",
    },
}


def test_numbers_come_as_text_and_a_lead_is_counted_once() -> None:
    found = ad_day(ROW, ACCOUNT)

    assert (found.impressions, found.clicks, found.inline_link_clicks) == (323899, 46, 40)
    assert (found.spend, found.leads, found.landing_page_views) == (Decimal("78.92"), 5, 31)
    assert (found.day, found.campaign_name, found.currency) == (date(2023, 8, 1), "Spring", "EUR")


def test_an_absent_metric_is_nought_and_an_absent_name_is_the_id() -> None:
    kept = {name: ROW[name] for name in ("date_start", "campaign_id", "adset_id", "ad_id")}

    found = ad_day(kept, ACCOUNT)

    assert (found.impressions, found.clicks, found.spend, found.leads) == (0, 0, Decimal(0), 0)
    assert (found.inline_link_clicks, found.landing_page_views, found.objective) == (None, None, None)
    assert (found.campaign_name, found.account_id, found.currency) == ("1178", "77", "EUR")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"spend": "-1.00"}, Reason.NUMBER, id="negative"),
        pytest.param({"spend": "NaN"}, Reason.NUMBER, id="no number"),
        pytest.param({"spend": "1e3"}, Reason.NUMBER, id="exponent"),
        pytest.param({"spend": "1,200.00"}, Reason.NUMBER, id="thousands"),
        pytest.param({"spend": ""}, Reason.NUMBER, id="empty"),
        pytest.param({"spend": None}, Reason.NUMBER, id="null"),
        pytest.param({"spend": "12.00\n"}, Reason.NUMBER, id="line break"),
        pytest.param({"clicks": "4.5"}, Reason.NUMBER, id="part of a click"),
        pytest.param({"clicks": True}, Reason.NUMBER, id="true"),
        pytest.param({"impressions": "\N{ARABIC-INDIC DIGIT FIVE}"}, Reason.NUMBER, id="other digits"),
        pytest.param({"campaign_id": "x"}, Reason.ID, id="id"),
        pytest.param({"ad_id": None}, Reason.ID, id="no id"),
        pytest.param({"date_start": "01.08.2023"}, Reason.DAY, id="day"),
        pytest.param({"date_stop": "2023-08-07"}, Reason.DAY, id="more than a day"),
        pytest.param({"account_currency": "Euro"}, Reason.CURRENCY, id="currency"),
        pytest.param({"actions": {}}, Reason.ACTIONS, id="actions"),
        pytest.param({"actions": ["lead"]}, Reason.ACTIONS, id="an action"),
        pytest.param({"actions": [ROW["actions"][0]] * 2}, Reason.LEADS_TWICE, id="broken down"),
        pytest.param({"actions": ROW["actions"][1:]}, Reason.LEADS_IN_PARTS, id="components alone"),
    ],
)
def test_a_row_that_would_be_guessed_is_refused_with_the_reason(changed: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(RefusedRow) as refused:
        ad_day(ROW | changed, ACCOUNT)

    assert refused.value.reason is reason


def test_an_ad_counts_once_a_day_by_what_was_read_last_and_refused_rows_are_told() -> None:
    again = ROW | {"spend": "80.00"}

    found = read_insights([ROW, again, "no row", ROW | {"spend": "x"}], ACCOUNT)

    assert [one.spend for one in found.rows] == [Decimal("80.00")]
    assert found.repeated == 1
    assert [(one.row, one.reason, one.field) for one in found.rejected] == [
        (3, Reason.NO_ROW, "row"),
        (4, Reason.NUMBER, "spend"),
    ]


def test_an_account_without_data_is_no_error() -> None:
    found = read_insights([], ACCOUNT)

    assert (found.rows, found.repeated, found.rejected) == ((), 0, ())


def test_a_file_is_read_by_its_columns_and_a_short_line_is_refused() -> None:
    head = "date,campaign_id,adset_id,ad_id,impressions,clicks,spend,leads,approved_leads"

    found = read_csv(
        [head, "2023-08-01,1178,144536,1121121,323899,46,78.92,5,1", "2023-08-01,1178,144536"], ACCOUNT
    )

    assert [(one.ad_id, one.spend, one.leads) for one in found.rows] == [("1121121", Decimal("78.92"), 5)]
    assert [(one.row, one.field) for one in found.rejected] == [(2, "ad_id")]
    with pytest.raises(BadUsage, match="lacks the columns leads"):
        read_csv([head.replace(",leads", "")], ACCOUNT)


@given(
    st.recursive(st.none() | st.booleans() | st.text() | st.integers() | st.floats(), st.lists)
    | st.fixed_dictionaries({name: st.text(max_size=8) | st.integers() | st.none() for name in ROW})
)
def test_whatever_comes_is_a_row_or_is_refused(row: object) -> None:
    found = read_insights([row], ACCOUNT)

    assert len(found.rows) + len(found.rejected) == 1


def test_a_contact_is_read_down_to_ids_words_and_its_instant() -> None:
    (lead,) = read_contacts([CONTACT]).leads

    assert (lead.lead_id, lead.campaign_id, lead.adset_id, lead.ad_id) == ("501", "1178", "144536", "1121121")
    assert lead.created == datetime(2023, 8, 1, 22, 30, tzinfo=UTC)
    assert (lead.source, lead.lifecycle, lead.status) == ("PAID_SOCIAL", "lead", "NEW")


def test_a_lead_without_ids_is_a_lead_and_a_repeated_one_is_one() -> None:
    bare = {"id": "502", "createdAt": "1690929000000", "properties": {"lifecyclestage": "my own stage"}}

    found = read_contacts([CONTACT, bare, CONTACT])

    assert [one.lead_id for one in found.leads] == ["501", "502"]
    assert (found.leads[1].campaign_id, found.leads[1].lifecycle, found.leads[1].source) == (None, OTHER, OTHER)
    assert found.leads[1].created == datetime(2023, 8, 1, 22, 30, tzinfo=UTC)
    assert found.repeated == 1


def test_a_contact_without_an_id_or_an_instant_is_counted_and_not_repeated() -> None:
    found = read_contacts(
        [
            "Jane",
            {"id": "Jane"},
            {"id": "1", "createdAt": "yesterday"},
            {"id": "1", "createdAt": "2023-08-01T00:00:00"},
        ]
    )

    assert found.leads == ()
    assert found.refused == {LeadReason.NO_CONTACT: 1, LeadReason.ID: 1, LeadReason.CREATED: 2}


@given(
    st.fixed_dictionaries(
        {
            name: st.text(st.characters(exclude_categories=["Nd"]), max_size=40) | st.none() | st.integers()
            for name in (*CONTACT["properties"], *AD_IDS.properties)
            if name != "createdate"
        }
    )
)
def test_no_word_that_anybody_typed_leaves_the_parser(typed: dict[str, Any]) -> None:
    (lead,) = read_contacts([{"id": "7", "createdAt": "2023-08-01T00:00:00Z", "properties": typed}]).leads

    assert (lead.campaign_id, lead.adset_id, lead.ad_id) == (None, None, None)
    assert lead.source in {*SOURCES, OTHER}
    assert lead.lifecycle in {*LIFECYCLES, OTHER}
    assert lead.status in {*STATUSES, OTHER}


def test_names_numbers_and_addresses_are_neither_asked_for_nor_kept() -> None:
    kept = json.dumps([str(one) for one in read_contacts([CONTACT]).leads])

    assert not {"email", "phone", "firstname", "lastname", "mobilephone"} & set(AD_IDS.properties)
    assert [word for word in ("jane", "Jane", "example", "600") if word in kept] == []


def test_views_that_meta_leaves_out_are_nought_and_those_of_a_file_are_not_known() -> None:
    row = {
        "campaign_id": "1178",
        "adset_id": "144536",
        "ad_id": "711764",
        "date_start": "2023-08-01",
        "date_stop": "2023-08-01",
    }
    seen = row | {"ad_id": "711765", "actions": [{"action_type": "landing_page_view", "value": "7"}]}

    of_meta = read_insights([row, seen], ACCOUNT, absent_is_nought=True)
    of_a_file = read_insights([row, seen], ACCOUNT)

    assert [one.landing_page_views for one in of_meta.rows] == [0, 7]
    assert [one.landing_page_views for one in of_a_file.rows] == [None, 7]
