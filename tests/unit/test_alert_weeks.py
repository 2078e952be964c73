"""Two thousand generated weeks with planted conflicts: what is wrong is found, and nothing else.

For the rules whose answer is a matter of fact: days off, names that are nobody's, late requests.
"""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from prism_core.alerts import planted
from prism_core.alerts.findings import Judgement
from prism_core.alerts.judging import RULES
from prism_core.alerts.planted import PLANTED_RULES, PLANTED_WEEKS, measured, planted_week
from prism_core.alerts.snapshot import AlertSnapshot
from prism_core.models.alerts import AlertRule

WEEKS, PARTS = 2_000, 8


@pytest.mark.parametrize("part", range(PARTS))
def test_two_thousand_weeks_are_judged_with_full_precision_and_recall(part: int) -> None:
    right: Counter[AlertRule] = Counter()
    wrong: list[str] = []
    seeds = range(part, WEEKS, PARTS)
    for seed in seeds:
        week = planted_week(seed)
        for rule in PLANTED_RULES:
            found, meant = week.hits(rule)
            right[rule] += len(found & meant)
            wrong += [f"week {seed}: {rule} told {about} falsely" for about in sorted(found - meant)]
            wrong += [f"week {seed}: {rule} missed {about}" for about in sorted(meant - found)]

    assert wrong == []
    assert all(right[rule] > len(seeds) for rule in PLANTED_RULES), f"too little was planted to measure: {right}"


@pytest.mark.parametrize("rule", PLANTED_RULES, ids=str)
def test_weeks_without_anything_wrong_are_among_them_for_each_rule(rule: AlertRule) -> None:
    assert any(not planted_week(seed).wrong[rule] for seed in range(300))


@pytest.mark.parametrize("rule", AlertRule, ids=str)
def test_a_rule_is_measured_where_its_answer_is_a_matter_of_fact(rule: AlertRule) -> None:
    hits = measured(rule, 20)

    assert (hits is None) is (rule not in PLANTED_RULES)
    assert hits is None or (hits.precision.share, hits.recall.share) == (1, 1)


def test_a_rule_that_tells_half_and_something_false_is_measured_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = AlertRule.LATE_REQUEST
    judge = RULES[rule]
    right = measured(rule)

    def half(snapshot: AlertSnapshot) -> Judgement:
        found = judge(snapshot).findings
        kept = found[::2]
        return Judgement(rule, (*kept, *(replace(one, scope="never") for one in kept)))

    monkeypatch.setattr(planted, "RULES", {rule: half})
    wrong = measured(rule)

    assert right is not None
    assert wrong is not None
    assert len(right.right) > PLANTED_WEEKS
    assert wrong.precision.share == Decimal("0.5000")
    assert 0.5 <= float(wrong.recall.share or 0) < 0.8
