"""Every rule answers the cases that it ships with, and says nothing of a snapshot in which nothing was read."""

import json

import pytest

from prism_core.alerts.cases.case import Case, snapshot
from prism_core.alerts.findings import Judgement
from prism_core.alerts.fixtures import CASES, found_in, outcomes
from prism_core.alerts.judging import RULES, judge
from prism_core.alerts.ledger import observed
from prism_core.models.alerts import Alert, AlertRule

EVERY_CASE = [(rule, case) for rule, cases in CASES.items() for case in cases]
WITHOUT_DATA = (AlertRule.LATE_REQUEST,)  # requests are a register: none is an answer


@pytest.mark.parametrize(("rule", "case"), EVERY_CASE, ids=[f"{rule}-{case.name}" for rule, case in EVERY_CASE])
def test_a_rule_finds_all_of_a_case_and_nothing_more(rule: AlertRule, case: Case) -> None:
    assert found_in(rule, case) == dict(case.expected)


def test_time_off_on_thursday_does_not_flag_a_monday_to_wednesday_allocation() -> None:
    name = "time off on Thursday and an allocation from Monday to Wednesday"
    case = next(case for case in CASES[AlertRule.OOTO_CONFLICT] if case.name == name)
    (allocation,) = case.snapshot.planned[case.snapshot.week]
    (entry,) = case.snapshot.time_off[case.snapshot.week]

    found = RULES[AlertRule.OOTO_CONFLICT](case.snapshot)

    assert [f"{day:%A}" for day in sorted(allocation.hours)] == ["Monday", "Tuesday", "Wednesday"]
    assert f"{entry.day:%A} {entry.status}" == "Thursday approved"
    assert found.findings == ()
    assert found.abstained is None


@pytest.mark.parametrize("rule", AlertRule)
def test_a_rule_ships_with_true_and_false_cases_under_names_of_their_own(rule: AlertRule) -> None:
    names = [case.name for case in CASES[rule]]

    assert len(names) == len(set(names))
    assert {case.true for case in CASES[rule]} == {True, False}
    assert all(outcome.right for outcome in outcomes(rule))


def test_every_rule_has_its_line_in_both_registries() -> None:
    assert list(RULES) == list(CASES) == list(AlertRule)


@pytest.mark.parametrize("rule", [rule for rule in AlertRule if rule not in WITHOUT_DATA])
def test_a_rule_says_why_it_cannot_judge_where_nothing_was_read(rule: AlertRule) -> None:
    answer = RULES[rule](snapshot())

    assert answer.findings == ()
    assert answer.abstained


@pytest.mark.parametrize(("rule", "case"), EVERY_CASE, ids=[f"{rule}-{case.name}" for rule, case in EVERY_CASE])
def test_the_same_snapshot_gives_the_same_answer_with_evidence_that_can_be_stored(
    rule: AlertRule, case: Case
) -> None:
    once, again = (RULES[rule](case.snapshot) for _ in range(2))

    assert once == again
    assert len({finding.fingerprint for finding in once.findings}) == len(once.findings)
    for finding in once.findings:
        assert finding.rule is rule
        assert finding.evidence
        assert json.dumps([dict(row.figures) for row in finding.evidence])
        assert all("/" in row.item or row.item == "capacity" for row in finding.evidence)
        assert not once.undecided & {finding.fingerprint}
        alert = observed(None, finding, case.snapshot.as_of)
        assert Alert.from_plain(alert.plain()) == alert


def test_all_rules_are_asked_in_order_or_those_that_are_named() -> None:
    def asked(judgements: list[Judgement]) -> list[AlertRule]:
        return [judgement.rule for judgement in judgements]

    assert asked(judge(snapshot())) == list(AlertRule)
    assert asked(judge(snapshot(), [AlertRule.SLA_BREACH])) == [AlertRule.SLA_BREACH]
