"""A plan is kept with its week and its explanation, and read back as it was."""

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings

from prism_core.capacity.describing import Described
from prism_core.capacity.document import plan_document, plan_of
from prism_core.capacity.explain import Explainer, explain
from prism_core.capacity.kept import KeptPlan, fingerprint, kept_text, read_kept
from prism_core.capacity.problem import Exclusion, Pin, PlanProblem, PlanProject, Weights
from prism_core.capacity.scenario import Scenario
from prism_core.capacity.solve import solve
from prism_core.capacity.weighting import WeightsChange, weighted
from prism_core.failures import PermanentFailure
from tests.unit.capacity_weeks import MON, THU, WEEK, line, member, problems

WHOLE = PlanProblem(
    WEEK,
    [member("M1", 4, 4, skills={"a": 1}, max_projects=2), member("M2", 8, overtime_hours=Decimal("2.50"))],
    [PlanProject("P1", sla_date=THU, quality_target=Decimal("0.95")), PlanProject("P2", min_people=1)],
    [line("P1", 20, skills={"a": 1}), line("P2", 3, until=MON)],
    pins=[Pin("M2", "P1", Decimal(2), {MON: Decimal(2)}), Pin("M1", "P2", Decimal(1))],
    exclusions=[Exclusion("M2", "P2")],
    previous={("M1", "P1"): Decimal(3)},
    published={("M1", "P1"): Decimal(4), ("M2", "P1"): Decimal(1)},
    quality={("M1", "P1"): Decimal("0.9")},
    weights=Weights(fairness=Decimal("1.5")),
    move_budget_hours=Decimal(2),
)


def kept(problem: PlanProblem, **more: object) -> KeptPlan:
    plan = solve(problem)
    return KeptPlan(problem, plan, {"R-1": "no project"}, explanation=explain(problem, plan), **more)  # type: ignore[arg-type]


def test_a_plan_is_read_back_with_its_week_scenario_and_explanation() -> None:
    scenario = Scenario.model_validate(
        {"name": "more", "hours": [{"member_id": "M1", "by_day": {"2026-11-23": 4}}]}
    )
    before = kept(WHOLE, scenario=scenario)

    after = read_kept(kept_text(before))

    assert after.plan == replace(before.plan, seconds={})
    assert (after.explanation, after.scenario, after.unplaced) == (before.explanation, scenario, before.unplaced)
    assert fingerprint(after.problem) == fingerprint(WHOLE)
    assert (after.problem.previous, after.problem.pins) == (WHOLE.previous, WHOLE.pins)


def test_what_was_kept_can_still_be_asked_for_candidates() -> None:
    members = [member("M1", 8), member("M2", 8)]
    anew = PlanProblem(WEEK, members, [PlanProject("P1"), PlanProject("P2")], [line("P1", 9), line("P2", 20)])
    before = kept(anew)
    after = read_kept(kept_text(before))

    asked = Explainer(after.problem, after.plan).candidates("D-P1")

    assert asked == Explainer(anew, before.plan).candidates("D-P1")
    assert asked


@settings(max_examples=25, deadline=None)
@given(problems(limits=True))
def test_every_week_is_read_back_as_it_was(problem: PlanProblem) -> None:
    before = kept(problem)

    text = kept_text(before)

    assert kept_text(read_kept(text)) == text
    assert plan_of(plan_document(Described(problem), before.plan)) == replace(before.plan, seconds={})


def test_another_weight_is_another_fingerprint() -> None:
    assert fingerprint(WHOLE) != fingerprint(replace(WHOLE, weights=Weights()))
    assert len(fingerprint(WHOLE)) == 32


def test_a_text_of_another_format_is_refused() -> None:
    with pytest.raises(PermanentFailure, match="format 1"):
        read_kept(msgspec.json.encode({"format": 2}))


def test_weights_are_laid_over_each_other_and_the_unnamed_stay() -> None:
    found = weighted(
        Weights(), WeightsChange(overtime=Decimal(1), quality=Decimal(2)), None, WeightsChange(overtime=Decimal(3))
    )

    assert found == replace(Weights(), overtime=Decimal(3), quality=Decimal(2))
