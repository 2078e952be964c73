"""Events are enriched the same at any time, never fail by it, and no address is kept."""

from decimal import Decimal
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.events.enrichment import Enricher, Kind, Rule, at
from prism_core.events.lookups import Prefixes, Rates, Texts, prefix_of
from prism_core.failures import PermanentFailure

GEO = Prefixes.of(7, [("203.0.0.0/16", "AU"), ("203.0.113.0/24", "NZ"), ("2001:db8::/32", "DE")])
LOOKUPS = {
    "jobs": Texts(3, {"job-1": "P-1"}),
    "geo": GEO,
    "rates": Rates(2, "EUR", {"USD": Decimal("0.9"), "JPY": Decimal("0.00605")}),
}
RULES = (
    Rule(Kind.TEXT, "/job", "project_id", "jobs"),
    Rule(Kind.COUNTRY, "/client/ip", "country", "geo"),
    Rule(Kind.AGENT, "/client/agent", "agent"),
    Rule(Kind.MONEY, "/cost", "cost_eur", "rates", "/currency"),
)


def family(agent: str) -> str | None:
    return "Firefox" if "Firefox/" in agent else None


ENRICHER = Enricher(RULES, family)


def test_everything_that_is_known_is_added_with_the_versions_it_is_from() -> None:
    data = {
        "job": "job-1",
        "client": {"ip": "203.0.113.77", "agent": "Mozilla/5.0 Firefox/143.0"},
        "cost": 10.05,
        "currency": "USD",
    }

    found = ENRICHER(data, LOOKUPS)

    assert found.added == {"project_id": "P-1", "country": "NZ", "agent": "Firefox", "cost_eur": "9.04"}
    assert found.versions == {"jobs": 3, "geo": 7, "rates": 2}
    assert found.missing == ()
    assert found.data == data | {"client": {"ip": "203.0.113.0/24", "agent": data["client"]["agent"]}}
    assert data["client"]["ip"] == "203.0.113.77"


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        pytest.param({"job": "job-9"}, ("project_id",), id="unknown job"),
        pytest.param({"job": 7}, ("project_id",), id="job is a number"),
        pytest.param({"client": {"ip": "198.51.100.1"}}, ("country",), id="unknown network"),
        pytest.param({"client": {"agent": "curl"}}, ("agent",), id="unknown agent"),
        pytest.param({"cost": "NaN", "currency": "USD"}, ("cost_eur",), id="no amount"),
        pytest.param({"cost": True, "currency": "USD"}, ("cost_eur",), id="truth value as amount"),
        pytest.param({"cost": 1, "currency": "usd"}, ("cost_eur",), id="no currency"),
        pytest.param({"cost": 1}, ("cost_eur",), id="currency absent"),
        pytest.param({"client": []}, (), id="nothing there"),
        pytest.param(None, (), id="no data"),
    ],
)
def test_what_no_lookup_knows_is_missing_and_nothing_fails(data: Any, missing: tuple[str, ...]) -> None:
    assert ENRICHER(data, LOOKUPS).missing == missing


def test_a_lookup_that_is_not_there_leaves_its_figure_missing() -> None:
    assert ENRICHER({"job": "job-1"}, {}).missing == ("project_id",)


@given(st.ip_addresses())
def test_no_address_is_kept_and_its_prefix_says_the_same_country(address: Any) -> None:
    rules = (Rule(Kind.COUNTRY, "/clients/0/ip", "country", "geo"),)

    found = Enricher(rules, family)({"clients": [{"ip": str(address)}, 1]}, LOOKUPS)

    kept = at(found.data, "/clients/0/ip")
    assert kept == prefix_of(str(address)) != str(address)
    assert GEO.country(kept) == GEO.country(str(address)) == found.added.get("country")
    assert at(found.data, "/clients/1") == 1


@pytest.mark.parametrize("address", ["203.0.113.77", "2001:db8:1:2::1"])
def test_an_event_that_failed_and_is_sent_again_says_the_same_country_by_the_prefix_that_was_kept(
    address: str,
) -> None:
    data = {"client": {"ip": address}}
    failed = ENRICHER.without_addresses(ENRICHER.without_addresses(data))

    first, again = ENRICHER(data, LOOKUPS), ENRICHER(failed, LOOKUPS)

    assert (again.data, again.added, again.missing) == (first.data, first.added, first.missing)


@pytest.mark.parametrize("text", ["203.0.113.77/32", "203.0.113.0/25", "2001:db8::/64", "203.0.113.0/", "x/24"])
def test_no_other_prefix_than_the_kept_one_is_read(text: str) -> None:
    assert prefix_of(text) is None


def test_the_longest_prefix_answers_in_either_family() -> None:
    assert GEO.country("203.0.114.1") == "AU"
    assert GEO.country("203.0.113.1") == "NZ"
    assert GEO.country("::ffff:203.0.113.1") == "NZ"
    assert GEO.country("2001:db8::1%eth0") == "DE"
    assert GEO.country("somewhere") is None


def test_what_stands_in_the_place_of_an_address_is_taken_out() -> None:
    assert ENRICHER.without_addresses({"client": {"ip": "203.0.113.77, 10.0.0.1"}}) == {"client": {"ip": None}}


@pytest.mark.parametrize("network", ["203.0.113.7/32", "203.0.113.1/24", "2001:db8::/64", "x"])
def test_a_network_that_would_name_people_or_is_none_is_refused(network: str) -> None:
    with pytest.raises(PermanentFailure):
        Prefixes.of(1, [(network, "AU")])


def test_rules_of_an_enricher_look_at_what_the_data_were_whatever_another_has_cut() -> None:
    rules = [Rule(Kind.COUNTRY, "/ip", into, "geo") for into in ("first", "second")]

    found = Enricher(rules, family)({"ip": "203.0.113.77"}, LOOKUPS)

    assert (found.added, found.data) == ({"first": "NZ", "second": "NZ"}, {"ip": "203.0.113.0/24"})


@given(st.ip_addresses(v=4))
def test_a_prefix_of_an_address_holds_it(address: Any) -> None:
    prefix = prefix_of(str(address)) or ""

    assert ip_address(prefix.removesuffix("/24")).packed[:3] == address.packed[:3]


def test_a_service_outside_is_asked_by_its_name_and_the_text_alone() -> None:
    rule = Rule(Kind.OUTSIDE, "/site", "region", "sites")
    known = {("sites", "north"): "EU"}

    def outside(service: str, text: str) -> str | None:
        return known.get((service, text))

    found = [Enricher([rule], family)({"site": site}, {}, outside) for site in ("north", "south", 7)]

    assert [(one.added, one.missing) for one in found] == [
        ({"region": "EU"}, ()),
        ({}, ("region",)),
        ({}, ("region",)),
    ]
    assert Enricher([rule], family)({"site": "north"}, {}).missing == ("region",)
