"""What a model answers becomes the words of a report, or the reasons why not. Alerts stay code's."""

import json
from typing import Any

import pytest

from prism_core.campaign.figures import Figures, Inputs, figures, week_id
from prism_core.campaign.metrics import Metric
from prism_core.reports.answers import Telling, offending, without_advice, words_of
from prism_core.reports.campaign import report
from prism_core.reports.content import Department, Fallback, Provenance, Writer
from prism_resources.writing.brief import brief
from prism_resources.writing.passes import Unusable, in_form, write
from tests.unit.campaign_weeks import of_weeks, week, weekly

LEADS = [1000, 1040, 980, 1010, 200]  # the last week is an alert at once


def fallen() -> Figures:
    return figures(Inputs(of_weeks(weekly(LEADS), 5), week(4), "EUR"))


def said(prose: str, *about: str) -> dict[str, Any]:
    return {"prose": prose, "about": list(about)}


def telling(*headline: dict[str, Any], departments: tuple[Department, ...] = tuple(Department)) -> Telling:
    advice = [{**said("Leave the campaigns as they are."), "department": one.value} for one in departments]
    found = {"headline": list(headline), "analysis": [said("Spend is known.")], "recommendations": advice}
    return Telling.model_validate_json(json.dumps(found))


def test_what_passes_the_gate_is_told_and_code_tells_the_alert_too() -> None:
    found = fallen()
    leads = week_id(found.week, Metric.LEADS)
    answer = telling(said(f"Leads fell to {{{{fact:{leads}}}}}.", "leads"))

    assert offending(answer, found) == ()
    words = words_of(answer, found)
    told = report(found, words, Provenance(Writer.MODEL, model="m"))

    assert told.refused() == ()
    assert [told.text(one.prose).partition(" against")[0] for one in words.headline] == [
        "Alert: leads fell",
        "Alert: cost per lead rose",
        "Leads fell to 200.",
    ]


def test_a_figure_of_another_week_is_told_with_its_week() -> None:
    found = fallen()
    before = week_id(week(3), Metric.LEADS)
    words = words_of(telling(said(f"Leads were {{{{fact:{before}}}}}.")), found)

    assert words.headline[-1].prose == f"Leads were {{{{fact:{before}}}}} ({week(3).label})."


@pytest.mark.parametrize(
    ("prose", "about", "reason"),
    [
        pytest.param("Leads fell by a third.", ["leads"], "number_word", id="a figure in words"),
        pytest.param("Spend collapsed.", ["spend"], "alarm", id="an alarm of its own"),
        pytest.param("Leads are stable.", ["leads"], "direction", id="the alert denied"),
        pytest.param("Nothing asks for action.", [], "denial", id="calm beside an alert"),
        pytest.param("There is no alert on leads.", ["leads"], "denial", id="no alert where one stands"),
        pytest.param("<h1>Leads</h1>", [], "markup", id="markup"),
    ],
)
def test_what_does_not_is_named_with_its_reason(prose: str, about: list[str], reason: str) -> None:
    (against,) = offending(telling(said(prose, *about)), fallen())

    assert against.prose == prose
    assert reason in against.reason


def test_a_department_that_nothing_is_said_to_is_seen() -> None:
    told = telling(said("Nothing is to be done."), departments=(Department.MARKETING,) * 3)

    assert without_advice(told) == (Department.DIGITAL, Department.LEADERSHIP)


class Scripted:
    """Answers in turn, as a service would over a wire."""

    model = "scripted"

    def __init__(self, *answers: str | Unusable) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def ask(self, step: str, system: str, turns: list[tuple[str, str]], schema: object) -> str:
        del system, schema
        self.asked.append(f"{step}: {turns[-1][1]}")
        answer = self.answers.pop(0)
        if isinstance(answer, Unusable):
            raise answer
        return answer


READ = json.dumps({"observations": [said("Leads fell.", "leads")]})
PATTERNS = json.dumps({"lasting": [], "noise": []})
LIE = telling(said("Leads fell to 19.", "leads")).model_dump_json()
TRUE = telling(said("Leads fell.", "leads")).model_dump_json()


def test_a_refused_answer_is_repaired_once_with_its_reasons() -> None:
    model = Scripted(READ, PATTERNS, LIE, TRUE)

    written = write(fallen(), model, print)

    assert (written.provenance.writer, written.repaired) == (Writer.MODEL, True)
    assert "digit: '19.'" in model.asked[-1]


@pytest.mark.parametrize(
    ("answers", "fallback"),
    [
        pytest.param([READ, PATTERNS, LIE, LIE], Fallback.REJECTED, id="lies twice"),
        pytest.param([READ, PATTERNS, "<html>", "{}"], Fallback.MALFORMED, id="no json twice"),
        pytest.param(["<html>"], Fallback.MALFORMED, id="no json at once"),
        pytest.param([READ, Unusable(Fallback.REFUSAL, "no")], Fallback.REFUSAL, id="refuses"),
        pytest.param([READ, PATTERNS, Unusable(Fallback.TRUNCATED, "cut")], Fallback.TRUNCATED, id="is cut off"),
    ],
)
def test_whatever_goes_wrong_code_writes_and_says_why(answers: list[Any], fallback: Fallback) -> None:
    found = fallen()

    written = write(found, Scripted(*answers), print)

    assert written.provenance == Provenance(Writer.CODE, fallback)
    assert report(found, written.words, written.provenance).refused() == ()
    assert written.reasons


def test_a_form_takes_nothing_that_it_does_not_know() -> None:
    with pytest.raises(Unusable, match="observations"):
        in_form(Telling, READ)


def test_the_model_reads_no_source_and_no_lead() -> None:
    told = json.loads(brief(fallen()))

    assert {"sources", "of", "value"}.isdisjoint(name for fact in told["facts"] for name in fact)
    assert told["indicators"][1]["says"].endswith("ALERT")
