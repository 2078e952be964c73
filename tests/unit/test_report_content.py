"""A report says nothing but figures of its ledger, and every sentence of it is judged."""

import dataclasses
import json
from decimal import Decimal

import pytest

from prism_core.calendar import Week
from prism_core.facts.gate import Offence, Scope, Stands
from prism_core.facts.ledger import Fact, Ledger, Unit
from prism_core.facts.lexicon import Direction
from prism_core.failures import PermanentFailure
from prism_core.reports.content import (
    Card,
    Chart,
    Column,
    Department,
    Fallback,
    Provenance,
    Recommendation,
    ReportContent,
    Series,
    Statement,
    Table,
    Writer,
)

WEEK = Week.parse("2023-W31")
LEDGER = Ledger(
    [
        Fact("a.leads", Decimal(41), Unit.COUNT, "leads of a", metric="leads", subject="1", sources=("row a",)),
        Fact("unused", Decimal(9), Unit.COUNT, "unused"),
    ]
)
LEDGER.total("leads", "leads", (LEDGER["a.leads"],), metric="leads", unit=Unit.COUNT)
SCOPE = Scope(LEDGER, {"1": "Spring 2023"}, {"leads": Stands(Direction.UP, alert=False)}, frozenset({WEEK}))
REPORT = ReportContent(
    title="Campaigns",
    week=WEEK,
    scope=SCOPE,
    headline=(Statement("Leads rose to {{fact:leads}}.", ("leads",)),),
    cards=(Card("Leads", "{{fact:leads}}", direction=Direction.UP), *(Card("None", "none"),) * 3),
    sections=(
        Table("By campaign", (Column("Campaign"), Column("Leads")), (("{{name:1}}", "{{fact:a.leads}}"),)),
        Chart("leads", "Leads", ("W31",), (Series("Leads", ("leads",)),), Statement("Leads.")),
    ),
    provenance=Provenance(Writer.CODE, Fallback.NO_KEY),
    recommendations=(Recommendation(Department.MARKETING, Statement("Increase nothing.", claims=False)),),
)


def test_a_report_is_written_out_from_its_facts_and_names() -> None:
    assert REPORT.text("{{name:1}}: {{fact:a.leads}} leads") == "Spring 2023: 41 leads"
    assert REPORT.refused() == ()
    assert "no model is set up" in REPORT.provenance.label


@pytest.mark.parametrize(
    ("changed", "offence"),
    [
        pytest.param({"headline": (Statement("There were 47 leads."),)}, Offence.DIGIT, id="headline"),
        pytest.param({"corrections": (Statement("Leads fell."),)}, Offence.DIRECTION, id="corrections"),
        pytest.param({"missing": (Statement("A crisis."),)}, Offence.ALARM, id="missing"),
        pytest.param(
            {"recommendations": (Recommendation(Department.DIGITAL, Statement("Cut it by half.", claims=False)),)},
            Offence.NUMBER_WORD,
            id="recommendations",
        ),
        pytest.param(
            {"sections": (dataclasses.replace(REPORT.sections[1], alt=Statement("Leads doubled.")),)},
            Offence.NUMBER_WORD,
            id="chart",
        ),
        pytest.param(
            {"sections": (dataclasses.replace(REPORT.sections[0], notes=(Statement("Over 9000."),)),)},
            Offence.DIGIT,
            id="notes of a table",
        ),
    ],
)
def test_every_sentence_is_judged_wherever_it_stands(changed: dict[str, object], offence: Offence) -> None:
    report = dataclasses.replace(REPORT, **changed)

    assert offence in {one.offence for one in report.refused()}


def test_its_document_holds_what_a_reader_sees_and_where_it_comes_from() -> None:
    found = json.loads(json.dumps(REPORT.document()))

    assert [one["id"] for one in found["facts"]] == ["a.leads", "leads"]
    assert found["facts"][0]["sources"] == ["row a"]
    assert found["names"] == {"1": "Spring 2023"}
    assert [one["part"] for one in found["sections"]] == ["table", "chart"]


def test_the_number_of_an_edition_makes_no_new_content_but_a_figure_does() -> None:
    other = Ledger([dataclasses.replace(LEDGER["a.leads"], value=Decimal(47))])
    other.total("leads", "leads", other.values(), metric="leads", unit=Unit.COUNT)

    same = dataclasses.replace(REPORT, edition=2)
    new = dataclasses.replace(REPORT, scope=dataclasses.replace(SCOPE, facts=other))

    assert same.content_hash() == REPORT.content_hash()
    assert new.content_hash() != REPORT.content_hash()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param({"cards": REPORT.cards[:3]}, "4 cards", id="cards"),
        pytest.param({"headline": (Statement("{{fact:none}} leads"),)}, "names the fact none", id="fact"),
    ],
)
def test_a_report_that_could_not_be_rendered_is_refused(changed: dict[str, object], why: str) -> None:
    with pytest.raises(PermanentFailure, match=why):
        dataclasses.replace(REPORT, **changed)


def test_rows_and_lines_have_a_place_for_everything() -> None:
    with pytest.raises(PermanentFailure, match="1 of 2 cells"):
        Table("T", (Column("a"), Column("b")), (("x",),))
    with pytest.raises(PermanentFailure, match="a figure or a gap"):
        Chart("k", "T", ("W31", "W32"), (Series("a", (None,)),), Statement("x"))
    with pytest.raises(PermanentFailure, match="says why"):
        Provenance(Writer.CODE)
