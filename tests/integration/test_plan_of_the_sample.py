"""`prism plan` of the next week on the sample, under one clock. Why real: it is the first plan that people see."""

import json
from datetime import datetime
from typing import Any

import pytest

from infra.local.platform import Platform
from infra.local.sample.load import SEED, load_programme
from infra.local.sample.people import synthetic_programme
from prism_core.calendar import Week
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import prism

NOW = "2026-11-21T12:00:00Z"
WEEK = "2026-W48"
WEEKS_OF_SAMPLE = 4
platform = commands_of_this_file(NOW)


@pytest.fixture(scope="module")
def sample(platform: Platform) -> Platform:
    """The programme of four weeks; what was done in them is no part of a plan."""
    until = datetime.fromisoformat(NOW)
    weeks = Week.of(until).window(WEEKS_OF_SAMPLE)
    load_programme(platform, synthetic_programme(weeks, SEED), weeks, until)
    return platform


def plan(platform: Platform, *words: str) -> Any:
    first = platform.settings.first_week.label
    # At once: what more time finds depends on how busy the machine is.
    asked = ("plan", WEEK, "--explain", "--seconds", "0", *words)
    answer = prism(platform.settings.home, *asked, first_week=first, PRISM_NOW=NOW)
    assert answer.returncode == 0, answer.stderr
    return answer


def test_the_plan_of_the_next_week_says_its_worth_its_bound_and_why_demand_stays_open(sample: Platform) -> None:
    found = json.loads(plan(sample, "--json").stdout)
    told = " ".join(plan(sample).stdout.split())

    objective, bound = float(found["objective"]), float(found["bound"])
    assert 0 < objective <= bound
    assert 0 <= found["gap"] <= 0.005
    assert found["assignments"]
    assert found["unmet"]
    figures = f"objective {objective:.2f}, bound {bound:.2f}, gap {found['gap']:.4%}"
    assert figures in told
    reasons = [one for one in found["explanation"] if " stay open: " in one]
    assert len(reasons) == len(found["unmet"])
    for one in found["unmet"]:
        (why,) = [
            reason for reason in reasons if f" of {one['line']} on {one['project_id']} stay open: " in reason
        ]
        assert why in told
    # Everybody who is planned is told why.
    for one in found["assignments"]:
        assert f"{one['member_id']} works " in told
