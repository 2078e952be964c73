"""The weekly proposal: planned from the tables, stored once, checked as it was stored."""

from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.models.alerts import Plan, PlanStatus
from prism_core.settings import load_settings
from prism_core.tables import PROJECTS
from prism_resources.plans.bodies import read_body
from prism_resources.plans.storing import PlanStore
from tests.integration.asset_runs import failed_checks, run_assets, week_metadata
from tests.integration.fresh import platform_of_this_file
from tests.integration.test_plan_command import ITEMS, put

platform = platform_of_this_file()
NOW = "2026-11-19T06:00:00+00:00"
THIS = Week.parse("2026-W47")


@pytest.fixture(autouse=True)
def _thursday(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_NOW", NOW)
    put(platform, ITEMS)


def run(instance: dg.DagsterInstance, weeks: str = "2026-W47") -> dg.ExecuteInProcessResult:
    result = run_assets(instance, WeekRange.parse(weeks), "capacity_plan")
    assert result.success
    return result


def plans(week: Week = THIS + 1) -> list[Plan]:
    return list(PlanStore(load_settings()).of_week(week))


def shown(instance: dg.DagsterInstance) -> dict[str, Any]:
    return week_metadata(instance, "capacity_plan", THIS)


def test_the_next_week_is_proposed_as_a_draft_with_its_reasons_and_pictures(
    platform: Platform, instance: dg.DagsterInstance
) -> None:
    result = run(instance)

    (plan,) = plans()
    kept = read_body(platform.settings, plan)
    facts = shown(instance)
    assert (plan.status, plan.created_by, plan.scenario) == (PlanStatus.DRAFT, "capacity_plan", "base")
    assert [(one.member_id, str(one.hours)) for one in kept.plan.assignments] == [("m-3", "32.00")]
    assert kept.explanation is not None
    assert (facts["planned_week"], facts["plan_id"], facts["unmet_hours"]) == ("2026-W48", plan.plan_id, 18.0)
    assert all("data:image/svg+xml" in facts[name] for name in ("hours_by_project", "open_demand", "load"))
    assert "r-1" in facts["unplaced"]
    assert failed_checks(result) == {"requests_placed"}


def test_unchanged_items_keep_the_proposal_and_changed_ones_make_another(
    platform: Platform, instance: dg.DagsterInstance
) -> None:
    run(instance)
    before = plans()

    run(instance)
    again = plans()
    spec, project = next((spec, item) for spec, item in ITEMS if spec is PROJECTS)
    put(platform, [(spec, project.model_copy(update={"priority": 1}))])
    run(instance)

    assert again == before
    assert len(plans()) == len(before) + 1
    assert shown(instance)["plan_id"] not in {one.plan_id for one in before}


def test_of_a_week_that_has_begun_nothing_is_proposed(instance: dg.DagsterInstance) -> None:
    result = run(instance, "2026-W45..2026-W46")

    assert plans(Week.parse("2026-W46")) == plans(THIS) == []
    assert failed_checks(result) == set()
    assert "has begun" in week_metadata(instance, "capacity_plan", Week.parse("2026-W46"))["left_out"]
