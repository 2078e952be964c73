"""The operations report from published weeks to its shelf. Why real: what was computed is what the lake holds."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.lake import LakeTable
from prism_core.lake_tables import QUALITY_SCORES, THROUGHPUT, UTILISATION
from prism_core.models.projects import Project
from prism_core.models.reports import ReportKind
from prism_core.reports import wording
from prism_core.reports.plain_text import plain_text
from prism_resources.lake import Lake
from prism_resources.reports.shelf import Kept, Shelf
from tests.integration.asset_runs import failed_checks, run_assets, week_metadata, write
from tests.integration.report_readers import nothing_before

LAST = Week.parse("2019-W40")
NOW = LAST.end + timedelta(hours=5)
WEEKS = LAST.window(6)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    folder = tmp_path_factory.mktemp("dagster")
    with dg.DagsterInstance.local_temp(str(folder), overrides={"telemetry": {"enabled": False}}) as found:
        yield found


def publish(lake: Lake, table: LakeTable, week: Week, *rows: Mapping[str, object]) -> None:
    whole = [{one.name: row.get(one.name) for one in table.columns} for row in rows]
    lake.replace_partition(table, week, whole, generation=1, now=datetime(2019, 1, 1, tzinfo=UTC))


def work(week: Week, tasks: int) -> Mapping[str, object]:
    counts = dict.fromkeys(
        ("tasks_returned", "tasks_declined", "tasks_accepted", "tasks_other", "active_tasks"), 0
    )
    row = {"project_id": "P-OPS", "member_id": "m-1", "day": week.monday, "tasks_submitted": tasks}
    resolved = {"worker_resolved": True, "project_resolved": True}
    return counts | row | resolved | {"wall_seconds": 7_200}


@pytest.fixture
def lake(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Six weeks of throughput alike, of which the last one has quality and hours as well."""
    nothing_before(platform.settings)
    monkeypatch.setenv("PRISM_NOW", NOW.isoformat())
    project = {"project_id": "P-OPS", "name": "Road signs", "category": "c", "demand_hours": "40.00"}
    write("projects", [Project.model_validate(project)])
    lake = Lake(platform.settings)
    for week in WEEKS:
        publish(lake, THROUGHPUT, week, work(week, 1_000))
    score = {"member_id": "m-1", "project_id": "P-OPS", "category": "c", "mapped": True, "reviews": 1}
    publish(lake, QUALITY_SCORES, LAST, score | {"reviewed": 200, "correct": 190})
    hours = {"member_id": "m-1", "day": LAST.monday, "available_hours": 8.0, "allocated_hours": 4.0}
    publish(lake, UTILISATION, LAST, hours | {"worked_hours": 2.0})
    return lake


def made(platform: Platform, week: Week = LAST) -> Kept | None:
    return Shelf(platform.settings).newest(ReportKind.OPERATIONS, week)


def test_the_report_of_a_week_says_what_was_published_of_it(
    platform: Platform, lake: Lake, instance: dg.DagsterInstance
) -> None:
    del lake
    result = run_assets(instance, WeekRange(LAST, LAST), "operations_report")

    kept = made(platform)
    assert result.success
    assert failed_checks(result) == set()
    assert kept is not None
    text = plain_text(kept.content).replace("\n  ", " ")
    assert "* Road signs: Tasks 1,000; Hours 2.0 h; Tasks an hour 500.00; Reviewed 200; Accuracy 95.0 %" in text
    assert [wording.card(kept.content, one).figure for one in kept.content.cards] == ["1,000", "95.0", "50.0", "0"]
    shown = week_metadata(instance, "operations_report", LAST)
    assert shown["kept_in"] == kept.key
    assert shown["subject"] == "Operations report 2019-W40"


def test_made_again_it_is_the_same_and_of_a_platform_with_a_sample_it_says_so(
    platform: Platform, lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    del lake
    run_assets(instance, WeekRange(LAST, LAST), "operations_report")
    first = made(platform)
    run_assets(instance, WeekRange(LAST, LAST), "operations_report")
    again = made(platform)
    monkeypatch.setenv("PRISM_SYNTHETIC", "true")
    run_assets(instance, WeekRange(LAST, LAST), "operations_report")
    synthetic = made(platform)

    assert first == again
    assert first is not None
    assert synthetic is not None
    assert not first.content.synthetic
    assert wording.subject(synthetic.content) == "[SYNTHETIC] Operations report 2019-W40"


def test_a_running_week_has_none_and_a_run_over_several_makes_those_that_have_ended(
    platform: Platform, lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    del lake
    monkeypatch.setenv("PRISM_NOW", (LAST.end - timedelta(hours=1)).isoformat())

    result = run_assets(instance, WeekRange(LAST + -1, LAST), "operations_report")

    assert result.success
    assert failed_checks(result) == set()
    assert (made(platform, LAST + -1) is not None, made(platform)) == (True, None)


def test_a_run_that_is_told_so_makes_the_newest_alone(
    platform: Platform, lake: Lake, instance: dg.DagsterInstance
) -> None:
    del lake

    run_assets(instance, WeekRange(LAST + -1, LAST), "operations_report", tags={"prism/reports": "newest"})

    assert (made(platform, LAST + -1), made(platform) is not None) == (None, True)


def test_without_throughput_there_is_no_report_and_a_person_reads_what_to_do(
    platform: Platform, lake: Lake, instance: dg.DagsterInstance
) -> None:
    for key in list(lake.keys("lake/")):
        if f"throughput/week={LAST}" in key:
            lake.delete(key)

    result = run_assets(instance, WeekRange(LAST, LAST), "operations_report")

    errors = [str(event.event_specific_data) for event in result.get_step_failure_events()]
    assert not result.success
    assert f"throughput of {LAST} was not computed" in " ".join(errors)
    assert made(platform) is None
