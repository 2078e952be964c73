"""Weeks of leads from HubSpot. Why real: the search's limits, order and errors are a service's, over a socket."""

import json
import threading
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from infra.local.standins.ads import DrawnAds, Plan
from infra.local.standins.faults import Fault, How, hubspot_error
from infra.local.standins.people import People
from prism_core.calendar import Week
from prism_core.campaign.account_days import bounds
from prism_core.failures import PermanentFailure, TransientFailure
from prism_resources.archive import HUBSPOT, Archive
from prism_resources.hubspot.contacts import PAGE_ROWS, PAUSE_SECONDS
from prism_resources.hubspot.source import WHAT, ArchivedLeads, LeadsWeek
from prism_resources.wire.calls import BACK_OFF_SECONDS, Refused
from prism_resources.wire.exchanges import Exchange
from prism_resources.wire.patience import Cancelled, Progress
from tests.integration.outside import TOKENS, Outside, move, outside, served_fixture

__all__ = ("outside", "served_fixture")

W31, W32 = Week.parse("2023-W31"), Week.parse("2023-W32")
SEARCH = "/contacts/search"


def week(outside: Outside, week: Week = W31, **more: Any) -> LeadsWeek:
    return outside.leads(**more).week(week, outside.world.zone)


def there(outside: Outside, week: Week = W31) -> list[dict[str, Any]]:
    """The contacts of a week as the stand-in has them."""
    return list(outside.world.people.between(*bounds(week, outside.world.zone)))


def exchanges(outside: Outside) -> list[Exchange]:
    return list(Archive(outside.lake, HUBSPOT).newest(W31, WHAT).exchanges())


def test_every_contact_of_a_week_is_read_once_with_its_ids(outside: Outside) -> None:
    known = there(outside)

    found = week(outside)

    leads = {lead.lead_id: lead for lead in found.found.leads}
    assert sorted(leads) == sorted(one["id"] for one in known)
    assert len(known) > 2 * PAGE_ROWS
    assert (found.expected, found.found.repeated, dict(found.found.refused)) == (len(known), 0, {})
    with_ids = [lead for lead in leads.values() if lead.campaign_id]
    assert 0.6 < len(with_ids) / len(leads) < 0.95
    assert {lead.campaign_id for lead in with_ids} == {"916", "936", "1178"}


def test_each_page_asks_for_the_ids_behind_the_last_one_and_pauses(outside: Outside) -> None:
    week(outside)

    *asked, control = (one.asked for one in exchanges(outside))
    behind = [filters[2]["value"] for filters in (one["filterGroups"][0]["filters"] for one in asked[1:])]
    assert behind == sorted(behind, key=int)
    assert all("after" not in one for one in asked)
    assert outside.waits == [PAUSE_SECONDS] * (len(asked) + 1)
    assert (control["limit"], len(control["filterGroups"][0]["filters"])) == (1, 2), "how many there are"


@pytest.mark.parametrize("kept", [slice(200), slice(5), slice(400, None)], ids=["first", "five", "last"])
def test_a_page_that_is_lost_is_no_week(outside: Outside, kept: slice) -> None:
    week(outside)
    known = [row for one in exchanges(outside) if one.step == "page" for row in json.loads(one.body)["results"]]
    outside.world.faults.add(Fault(SEARCH, body={"total": len(known), "results": known[kept]}))

    with pytest.raises(TransientFailure, match=rf"counts {len(known)} contacts .* and sent {len(known[kept])}"):
        week(outside)


def test_a_week_with_more_than_ten_thousand_contacts_is_read_whole(outside: Outside) -> None:
    outside.world.ads = DrawnAds([Plan("Synthetic", "OUTCOME_LEADS", 1, 2000.0, 0.05, 0.2, 0.0)])
    outside.world.people = People(outside.world.ads, outside.world.zone)
    known = there(outside)

    found = week(outside)

    assert len(known) > 10_000
    assert len(found.found.leads) == found.expected == len(known)


def test_a_walk_by_page_numbers_would_end_at_ten_thousand(outside: Outside) -> None:
    span = [("GTE", "0"), ("LT", "1")]
    body = {
        "filterGroups": [
            {"filters": [{"propertyName": "createdate", "operator": o, "value": v} for o, v in span]}
        ],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "limit": 200,
        "after": "9900",
    }
    url = f"{str(outside.settings.hubspot_api_url).rstrip('/')}/crm/v3/objects/contacts/search"

    answer = httpx.post(
        url, json=body, headers={"Authorization": f"Bearer {TOKENS.hubspot}"}, trust_env=False, timeout=60
    )

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Athens", "Asia/Kathmandu"])
def test_weeks_behind_each_other_share_no_lead_and_lose_none(outside: Outside, zone: str) -> None:
    move(outside, zone)
    start, end = bounds(W31, ZoneInfo(zone))[0], bounds(W32, ZoneInfo(zone))[1]

    found = [{lead.lead_id for lead in week(outside, one).found.leads} for one in (W31, W32)]

    assert found[0] & found[1] == set()
    assert found[0] | found[1] == {one["id"] for one in outside.world.people.between(start, end)}


def test_the_week_in_which_clocks_change_has_its_own_hours(outside: Outside) -> None:
    outside.world.ads = DrawnAds()
    outside.world.people = People(outside.world.ads, outside.world.zone)
    spring = Week.parse("2023-W12")  # the clocks of Athens change on its Sunday

    found = week(outside, spring)

    assert (found.end - found.start).total_seconds() == 167 * 3600
    assert len(found.found.leads) == len(there(outside, spring)) > 0


def test_contacts_that_come_twice_count_once_and_are_told(outside: Outside) -> None:
    outside.world.faults.add(Fault(SEARCH, How.REPEAT))

    found = week(outside)

    assert found.found.repeated == PAGE_ROWS
    assert len(found.found.leads) == len(there(outside))


def test_a_week_without_contacts_is_an_empty_week(outside: Outside) -> None:
    found = week(outside, Week.parse("2023-W45"))

    assert (found.found.leads, found.expected) == ((), 0)


def test_no_name_address_or_number_is_asked_for_kept_or_told(outside: Outside) -> None:
    found = week(outside)

    kept = (
        b"".join(one.body for one in exchanges(outside))
        + json.dumps([dict(one.asked) for one in exchanges(outside)]).encode()
    )
    for private in (b"example.invalid", b"Person ", b"firstname", b"phone", b"+000"):
        assert private not in kept
    assert b"utm_campaign_id=1178" in kept
    assert "@" not in repr(found.found.leads)


def test_what_hubspot_answers_unasked_is_not_kept(outside: Outside) -> None:
    contact = {
        "id": "5",
        "properties": {"createdate": "2023-08-01T10:00:00Z", "firstname": "Ana", "hs_object_id": "5"},
        "propertiesWithHistory": {"email": [{"value": "ana@example.invalid"}]},
    }
    outside.world.faults.add(Fault(SEARCH, body={"total": 1, "results": [contact]}))

    found = week(outside)

    assert [lead.lead_id for lead in found.found.leads] == ["5"]
    kept = b"".join(one.body for one in exchanges(outside))
    assert b"Ana" not in kept
    assert b"ana@" not in kept


def test_the_properties_of_the_ids_are_those_of_the_settings(outside: Outside) -> None:
    settings = outside.settings.model_copy(update={"hubspot_campaign_property": "fb_campaign"})
    contact = {
        "id": "7",
        "properties": {"createdate": "2023-08-01T10:00:00Z", "fb_campaign": "916", "utm_campaign_id": "1"},
    }
    outside.world.faults.add(Fault(SEARCH, body={"total": 1, "results": [contact]}))
    kept, outside.settings = outside.settings, settings
    try:
        found = week(outside)
    finally:
        outside.settings = kept

    assert [lead.campaign_id for lead in found.found.leads] == ["916"]
    assert "fb_campaign" in exchanges(outside)[0].asked["properties"]
    assert ArchivedLeads(outside.lake).week(W31, outside.world.zone) == found


# --- errors


@pytest.mark.parametrize(
    ("policy", "headers", "seconds"),
    [("SECONDLY", {}, 1.0), ("TEN_SECONDLY_ROLLING", {}, 10.0), ("SECONDLY", {"Retry-After": "4"}, 4.0)],
)
def test_a_limit_is_waited_out(outside: Outside, policy: str, headers: dict[str, str], seconds: float) -> None:
    body = hubspot_error("RATE_LIMITS", "You have reached your limit.", policyName=policy)
    outside.world.faults.add(Fault(SEARCH, status=429, body=body, headers=headers))

    found = week(outside)

    assert len(found.found.leads) == len(there(outside))
    assert outside.waits[0] == seconds


def test_the_limit_of_the_day_is_left_for_tomorrow(outside: Outside) -> None:
    body = hubspot_error("RATE_LIMITS", "You have reached your daily limit.", policyName="DAILY")
    outside.world.faults.add(Fault(SEARCH, status=429, body=body))

    with pytest.raises(TransientFailure, match="try again in 1440 minutes"):
        week(outside)
    assert outside.waits == []


@pytest.mark.parametrize("status", [408, 423, 477, 500, 502, 503, 504])
def test_what_passes_is_tried_again(outside: Outside, status: int) -> None:
    outside.world.faults.add(Fault(SEARCH, status=status, body="<html/>", times=2))

    found = week(outside, Week.parse("2023-W45"))

    assert found.found.leads == ()
    assert outside.waits[:2] == list(BACK_OFF_SECONDS[:2])


@pytest.mark.parametrize(
    ("status", "category", "words"),
    [
        (401, "EXPIRED_AUTHENTICATION", "does not take the access token; make a new one"),
        (403, "MISSING_SCOPES", "lacks a permission; add it to the private app: crm.objects.contacts.read"),
        (400, "VALIDATION_ERROR", "this is a fault in PRISM"),
        (404, "OBJECT_NOT_FOUND", "HubSpot refuses the call"),
    ],
)
def test_what_a_person_must_mend_stops_at_once_with_a_sentence(
    outside: Outside, status: int, category: str, words: str
) -> None:
    missing = [{"message": "missing", "context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}]
    errors = {"errors": missing} if status == 403 else {}
    body = hubspot_error(category, f"Token {TOKENS.hubspot} is not right", **errors)
    outside.world.faults.add(Fault(SEARCH, status=status, body=body, times=100))

    with pytest.raises(Refused) as refused:
        week(outside)

    assert words in str(refused.value)
    assert TOKENS.hubspot not in str(refused.value)
    assert outside.waits == []


@pytest.mark.parametrize(
    "body", ["<html/>", {"total": 3}, {"total": 1, "results": [{"id": "none"}]}], ids=["html", "none", "no-id"]
)
def test_an_answer_that_is_no_page_is_no_week(outside: Outside, body: Any) -> None:
    outside.world.faults.add(Fault(SEARCH, body=body, times=100))

    with pytest.raises(TransientFailure, match="try again later"):
        week(outside)


def test_a_page_that_comes_again_and_again_ends(outside: Outside) -> None:
    page = {"total": 2, "results": [{"id": "4", "properties": {}}], "paging": {"next": {"after": "1"}}}
    outside.world.faults.add(Fault(SEARCH, body=page, times=100))

    with pytest.raises(TransientFailure, match="the walk would not end"):
        week(outside)


def test_a_line_that_breaks_is_dialled_again(outside: Outside) -> None:
    outside.world.faults.add(Fault(SEARCH, How.CUT, skip=1))

    assert len(week(outside).found.leads) == len(there(outside))
    assert BACK_OFF_SECONDS[0] in outside.waits


def test_a_walk_that_is_cancelled_counts_as_not_read(outside: Outside) -> None:
    cancelled, archive = threading.Event(), Archive(outside.lake, HUBSPOT)
    before, told = archive.readings(W31, WHAT), list[Progress]()

    def tell(progress: Progress) -> None:
        told.append(progress)
        cancelled.set()

    with pytest.raises(Cancelled):
        week(outside, patience=outside.patience(cancelled), tell=tell)

    assert 0 < (told[0].share or 0) < 1
    assert archive.readings(W31, WHAT) == before


def test_a_week_from_the_archive_is_the_week_that_was_read(outside: Outside) -> None:
    live = week(outside)
    outside.world.faults.add(Fault("/hubspot/", status=500, times=1000))

    assert ArchivedLeads(outside.lake).week(W31, outside.world.zone) == live


def test_an_archived_week_of_another_time_zone_is_refused(outside: Outside) -> None:
    week(outside)

    with pytest.raises(PermanentFailure, match="is not the week of Asia/Tokyo; read the week again"):
        ArchivedLeads(outside.lake).week(W31, ZoneInfo("Asia/Tokyo"))
