"""Benchmarks at their smallest, so that none of them rots.

Why real: they start processes, an emulator and a front door; whether they still can is the question. Figures of so
few calls say nothing, and no test looks at one.
"""

from pathlib import Path

import pytest

from benchmarks import (
    alerts,
    api_init,
    api_load,
    api_warm,
    backfill,
    connectors,
    email,
    events_flow,
    events_validate,
    export_client,
    export_emulator,
    export_memory,
    history,
    media,
    screens,
    views,
)


def test_the_start_is_measured_beside_its_peers(capsys: pytest.CaptureFixture[str]) -> None:
    first, with_client = api_init.main(["--repeats", "1"])

    assert list(first["contenders"]) == list(api_init.CONTENDERS)
    assert list(with_client["contenders"]) == list(api_init.WITH_CLIENT)
    assert [len(result["targets"]) for result in (first, with_client)] == [1, 1]
    assert 15 < first["libraries"] < 60  # of a function, not of a developer
    assert "share of fastapi + mangum" in capsys.readouterr().out


def test_warm_calls_are_measured_and_answer_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    meta, listed = api_warm.main(["--repeats", "1", "--calls", "20", "--items", "7"])

    assert list(meta["contenders"]) == list(api_warm.META)
    assert list(listed["contenders"]) == list(api_warm.LIST)
    assert "times a raw query" in capsys.readouterr().out


def test_clients_at_once_meet_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    result = api_load.main(["--seconds", "3", "--clients", "4"])

    assert result["errors"] == 0, capsys.readouterr().out
    assert result["requests"] > 0


@pytest.mark.slow
def test_events_are_timed_from_acceptance_to_their_end_and_by_stage(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--rate", "5", "--seconds", "3", "--warm-seconds", "2", "--try-seconds", "2", "--most", "10"]

    result = events_flow.main(small)

    assert result["events"] == 15
    assert result["wrong"] == []
    assert set(result["stages"]) == {"accept", "queue", "validate", "enrich", "store", "machine"}
    assert [one["rate"] for one in result["tried"]] == [10]
    assert [one["met"] for one in result["targets"]][1:] == [True, True]
    assert "p95 from accepted to stored" in capsys.readouterr().out


@pytest.mark.slow
def test_an_upload_is_timed_by_stage_and_the_queue_beside_the_analyser_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = media.main(["--images", "2", "--singles", "1", "--repeats", "1", "--large", "2"])

    assert (result["uploads"], result["added_ms"]["p95"] > 0) == (1, True)
    assert set(result["images_a_second"]) == {"queue", "analyser alone"}
    assert result["large"]["bytes"] > 14 * 1024 * 1024
    assert [target["limit"] for target in result["targets"]] == [1_000, 0.2, 1_024]
    assert result["targets"][2]["met"]
    assert "pictures of" in capsys.readouterr().out


def test_weeks_of_history_are_the_same_by_sets_and_by_replay() -> None:
    states, written = history.main(["--changes", "2000", "--weeks", "52", "--repeats", "1"])

    assert list(states["contenders"]) == list(history.STATES)
    assert list(written["contenders"]) == list(history.WRITTEN)
    assert [target["limit"] for target in (*states["targets"], *written["targets"])] == [0.01, 1]


def test_the_rules_find_what_the_merges_find_at_every_size(capsys: pytest.CaptureFixture[str]) -> None:
    results = alerts.main(["--weeks", "3", "--scales", "1", "2", "--repeats", "1"])

    assert [list(result["contenders"]) for result in results] == [list(alerts.CONTENDERS)] * 2
    assert results[1]["growth"]["rows"] > 1.5
    assert "times the rows cost prism" in capsys.readouterr().out


def test_a_view_is_measured_over_both_formats_of_the_lake(capsys: pytest.CaptureFixture[str]) -> None:
    (result,) = views.main(["--repeats", "1", "--weeks", "2", "--view", "capacity_gap"])

    assert list(result["contenders"]) == list(views.CONTENDERS)
    assert result["rows"]["throughput"] == 2 * 5 * 79 * 3
    assert "s a dashboard over capacity_gap" in capsys.readouterr().out


def test_an_export_costs_its_client_what_is_measured_and_reads_the_same_as_its_peers() -> None:
    result = export_client.main(["--items", "3000", "--repeats", "1"])

    assert list(result["contenders"]) == list(export_client.CONTENDERS)
    assert [target["limit"] for target in result["targets"]] == [0.1]


@pytest.mark.slow
def test_the_memory_of_an_export_is_measured_over_a_register_with_a_past_facts_and_three_tables() -> None:
    found = export_memory.main(["--items", "6000", "--changes", "900"])

    assert list(found) == ["register", "facts", "three"]
    assert [target["limit"] for result in found.values() for target in result["targets"]] == [600, 600, 600]


@pytest.mark.slow
def test_an_export_of_ten_tables_reads_the_same_as_its_peer_and_writes_nothing_twice() -> None:
    (result,) = export_emulator.main(["--items", "200", "--repeats", "1"])

    assert list(result["contenders"]) == list(export_emulator.CONTENDERS)
    assert [target["limit"] for target in result["targets"]] == [0.5]


@pytest.mark.slow
def test_a_backfill_publishes_the_same_in_both_ways() -> None:
    # How a backfill goes through the daemon is in test_whole_backfill.
    result = backfill.main(
        ["--weeks", "2", "--without-daemon", "--assets", "members", "quality_reviews", "throughput"]
    )

    assert (list(result["contenders"]), result["assets"]) == ([backfill.RANGE, backfill.SINGLE], 3)


def test_the_mail_of_a_report_says_the_same_as_its_peer(capsys: pytest.CaptureFixture[str]) -> None:
    whole, rendering = email.main(["--repeats", "1"])

    assert list(whole["contenders"]) == list(email.WHOLE)
    assert list(rendering["contenders"]) == list(email.RENDERING)
    assert "share of the seconds of matplotlib" in capsys.readouterr().out


def test_a_walk_through_the_pages_of_ads_is_measured_beside_the_pages_alone() -> None:
    result = connectors.main(["--ads", "20", "--page-ms", "0", "--repeats", "1"])

    assert list(result["contenders"]) == list(connectors.CONTENDERS)
    assert len(result["targets"]) == 2


@pytest.mark.slow
def test_every_verdict_on_an_event_is_that_of_the_reference_validator(capsys: pytest.CaptureFixture[str]) -> None:
    synthetic = str(Path(__file__).parents[1] / "data" / "events")
    small = ["--payloads", synthetic, "--rounds", "4", "--events", "20", "--repeats", "1", "--spoiled", "20"]

    results = events_validate.main(small)

    assert [result["benchmark"] for result in results] == ["events_github", "events_github_fitting", "events_1kb"]
    assert [result["verdicts"] for result in results] == [8 * 21, 5 * 21, 20 * 21]
    for result in results:
        assert set(result["contenders"]) == set(events_validate.CONTENDERS)
        assert result["different_verdicts"]["prism"] == 0
        assert [target["limit"] for target in result["targets"]] == [0, 1 / 25, 1 / 25, 2]
    assert "a second on one core" in capsys.readouterr().out


@pytest.mark.slow
def test_screens_are_measured_from_an_empty_cache_to_what_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--weeks", "0", "--screens", "team", "--repeats", "1", "--grid", "60"]

    result = screens.main(small)

    assert list(result["first_load"]) == ["team"]
    assert set(result["interactions"]) == {"sort", "sort, rested", "page", "page, rested", "filter"}
    assert (result["grid"]["members"], result["grid"]["dropped_keys"]) == (60, 0)
    assert 200 < result["first_load"]["team"]["script_kb"] <= screens.SCREEN_KB
    assert "ms a first load of team" in capsys.readouterr().out
