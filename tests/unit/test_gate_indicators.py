"""The gate: no alert is talked away, and no indicator told of a campaign, another week or what is to come."""

import pytest

from prism_core.facts.gate import Offence, Scope, Stands, judge
from prism_core.facts.lexicon import Direction
from tests.unit.test_facts_gate import SCOPE

CALM = Scope(SCOPE.facts, SCOPE.names, {"spend": Stands(Direction.FLAT, alert=False)}, SCOPE.weeks)
_LARGE = Stands(Direction.DOWN, alert=False, lasting=False, large=True)
LARGE = Scope(SCOPE.facts, SCOPE.names, {"leads": _LARGE}, SCOPE.weeks)


@pytest.mark.parametrize(
    ("prose", "claims"),
    [
        pytest.param("Nothing asks for action.", True, id="nothing"),
        pytest.param("No action is needed.", True, id="no action"),
        pytest.param("No action is needed.", False, id="advice"),
        pytest.param("Nothing needs to be done.", False, id="advice to do nothing"),
        pytest.param("Action is not needed.", False, id="not needed"),
        pytest.param("No decision is needed.", True, id="no decision"),
        pytest.param("Nothing in the figures asks for another setting.", False, id="the figures"),
    ],
)
def test_nobody_calls_a_week_calm_in_which_an_alert_or_a_large_move_stands(prose: str, *, claims: bool) -> None:
    for scope in (SCOPE, LARGE):
        assert Offence.DENIAL in {one.offence for one in judge(prose, scope, claims=claims)}
    assert Offence.DENIAL not in {one.offence for one in judge(prose, CALM, claims=claims)}


@pytest.mark.parametrize(
    "prose",
    [
        "There is no alert on leads.",
        "The alert on leads is not to be relied on.",
        "Leads cannot be judged.",
        "The change of leads is noise.",
        "Leads: no lasting change.",
        "It is not a trend.",
        "There is no trend in spend.",
    ],
)
def test_what_an_indicator_says_is_not_talked_away(prose: str) -> None:
    assert Offence.DENIAL in {one.offence for one in judge(prose, SCOPE, ("leads",))}


def test_of_one_week_it_may_be_said_that_it_is_no_trend_and_nothing_be_decided_on_it() -> None:
    told = "Impressions fell this week; one week alone is no trend."

    assert judge(told, SCOPE, ("impressions",)) == ()
    assert judge("Nothing is to be decided on one week.", SCOPE, claims=False) == ()


@pytest.mark.parametrize(
    ("prose", "about", "claims"),
    [
        pytest.param("Leads of {{name:1178}} fell.", ("leads",), True, id="direction"),
        pytest.param("{{name:916}} has its own leads. They fell.", ("leads",), True, id="they"),
        pytest.param("{{name:1178}} is critical.", ("leads",), True, id="alarm"),
        pytest.param(
            "Alert: leads fell. Look at {{name:1178}}, which is alarming.", ("leads",), False, id="advice"
        ),
        pytest.param("Clicks of {{name:1178}} are stable.", ("clicks",), True, id="flat"),
    ],
)
def test_no_campaign_has_the_direction_or_alarm_of_all_together(
    prose: str, about: tuple[str, ...], *, claims: bool
) -> None:
    assert Offence.OTHER_SUBJECT in {one.offence for one in judge(prose, SCOPE, about, claims=claims)}


def test_beside_a_campaign_all_together_may_be_told_of_in_a_sentence_of_its_own() -> None:
    told = "{{name:1178}} brought {{fact:1178.leads}} leads. Leads of all campaigns fell."

    assert judge(told, SCOPE, ("leads",)) == ()


@pytest.mark.parametrize(
    ("prose", "claims"),
    [
        pytest.param("Leads fell in 2023-W30.", True, id="another week"),
        pytest.param("Leads fell in W30.", False, id="another week in advice"),
        pytest.param("Leads fell from {{fact:then}} to {{fact:leads}}.", True, id="a figure of another week"),
        pytest.param("Leads were {{fact:then}} (2023-W30). They fell.", True, id="they"),
        pytest.param("Leads fell on 2023-08-01.", True, id="a day"),
        pytest.param("Leads fell on Sunday.", True, id="Sunday"),
        pytest.param("Leads fell against the week before.", True, id="the week before"),
        pytest.param("Leads will fall.", True, id="forecast"),
        pytest.param("Leads fall next week.", True, id="next week"),
        pytest.param("Leads may fall further.", False, id="forecast in advice"),
        pytest.param("Leads fell last month.", False, id="month in advice"),
    ],
)
def test_no_direction_is_of_another_week_or_to_come(prose: str, *, claims: bool) -> None:
    assert Offence.OTHER_TIME in {one.offence for one in judge(prose, SCOPE, ("leads",), claims=claims)}


@pytest.mark.parametrize("words", ["will be {}", "were {} last month", "would be {}", "were {} the previous week"])
def test_a_figure_is_neither_forecast_nor_of_another_month(words: str) -> None:
    prose = f"Leads {words.format('{{fact:leads}}')}."

    assert Offence.UNKNOWN_WORD in {one.offence for one in judge(prose, SCOPE)}


@pytest.mark.parametrize(
    "prose",
    [
        "Leads fell in W31 against the last four weeks.",
        "Leads fell against the four weeks before.",
        "Leads were {{fact:then}} (2023-W30). Leads of this week fell.",
        "In 2023-W30 leads were {{fact:then}}. Leads fell.",
    ],
)
def test_this_week_against_its_window_has_a_direction(prose: str) -> None:
    assert judge(prose, SCOPE, ("leads",)) == ()


def test_advice_may_wait_for_the_next_week() -> None:
    assert judge("Keep the campaigns as they are until next week.", SCOPE, claims=False) == ()


@pytest.mark.parametrize(
    "claim",
    [
        "were the same",
        "were around the same",
        "are at that level",
        "are at the same level",
        "stayed at their level",
        "came as before",
        "remained the same as before",
    ],
)
def test_a_level_that_stayed_is_a_direction_too(claim: str) -> None:
    assert Offence.DIRECTION in {one.offence for one in judge(f"Leads {claim}.", SCOPE, ("leads",))}
    assert judge(f"Clicks {claim}.", SCOPE, ("clicks",)) == ()


def test_the_same_time_is_no_level_and_advice_may_keep_one() -> None:
    assert judge("At the same time leads fell.", SCOPE, ("leads",)) == ()
    assert judge("Keep the budget at that level and the bid the same.", SCOPE, claims=False) == ()
