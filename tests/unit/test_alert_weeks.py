"""Two thousand generated weeks with planted conflicts: what is wrong is found, and nothing else.

For the rules whose answer is a matter of fact: days off, names that are nobody's, late requests.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from prism_core.alerts.judging import RULES
from prism_core.models.alerts import AlertRule
from tests.unit.alert_weeks import About, PlantedWeek, planted_week

WEEKS, PARTS = 2_000, 8
PLANTED: dict[AlertRule, Callable[[PlantedWeek], set[About]]] = {
    AlertRule.OOTO_CONFLICT: lambda week: week.ooto,
    AlertRule.UNRESOLVED_WORKER: lambda week: week.workers,
    AlertRule.LATE_REQUEST: lambda week: week.requests,
}


@pytest.mark.parametrize("part", range(PARTS))
def test_two_thousand_weeks_are_judged_with_full_precision_and_recall(part: int) -> None:
    right: Counter[AlertRule] = Counter()
    wrong: list[str] = []
    seeds = range(part, WEEKS, PARTS)
    for seed in seeds:
        week = planted_week(seed)
        for rule, planted_of in PLANTED.items():
            found = {(one.subject, one.scope) for one in RULES[rule](week.snapshot).findings}
            planted = planted_of(week)
            right[rule] += len(found & planted)
            wrong += [f"week {seed}: {rule} told {about} falsely" for about in sorted(found - planted)]
            wrong += [f"week {seed}: {rule} missed {about}" for about in sorted(planted - found)]

    assert wrong == []
    assert all(right[rule] > len(seeds) for rule in PLANTED), f"too little was planted to measure: {right}"


@pytest.mark.parametrize("rule", PLANTED, ids=str)
def test_weeks_without_anything_wrong_are_among_them_for_each_rule(rule: AlertRule) -> None:
    quiet = [seed for seed in range(300) if not PLANTED[rule](planted_week(seed))]

    assert quiet
