"""Nothing of a person passes into the archive, and what a lead is read from does."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prism_core.campaign.contact_pages import without_people
from prism_core.campaign.leads import AD_IDS, read_contacts

PRIVATE = "private@example.invalid"


def page(*contacts: Any, **more: Any) -> bytes:
    return json.dumps({"total": len(contacts), "results": list(contacts)} | more).encode()


def contact(url: str = "https://a.example/apply?utm_campaign_id=12", **properties: Any) -> dict[str, Any]:
    known = {"createdate": "2026-01-05T07:00:00Z", "hs_object_id": "1", "hs_analytics_first_url": url}
    return {"id": "1", "properties": known | properties, "createdAt": "2026-01-05T07:00:00Z", "archived": False}


def test_a_page_with_nothing_of_a_person_is_kept_byte_for_byte() -> None:
    body = page(contact(), contact(utm_campaign_id="7", lifecyclestage="lead"), paging={"next": {"after": "2"}})

    assert without_people(body + b"  ", AD_IDS) == body + b"  "


def test_what_was_not_asked_for_is_taken_out_and_the_lead_stays_the_same() -> None:
    body = page(contact(email=PRIVATE, firstname="Ana") | {"propertiesWithHistory": {"email": PRIVATE}})

    kept = without_people(body, AD_IDS)

    assert b"Ana" not in kept
    assert PRIVATE.encode() not in kept
    assert read_contacts(json.loads(kept)["results"]) == read_contacts(json.loads(body)["results"])


def test_an_address_keeps_where_somebody_came_from_and_nothing_typed() -> None:
    url = f"https://u:p@a.example/x?utm_source=fb&email={PRIVATE}&utm_ad_id=9&utm_adset_id=x&fbclid=abc#{PRIVATE}"

    (kept,) = json.loads(without_people(page(contact(url)), AD_IDS))["results"]

    assert kept["properties"]["hs_analytics_first_url"] == "https://a.example/x?utm_source=fb&utm_ad_id=9"


def test_what_stands_where_an_id_should_is_not_kept() -> None:
    body = page(contact(utm_campaign_id=PRIVATE, utm_adset_id="77", utm_ad_id=None))

    (kept,) = json.loads(without_people(body, AD_IDS))["results"]

    found = {name: kept["properties"][name] for name in ("utm_campaign_id", "utm_adset_id", "utm_ad_id")}
    assert found == {"utm_campaign_id": None, "utm_adset_id": "77", "utm_ad_id": None}
    assert read_contacts([kept]) == read_contacts(json.loads(body)["results"])


def test_what_is_no_page_is_left_alone() -> None:
    for body in (b"", b"<html/>", b"[1]", b'{"status": "error"}', b"\xff"):
        assert without_people(body, AD_IDS) == body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(PRIVATE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(min_size=1, max_size=8), JSON, max_size=4),
    st.lists(st.sampled_from(["email", "fbclid", "utm_campaign_id", "q"]), max_size=4),
    st.sampled_from(["https", "", "//", "http://["]),
)
def test_whatever_else_a_contact_holds_nothing_private_is_kept_and_leads_are_the_same(
    others: dict[str, Any], parameters: list[str], scheme: str
) -> None:
    query = "&".join(f"{name}={PRIVATE}" for name in parameters)
    url = f"{scheme}://a.example/{PRIVATE}?utm_campaign_id=5&{query}"
    whole = contact(url, **{f"x_{name}": value for name, value in others.items()})
    body = page(whole | {f"y_{name}": value for name, value in others.items()})

    kept = without_people(body, AD_IDS)

    assert PRIVATE.encode() not in kept
    before, after = (read_contacts(json.loads(one)["results"]) for one in (body, kept))
    assert [lead.lead_id for lead in before.leads] == [lead.lead_id for lead in after.leads]
