"""The gate: no figure, direction or alarm reaches a reader that code did not compute."""

import string
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.facts.gate import Offence, Scope, Stands, judge
from prism_core.facts.ledger import Fact, Ledger, Unit
from prism_core.facts.lexicon import Direction

UP = Stands(Direction.UP, alert=False)
SCOPE = Scope(
    Ledger(
        [
            Fact("leads", Decimal(41), Unit.COUNT, "leads", metric="leads"),
            Fact("spend", Decimal("512.40"), Unit.MONEY, "spend", "EUR", "spend"),
            Fact("1178.leads", Decimal(12), Unit.COUNT, "leads of 1178", metric="leads", subject="1178"),
            Fact("rate", Decimal("0.25"), Unit.SHARE, "clicks over impressions", metric="click_rate"),
        ]
    ),
    names={"1178": "Spring 2024", "916": "Autumn"},
    indicators={
        "spend": UP,
        "leads": Stands(Direction.DOWN, alert=True),
        "clicks": Stands(Direction.FLAT, alert=False),
    },
    weeks=frozenset({Week.parse("2023-W31"), Week.parse("2023-W30")}),
)
TRUE = [
    pytest.param("Spend was {{fact:spend}} and brought {{fact:leads}} leads.", (), id="figures"),
    pytest.param("{{name:1178}} brought {{fact:1178.leads}} leads (2023-W31).", (), id="of one campaign"),
    pytest.param("Spend rose to {{fact:spend}} against the last four weeks.", ("spend",), id="a direction"),
    pytest.param("Leads fell sharply: {{fact:leads}} leads in W31.", ("leads",), id="an alert"),
    pytest.param("Clicks are stable; nothing to do. One more week will tell.", ("clicks",), id="stable"),
    pytest.param("The week began on 2023-07-31.", (), id="a day"),
]
LIES = [
    pytest.param("Spend was 512.40 EUR.", (), Offence.DIGIT, id="a figure of its own"),
    pytest.param("Spend was five hundred euros.", (), Offence.NUMBER_WORD, id="in words"),
    pytest.param("Leads doubled.", ("spend",), Offence.NUMBER_WORD, id="doubled"),
    pytest.param("Spend was half of it.", (), Offence.NUMBER_WORD, id="half"),
    pytest.param("A twenty-fold return.", (), Offence.NUMBER_WORD, id="fold"),
    pytest.param("There were no new leads at all.", (), Offence.NOTHING, id="nothing"),
    pytest.param("Spend was 1{{fact:spend}}.", (), Offence.ALTERED, id="a digit before"),
    pytest.param("Spend was {{fact:spend}}0.", (), Offence.ALTERED, id="a digit behind"),
    pytest.param("Spend was {{fact:spend}} million.", (), Offence.ALTERED, id="a magnitude"),
    pytest.param("Spend was minus {{fact:spend}}.", (), Offence.ALTERED, id="minus"),
    pytest.param("Spend was -{{fact:spend}}.", (), Offence.ALTERED, id="a sign"),
    pytest.param("Spend was more than\n{{fact:spend}}.", (), Offence.ALTERED, id="more than"),
    pytest.param("The click rate was {{fact:rate}} percent.", (), Offence.ALTERED, id="percent twice"),
    pytest.param("Spend was {{fact:spend}}{{fact:spend}}.", (), Offence.ALTERED, id="two in one"),
    pytest.param("Spend was {{fact:spent}}.", (), Offence.UNKNOWN_FACT, id="unknown fact"),
    pytest.param("Spend was {{ fact:spend }}.", (), Offence.UNKNOWN_FACT, id="no token"),
    pytest.param("{{name:9}} did well.", (), Offence.UNKNOWN_NAME, id="unknown name"),
    pytest.param("Spend was \N{FULLWIDTH DIGIT FIVE}.", (), Offence.CHARACTER, id="fullwidth"),
    pytest.param("Spend was \N{VULGAR FRACTION ONE HALF}.", (), Offence.CHARACTER, id="fraction"),
    pytest.param("Spend was \N{ARABIC-INDIC DIGIT FIVE}.", (), Offence.CHARACTER, id="other digits"),
    pytest.param("Spend was €{{fact:spend}}.", (), Offence.CHARACTER, id="a sign of money"),
    pytest.param("Spend\N{RIGHT-TO-LEFT OVERRIDE} rose.", ("spend",), Offence.CHARACTER, id="turned round"),
    pytest.param("<b>Spend</b> was {{fact:spend}}.", (), Offence.MARKUP, id="markup"),
    pytest.param("Spend was &#53;.", (), Offence.MARKUP, id="an entity"),
    pytest.param("See https://example.org.", (), Offence.MARKUP, id="a link"),
    pytest.param("Clicks were {{fact:leads}}.", (), Offence.OTHER_METRIC, id="another metric"),
    pytest.param("The cost per lead was {{fact:spend}}.", (), Offence.OTHER_METRIC, id="spend as a lead's cost"),
    pytest.param("The cost per lead was {{fact:leads}}.", (), Offence.OTHER_METRIC, id="leads as their cost"),
    pytest.param("{{name:916}} brought {{fact:1178.leads}} leads.", (), Offence.OTHER_SUBJECT, id="another"),
    pytest.param("It brought {{fact:1178.leads}} leads.", (), Offence.OTHER_SUBJECT, id="no campaign"),
    pytest.param("{{name:916}} brought {{fact:leads}} leads.", (), Offence.OTHER_SUBJECT, id="all as of one"),
    pytest.param("Spend fell to {{fact:spend}}.", ("spend",), Offence.DIRECTION, id="the wrong way"),
    pytest.param("Spend rose.", (), Offence.DIRECTION, id="a trend of its own"),
    pytest.param("Clicks are growing.", ("clicks",), Offence.DIRECTION, id="a trend where there is none"),
    pytest.param("Spend rose while leads fell.", ("spend", "leads"), Offence.DIRECTION, id="two at once"),
    pytest.param("Spend is at a critical point.", ("spend",), Offence.ALARM, id="an alarm of its own"),
    pytest.param("The week began on 2024-07-31.", (), Offence.DIGIT, id="a day of another year"),
    pytest.param("As in W29.", (), Offence.DIGIT, id="a week that is not told of"),
    pytest.param("Over the last 6 weeks.", (), Offence.DIGIT, id="another window"),
    pytest.param("word " * 500, (), Offence.TOO_LONG, id="too long"),
]


@pytest.mark.parametrize(("prose", "indicators"), TRUE)
def test_what_code_says_too_passes(prose: str, indicators: tuple[str, ...]) -> None:
    assert judge(prose, SCOPE, indicators) == ()


@pytest.mark.parametrize(("prose", "indicators", "offence"), LIES)
def test_what_code_does_not_say_is_refused(prose: str, indicators: tuple[str, ...], offence: Offence) -> None:
    assert offence in {one.offence for one in judge(prose, SCOPE, indicators)}


def test_a_recommendation_may_say_what_shall_go_up_but_no_figure_and_no_alarm() -> None:
    assert judge("Increase the budget of {{name:916}} and lower the bid.", SCOPE, claims=False) == ()
    assert {one.offence for one in judge("Urgently cut it by 20 %.", SCOPE, claims=False)} == {
        Offence.DIGIT,
        Offence.ALARM,
    }


@given(prose=st.sampled_from([one.values[0] for one in TRUE]), data=st.data())
def test_a_digit_put_anywhere_outside_a_name_or_day_is_caught(prose: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(prose)))
    altered = prose[:at] + data.draw(st.sampled_from(string.digits)) + prose[at:]

    found = judge(altered, SCOPE, ("spend", "leads", "clicks"))

    assert found


@given(st.text(max_size=300))
def test_any_text_is_judged_and_never_crashes(prose: str) -> None:
    found = judge(prose, SCOPE)

    assert found or not any(character.isnumeric() for character in prose)
