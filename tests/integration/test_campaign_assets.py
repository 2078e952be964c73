"""The weekly assets of the campaign. Why real: figures pass a service, an archive, DynamoDB and the lake."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from infra.cli.ads import NO_CURRENCY
from infra.local.platform import Platform
from infra.local.standins.faults import Fault
from prism_assets.campaign.metrics import PLACES
from prism_assets.campaign.published import ads, ads_read, history_until
from prism_assets.campaign.reporting import Told
from prism_assets.campaign.sources import NEWEST, REPLAY_TAG
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import BECAUSE_TAG
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.campaign.lake_rows import attribution_of
from prism_core.campaign.metrics import Metric
from prism_core.campaign.ripening import RIPE_DAYS
from prism_core.facts.tokens import written
from prism_core.lake_campaign import (
    CAMPAIGN,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRENDS,
    LEAD_ATTRIBUTION,
    META_INSIGHTS,
)
from prism_core.lake_tables import LAKE_TABLES
from prism_core.reports.plain_words import missing
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.meta_ads.files import AdsIngest
from prism_resources.meta_ads.source import AdAccount
from prism_sensors.campaign import FIGURES
from tests.integration.asset_runs import failed_checks, lake_rows, run_assets, run_checks, week_metadata
from tests.integration.fresh import platform_of_this_file
from tests.integration.outside import ADS_FILE, LATER, Outside, outside, served_fixture

__all__ = ("outside", "served_fixture")

platform = platform_of_this_file()

W31, W32, W33 = (Week.parse(f"2023-W{number}") for number in (31, 32, 33))
REAL = WeekRange.parse("2023-W31..2023-W35")
# Written down by hand: spend and leads by campaign.
SPEND = {"916": Decimal("27.40"), "936": Decimal("514.89"), "1178": Decimal("11173.28")}
LEADS = {"916": 7, "936": 98, "1178": 608}
INSIGHTS = r"GET /meta/v25\.0/act_\d+/insights"
OF_ADS = 1
TABLES = [table for table in CAMPAIGN if table.name in FIGURES]
METRICS = ("meta_insights", "campaign_metrics")
TABLES = tuple(table for table in CAMPAIGN if table.name in FIGURES)
ASKED = ("meta_api_url", "hubspot_api_url", "meta_account_id")
# What the drawn weeks before the real ones lack, and what leads of synthetic people do not match.
EXPECTED = {"window_whole"}


@pytest.fixture(autouse=True)
def _asked_of_the_stand_ins(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ASKED:
        monkeypatch.setenv(f"PRISM_{name.upper()}", str(getattr(outside.settings, name)))


@dataclass(frozen=True, slots=True)
class Real:
    """The real weeks as one run published them, before any test."""

    instance: dg.DagsterInstance
    done: dg.ExecuteInProcessResult
    published: Mapping[tuple[str, Week], list[dict[str, Any]]]
    contents: Mapping[tuple[str, Week], tuple[str, int]]


@pytest.fixture(scope="module")
def real(served: Outside) -> Iterator[Real]:
    """Published once: a run costs seconds, and many tests begin with these weeks."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("PRISM_NOW", LATER)
        for name in ASKED:
            patch.setenv(f"PRISM_{name.upper()}", str(getattr(served.settings, name)))
        done = run(instance, REAL)
        places = [(table.name, week) for table in TABLES for week in REAL]
        yield Real(
            instance,
            done,
            {(name, week): lake_rows(LAKE_TABLES[name], week) for name, week in places},
            {(name, week): contents(name, week) for name, week in places},
        )


def run(instance: dg.DagsterInstance, weeks: WeekRange, *assets: str, **tags: str) -> dg.ExecuteInProcessResult:
    named = {name.replace("__", "/"): value for name, value in tags.items()}
    return run_assets(instance, weeks, *(assets or FIGURES), tags=named)


def one(week: Week) -> WeekRange:
    return WeekRange(week, week)


def by_campaign(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Sums by campaign of rows of the lake, money as decimals."""
    found: defaultdict[str, Any] = defaultdict(int)
    for row in rows:
        value = Decimal(repr(row[name])) if isinstance(row[name], float) else row[name]
        found[row["campaign_id"]] += value
    return dict(found)


def recounted(week: Week) -> dict[str, tuple[int, int]]:
    """Cents and leads by campaign, from the lines of the file itself."""
    found: dict[str, tuple[int, int]] = {}
    for line in csv.DictReader(ADS_FILE.read_text().splitlines()):
        iso = date.fromisoformat(line["date"]).isocalendar()
        if f"{iso.year}-W{iso.week:02}" == week.label:
            whole, _, part = line["spend"].partition(".")
            cents, leads = found.get(line["campaign_id"], (0, 0))
            found[line["campaign_id"]] = (
                cents + int(whole) * 100 + int(part.ljust(2, "0")),
                leads + int(line["leads"]),
            )
    return found


def test_the_real_weeks_come_to_the_figures_of_the_file_in_every_place(
    real: Real,
) -> None:
    assert real.done.success
    assert by_campaign(real.published["meta_insights", W31], "spend") == SPEND
    assert by_campaign(real.published["meta_insights", W31], "leads") == LEADS
    for week in REAL:
        rows = real.published["campaign_metrics", week]
        in_lake = {row["campaign_id"]: (round(row["spend"] * 100), row["leads"]) for row in rows}
        items = PLACES.generations(PrismResource()).week(week)
        in_table = {item.campaign_id: (int((item.spend or 0) * 100), item.leads) for item in items}
        assert in_lake == in_table == recounted(week)
    facts = week_metadata(real.instance, "campaign_metrics", W31)
    assert (facts["spend"], facts["leads"], facts["days_not_read"]) == ("11715.57", 713, 0)
    assert facts["by_campaign"].startswith("![Spend, leads and clicks by campaign](data:image/svg+xml;base64,")
    assert failed_checks(real.done) <= EXPECTED


def test_trends_are_against_the_weeks_before_and_since_the_first_one(
    real: Real,
) -> None:
    rows = {row["metric"]: row for row in real.published["campaign_trends", Week.parse("2023-W35")]}

    totals = [sum(leads for _, leads in recounted(week).values()) for week in REAL]
    assert rows["leads"]["value"] == totals[-1]
    assert rows["leads"]["before"] == sum(totals[:-1]) / 4
    assert rows["leads"]["weeks_in_window"] == 4
    assert (rows["leads"]["all_time"], rows["leads"]["weeks_read"]) == (sum(totals), 5)
    assert rows["cost_per_lead"]["all_time"] is None


def test_every_lead_is_there_once_with_its_campaign_or_the_reason_why_not(
    real: Real,
) -> None:
    rows, known = (real.published[name, W31] for name in ("lead_attribution", "hubspot_leads"))

    found = attribution_of(rows)
    assert sorted(row["lead_id"] for row in rows if row["kind"] == "lead") == sorted(r["lead_id"] for r in known)
    assert sum(row["meta_leads"] for row in rows) == sum(LEADS.values()) == found.meta
    assert {row["outcome"] for row in rows if row["campaign_id"] is None and row["kind"] == "lead"} <= {
        "no_ids", "not_from_ads", "unknown_ids", "contradicting_ids",
    }  # fmt: skip
    assert week_metadata(real.instance, "lead_attribution", W31)["matched"] == found.matched


def test_the_same_input_again_changes_no_content_and_a_range_gives_what_single_weeks_give(
    outside: Outside, instance: dg.DagsterInstance, real: Real
) -> None:
    for week in (W31, W32):
        assert run(instance, one(week)).success

    assert {place: contents(*place) for place in real.contents} == real.contents


def contents(table: str, week: Week) -> tuple[str, int]:
    manifest = Lake(PrismResource().settings()).manifest(LAKE_TABLES[table].partition(week))
    assert manifest is not None
    return manifest.content_hash, manifest.generation


def test_everything_is_built_again_from_the_archive_alone(
    outside: Outside, instance: dg.DagsterInstance, real: Real
) -> None:
    before = {place: rows for place, rows in real.published.items() if place[1] in {W31, W32}}
    settings = PrismResource().settings()
    s3 = client(settings, "s3")
    for table in TABLES:
        for week in (W31, W32):
            for key in (
                table.partition(week).parquet,
                table.partition(week).jsonl,
                table.partition(week).manifest,
            ):
                s3.delete_object(Bucket=settings.lake_bucket, Key=key)
    outside.world.faults.add(Fault(".*", status=500, body="down", times=10_000))

    done = run(instance, WeekRange(W31, W32), **{REPLAY_TAG.replace("/", "__"): NEWEST})

    assert done.success
    assert {(table.name, week): lake_rows(table, week) for table in TABLES for week in (W31, W32)} == before


def test_a_closed_week_is_read_again_and_what_moved_is_said_and_the_archive_knows_it_as_it_was(
    outside: Outside, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals: list[int] = []
    for monday in ("2023-08-07", "2023-08-14", "2023-09-04"):
        monkeypatch.setenv("PRISM_NOW", f"{monday}T06:00:00+00:00")
        assert run(instance, one(W31), *METRICS).success
        totals.append(sum(row["leads"] for row in lake_rows(CAMPAIGN_METRICS, W31)))

    assert totals[0] < totals[1] < totals[2] == sum(LEADS.values())
    said = week_metadata(instance, "campaign_metrics", W31)["restated"]
    assert said == [f"leads {totals[1]} is {totals[2]} now"]
    counts = ads_read(PrismResource(), W31)
    assert counts is not None
    ages = {age: sum(leads.values()) for age, leads in counts.counts.by_age.items()}
    assert (counts.counts.age, ages) == (RIPE_DAYS, {0: totals[0], 7: totals[1]})
    run(instance, one(W31), *METRICS, **{REPLAY_TAG.replace("/", "__"): "2023-08-10T00:00:00+00:00"})
    assert sum(row["leads"] for row in lake_rows(CAMPAIGN_METRICS, W31)) == totals[0]
    outside.lake.delete(META_INSIGHTS.partition(W31).manifest)  # the archive knows every age, too
    run(instance, one(W31), *METRICS, **{REPLAY_TAG.replace("/", "__"): NEWEST})
    rebuilt = ads_read(PrismResource(), W31)
    assert rebuilt is not None
    assert rebuilt.counts == counts.counts


def test_a_running_week_keeps_the_days_that_are_over_and_is_compared_with_nothing(
    outside: Outside, instance: dg.DagsterInstance, real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2023-08-16T12:00:00+00:00")

    done = run(instance, one(W33))

    assert done.success
    days = sorted({row["day"] for row in lake_rows(META_INSIGHTS, W33)})
    assert days == [date(2023, 8, 14), date(2023, 8, 15)]
    assert "days_read" not in failed_checks(done), "the days that are over were read"
    assert {row["value"] for row in lake_rows(CAMPAIGN_TRENDS, W33)} == {None}
    history = history_until(PrismResource(), W33)
    assert [len(history.totals(week).missing) for week in (W31, W32, W33)] == [0, 0, 5]
    assert history.campaign(W31, "1178") is not None


def test_days_that_were_not_read_though_they_are_over_are_told(
    outside: Outside, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2023-08-16T12:00:00+00:00")
    run(instance, one(W33), "meta_insights")
    monkeypatch.setenv("PRISM_NOW", "2023-08-22T12:00:00+00:00")

    assert "days_read" in failed_checks(run_checks(instance, W33, "meta_insights"))


def test_an_account_that_counts_in_another_currency_than_the_week_before_is_told(
    outside: Outside, instance: dg.DagsterInstance, real: Real
) -> None:
    assert "one_account" not in failed_checks(run_checks(instance, W32, "meta_insights"))
    outside.world.currency = "USD"
    run(instance, one(W32), "meta_insights")

    found = run_checks(instance, W32, "meta_insights")

    assert "one_account" in failed_checks(found)
    outside.world.currency = "EUR"
    run(instance, one(W32))
    assert "one_account" not in failed_checks(run_checks(instance, W32, "meta_insights"))


def test_a_row_that_cannot_be_taken_is_told_counted_and_missing_in_the_spend_and_blocks_nothing(
    outside: Outside, instance: dg.DagsterInstance
) -> None:
    wrong = {"campaign_id": "916", "adset_id": "1", "ad_id": "x", "date_start": "2023-07-31", "spend": "1"}
    outside.world.faults.add(Fault(INSIGHTS, body={"data": [wrong]}, skip=OF_ADS))

    done = run(instance, one(W31))

    assert done.success
    assert {"every_row_taken", "spend_accounted", "leads_accounted"} <= failed_checks(done)
    assert "rows_conserved" not in failed_checks(done)
    facts = week_metadata(instance, "meta_insights", W31)
    assert (facts["rejected"], facts["rejected_by_reason"]) == (1, {"id": 1})
    assert facts["unaccounted_spend"] == "11715.57"


def test_a_page_of_ads_that_is_lost_blocks_however_often_until_it_comes_or_a_person_says_why(
    outside: Outside, instance: dg.DagsterInstance, real: Real
) -> None:
    before = lake_rows(CAMPAIGN_METRICS, W32)
    for _ in range(2):
        outside.world.faults.add(Fault(INSIGHTS, body={"data": []}, skip=OF_ADS))

        lost = run(instance, one(W32))

        assert not lost.success
        assert "no_page_lost" in failed_checks(lost)
        assert lake_rows(CAMPAIGN_METRICS, W32) == before
    outside.world.faults.add(Fault(INSIGHTS, body={"data": []}, skip=OF_ADS))
    allowed = run(instance, one(W32), **{BECAUSE_TAG.replace("/", "__"): "the ads were removed from the account"})
    assert allowed.success
    assert {"leads_accounted", "spend_accounted"} <= failed_checks(allowed)
    again = run(instance, one(W32))
    assert again.success
    assert not {"no_page_lost", "leads_accounted", "spend_accounted"} & failed_checks(again)
    assert by_campaign(lake_rows(CAMPAIGN_METRICS, W32), "spend") == by_campaign(before, "spend")


def test_a_week_without_delivery_is_empty_and_sound_and_fell_against_those_before(
    outside: Outside, instance: dg.DagsterInstance, real: Real
) -> None:
    week = REAL.last + 1

    done = run(instance, one(week))

    assert done.success
    assert failed_checks(done) <= EXPECTED
    assert (lake_rows(META_INSIGHTS, week), lake_rows(CAMPAIGN_METRICS, week)) == ([], [])
    trends = {row["metric"]: row for row in lake_rows(CAMPAIGN_TRENDS, week)}
    assert len(trends) == len(Metric)
    assert (trends["spend"]["value"], trends["spend"]["change"], trends["spend"]["currency"]) == (0, -1, "EUR")


def test_a_run_that_ended_between_table_and_lake_is_told_and_mended_by_the_next(
    outside: Outside, instance: dg.DagsterInstance
) -> None:
    run(instance, one(W31), *METRICS)
    prism, before = PrismResource(), lake_rows(CAMPAIGN_METRICS, W31)
    places = PLACES.generations(prism)
    rows = list(places.week(W31))
    places.replace(W31, rows[:1], now=clock.now())

    broken = failed_checks(run_checks(instance, W31, "campaign_metrics"))
    run(instance, one(W31), "campaign_metrics")

    assert {"lake_follows_table", "ads_conserved"} <= broken
    assert PLACES.agree(prism, W31)[0]
    assert lake_rows(CAMPAIGN_METRICS, W31) == before
    assert len(list(places.week(W31))) == len(rows)


def test_figures_of_ads_that_nobody_read_are_refused_with_what_to_do(
    outside: Outside, instance: dg.DagsterInstance
) -> None:
    done = run(instance, one(Week.parse("2022-W10")), "campaign_metrics")

    assert not done.success
    assert "prism materialize meta_insights --weeks 2022-W10" in str(done.all_events)


# --- files


@pytest.fixture
def loaded(outside: Outside, platform: Platform) -> WeekRange:
    """The real ads two years earlier, from a file: weeks that nobody has read from Meta."""
    load(platform, ADS_FILE, "2021")
    return WeekRange.parse("2021-W30..2021-W35")


def load(platform: Platform, path: Path, year: str, folder: Path | None = None) -> Mapping[str, int]:
    moved = (folder or platform.home.root) / f"ads-{year}.csv"
    moved.write_text(path.read_text().replace("2023-08-", f"{year}-08-"))
    account = AdAccount("0", "Ads from files", NO_CURRENCY, ZoneInfo("UTC"))
    weeks = WeekRange(platform.settings.first_week, clock.this_week())
    ingest = AdsIngest(Lake(platform.settings), weeks, account, datetime.now(UTC))
    counts = ingest.load(moved, lambda rejected: pytest.fail(str(rejected)), lambda _: None)
    ingest.finish()
    return {"loaded": counts.loaded, "duplicate": counts.duplicate}


def test_ads_of_a_file_are_computed_by_the_same_assets_and_meta_is_not_asked(
    outside: Outside, instance: dg.DagsterInstance, loaded: WeekRange
) -> None:
    outside.world.faults.add(Fault(".*", status=500, body="down", times=10_000))

    done = run(instance, loaded)

    assert done.success
    total = sum((row.spend for week in loaded for row in ads(PrismResource(), week)), Decimal(0))
    lines = list(csv.DictReader(ADS_FILE.read_text().splitlines()))
    assert total == sum((Decimal(line["spend"]) for line in lines), Decimal(0))
    assert {row["currency"] for week in loaded for row in lake_rows(CAMPAIGN_METRICS, week)} == {NO_CURRENCY}
    # The customer system is of another account, for all that anybody knows.
    assert [lake_rows(LEAD_ATTRIBUTION, week) for week in loaded] == [[]] * len(loaded)
    assert "customer_system_read" in failed_checks(done)
    missing = history_until(PrismResource(), loaded.last).totals(Week.parse("2021-W30")).missing
    assert len(missing) == 6, "the file begins on the first of August, a Sunday"


def test_loading_a_file_again_changes_nothing_and_a_later_file_adds_its_days(
    outside: Outside, platform: Platform, tmp_path: Path
) -> None:
    lines = ADS_FILE.read_text().splitlines(keepends=True)
    days = sorted({line.partition(",")[0] for line in lines[1:]})
    early = tmp_path / "early.csv"
    early.write_text("".join([lines[0], *(line for line in lines[1:] if line.partition(",")[0] <= days[2])]))

    first = load(platform, early, "2020", tmp_path)
    again = load(platform, early, "2020", tmp_path)
    whole = load(platform, ADS_FILE, "2020", tmp_path)

    assert first["loaded"] == again["duplicate"] == whole["duplicate"]
    assert again["loaded"] == 0
    assert whole["loaded"] + whole["duplicate"] == len(lines) - 1


def test_a_week_that_was_read_from_meta_takes_no_file(
    outside: Outside, platform: Platform, instance: dg.DagsterInstance
) -> None:
    run(instance, one(W31), "meta_insights")
    account = AdAccount("0", "Ads from files", NO_CURRENCY, ZoneInfo("UTC"))
    ingest = AdsIngest(Lake(platform.settings), WeekRange(W31, W31), account, clock.now())
    refused: list[str] = []

    counts = ingest.load(ADS_FILE, lambda rejected: refused.append(rejected.reason), lambda _: None)

    assert (counts.loaded, ingest.finish()) == (0, [])
    assert any("was read from Meta" in reason for reason in refused)
    assert any("is outside" in reason for reason in refused)


def test_rows_of_a_file_that_are_wrong_are_rejected_with_their_line(
    outside: Outside, platform: Platform, tmp_path: Path
) -> None:
    lines = ADS_FILE.read_text().splitlines()
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(
        "\n".join([lines[0], lines[1].replace(",78.92,", ",many,"), lines[2].replace("2023", "2019")])
    )
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    account = AdAccount("0", "Ads from files", NO_CURRENCY, ZoneInfo("UTC"))
    ingest = AdsIngest(Lake(platform.settings), WeekRange.parse("2019-W01..2019-W40"), account, clock.now())
    refused: list[Any] = []

    counts = [ingest.load(path, refused.append, lambda _: None) for path in (wrong, other, tmp_path / "none.csv")]

    assert [(one.loaded, one.rejected) for one in counts] == [(1, 1), (0, 1), (0, 1)]
    assert [(found.line, found.reason[:28]) for found in refused] == [
        (2, "spend: number"),
        (0, "the file lacks the columns d"),
        (0, "the file cannot be read furt"),
    ]


def test_rows_of_a_file_that_could_not_be_read_are_missing_until_the_file_is_loaded_without_them(
    outside: Outside, platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week = Week.parse("2023-W32")
    lines = ADS_FILE.read_text().splitlines(keepends=True)
    at = next(place for place, line in enumerate(lines) if line.startswith("2023-08-09"))
    broken = [*lines[:at], lines[at].replace(",", ",none,", 1), *lines[at + 1 :]]
    undated = [*lines[:at], f"?{lines[at]}", *lines[at + 1 :]]

    said: dict[str, list[str]] = {}
    for name, found in {"broken": broken, "again": broken, "undated": undated, "whole": lines}.items():
        path = tmp_path / f"{name}.csv"
        path.write_text("".join(found).replace("2023-08-", "2019-08-"))
        account = AdAccount("0", "Ads from files", NO_CURRENCY, ZoneInfo("UTC"))
        ingest = AdsIngest(Lake(platform.settings), WeekRange.parse("2018-W01..2019-W52"), account, clock.now())
        ingest.load(path, lambda _: None, lambda _: None)
        ingest.finish()
        said[name] = told_as_missing(instance, Week.parse("2019-W32"))
    assert week.days[2] == date(2023, 8, 9)

    one_row = "Rows of ads that were refused and are in none of the figures: 1."
    assert [one_row in said[name] for name in said] == [True, True, True, False]
    assert "This week is compared with nothing." in said["undated"]
    assert "This week is compared with nothing." not in said["whole"]


def told_as_missing(instance: dg.DagsterInstance, week: Week) -> list[str]:
    assert run(instance, one(week)).success
    found = Told.of(PrismResource()).figures(week)
    return [written(said.prose, found.ledger, found.scope.names) for said in missing(found)]


def test_files_that_have_expired_leave_the_figures_and_are_asked_for_again(
    outside: Outside, platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    load(platform, ADS_FILE, "2022", tmp_path)
    week = Week.parse("2022-W32")
    run(instance, one(week), "meta_insights")
    before = lake_rows(META_INSIGHTS, week)
    lake = Lake(platform.settings)
    for key in list(lake.keys(f"raw/meta/week={week}/")):
        lake.delete(key)

    done = run(instance, one(week), "meta_insights")

    assert not done.success
    assert "load the files again" in str(done.all_events)
    assert lake_rows(META_INSIGHTS, week) == before != []
