"""`prism ingest leads`: leads of files beside ads of files, and what of them is read at all.

Why real: a file passes the archive, the assets and the lake, and the command runs in a process of its own.
"""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from infra.cli.ads import NO_CURRENCY
from infra.local.platform import Platform
from prism_assets.campaign.published import attribution
from prism_assets.campaign.reporting import Told, is_synthetic
from prism_assets.resources import PrismResource
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.campaign.leads import AdIds
from prism_core.lake_campaign import HUBSPOT_LEADS
from prism_resources.hubspot.files import LeadsIngest
from prism_resources.lake import Lake
from prism_resources.meta_ads.files import AdsIngest
from prism_resources.meta_ads.source import AdAccount
from tests.integration.asset_runs import failed_checks, lake_rows, run_assets
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import prism
from tests.integration.outside import ADS_FILE, LATER

platform = commands_of_this_file()

W31 = Week.parse("2023-W31")
FIRST = "2023-W30"
WEEKS = WeekRange.parse("2023-W30..2023-W36")
HEAD = "id,created,campaign_id,adset_id,ad_id,source,firstname,phone"
ROWS = [
    "11,2023-08-02T10:00:00+02:00,1178,,,PAID_SOCIAL,Zyxwella,+49 170",
    "12,2023-08-03T10:00:00+02:00,1178,,,PAID_SOCIAL,Zyxwella,+49 170",
    "13,2023-08-04T10:00:00+02:00,,,,DIRECT_TRAFFIC,Zyxwella,+49 170",
]
# An instant that is none, an id that is none, and a row of a week that the settings leave out.
WRONG = ["14,yesterday,,,,,Zyxwella,1", "Zyxwella,2023-08-04T10:00:00Z,,,,,,", "15,2019-01-01T00:00:00Z,,,,,,"]
REFUSED = "missing.contacts_refused"


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_NOW", LATER)
    monkeypatch.setenv("PRISM_FIRST_WEEK", FIRST)


def load(platform: Platform, folder: Path, *rows: str, zone: str = "UTC") -> tuple[Any, list[str], list[Week]]:
    path, refused = folder / "leads.csv", list[str]()
    path.write_text("\n".join([HEAD, *rows]))
    ingest = LeadsIngest(Lake(platform.settings), WEEKS, ZoneInfo(zone), AdIds(), clock.now())
    counts = ingest.load(path, lambda one: refused.append(one.reason), lambda _: None)
    return counts, refused, ingest.finish()


def compute(platform: Platform, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    account = AdAccount("0", "Ads from files", NO_CURRENCY, ZoneInfo("UTC"))
    ingest = AdsIngest(Lake(platform.settings), WEEKS, account, clock.now())
    ingest.load(ADS_FILE, lambda one: pytest.fail(str(one)), lambda _: None)
    ingest.finish()
    wanted = ("meta_insights", "hubspot_leads", "campaign_metrics", "lead_attribution")
    return run_assets(instance, WeekRange(W31, W31), *wanted)


def test_leads_of_a_file_are_matched_with_ads_of_a_file_and_nobody_is_asked(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    first, refused, weeks = load(platform, tmp_path, *ROWS)
    again, _, nothing = load(platform, tmp_path, *ROWS)

    done = compute(platform, instance)

    assert (first.loaded, refused, weeks) == (3, [], [W31])
    assert (again.duplicate, nothing) == (3, [])
    assert done.success
    assert "contacts_conserved" not in failed_checks(done)
    found = attribution(PrismResource(), W31)
    assert found is not None
    assert (found.matched, sum(found.crm_only.values())) == (2, 1)
    assert not is_synthetic(PrismResource(), W31)
    assert {name for row in lake_rows(HUBSPOT_LEADS, W31) for name in row} & {"firstname", "phone"} == set()


def test_rows_that_cannot_be_read_are_refused_unquoted_and_in_the_report_until_they_are_loaded_right(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    _, refused, _ = load(platform, tmp_path, *ROWS, *WRONG)
    compute(platform, instance)
    lacking = Told.of(PrismResource()).figures(W31).ledger.get(REFUSED)

    _, _, weeks = load(platform, tmp_path, *ROWS)
    compute(platform, instance)

    assert len(refused) == 3
    assert "Zyxwella" not in " ".join(refused)
    assert lacking is not None
    assert lacking.value == 2, "the third is of no week that is asked for"
    assert weeks == [W31]
    assert REFUSED not in Told.of(PrismResource()).figures(W31).ledger


def test_a_week_of_another_time_zone_takes_no_file_and_the_command_says_what_it_refuses(
    platform: Platform, tmp_path: Path
) -> None:
    load(platform, tmp_path, *ROWS)
    _, refused, weeks = load(platform, tmp_path, ROWS[0], zone="Asia/Tokyo")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")

    said = prism(platform.home.root, "ingest", "leads", str(tmp_path / "other.csv"), "--json", first_week=FIRST)

    assert ("another time zone" in refused[0], weeks) == (True, [])
    assert said.returncode == 1, said.stderr
    assert json.loads(said.stdout)["total"]["rejected"] == 1
