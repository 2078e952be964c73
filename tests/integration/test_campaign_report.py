"""Sentences and report of a campaign's week as assets: told right, told once, made again from the archive alone.

Why real: figures, answers of a model and reports pass services, an archive, the lake and the shelf.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from infra.local.standins.author import honest_author
from infra.local.standins.faults import NAMED, Fault
from prism_assets.campaign.sources import NEWEST, REPLAY_TAG
from prism_assets.reports.weeks import NEWEST_WEEK, REPORTS_TAG
from prism_core.calendar import Week, WeekRange
from prism_core.lake_campaign import CAMPAIGN_ANALYSIS, HUBSPOT_LEADS
from prism_core.models.reports import ReportKind
from prism_core.reports.content import Fallback, Writer
from prism_core.reports.plain_text import plain_text
from prism_resources.archive import CLAUDE, Archive
from prism_resources.reports.rendering import render
from prism_resources.reports.shelf import Kept, Shelf
from prism_resources.writing.passes import PROMPT
from prism_resources.writing.remembering import WHAT
from prism_sensors.campaign import FIGURES, REPORT
from tests.integration.asset_runs import failed_checks, lake_rows, run_assets, run_checks, week_metadata
from tests.integration.fresh import platform_of_this_file
from tests.integration.outside import ADS_FILE, Outside, outside, served_fixture
from tests.integration.report_readers import Readers, readers
from tests.integration.test_campaign_assets import load

__all__ = ("outside", "readers", "served_fixture")

platform = platform_of_this_file()

REAL = WeekRange.parse("2023-W31..2023-W35")
W31, W32, W33, W34, W35 = REAL
TWO = WeekRange(W34, W35)
CHECKS = {"no_ungrounded_figure", "provenance_labelled", "fits_a_mail", "partition_whole"}
FOREVER = 10_000


@pytest.fixture(autouse=True)
def _asked_of_the_stand_ins(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    outside.world.author = honest_author
    for name in ("meta_api_url", "hubspot_api_url", "claude_api_url", "meta_account_id"):
        monkeypatch.setenv(f"PRISM_{name.upper()}", str(getattr(outside.settings, name)))
    for prefix in ("raw/claude/", "reports/", "lake/"):
        for key in list(outside.lake.keys(prefix)):
            outside.lake.delete(key)


@pytest.fixture
def shelf(platform: Platform) -> Shelf:
    return Shelf(platform.settings)


def run(instance: dg.DagsterInstance, weeks: WeekRange, *assets: str, **tags: str) -> dg.ExecuteInProcessResult:
    named = {name.replace("__", "/"): value for name, value in tags.items()}
    return run_assets(instance, weeks, *(assets or (*FIGURES, *REPORT)), tags=named)


NEWEST_ONLY = {REPORTS_TAG.replace("/", "__"): NEWEST_WEEK}
REPLAYED = {REPLAY_TAG.replace("/", "__"): NEWEST}


def one(week: Week) -> WeekRange:
    return WeekRange(week, week)


def newest(shelf: Shelf, week: Week) -> Kept:
    kept = shelf.newest(ReportKind.CAMPAIGN, week)
    assert kept is not None
    return kept


def readings(outside: Outside, week: Week) -> int:
    return len(Archive(outside.lake, CLAUDE).readings(week, WHAT))


def test_a_monday_reads_five_weeks_and_reports_on_the_one_that_has_ended(
    outside: Outside, instance: dg.DagsterInstance, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2023-09-04T03:00:00+00:00")

    done = run(instance, REAL, **NEWEST_ONLY)

    assert done.success
    assert shelf.weeks(ReportKind.CAMPAIGN) == [W35]
    assert [len(lake_rows(CAMPAIGN_ANALYSIS, week)) for week in (W31, W34)] == [0, 0]
    kept = newest(shelf, W35)
    assert kept.content.provenance.writer is Writer.MODEL
    assert kept.content.provenance.model == "claude-opus-5-5 (stand-in)"
    assert kept.content.synthetic
    assert len(render(kept.content).html) <= 102_000
    assert not CHECKS & failed_checks(done)
    said, made = (week_metadata(instance, name, W35) for name in REPORT)
    assert (said["writer"], said["asked"], said["prompt"]) == ("model", 3, PROMPT)
    assert said["input_tokens"] > 3_000
    assert made["preview"].startswith("```\nCAMPAIGN REPORT 2023-W35")
    assert "data:image/svg+xml;base64," in made["preview"]
    assert made["kept_in"] == kept.key
    assert week_metadata(instance, "campaign_report", W31)["left_as_it_was"]


def test_a_report_without_the_customer_system_is_made_and_says_so_and_leads_that_were_read_stay(
    outside: Outside, instance: dg.DagsterInstance, shelf: Shelf
) -> None:
    run(instance, one(W34), *FIGURES)
    read = lake_rows(HUBSPOT_LEADS, W34)
    outside.world.faults.add(NAMED["hubspot-token-expired"])

    done = run(instance, TWO, **NEWEST_ONLY)

    assert done.success
    content = newest(shelf, W35).content
    assert "The customer system was not read." in [content.text(one.prose) for one in content.missing]
    assert "customer_system_read" in failed_checks(done)
    assert lake_rows(HUBSPOT_LEADS, W34) == read != []


def test_the_rows_of_the_lake_say_the_sentences_of_the_report(
    outside: Outside, instance: dg.DagsterInstance, shelf: Shelf
) -> None:
    run(instance, TWO, **NEWEST_ONLY)

    rows = lake_rows(CAMPAIGN_ANALYSIS, W35)

    text = " ".join(plain_text(newest(shelf, W35).content).split())
    assert {row["part"] for row in rows} == {"headline", "analysis", "recommendation"}
    assert all(row["said"].replace("\xa0", " ") in text for row in rows)
    assert {(row["writer"], row["prompt"]) for row in rows} == {("model", PROMPT)}


def test_a_week_that_has_moved_since_it_was_mailed_is_told_again_with_both_figures(
    outside: Outside,
    instance: dg.DagsterInstance,
    shelf: Shelf,
    readers: Readers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2023-08-07T03:00:00+00:00")
    readers.join("ada")
    run(instance, one(W31), **NEWEST_ONLY)
    assert readers.deliver(datetime(2023, 8, 7, 5, tzinfo=UTC)) == {"ada": "sent"}
    was = newest(shelf, W31).content.fact("week.2023-w31.leads").text
    monkeypatch.setenv("PRISM_NOW", "2023-08-14T03:00:00+00:00")

    done = run(instance, WeekRange(W31, W32), **NEWEST_ONLY)

    content = newest(shelf, W32).content
    now = content.fact("week.2023-w31.leads").text
    said = [content.text(one.prose) for one in content.corrections]
    assert f"Leads of 2023-W31 were {was}, now {now}." in said
    assert was != now
    assert f"2023-W31 were {was}" in render(content).text
    assert newest(shelf, W31).content.fact("week.2023-w31.leads").text == was, "what was mailed stays"
    assert readers.deliver(datetime(2023, 8, 14, 5, tzinfo=UTC)) == {"ada": "sent"}
    assert f"Leads of 2023-W31 were {was}, now {now}." in " ".join(readers.texts()[-1].split())
    assert not CHECKS & failed_checks(done)


def test_the_same_week_again_is_the_same_report_and_no_question(
    outside: Outside, instance: dg.DagsterInstance, shelf: Shelf
) -> None:
    run(instance, TWO, **NEWEST_ONLY)
    before, asked = newest(shelf, W35), readings(outside, W35)

    done = run(instance, TWO, **NEWEST_ONLY)

    assert done.success
    assert newest(shelf, W35) == before
    assert readings(outside, W35) == asked == 1
    assert week_metadata(instance, "campaign_analysis", W35)["recalled"] == 3


def test_a_replay_makes_the_same_mail_and_asks_nobody(
    outside: Outside, instance: dg.DagsterInstance, shelf: Shelf
) -> None:
    run(instance, TWO, **NEWEST_ONLY)
    before = newest(shelf, W35)
    for prefix in ("lake/", "reports/"):
        for key in list(outside.lake.keys(prefix)):
            outside.lake.delete(key)
    outside.world.faults.add(Fault(".*", status=500, body="down", times=FOREVER))

    done = run(instance, TWO, **NEWEST_ONLY, **REPLAYED)

    assert done.success
    assert outside.world.faults.shown()[0]["met"] == 0
    again = newest(shelf, W35)
    assert again.content_hash == before.content_hash
    assert render(again.content) == render(before.content)


def test_every_week_of_a_run_without_a_word_about_it_is_reported_on_but_one_that_runs(
    outside: Outside, instance: dg.DagsterInstance, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2023-08-16T12:00:00+00:00")

    done = run(instance, WeekRange(W31, W33))

    assert done.success
    assert shelf.weeks(ReportKind.CAMPAIGN) == [W31, W32]
    assert not CHECKS & failed_checks(done)


def test_a_model_that_lies_reaches_nobody_and_the_report_says_that_code_wrote(
    outside: Outside, instance: dg.DagsterInstance, shelf: Shelf
) -> None:
    def liar(asked: Mapping[str, Any]) -> str:
        answer = json.loads(honest_author(asked))
        for said in answer.get("analysis", ()):
            said["prose"] = "Leads collapsed by 77 %."
        return json.dumps(answer)

    outside.world.author = liar

    done = run(instance, TWO, **NEWEST_ONLY)

    assert done.success
    content = newest(shelf, W35).content
    assert content.provenance.fallback is Fallback.REJECTED
    assert "77" not in " ".join(content.text(one.prose) for one in content.statements())
    assert "the model's answer held figures" in " ".join(render(content).text.split())
    assert not CHECKS & failed_checks(done)
    refused = week_metadata(instance, "campaign_analysis", W35)["refused"]
    assert any("77" in reason for reason in refused)


def test_sentences_of_other_figures_are_not_told_beside_the_new_ones(
    outside: Outside, instance: dg.DagsterInstance, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2023-08-07T03:00:00+00:00")
    run(instance, one(W31))
    monkeypatch.setenv("PRISM_NOW", "2023-08-21T03:00:00+00:00")

    done = run(instance, one(W31), *FIGURES, "campaign_report")

    assert done.success
    assert newest(shelf, W31).content.provenance.fallback is Fallback.NOT_ASKED
    assert week_metadata(instance, "campaign_report", W31)["sentences_were_outdated"]
    assert "no_ungrounded_figure" in failed_checks(run_checks(instance, W31, "campaign_analysis"))
    assert "no_ungrounded_figure" not in failed_checks(run_checks(instance, W31, "campaign_report"))


def test_a_sentence_that_was_altered_in_the_lake_is_found(
    outside: Outside, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(instance, one(W31))
    rows = lake_rows(CAMPAIGN_ANALYSIS, W31)
    rows[0] |= {"prose": "Leads rose by 77 %."}
    rows = [{name: value for name, value in row.items() if name != "week"} for row in rows]
    outside.lake.replace_partition(
        CAMPAIGN_ANALYSIS, W31, rows, generation=9, now=newest_instant(outside), counts={}
    )

    assert "no_ungrounded_figure" in failed_checks(run_checks(instance, W31, "campaign_analysis"))


def newest_instant(outside: Outside) -> Any:
    return Archive(outside.lake, CLAUDE).readings(W31, WHAT)[-1].read_at


def test_real_ads_of_a_file_are_told_by_code_and_never_called_synthetic(
    outside: Outside, instance: dg.DagsterInstance, platform: Platform, shelf: Shelf, tmp_path: Path
) -> None:
    load(platform, ADS_FILE, "2021", tmp_path)
    weeks = WeekRange.parse("2021-W30..2021-W35")

    done = run(instance, weeks, **NEWEST_ONLY)

    assert done.success
    content = newest(shelf, weeks.last).content
    assert not content.synthetic
    assert content.provenance.fallback is Fallback.NO_KEY
    assert readings(outside, weeks.last) == 0


def test_a_week_whose_figures_nobody_computed_is_refused_with_what_to_do(
    outside: Outside, instance: dg.DagsterInstance
) -> None:
    done = run(instance, one(Week.parse("2022-W10")), *REPORT)

    assert not done.success
    assert "prism materialize meta_insights --weeks 2022-W10" in str(done.all_events)
