"""Whose ads a published week is of, and who made them up, whatever the settings say later.

Why real: what a reading is from passes the wire, the archive, the lake and the report.
"""

from dataclasses import replace
from typing import Final

import dagster as dg
import pytest

from infra.local.standins.world import ACCOUNT_ID
from prism_assets.campaign.published import Places
from prism_assets.campaign.reporting import is_synthetic
from prism_assets.campaign.sources import NEWEST, REPLAY_TAG
from prism_assets.resources import PrismResource
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.lake_campaign import META_INSIGHTS
from prism_resources.archive import HUBSPOT, META, Archive
from prism_resources.hubspot.source import FROM_HUBSPOT
from prism_resources.hubspot.source import WHAT as CONTACTS
from prism_resources.meta_ads.ours import refused_weeks
from prism_resources.meta_ads.source import FROM_META, WHAT
from tests.integration.asset_runs import lake_rows, run_assets
from tests.integration.fresh import platform_of_this_file
from tests.integration.outside import Outside, outside, served_fixture

__all__ = ("outside", "served_fixture")

platform = platform_of_this_file()

REPLAYED: Final = {REPLAY_TAG: NEWEST}
INPUTS: Final = ("meta_insights", "hubspot_leads")
OTHER: Final = "3000000000000003"


@pytest.fixture(autouse=True)
def _asked_of_the_stand_ins(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("meta_api_url", "hubspot_api_url", "meta_account_id"):
        asked(monkeypatch, **{name: getattr(outside.settings, name)})
    for prefix in ("raw/", "lake/"):
        for key in list(outside.lake.keys(prefix)):
            outside.lake.delete(key)


def asked(monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"PRISM_{name.upper()}", str(value))


def run(
    instance: dg.DagsterInstance, *assets: str, tags: dict[str, str] | None = None
) -> dg.ExecuteInProcessResult:
    return run_assets(instance, WeekRange(W31, W31), *(assets or INPUTS), tags=tags)


W31 = Week.parse("2023-W31")


def answered_by_the_services(outside: Outside, account: str = ACCOUNT_ID) -> None:
    """The newest answers once more, as those of Meta and HubSpot themselves, of an account."""
    for source, what, name in ((META, WHAT, FROM_META), (HUBSPOT, CONTACTS, FROM_HUBSPOT)):
        archive = Archive(outside.lake, source)
        before = archive.newest(W31, what)
        with archive.begin(W31, what, clock.now()) as writing:
            for one in before.exchanges():
                writing.keep(replace(one, body=one.body.replace(ACCOUNT_ID.encode(), account.encode())))
            writing.complete({**before.facts, "source": name})


def published_of_meta(
    outside: Outside, instance: dg.DagsterInstance, account: str = ACCOUNT_ID
) -> list[dict[str, object]]:
    assert run(instance).success
    answered_by_the_services(outside, account)
    assert run(instance, tags=REPLAYED).success
    return lake_rows(META_INSIGHTS, W31)


def test_a_week_of_the_stand_ins_stays_synthetic_when_the_services_themselves_are_to_be_asked(
    outside: Outside, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(instance)

    asked(monkeypatch, meta_api_url="https://graph.facebook.com", hubspot_api_url="https://api.hubapi.com")

    assert is_synthetic(PrismResource(), W31)
    assert run(instance, tags=REPLAYED).success
    assert is_synthetic(PrismResource(), W31), "the archive knows whose answers it has"


def test_a_week_of_the_services_stays_real_when_stand_ins_are_to_be_asked(
    outside: Outside, instance: dg.DagsterInstance
) -> None:
    published_of_meta(outside, instance)

    settings = PrismResource().settings()

    assert settings.is_stand_in(settings.meta_api_url)
    assert not is_synthetic(PrismResource(), W31)


def test_a_report_with_leads_of_a_stand_in_beside_real_ads_is_synthetic(
    outside: Outside, instance: dg.DagsterInstance
) -> None:
    published_of_meta(outside, instance)

    assert run(instance, "hubspot_leads").success

    assert is_synthetic(PrismResource(), W31)


def test_a_stand_in_replaces_no_week_of_an_account(outside: Outside, instance: dg.DagsterInstance) -> None:
    before = published_of_meta(outside, instance, OTHER)
    readings = len(Archive(outside.lake, META).readings(W31, WHAT))

    done = run(instance)

    assert not done.success
    assert "the stand-in of Meta would be asked" in str(done.all_events)
    assert lake_rows(META_INSIGHTS, W31) == before
    assert len(Archive(outside.lake, META).readings(W31, WHAT)) == readings, "nobody was asked"


def test_another_account_replaces_a_week_only_when_a_person_has_said_so(
    outside: Outside, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published_of_meta(outside, instance)
    answered_by_the_services(outside, OTHER)

    refused = run(instance, tags=REPLAYED)

    said = str(refused.all_events)
    assert not refused.success
    assert f"published of account {ACCOUNT_ID}, and account {OTHER} would replace them" in said
    assert f"PRISM_META_ACCOUNT_REPLACED={ACCOUNT_ID}" in said
    assert lake_rows(META_INSIGHTS, W31) == before
    asked(monkeypatch, meta_account_replaced=ACCOUNT_ID)
    assert run(instance, tags=REPLAYED).success
    assert {row["account_id"] for row in lake_rows(META_INSIGHTS, W31)} == {OTHER}
    known = Places(PrismResource())
    assert known.before(W31 + 1, OTHER)
    assert known.before(W31 + 1, ACCOUNT_ID) == [], "an ad of the week before is none of another account"


def test_what_monday_would_be_refused_is_found_beforehand(
    outside: Outside, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    published_of_meta(outside, instance)
    asked(monkeypatch, meta_api_url="https://graph.facebook.com")

    same = list(refused_weeks(PrismResource().settings(), outside.lake, [W31]))
    asked(monkeypatch, meta_account_id=OTHER)
    other = list(refused_weeks(PrismResource().settings(), outside.lake, [W31]))

    assert same == []
    assert [one.subject for one in other] == ["meta weeks"]
    assert OTHER in other[0].sentence
    assert ACCOUNT_ID in other[0].sentence
