"""A lead is laid beside Meta's count by its ids, never twice, and never by a name."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.campaign.attribution import By, Outcome, attribute
from prism_core.campaign.known_places import Place
from prism_core.campaign.leads import OTHER, PAID_SOCIAL, CrmLead
from tests.unit.campaign_weeks import ad

ADS = [
    ad(campaign="1", adset="10", ad_id="100", leads=2, views=30),
    ad(campaign="1", adset="11", ad_id="110", leads=1),
    ad(campaign="2", adset="20", ad_id="200", leads=0, views=5),
]


def lead(
    lead_id: str,
    campaign: str | None = None,
    adset: str | None = None,
    ad_id: str | None = None,
    source: str = PAID_SOCIAL,
) -> CrmLead:
    created = datetime(2023, 8, 1, 12, tzinfo=UTC)
    return CrmLead(lead_id, created, campaign, adset, ad_id, source, OTHER, OTHER)


@pytest.mark.parametrize(
    ("one", "outcome", "place"),
    [
        pytest.param(lead("1", "1", "10", "100"), Outcome.MATCHED, ("1", "10"), id="all ids"),
        pytest.param(lead("1", None, None, "100"), Outcome.MATCHED, ("1", "10"), id="the ad alone"),
        pytest.param(lead("1", "1"), Outcome.MATCHED, ("1", None), id="the campaign alone"),
        pytest.param(lead("1", "1", "999"), Outcome.MATCHED, ("1", None), id="ad set of another account"),
        pytest.param(lead("1", source="REFERRALS"), Outcome.NOT_FROM_ADS, (None, None), id="not from ads"),
        pytest.param(lead("1"), Outcome.NO_IDS, (None, None), id="paid, without ids"),
        pytest.param(lead("1", "9"), Outcome.UNKNOWN_IDS, (None, None), id="unknown campaign"),
        pytest.param(lead("1", "2", "10"), Outcome.CONTRADICTING_IDS, (None, None), id="ad set of another one"),
        pytest.param(lead("1", "1", "11", "100"), Outcome.CONTRADICTING_IDS, (None, None), id="ad of another one"),
        pytest.param(lead("1", "2", "20"), Outcome.NOT_COUNTED_BY_META, ("2", "20"), id="not counted"),
    ],
)
def test_a_lead_is_matched_by_the_finest_id_or_says_why_not(
    one: CrmLead, outcome: Outcome, place: tuple[str | None, str | None]
) -> None:
    (found,) = attribute(ADS, [one]).leads

    assert (found.outcome, (found.campaign_id, found.adset_id)) == (outcome, place)


def test_no_more_leads_are_matched_than_meta_counted_and_the_others_say_so() -> None:
    found = attribute(ADS, [lead(str(one), "1", "10") for one in (3, 1, 2)])

    outcomes = {one.lead_id: one.outcome for one in found.leads}
    assert outcomes == {"1": Outcome.MATCHED, "2": Outcome.MATCHED, "3": Outcome.COUNTED_LEADS_USED_UP}
    assert (found.matched, found.meta_only, found.crm_only) == (2, 1, {Outcome.COUNTED_LEADS_USED_UP: 1})
    assert (found.meta, found.match_rate, found.beyond) == (3, Decimal("0.6667"), 0)
    assert [(one.matched, one.crm_only) for one in found.rows][:2] == [(2, 1), (0, 0)]


def test_leads_of_a_campaign_alone_are_matched_with_what_its_ad_sets_leave() -> None:
    of_the_set = [lead(str(one), "1", "10") for one in (1, 2, 3)]

    found = attribute(ADS, [lead("8", "1"), lead("9", "1"), *of_the_set])

    assert [one.lead_id for one in found.leads if one.outcome is Outcome.MATCHED] == ["1", "2", "8"]
    assert (found.matched, found.meta_only, found.crm_only) == (3, 0, {Outcome.COUNTED_LEADS_USED_UP: 2})


def test_a_lead_of_an_ad_without_delivery_in_its_week_has_the_place_that_was_known_last() -> None:
    before = [
        Place("7", "70", "700", "Old", "Set 70"),
        Place("8", "71", "710", "Winter", "Set 71"),
        Place("7", "71", "710", "Autumn", "Set 71, renamed"),
    ]
    by_ad, by_set, by_campaign = lead("1", None, None, "710"), lead("2", "7", "70"), lead("3", "8")

    found = attribute(ADS, [by_ad, by_set, by_campaign], before)

    places = [(one.outcome, one.campaign_id, one.adset_id) for one in found.leads]
    uncounted = Outcome.NOT_COUNTED_BY_META
    assert places == [(uncounted, "7", "71"), (uncounted, "7", "70"), (uncounted, "8", None)]
    assert [(one.campaign_id, one.adset_id) for one in found.rows if one.crm_leads] == [
        ("7", "70"),
        ("7", "71"),
        ("8", None),
    ]
    assert (
        attribute(ADS, [lead("1", "2", "20", "200")], [Place("9", "20", "200", "x", "y")]).leads[0].campaign_id
        == "2"
    )


def test_a_lead_of_a_campaign_alone_stands_for_one_that_is_lacking_in_any_of_its_ad_sets() -> None:
    found = attribute(ADS, [lead("1", "1"), lead("2", "1", "11"), lead("3", "1")])

    assert (found.matched, found.beyond, found.meta_only) == (3, 0, 0)
    assert [one.by for one in found.leads] == [By.CAMPAIGN, By.AD_SET, By.CAMPAIGN]
    assert attribute(ADS, [lead("1", "1", "10", "100")]).leads[0].by is By.AD


def test_rows_have_leads_of_both_sides_and_landing_page_views() -> None:
    found = attribute(ADS, [lead("1", "1", "10"), lead("2", "1")])

    assert [(one.adset_id, one.meta_leads, one.crm_leads, one.matched) for one in found.rows] == [
        (None, 0, 1, 1),
        ("10", 2, 1, 1),
        ("11", 1, 0, 0),
        ("20", 0, 0, 0),
    ]
    assert [one.landing_page_views for one in found.rows] == [None, 30, None, 5]


def test_without_leads_of_meta_there_is_no_match_rate() -> None:
    assert attribute([], [lead("1", "1")]).match_rate is None


maybe = st.none() | st.sampled_from(["1", "2", "9"])
leads = st.lists(
    st.builds(
        lead,
        lead_id=st.integers(1, 99).map(str),
        campaign=maybe,
        adset=st.none() | st.sampled_from(["10", "11", "20", "90"]),
        ad_id=st.none() | st.sampled_from(["100", "110", "200", "900"]),
        source=st.sampled_from([PAID_SOCIAL, OTHER]),
    ),
    max_size=12,
    unique_by=lambda one: one.lead_id,
)


@given(leads)
def test_every_lead_is_somewhere_and_no_count_is_used_twice(given_leads: Sequence[CrmLead]) -> None:
    found = attribute(ADS, given_leads)

    assert found.matched + found.meta_only == found.meta == 3
    assert found.beyond == 0
    assert found.matched + sum(found.crm_only.values()) == len(given_leads) == len(found.leads)
    assert sum(row.matched for row in found.rows) == found.matched
    assert all(row.matched <= row.crm_leads for row in found.rows)
    assert all(row.matched <= row.meta_leads for row in found.rows if row.adset_id is not None)
    assert attribute(ADS, list(reversed(given_leads))) == found
